import "server-only";
import { createHash } from "node:crypto";
import { setImmediate as otherWork } from "node:timers/promises";
import { needLog } from "@/lib/audit/availability";
import { type Actor, appendWithin, draftOf, type Entry, recordOf, recordOrSpool } from "@/lib/audit/log";
import { commit, spool, type Waiting } from "@/lib/audit/spool";
import { read, write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import type { SessionsTable } from "@/lib/db/schema";
import { sessionLock, writeSessionEnd } from "@/lib/db/session-ends";
import { env } from "@/lib/env";
import { inTime } from "@/lib/in-time";
import { logger } from "@/lib/logger";
import { pruneRefreshStates } from "@/lib/session/refresh-states";
import { type EndReason, endReasons, type SessionData } from "@/lib/session/schema";

/**
 * The sign-ins: a row each, without a token, looked at with every request, so that an ended session is dead at once on
 * every replica and after a restart. Without the database people can still read, sign in and sign out; what was ended
 * meanwhile is remembered in this process and written down later (docs/decisions/0011-session-registry.md).
 */

/** What the registry says of a session. `missing`: it has no row; `unavailable`: the database cannot be asked. */
export type Standing =
  | { kind: "active"; createdAt: number; seenAt: number; actor: Actor }
  | { kind: "ended"; reason: EndReason }
  | { kind: "missing" }
  | { kind: "unavailable" };

type Pending = { row: SessionsTable | null; id: string; reason: EndReason; by: string | null; at: number };

type Memory = {
  /** Sessions that this process knows to be over, in the order of their end. */
  ended: Map<string, { reason: EndReason; at: number }>;
  /** Ends that could not be written yet. */
  pending: Map<string, Pending>;
  retry: NodeJS.Timeout | null;
  /** When this process last noted the use of a session. */
  touched: Map<string, number>;
  /** When the database last could not be asked. */
  unavailableAt: number;
  tenants: { seen: string[]; at: number };
};

// The proxy, the route handlers and the server components are separate bundles of one process.
const slot = Symbol.for("tokendesk.endedSessions");
type Slot = { [slot]?: Memory };

function memory(): Memory {
  const holder = globalThis as Slot;
  holder[slot] ??= {
    ended: new Map(),
    pending: new Map(),
    retry: null,
    touched: new Map(),
    unavailableAt: 0,
    tenants: { seen: [], at: 0 },
  };
  return holder[slot];
}

/** A request does not stand still for a database that does not answer. */
const patienceMs = 2_000;
const retryMs = 5_000;
const maxTouched = 50_000;

/** The row's ID, which may be shown; the session ID may not. */
export function registryId(sid: string): string {
  return createHash("sha256").update(sid).digest("base64url").slice(0, 22);
}

/** How seldom the use of a session is noted. */
export function touchIntervalMs(): number {
  return Math.min(60_000, env().sessionIdleMs / 4);
}

export async function standingOf(sid: string): Promise<Standing> {
  const id = registryId(sid);
  const known = memory().ended.get(id);
  if (known) return { kind: "ended", reason: known.reason };
  const answer = await patiently(read((db) => db.selectFrom("sessions").selectAll().where("id", "=", id).execute()));
  if (answer === "unavailable") {
    memory().unavailableAt = Date.now();
    return { kind: "unavailable" };
  }
  const [row] = answer;
  if (!row) return { kind: "missing" };
  if (row.ended_at !== null) return { kind: "ended", reason: endReasonOf(row) };
  return { kind: "active", createdAt: row.created_at, seenAt: row.seen_at, actor: actorOf(row) };
}

/**
 * Notes a sign-in and its audit record in one transaction. One that is noted already stays as it is.
 * @returns false: the database is away; the record is spooled, and the session to be registered later
 */
export async function registerSession(
  data: SessionData,
  actor: Actor,
  userName: string,
  entry: Entry | null = null,
): Promise<boolean> {
  const row = rowOf(data, actor, userName);
  if (row === null) {
    if (entry) await recordOrSpool(actor, entry);
    return false;
  }
  const record = entry && recordOf(actor, entry);
  try {
    await write(sessionLock(row.id), async (trx) => {
      await trx
        .insertInto("sessions")
        .values(row)
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
      if (record) await commit(trx, [record]);
    });
    return true;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    // It may have been committed all the same: under its ID it is appended once.
    if (record) spool(record);
    return false;
  }
}

/** Notes that a session is in use, once a minute at most. Best effort: never rejects. */
export async function noteUse(sid: string, at: number): Promise<void> {
  const id = registryId(sid);
  const { touched } = memory();
  if (at - (touched.get(id) ?? 0) < touchIntervalMs()) return;
  touched.delete(id);
  while (touched.size >= maxTouched) touched.delete(touched.keys().next().value as string);
  touched.set(id, at);
  await patiently(
    write(sessionLock(id), (trx) =>
      trx
        .updateTable("sessions")
        .set({ seen_at: at })
        .where("id", "=", id)
        .where("seen_at", "<", at)
        .where("ended_at", "is", null)
        .execute(),
    ),
  ).catch((error: unknown) => logger().error({ err: error }, "the use of a session was not noted"));
}

/**
 * Ends a session here, for every copy of its cookie, whether the database is there or not. Never rejects.
 * @param options.userName makes a row for a session that never got one, so that it is dead on other replicas too
 */
export async function noteEnd(
  data: SessionData,
  reason: EndReason,
  actor: Actor,
  { userName = null }: { userName?: string | null } = {},
): Promise<void> {
  const id = registryId(data.sid);
  markEnded(id, reason);
  const pending: Pending = {
    id,
    reason,
    by: actor.id,
    at: Date.now(),
    row: data.registered !== true && userName !== null ? rowOf(data, actor, userName) : null,
  };
  const record = recordOf(actor, endEntry(id, reason));
  try {
    await writeEnd(pending, record);
  } catch (error) {
    if (isDatabaseUnavailable(error)) {
      memory().pending.set(id, pending);
      writePendingLater();
    } else {
      logger().error({ err: error }, "the end of a session was not written");
    }
    spool(record);
  }
}

const seenForMs = 60_000;

/** The tenants of which somebody has signed in here, as far as the registry reaches back. Empty without the database. */
export async function tenantsSeen(): Promise<string[]> {
  const { tenants } = memory();
  if (Date.now() - tenants.at < seenForMs) return tenants.seen;
  const rows = await patiently(read((db) => db.selectFrom("sessions").select("tenant").distinct().execute()));
  if (rows === "unavailable") return tenants.seen;
  memory().tenants = { seen: rows.map(({ tenant }) => tenant), at: Date.now() };
  return memory().tenants.seen;
}

const mostListed = 500;

/**
 * The sessions of a user, or of everybody in the tenant, that are in use, the latest used first. `more`: there are more
 * than the 500 that are told.
 * @throws {TokendeskError} `audit_unavailable`
 */
export async function activeSessions(
  tenant: string,
  userId: string | null,
): Promise<{ sessions: SessionsTable[]; more: boolean }> {
  const now = Date.now();
  const found = read((db) => {
    let query = db
      .selectFrom("sessions")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("ended_at", "is", null)
      .where("seen_at", ">", now - env().sessionIdleMs)
      .where("created_at", ">", now - env().sessionMaxMs);
    if (userId !== null) query = query.where("user_id", "=", userId);
    return query
      .orderBy("seen_at", "desc")
      .orderBy("id")
      .limit(mostListed + 1)
      .execute();
  });
  const rows = await needLog(found, "The list of sessions is in Tokendesk's database, which cannot be read just now.");
  return { sessions: rows.slice(0, mostListed), more: rows.length > mostListed };
}

/**
 * Ends those of a tenant's sessions for which `choose` gives a reason, each with its audit record, all or none.
 * @returns their IDs
 * @throws {TokendeskError} `audit_unavailable`
 */
export async function endSessions(
  actor: Actor,
  { tenant, id, userId }: { tenant: string; id?: string; userId?: string },
  choose: (row: SessionsTable) => EndReason | null,
): Promise<string[]> {
  const now = Date.now();
  let chosen: { row: SessionsTable; reason: EndReason }[] = [];
  const ending = write(id === undefined ? `sessions:${tenant}` : sessionLock(id), async (trx) => {
    chosen = [];
    let query = trx.selectFrom("sessions").selectAll().where("tenant", "=", tenant).where("ended_at", "is", null);
    if (id !== undefined) query = query.where("id", "=", id);
    if (userId !== undefined) query = query.where("user_id", "=", userId);
    for (const row of await query.orderBy("id").execute()) {
      const reason = choose(row);
      if (reason === null) continue;
      const end = { ended_at: now, end_reason: reason, ended_by: actor.id };
      if (await writeSessionEnd(trx, row.id, end, null)) chosen.push({ row, reason });
    }
    if (chosen.length > 0) {
      await appendWithin(
        trx,
        actor,
        chosen.map(({ row, reason }) => endEntry(row.id, reason, row.user_id === actor.id ? null : row.login)),
      );
    }
  });
  await needLog(
    ending,
    "Tokendesk cannot write to its database just now, so no session was ended. Try again soon.",
    "Tokendesk lost its database while it ended what you asked for: it may have been done. Look at the list again soon.",
  );
  for (const { row, reason } of chosen) markEnded(row.id, reason);
  return chosen.map(({ row }) => row.id);
}

/** So that the process is never held up for long. */
const rowsPerBatch = 50;

/**
 * Marks as ended what nobody used or what reached its limit, and removes what ended longer ago than the retention says,
 * and the records of renewals that nobody can ask for any more. At start and each hour.
 * @throws {DatabaseUnavailable}
 */
export async function pruneSessions(): Promise<{ ended: number; removed: number }> {
  await writePending(memory());
  const now = Date.now();
  const { sessionIdleMs, sessionMaxMs, sessionRetentionMs } = env();
  // A row may lag behind its cookie: by a minute always, by more when the database was away.
  const idleBefore = now - memory().unavailableAt < sessionIdleMs ? 0 : now - sessionIdleMs - 60_000;
  let ended = 0;
  for (let batch = rowsPerBatch; batch === rowsPerBatch; ended += batch) {
    await otherWork();
    batch = await write("sessions", async (trx) => {
      const rows = await trx
        .selectFrom("sessions")
        .selectAll()
        .where("ended_at", "is", null)
        .where((eb) => eb.or([eb("seen_at", "<=", idleBefore), eb("created_at", "<=", now - sessionMaxMs)]))
        .orderBy("id")
        .limit(rowsPerBatch)
        .execute();
      const over: Waiting[] = [];
      for (const row of rows) {
        const reason = row.created_at <= now - sessionMaxMs ? "expired" : "idle";
        const changed = await trx
          .updateTable("sessions")
          .set({ ended_at: now, end_reason: reason })
          .where("id", "=", row.id)
          .where("ended_at", "is", null)
          .where("seen_at", "=", row.seen_at)
          .returning("id")
          .execute();
        if (changed.length > 0) over.push(recordOf(actorOf(row), endEntry(row.id, reason)));
      }
      // Rows before chain, as everywhere: two transactions never wait for each other.
      if (over.length > 0) await commit(trx, over);
      return rows.length;
    });
  }
  let removed = 0;
  for (let batch = rowsPerBatch; batch === rowsPerBatch; removed += batch) {
    await otherWork();
    batch = await write("sessions", async (trx) => {
      const old = trx
        .selectFrom("sessions")
        .select("id")
        .where("ended_at", "<=", now - sessionRetentionMs)
        .orderBy("ended_at")
        .limit(rowsPerBatch);
      const { numDeletedRows } = await trx.deleteFrom("sessions").where("id", "in", old).executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    });
  }
  await pruneRefreshStates();
  return { ended, removed };
}

function rowOf(data: SessionData, actor: Actor, userName: string): SessionsTable | null {
  if (actor.tenant === null || actor.id === null) return null;
  // As it may stand in the log: a user agent can be anything, a token too.
  const clean = draftOf(actor, { action: "session.create", outcome: "succeeded" });
  return {
    id: registryId(data.sid),
    tenant: actor.tenant,
    user_id: actor.id,
    user_name: userName.replace(/\p{C}/gu, " ").slice(0, 320).toWellFormed(),
    login: clean.actorName,
    created_at: data.createdAt,
    seen_at: data.seenAt,
    address: clean.address,
    user_agent: clean.userAgent,
    ended_at: null,
    end_reason: null,
    ended_by: null,
  };
}

/** The person of a session, when it ends by itself: nobody is at the other end then. */
function actorOf(row: SessionsTable): Actor {
  return { tenant: row.tenant, id: row.user_id, name: row.login, address: null, userAgent: null, requestId: null };
}

function endEntry(id: string, reason: EndReason, user: string | null = null): Entry {
  return {
    action: "session.end",
    outcome: "succeeded",
    details: { session: id, reason, ...(user === null ? {} : { user }) },
  };
}

function endReasonOf(row: SessionsTable): EndReason {
  return endReasons.find((reason) => reason === row.end_reason) ?? "expired";
}

/** Without `record` it was spooled before. */
async function writeEnd({ id, row, reason, by, at }: Pending, record: Waiting | null): Promise<void> {
  const end = { ended_at: at, end_reason: reason, ended_by: by };
  await write(sessionLock(id), async (trx) => {
    const isNew = await writeSessionEnd(trx, id, end, row);
    if (record && isNew) await commit(trx, [record]);
  });
}

function writePendingLater(): void {
  const current = memory();
  if (current.retry !== null) return;
  current.retry = setTimeout(() => {
    current.retry = null;
    void writePending(current);
  }, retryMs);
  current.retry.unref();
}

async function writePending(current: Memory): Promise<void> {
  for (const [id, pending] of current.pending) {
    try {
      await writeEnd(pending, null);
      current.pending.delete(id);
    } catch (error) {
      if (isDatabaseUnavailable(error)) {
        writePendingLater();
        return;
      }
      logger().error({ err: error }, "the end of a session was not written");
      current.pending.delete(id);
    }
  }
}

function markEnded(id: string, reason: EndReason): void {
  const { ended } = memory();
  const now = Date.now();
  // Insertion order is time order: stop at the first whose cookie could still be presented.
  for (const [other, { at }] of ended) {
    if (now - at <= env().sessionMaxMs) break;
    ended.delete(other);
  }
  if (!ended.has(id)) ended.set(id, { reason, at: now });
}

/** `unavailable` also when the database takes longer than a request stands still. */
async function patiently<T extends object>(work: Promise<T>): Promise<T | "unavailable"> {
  try {
    return (await inTime(work, patienceMs)) ?? "unavailable";
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    return "unavailable";
  }
}
