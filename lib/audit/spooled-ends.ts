import "server-only";
import type { Draft } from "@/lib/audit/chain";
import { write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { sessionLock, writeSessionEnd } from "@/lib/db/session-ends";
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
  const row =
    tenant === null || actorId === null
      ? null
      : {
          ...{ id, tenant, user_id: actorId, user_name: actorName, login: actorName, address, user_agent: userAgent },
          ...{ created_at: happenedAt, seen_at: happenedAt, ...ended },
        };
  await write(sessionLock(id), (trx) => writeSessionEnd(trx, id, ended, row));
}
