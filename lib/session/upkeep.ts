import "server-only";
import type { Actor } from "@/lib/audit/log";
import { env } from "@/lib/env";
import { isTokendeskError } from "@/lib/errors";
import { inTime } from "@/lib/in-time";
import { logger } from "@/lib/logger";
import { isOutdated, newestVersion } from "@/lib/session/changes";
import { type CookieJar, clearSession, readSession, writeSession } from "@/lib/session/cookie";
import { tellUpstream } from "@/lib/session/end";
import { isSameState, isSuperseded, type Renewal, renew } from "@/lib/session/refresh";
import { noteEnd, noteUse, type Standing, standingOf, touchIntervalMs } from "@/lib/session/registry";
import { type Connection, type EndReason, homeOf, isHome, type Place, type SessionData } from "@/lib/session/schema";

type SessionState =
  | { kind: "none" }
  /** There was a session. `idle`: nobody used it for SESSION_IDLE_MINUTES; `expired`: every other end. */
  | { kind: "ended"; reason: "expired" | "idle" }
  /**
   * `postponed`: the IDs of the connections that RingCX could not renew just now; `registered` false: the registry can be
   * asked, and has no row for it yet.
   */
  | { kind: "active"; data: SessionData; postponed: readonly string[]; registered: boolean };

/**
 * Reads the session, asks the registry, enforces the limits and renews what is due. With `keep`, what has changed is
 * written back to the jar, and an ended session is cleared from it; without (a server component), the next request does
 * that.
 */
export async function openSession(jar: CookieJar, keep: boolean): Promise<SessionState> {
  const { data, stale } = await readSession(jar);
  const now = Date.now();
  const state = data === null ? (stale ? endedAs("expired") : ({ kind: "none" } as const)) : await judged(data, now);
  if (!keep) return state;
  if (state.kind === "ended") await clearSession(jar);
  if (state.kind === "active" && data !== null) {
    const touch = now - data.seenAt > touchIntervalMs();
    const changed =
      state.data.registered !== data.registered ||
      state.data.version !== data.version ||
      state.data.connections.length !== data.connections.length ||
      state.data.connections.some((connection, index) => !isSameState(connection, data.connections[index]));
    if (touch || changed) await keepChanges(jar, { ...state.data, seenAt: now }, data);
  }
  return state;
}

const patienceMs = 2_000;

/**
 * Writes what has changed. A successor that does not fit into the cookie does not end a session that works: this
 * process knows it, the tokens of `before` lead to it, and the next refresh may bring a smaller one. What somebody has
 * changed meanwhile is not undone.
 */
export async function keepChanges(jar: CookieJar, data: SessionData, before: SessionData): Promise<void> {
  if (isOutdated(data)) return;
  const withOldTokens = data.connections.map((one) => before.connections.find(({ id }) => id === one.id) ?? one);
  for (const connections of [data.connections, withOldTokens]) {
    try {
      return await writeSession(jar, { ...data, connections });
    } catch (error) {
      if (!isTokendeskError(error)) throw error;
      logger().warn({ err: error }, "renewed session not written");
    }
  }
}

function endedAs(reason: EndReason): SessionState {
  return { kind: "ended", reason: reason === "idle" ? "idle" : "expired" };
}

async function judged(cookie: SessionData, now: number): Promise<SessionState> {
  const [standing, data] = await Promise.all([standingOf(cookie.sid), newestVersion(cookie)]);
  if (standing.kind === "ended" || (standing.kind === "missing" && data.registered)) {
    // Whoever ended it may have had no token to tell RingCX with; this cookie has one. The answer is not waited for.
    void tellUpstream(data);
    return endedAs(standing.kind === "ended" ? standing.reason : "expired");
  }
  const row = standing.kind === "active" ? standing : null;
  const { sessionIdleMs, sessionMaxMs } = env();
  if (now - Math.min(data.createdAt, row?.createdAt ?? now) >= sessionMaxMs) return end(data, "expired", standing);
  if (now - Math.max(data.seenAt, row?.seenAt ?? 0) >= sessionIdleMs) return end(data, "idle", standing);
  if (now - data.seenAt >= sessionIdleMs) {
    // An old copy of a cookie whose session is in use. What is not known to lead on to tokens in force may hold a
    // refresh token that was used already: sending it would end the session for the others.
    const leading = await Promise.all(data.connections.map(isSuperseded));
    if (!leading.every(Boolean)) return endedAs("idle");
  }

  const { allowedAccounts, ringcxHosts, ringcxLegacyHosts } = env();
  const isAllowed = ({ kind, host, mainAccountId }: Place) =>
    (kind === "legacy" ? ringcxLegacyHosts : ringcxHosts).includes(host) &&
    allowedAccounts?.includes(mainAccountId) !== false;
  // Taken out of a list since: who came through such an account, or host, is signed out.
  if (data.connections.some((one) => isHome(data, one) && !isAllowed(one))) return end(data, "expired", standing);
  const several = data.connections.length > 1;
  const renewals = await Promise.all(
    data.connections.map(async (one): Promise<Renewal> => {
      if (!isAllowed(one)) return { kind: "ended" };
      if (!several) return renew(one);
      // One of several does not hold up the others: whoever needs it waits for it.
      return (await inTime(renew(one), patienceMs)) ?? { kind: "postponed", connection: one, retryAfterMs: 1_000 };
    }),
  );
  const connections: Connection[] = [];
  const postponed: string[] = [];
  const lost: Place[] = [];
  for (const [index, connection] of data.connections.entries()) {
    const renewal = renewals[index];
    if (renewal === undefined || renewal.kind === "ended") {
      if (isHome(data, connection)) return end(data, "upstream", standing);
      lost.push(placeOf(connection));
      continue;
    }
    if (renewal.kind === "postponed") postponed.push(connection.id);
    connections.push(renewal.connection);
  }
  if (row && now - row.seenAt >= touchIntervalMs()) await noteUse(data.sid, now);
  return {
    kind: "active",
    data: {
      ...data,
      connections,
      ...(lost.length > 0 ? { lost: [...(data.lost ?? []), ...lost] } : {}),
      ...(row ? { registered: true } : {}),
    },
    postponed,
    registered: standing.kind !== "missing",
  };
}

function placeOf({ accessToken, refreshToken, issuedAt, lifetimeMs, ...place }: Connection): Place {
  return place;
}

async function end(data: SessionData, reason: EndReason, standing: Standing): Promise<SessionState> {
  await noteEnd(data, reason, standing.kind === "active" ? standing.actor : actorOf(data));
  if (reason !== "upstream") void tellUpstream(data);
  return endedAs(reason);
}

/** As far as the session itself says: who a session without a row belongs to stands in the identity cookie. */
function actorOf(data: SessionData): Actor {
  return {
    tenant: homeOf(data),
    id: null,
    name: data.connections[0]?.username ?? "unknown",
    address: null,
    userAgent: null,
    requestId: null,
  };
}
