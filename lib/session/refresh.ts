import "server-only";
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { env } from "@/lib/env";
import { logger } from "@/lib/logger";
import { refreshSession } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import type { Connection } from "@/lib/session/schema";

/**
 * Renewing the 5-minute access token. A refresh token works once, and using it again may end the session
 * upstream (ringcx/README, "Lifetimes"), so in this process
 * * there is one flight per refresh token, whoever asks, and
 * * whoever comes later with an old cookie gets the tokens that are in force: a browser sends many requests with the
 *   cookie that it had, an aborted request loses its Set-Cookie, a server component cannot set one.
 */

export type Renewal =
  /** `connection` has a usable access token; it is the one that was given, or its successor. */
  | { kind: "usable"; connection: Connection }
  /** RingCX could not renew now. The session stays; the access token may be refused. */
  | { kind: "postponed"; connection: Connection; retryAfterMs: number }
  /** RingCX ended the session: nothing but a new sign-in helps. */
  | { kind: "ended" };

type Tokens = Pick<Connection, "accessToken" | "refreshToken" | "lifetimeMs" | "issuedAt">;

/** What became of one sign-in at RingCX: the tokens that are in force, or its end. */
type Lineage = { newest: Tokens } | { newest: null };

type Registry = {
  flights: Map<string, Promise<void>>;
  /** Every state that a lineage has been in, by its hash. */
  lineages: Map<string, { lineage: Lineage; at: number }>;
  pauses: Map<string, { until: number; failures: number }>;
};

const slot = Symbol.for("tokendesk.refresh");
type Slot = { [slot]?: Registry };

function registry(): Registry {
  const holder = globalThis as Slot;
  holder[slot] ??= { flights: new Map(), lineages: new Map(), pauses: new Map() };
  return holder[slot];
}

/** A hash and a reference each; the tokens themselves are kept once per sign-in. */
const maxStates = 50_000;

/** How long a request waits for a flight while its own access token still works. */
const patienceMs = 2_000;

/** A state of a connection: a gateway that gives the same refresh token again makes a new state all the same. */
const keyOf = ({ accessToken, refreshToken }: Connection) =>
  createHash("sha256").update(`${refreshToken}\n${accessToken}`).digest("base64url");

/** Under 30 seconds left, or a tenth of a shorter lifetime: a token that was just issued is never due. */
function isDue(connection: Connection, now: number): boolean {
  const margin = Math.min(30_000, connection.lifetimeMs / 10);
  return connection.issuedAt + connection.lifetimeMs - now < margin;
}

function isExpired(connection: Connection, now: number): boolean {
  return now >= connection.issuedAt + connection.lifetimeMs;
}

/** Either token can be replaced without the other. */
export function isSameState(
  a: Pick<Connection, "accessToken" | "refreshToken">,
  b: Pick<Connection, "accessToken" | "refreshToken"> | undefined,
): boolean {
  return a.accessToken === b?.accessToken && a.refreshToken === b.refreshToken;
}

/** The connection with the newest tokens that this process knows of. */
function follow(connection: Connection): Connection | "ended" {
  const lineage = registry().lineages.get(keyOf(connection))?.lineage;
  if (!lineage || (lineage.newest !== null && isSameState(lineage.newest, connection))) return connection;
  return lineage.newest === null ? "ended" : { ...connection, ...lineage.newest };
}

/**
 * A connection with an access token that should work for a while.
 * @param refused an access token that RingCX has just refused: it is renewed whatever its age
 */
export async function renew(connection: Connection, refused?: string): Promise<Renewal> {
  const current = follow(connection);
  if (current === "ended") return { kind: "ended" };
  const now = Date.now();
  if (current.accessToken !== refused && !isDue(current, now)) return { kind: "usable", connection: current };
  if (current.refreshToken === null) {
    const spent = current.accessToken === refused || isExpired(current, now);
    return spent ? { kind: "ended" } : { kind: "usable", connection: current };
  }

  const { flights, pauses } = registry();
  const key = keyOf(current);
  const paused = pauses.get(key);
  if (!paused || paused.until <= now) {
    let flight = flights.get(key);
    if (!flight) {
      flight = fly(current, current.refreshToken, key).finally(() => flights.delete(key));
      flights.set(key, flight);
    }
    // With a token that still works there is no reason to stand still for a slow upstream.
    const stillWorks = current.accessToken !== refused && !isExpired(current, now);
    await (stillWorks ? Promise.race([flight, delay(patienceMs)]) : flight);
  }

  const after = follow(current);
  if (after === "ended") return { kind: "ended" };
  if (after.accessToken !== current.accessToken) return { kind: "usable", connection: after };
  const retryAfterMs = Math.max(1_000, (pauses.get(keyOf(after))?.until ?? 0) - Date.now());
  return { kind: "postponed", connection: after, retryAfterMs };
}

/**
 * RingCX's own word that a refresh token is of no more use: a 401, or another documented refusal with its reason. A
 * bare 403 or 404 can come from something on the way; the third in a row is believed.
 */
function isTerminal(error: UpstreamError, failuresBefore: number): boolean {
  if (error.upstreamStatus === 401) return error.failure === "credentials";
  if (error.failure !== "terminal" || ![400, 403, 404].includes(error.upstreamStatus ?? 0)) return false;
  return error.explained || failuresBefore >= 2;
}

/** One refresh. Never rejects: its result stands in the registry. */
async function fly(connection: Connection, refreshToken: string, key: string): Promise<void> {
  const { pauses } = registry();
  // The lifetime runs from the question: earlier than RingCX counts, never later.
  const issuedAt = Date.now();
  try {
    const grant = await refreshSession(connection.host, refreshToken);
    // An answer without a refresh token leaves the old one in force, as in OAuth (RFC 6749, section 6).
    const newest = { ...grant, refreshToken: grant.refreshToken ?? refreshToken, issuedAt };
    if (grant.accessToken === connection.accessToken) {
      // No new access token; a new refresh token must be kept all the same, the old one is used up.
      const kept = { ...connection, refreshToken: newest.refreshToken };
      if (kept.refreshToken !== refreshToken) remember(connection, { newest: kept });
      pause(keyOf(kept), pauses.get(key)?.failures ?? 0, 0);
      return;
    }
    pauses.delete(key);
    remember(connection, { newest });
    logger().debug({ operation: "refresh", outcome: "renewed" }, "session renewed");
  } catch (error) {
    const failures = pauses.get(key)?.failures ?? 0;
    if (error instanceof UpstreamError && isTerminal(error, failures)) {
      remember(connection, { newest: null });
      logger().info({ err: error }, "RingCX ended a session");
      return;
    }
    const wait = pause(key, failures, error instanceof UpstreamError ? (error.retryAfterMs ?? 0) : 0);
    logger().warn({ err: error, retryAfterMs: wait }, "session not renewed; it is kept");
  }
}

/** Nobody asks again for a while: 2, 4, 8, ... 30 seconds, or longer if RingCX says so. */
function pause(key: string, failuresBefore: number, askedMs: number): number {
  const failures = failuresBefore + 1;
  const wait = Math.max(askedMs, Math.min(30_000, 1_000 * 2 ** failures));
  bounded(registry().pauses).set(key, { until: Date.now() + wait, failures });
  return wait;
}

/** Leads the state that was left, the states before it, and the new one to what is in force now. */
function remember(left: Connection, now: Lineage): void {
  const { lineages } = registry();
  const at = Date.now();
  for (const [key, known] of lineages) {
    // A cookie that is older than the idle limit is not accepted any more.
    if (at - known.at < env().sessionIdleMs + 60_000) break;
    lineages.delete(key);
  }
  const lineage = lineages.get(keyOf(left))?.lineage ?? now;
  lineage.newest = now.newest;
  const states = now.newest === null ? [left] : [left, { ...left, ...now.newest }];
  for (const state of states) {
    lineages.delete(keyOf(state));
    bounded(lineages).set(keyOf(state), { lineage, at });
  }
}

function bounded<V>(map: Map<string, V>): Map<string, V> {
  while (map.size >= maxStates) map.delete(map.keys().next().value as string);
  return map;
}

/** The refresh token that ends the session upstream: the newest one. Null when there is none, or no session. */
export function newestRefreshToken(connection: Connection): string | null {
  const current = follow(connection);
  return current === "ended" ? null : current.refreshToken;
}
