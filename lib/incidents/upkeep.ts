import "server-only";
import { write } from "@/lib/db/client";
import { env } from "@/lib/env";

/**
 * Removes the cases that are older than the audit log is kept (AUDIT_RETENTION_DAYS), but none that is being worked on.
 * @returns how many
 * @throws {DatabaseUnavailable}
 */
export async function pruneCases(now = Date.now()): Promise<number> {
  const { auditRetentionMs } = env();
  if (auditRetentionMs === null) return 0;
  return write("incidents", async (trx) => {
    const old = trx
      .selectFrom("incidents")
      .select("id")
      .where("opened_at", "<", now - auditRetentionMs)
      .where("held_until", "<", now);
    await trx.deleteFrom("incident_tokens").where("incident_id", "in", old).execute();
    const { numDeletedRows } = await trx.deleteFrom("incidents").where("id", "in", old).executeTakeFirst();
    return Number(numDeletedRows);
  });
}
