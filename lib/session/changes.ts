import "server-only";
import { createHash } from "node:crypto";
import { sealData, unsealData } from "iron-session";
import { read, write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { inTime } from "@/lib/in-time";
import { logger } from "@/lib/logger";
import { pack, unpack } from "@/lib/session/codec";
import { type CookieJar, deriveKey, readSession, writeSession } from "@/lib/session/cookie";
import type { Connection, SessionData } from "@/lib/session/schema";

/**
 * What is changed in a session besides its tokens: a connection comes or goes, another one is the active one, the person
 * proves again who they are. All of that stands in the cookie, of which a browser keeps what the last answer brought: a
 * slow one that was begun before the change brings the cookie from before it. So each change makes a new version, which
 * is kept for longer than such an answer is on its way, sealed under the session ID, which no database holds; and a
 * connection that was taken out is known by its ID for as long as the session may last. Both stand beside the states of
 * renewals. Without the database this holds in this process alone (docs/decisions/0004-refresh.md).
 */

type Memory = {
  /** By session ID, in the order of their making. */
  newest: Map<string, { data: SessionData; seal: string; at: number }>;
  /** IDs of connections that were taken out, and when. */
  removed: Map<string, number>;
  /** The last change of a session that is under way. */
  queues: Map<string, Promise<unknown>>;
};

// The proxy, the route handlers and the server components are separate bundles of one process.
const slot = Symbol.for("tokendesk.sessionChanges");
type Slot = { [slot]?: Memory };

function memory(): Memory {
  const holder = globalThis as Slot;
  holder[slot] ??= { newest: new Map(), removed: new Map(), queues: new Map() };
  return holder[slot];
}

const most = 10_000;
/** A request does not stand still for a database that does not answer. */
const patienceMs = 2_000;

/** Well within the time for which its tokens lead on to those in force. */
function keptMs(): number {
  return Math.min(10 * 60_000, env().sessionIdleMs);
}

/**
 * Changes the session in the cookie, one change after the other, on its newest version.
 * @param change may run more than once; it decides on what it is given and nothing else
 * @returns what is in force now, and the connections that were taken out by it
 * @throws {TokendeskError} `not_signed_in`; `session_too_large`: nothing was changed; what `change` throws
 */
export function changeSession(
  jar: CookieJar,
  sid: string,
  change: (data: SessionData) => SessionData,
): Promise<{ data: SessionData; removed: Connection[] }> {
  return queued(sid, async () => {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const { data: cookie } = await readSession(jar);
      if (cookie?.sid !== sid) throw new TokendeskError("not_signed_in", "Sign in first.");
      const stored = await inTimeOrNull(recall(sid));
      const current = newerOf(newerOf(cookie, remembered(sid)), stored?.data ?? null);
      const next = { ...change(current), version: (current.version ?? 0) + 1 };
      // A rehearsal: what does not fit is not known to anybody.
      await writeSession({ read: (name) => jar.read(name), write: () => {} }, next);
      const removed = current.connections.filter(({ id }) => !next.connections.some((one) => one.id === id));
      const lost = (current.lost ?? []).filter(({ id }) => !next.lost?.some((one) => one.id === id));
      const gone = [...removed, ...lost].map(({ id }) => id);
      const seal = await sealOf(next);
      const kept = await inTimeOrNull(keep(sid, seal, stored?.seal ?? null, gone));
      if (kept === "outrun") continue;
      if (kept === null) logger().warn("a change of a session is not known beyond this process");
      remember(next, seal, gone);
      await writeSession(jar, next);
      return { data: next, removed };
    }
    throw new TokendeskError("rate_limited", "Too many changes at once. Try again in a moment.", { retryAfter: 1 });
  });
}

/** The session as it is in force: a cookie can be one from before a change. */
export async function newestVersion(cookie: SessionData): Promise<SessionData> {
  const ids = [...cookie.connections, ...(cookie.lost ?? [])].map(({ id }) => id);
  const stored = await inTimeOrNull(recall(cookie.sid, ids));
  const data = newerOf(newerOf(cookie, remembered(cookie.sid)), stored?.data ?? null);
  const { removed } = memory();
  const isGone = ({ id }: { id: string }) => removed.has(id) || stored?.removed.has(id) === true;
  if (!data.connections.some(isGone) && !data.lost?.some(isGone)) return data;
  const { lost = [], ...rest } = data;
  const still = lost.filter((one) => !isGone(one));
  return {
    ...rest,
    connections: data.connections.filter((one) => !isGone(one)),
    ...(still.length > 0 ? { lost: still } : {}),
  };
}

/** A newer version is known here: this one is not for the browser. */
export function isOutdated({ sid, version = 0 }: SessionData): boolean {
  return (remembered(sid)?.version ?? 0) > version;
}

/** The newer version, each connection with the newer of its tokens. */
function newerOf(data: SessionData, other: SessionData | null): SessionData {
  if (other === null || other.sid !== data.sid || (other.version ?? 0) <= (data.version ?? 0)) return data;
  return {
    ...other,
    seenAt: Math.max(data.seenAt, other.seenAt),
    ...(data.registered ? { registered: true } : {}),
    connections: other.connections.map((one) => {
      const same = data.connections.find(({ id }) => id === one.id);
      return same && same.issuedAt > one.issuedAt ? same : one;
    }),
  };
}

function remembered(sid: string): SessionData | null {
  const known = memory().newest.get(sid);
  return known && Date.now() - known.at < keptMs() ? known.data : null;
}

function remember(data: SessionData, seal: string, gone: readonly string[]): void {
  const { newest, removed } = memory();
  const now = Date.now();
  newest.delete(data.sid);
  newest.set(data.sid, { data, seal, at: now });
  for (const id of gone) removed.set(id, now);
  // Insertion order is time order.
  for (const [sid, { at }] of newest) {
    if (newest.size <= most && now - at < keptMs()) break;
    newest.delete(sid);
  }
  for (const [id, at] of removed) {
    if (removed.size <= most && now - at < env().sessionMaxMs) break;
    removed.delete(id);
  }
}

function queued<T>(sid: string, work: () => Promise<T>): Promise<T> {
  const { queues } = memory();
  const before = queues.get(sid) ?? Promise.resolve();
  const now = before.then(work, work);
  const settled = now
    .catch(() => {})
    .finally(() => {
      if (queues.get(sid) === settled) queues.delete(sid);
    });
  queues.set(sid, settled);
  return now;
}

const hash = (text: string) => createHash("sha256").update(text).digest("base64url");
const stateOfSession = (sid: string) => hash(`session\n${sid}`);
const stateOfRemoved = (id: string) => hash(`removed\n${id}`);
const passwordOf = (sid: string) => ({ 1: deriveKey(sid, "session changes") });

type Stored = { seal: string | null; data: SessionData | null; removed: ReadonlySet<string> };

/** @throws {DatabaseUnavailable} */
async function recall(sid: string, ids: readonly string[] = []): Promise<Stored> {
  const states = new Map(ids.map((id) => [stateOfRemoved(id), id]));
  const session = stateOfSession(sid);
  const rows = await read((db) =>
    db
      .selectFrom("refresh_states")
      .select(["state", "successor", "expires_at"])
      .where("state", "in", [session, ...states.keys()])
      .execute(),
  );
  const seal = rows.find(({ state }) => state === session)?.successor ?? null;
  const fresh = rows.some(({ state, expires_at }) => state === session && expires_at > Date.now());
  return {
    seal,
    data: seal !== null && fresh ? await unseal(seal, sid) : null,
    removed: new Set(rows.flatMap(({ state }) => states.get(state) ?? [])),
  };
}

function sealOf(data: SessionData): Promise<string> {
  return sealData({ d: pack(data) }, { password: passwordOf(data.sid), ttl: 0 });
}

async function unseal(seal: string, sid: string): Promise<SessionData | null> {
  const known = memory().newest.get(sid);
  if (known?.seal === seal) return known.data;
  const packed = await unsealData<{ d?: string }>(seal, { password: passwordOf(sid) }).catch(() => null);
  return typeof packed?.d === "string" ? unpack(packed.d) : null;
}

/** @throws {DatabaseUnavailable} */
function keep(sid: string, seal: string, before: string | null, gone: readonly string[]): Promise<"kept" | "outrun"> {
  const state = stateOfSession(sid);
  const now = Date.now();
  const blank = { failures: 0, paused_until: 0, holder: null, held_until: 0 };
  return write(`session-changes:${state}`, async (trx) => {
    const row = await trx
      .selectFrom("refresh_states")
      .select("successor")
      .where("state", "=", state)
      .executeTakeFirst();
    if ((row?.successor ?? null) !== before) return "outrun";
    const changed = { successor: seal, expires_at: now + keptMs() };
    await trx
      .insertInto("refresh_states")
      .values({ ...blank, state, ended: 0, ...changed })
      .onConflict((conflict) => conflict.column("state").doUpdateSet(changed))
      .execute();
    for (const id of gone) {
      await trx
        .insertInto("refresh_states")
        .values({
          ...blank,
          state: stateOfRemoved(id),
          successor: null,
          ended: 1,
          expires_at: now + env().sessionMaxMs,
        })
        .onConflict((conflict) => conflict.column("state").doNothing())
        .execute();
    }
    return "kept";
  });
}

/** Null: the database is away, or takes longer than a request stands still. */
async function inTimeOrNull<T extends object | string>(work: Promise<T>): Promise<T | null> {
  try {
    return (await inTime(work, patienceMs)) ?? null;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    return null;
  }
}
