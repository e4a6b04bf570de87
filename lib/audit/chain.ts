import "server-only";
import { createHash, randomUUID } from "node:crypto";
import { type Selectable, sql, type Transaction } from "kysely";
import type { AuditDetails, AuditEvent } from "@/lib/audit/schema";
import { DatabaseUnavailable } from "@/lib/db/failure";
import type { AuditChainTable, AuditEventsTable, Database } from "@/lib/db/schema";

/**
 * The hash chain. Its head is one row; who updates it holds the chain until the transaction ends, on SQLite and on
 * PostgreSQL, so that writers on any number of replicas never fork it.
 */

/** An event that has no place in the chain yet. */
export type Draft = {
  id: string;
  tenant: string | null;
  action: AuditEvent["action"];
  outcome: AuditEvent["outcome"];
  actorId: string | null;
  actorName: string;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
  correlationId: string;
  tokenId: string | null;
  tokenHint: string | null;
  reason: string | null;
  details: AuditDetails;
};

export type Head = Selectable<AuditChainTable>;
export type EventRow = Selectable<AuditEventsTable>;

/** What the first event names as the one before it. */
export const genesisHash = "0".repeat(64);

/** JSON with sorted keys and no white space (RFC 8785, for text without lone surrogates). */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical((value as Record<string, unknown>)[name])}`);
  return `{${members.join(",")}}`;
}

/** SHA-256 of the canonical JSON of the event without its own hash, with the chain's ID as `chain`. */
export function hashOf(chain: string, event: AuditEvent): string {
  const { hash: _, ...rest } = event;
  return createHash("sha256")
    .update(canonical({ ...rest, chain }))
    .digest("hex");
}

/** A row as it is read and hashed. @throws when a column holds what no writer of ours puts there */
export function eventOf(row: EventRow): AuditEvent {
  return {
    seq: row.seq,
    id: row.id,
    at: new Date(row.at).toISOString(),
    tenant: row.tenant,
    action: row.action as AuditEvent["action"],
    outcome: row.outcome as AuditEvent["outcome"],
    actor: { id: row.actor_id, name: row.actor_name },
    address: row.address,
    userAgent: row.user_agent,
    requestId: row.request_id,
    correlationId: row.correlation_id,
    token: row.token_id === null && row.token_hint === null ? null : { id: row.token_id, hint: row.token_hint },
    reason: row.reason,
    details: JSON.parse(row.details) as AuditDetails,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}

/** The same for a reader, from whom one damaged row must not keep the others: `details.damaged` says what it is. */
export function shownEvent(row: EventRow): AuditEvent {
  try {
    const event = eventOf(row);
    if (event.details !== null && typeof event.details === "object" && !Array.isArray(event.details)) return event;
  } catch {
    // What cannot be read is left out below.
  }
  const at = Number.isSafeInteger(row.at) && Math.abs(row.at) <= 8.64e15 ? row.at : 0;
  return { ...eventOf({ ...row, at, details: "{}" }), details: { damaged: true } };
}

/**
 * Takes the chain for this transaction. The first call of all makes it.
 * @throws {DatabaseUnavailable} `damaged`: there are events, but no head
 */
export async function lockChain(trx: Transaction<Database>): Promise<Head> {
  const take = () => trx.updateTable("audit_chain").set({ id: 1 }).returningAll().executeTakeFirst();
  const head = await take();
  if (head) return head;
  const left = await trx.selectFrom("audit_events").select("seq").limit(1).executeTakeFirst();
  if (left) {
    // Or the first writer of all has committed between the two looks.
    const appeared = await take();
    if (appeared) return appeared;
    throw new DatabaseUnavailable("damaged");
  }
  await trx
    .insertInto("audit_chain")
    .values({ id: 1, chain: randomUUID(), seq: 0, hash: genesisHash, at: 0, pruned_seq: 0, pruned_hash: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const made = await take();
  if (!made) throw new DatabaseUnavailable("damaged");
  return made;
}

const rowsPerInsert = 200;
/** How far a clock may go wrong before the events of others say what time it was there. */
const skewMs = 60_000;

/**
 * Appends events, in this order. Their time is `at`, or later where the chain is already: by much because another
 * replica's clock is wrong, and then `details.happenedAt` says `at`.
 * @returns the new head
 * @throws {DatabaseUnavailable} `damaged`: the head says that a place is free which is not
 */
export async function append(trx: Transaction<Database>, drafts: readonly Draft[], at = Date.now()): Promise<Head> {
  const head = await lockChain(trx);
  if (drafts.length === 0) return head;
  const time = Math.max(head.at, at);
  const happenedAt = time - at > skewMs ? { happenedAt: new Date(at).toISOString() } : {};
  let { seq, hash } = head;
  const rows = drafts.map((draft) => {
    seq += 1;
    const details = canonical({ ...happenedAt, ...draft.details });
    const row: EventRow = { ...rowOf(draft), details, seq, at: time, previous_hash: hash, hash: "" };
    hash = hashOf(head.chain, eventOf(row));
    row.hash = hash;
    return row;
  });
  for (let from = 0; from < rows.length; from += rowsPerInsert) {
    await trx
      .insertInto("audit_events")
      .values(rows.slice(from, from + rowsPerInsert))
      .execute()
      .catch((error: unknown) => {
        throw isUniqueViolation(error) ? new DatabaseUnavailable("damaged", { cause: error }) : error;
      });
  }
  await trx.updateTable("audit_chain").set({ seq, hash, at: time }).execute();
  return { ...head, seq, hash, at: time };
}

function rowOf(draft: Draft): Omit<EventRow, "seq" | "at" | "details" | "previous_hash" | "hash"> {
  return {
    id: draft.id,
    tenant: draft.tenant,
    action: draft.action,
    outcome: draft.outcome,
    actor_id: draft.actorId,
    actor_name: draft.actorName,
    address: draft.address,
    user_agent: draft.userAgent,
    request_id: draft.requestId,
    correlation_id: draft.correlationId,
    token_id: draft.tokenId,
    token_hint: draft.tokenHint,
    reason: draft.reason,
  };
}

function isUniqueViolation(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === "23505" || (code === "ERR_SQLITE_ERROR" && (Number(errcode) & 0xff) === 19);
}

/**
 * The outcomes of an act that are in the log, the oldest first. Only certain while the chain is held.
 * @param since an event that is older than all of them, or a time before them, in epoch milliseconds
 */
export async function outcomesOf(
  trx: Transaction<Database>,
  { tenant, action, correlationId }: Pick<Draft, "tenant" | "action" | "correlationId">,
  since: { seq: number } | { at: number },
): Promise<AuditEvent[]> {
  const before =
    "seq" in since
      ? since
      : await trx
          .selectFrom("audit_events")
          .select("seq")
          .where("at", "<", since.at)
          .orderBy("at", "desc")
          .orderBy("seq", "desc")
          .limit(1)
          .executeTakeFirst();
  const rows = await trx
    .selectFrom("audit_events")
    .selectAll()
    .where("tenant", tenant === null ? "is" : "=", tenant)
    .where("action", "=", action)
    .where("outcome", "in", ["succeeded", "failed", "unknown"])
    .where("seq", ">", before?.seq ?? 0)
    .where("correlation_id", "=", correlationId)
    .orderBy("seq")
    .execute();
  return rows.map(shownEvent);
}

/** Whether an event of this ID is in the log. Only certain while the chain is held. */
export async function hasEvent(trx: Transaction<Database>, id: string): Promise<boolean> {
  const found = await trx
    .selectFrom("audit_events")
    .select(sql<number>`1`.as("found"))
    .where("id", "=", id)
    .executeTakeFirst();
  return found !== undefined;
}
