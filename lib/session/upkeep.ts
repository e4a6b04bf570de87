import "server-only";
import { env } from "@/lib/env";
import { isTokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import { type CookieJar, clearSession, readSession, writeSession } from "@/lib/session/cookie";
import { endEverywhere } from "@/lib/session/end";
import { isSameState, renew } from "@/lib/session/refresh";
import { isEnded } from "@/lib/session/registry";
import type { Connection, SessionData } from "@/lib/session/schema";

export type SessionState =
  | { kind: "none" }
  /** There was a session. `idle`: nobody used it for SESSION_IDLE_MINUTES; `expired`: every other end. */
  | { kind: "ended"; reason: "expired" | "idle" }
  | { kind: "active"; data: SessionData; postponed: boolean };

/**
 * Reads the session, enforces its limits and renews what is due. With `keep`, what has changed is written back
 * to the jar, and an ended session is cleared from it; without (a server component), the next request does that.
 */
export async function openSession(jar: CookieJar, keep: boolean): Promise<SessionState> {
  const { data, stale } = await readSession(jar);
  const now = Date.now();
  const state = data === null ? (stale ? endedAs("expired") : ({ kind: "none" } as const)) : await refreshed(data, now);
  if (!keep) return state;
  if (state.kind === "ended") await clearSession(jar);
  if (state.kind === "active" && data !== null) {
    const touch = now - data.seenAt > Math.min(60_000, env().sessionIdleMs / 4);
    const changed = state.data.connections.some(
      (connection, index) => !isSameState(connection, data.connections[index]),
    );
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

function endedAs(reason: "expired" | "idle"): SessionState {
  return { kind: "ended", reason };
}

async function refreshed(data: SessionData, now: number): Promise<SessionState> {
  if (isEnded(data.sid) || now - data.createdAt >= env().sessionMaxMs) return endedAs("expired");
  if (now - data.seenAt >= env().sessionIdleMs) {
    // Nobody comes back to this one: RingCX need not keep it either. The answer need not be waited for.
    void endEverywhere(data);
    return endedAs("idle");
  }
  const renewals = await Promise.all(data.connections.map((connection) => renew(connection)));
  const connections: Connection[] = [];
  for (const renewal of renewals) {
    if (renewal.kind === "ended") return endedAs("expired");
    connections.push(renewal.connection);
  }
  const postponed = renewals.some((renewal) => renewal.kind === "postponed");
  return { kind: "active", data: { ...data, connections }, postponed };
}
