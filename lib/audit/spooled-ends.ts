import "server-only";
import type { Draft } from "@/lib/audit/chain";
import { write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { logger } from "@/lib/logger";

type Record = { draft: Draft; happenedAt: number };

/**
 * Ends the sessions whose end was recorded while the database was away. The process that ended them writes it down itself as
 * soon as it can; when it is gone, the record is all that keeps a copy of the cookie from being a session again.
 * @throws {DatabaseUnavailable}
 */
export async function endSpooled(records: readonly Record[]): Promise<void> {
  for (const record of records) {
    const { action, details } = record.draft;
    if (action !== "session.end" || typeof details.session !== "string") continue;
    try {
      await end(record);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      logger().error({ err: error }, "the end of a session was not written");
    }
  }
}

async function end({ draft, happenedAt }: Record): Promise<void> {
  const { tenant, actorId, actorName, address, userAgent, details } = draft;
  const id = String(details.session);
  const ended = { ended_at: happenedAt, end_reason: String(details.reason), ended_by: actorId };
  await write(`session:${id}`, async (trx) => {
    const changed = await trx
      .updateTable("sessions")
      .set(ended)
      .where("id", "=", id)
      .where("ended_at", "is", null)
      .returning("id")
      .execute();
    if (changed.length > 0 || tenant === null || actorId === null) return;
    // Of one that began meanwhile, too: without a row it would be taken for one that is yet to be registered.
    await trx
      .insertInto("sessions")
      .values({
        ...{ id, tenant, user_id: actorId, user_name: actorName, login: actorName, address, user_agent: userAgent },
        ...{ created_at: happenedAt, seen_at: happenedAt, ...ended },
      })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
  });
}
