import "server-only";
import type { Actor } from "@/lib/audit/log";
import { env } from "@/lib/env";
import { isTokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import { tenantOf } from "@/lib/session/connection";
import { type CookieJar, clearSession, readSession, writeSession } from "@/lib/session/cookie";
import { tellUpstream } from "@/lib/session/end";
import { isSameState, isSuperseded, renew } from "@/lib/session/refresh";
import { noteEnd, noteUse, type Standing, standingOf, touchIntervalMs } from "@/lib/session/registry";
import type { Connection, EndReason, SessionData } from "@/lib/session/schema";

type SessionState =
  | { kind: "none" }
  /** There was a session. `idle`: nobody used it for SESSION_IDLE_MINUTES; `expired`: every other end. */
  | { kind: "ended"; reason: "expired" | "idle" }
  /** `registered` false: the registry can be asked, and has no row for it yet. */
  | { kind: "active"; data: SessionData; postponed: boolean; registered: boolean };

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
      state.data.connections.some((connection, index) => !isSameState(connection, data.connections[index]));
    if (touch || changed) await keepChanges(jar, { ...state.data, seenAt: now });
  }
  return state;
}

/**
 * Writes what has changed. A successor that does not fit into the cookie does not end a session that works: this
 * process knows it, and the next refresh may bring a smaller one.
 */
export async function keepChanges(jar: CookieJar, data: SessionData): Promise<void> {
  try {
    await writeSession(jar, data);
  } catch (error) {
    if (!isTokendeskError(error)) throw error;
    logger().warn({ err: error }, "renewed session not written");
  }
}

function endedAs(reason: EndReason): SessionState {
  return { kind: "ended", reason: reason === "idle" ? "idle" : "expired" };
}

async function judged(data: SessionData, now: number): Promise<SessionState> {
  const standing = await standingOf(data.sid);
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

  const renewals = await Promise.all(data.connections.map((connection) => renew(connection)));
  const connections: Connection[] = [];
  for (const renewal of renewals) {
    if (renewal.kind === "ended") return end(data, "upstream", standing);
    connections.push(renewal.connection);
  }
  if (row && now - row.seenAt >= touchIntervalMs()) await noteUse(data.sid, now);
  return {
    kind: "active",
    data: { ...data, connections, ...(row ? { registered: true } : {}) },
    postponed: renewals.some((renewal) => renewal.kind === "postponed"),
    registered: standing.kind !== "missing",
  };
}

async function end(data: SessionData, reason: EndReason, standing: Standing): Promise<SessionState> {
  await noteEnd(data, reason, standing.kind === "active" ? standing.actor : actorOf(data));
  if (reason !== "upstream") void tellUpstream(data);
  return endedAs(reason);
}

/** As far as the session itself says: who a session without a row belongs to stands in the identity cookie. */
function actorOf({ connections: [connection] }: SessionData): Actor {
  return {
    tenant: connection ? tenantOf(connection) : null,
    id: null,
    name: connection?.username ?? "unknown",
    address: null,
    userAgent: null,
    requestId: null,
  };
}
