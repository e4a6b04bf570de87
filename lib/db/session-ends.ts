import "server-only";
import type { Transaction } from "kysely";
import type { Database, SessionsTable } from "@/lib/db/schema";

type SessionEnd = Pick<SessionsTable, "ended_at" | "end_reason" | "ended_by">;

/** The lock of a session's row. */
export const sessionLock = (id: string) => `session:${id}`;

/**
 * Ends a session, once. `row`: what it is registered as where it has no row yet, so that it is not taken for one that is
 * still to be registered.
 * @returns whether this call did
 */
export async function writeSessionEnd(
  trx: Transaction<Database>,
  id: string,
  end: SessionEnd,
  row: SessionsTable | null,
): Promise<boolean> {
  const updated = await trx
    .updateTable("sessions")
    .set(end)
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .returning("id")
    .execute();
  if (updated.length > 0 || row === null) return updated.length > 0;
  const inserted = await trx
    .insertInto("sessions")
    .values({ ...row, ...end })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning("id")
    .execute();
  return inserted.length > 0;
}
