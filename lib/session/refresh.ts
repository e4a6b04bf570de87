import "server-only";
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { instance } from "@/lib/audit/log";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { inTime } from "@/lib/in-time";
import { logger } from "@/lib/logger";
import { refreshSession } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import {
  type Claim,
  claim,
  heartbeatMs,
  type Known,
  lead,
  leaseMs,
  look,
  prolong,
  recordLifeMs,
  stateOf,
  storeEnd,
  storePause,
  storeSuccessor,
  type Tokens,
} from "@/lib/session/refresh-states";
import type { Connection } from "@/lib/session/schema";

/**
 * Renewing the 5-minute access token. A refresh token works once, and using it again may end the session
 * upstream (ringcx/README, "Lifetimes"), so
 * * there is one flight per state of a sign-in in this process, and one lease for it among all replicas, and
 * * whoever comes later with an old cookie gets the tokens that are in force: a browser sends many requests with the
 *   cookie that it had, an aborted request loses its Set-Cookie, a server component cannot set one.
 * Without the database this holds in this process alone.
 *
 * A legacy portal has one `authToken`, prolonged by each use: nothing renews it, and no clock of ours knows its end.
 */

export type Renewal =
  /** `connection` has a usable access token; it is the one that was given, or its successor. */
  | { kind: "usable"; connection: Connection }
  /** RingCX could not renew now. The session stays; the access token may be refused. */
  | { kind: "postponed"; connection: Connection; retryAfterMs: number }
  /** RingCX ended the session: nothing but a new sign-in helps. */
  | { kind: "ended" };

/** What became of one sign-in at RingCX: the tokens that are in force, or its end. */
type Lineage = { newest: Tokens } | { newest: null };

/** `renewed`: RingCX was asked and gave tokens; `followed`: somebody else had; `nothing`: nobody may ask now. */
type Outcome = "renewed" | "followed" | "nothing";

type Memory = {
  flights: Map<string, Promise<Outcome>>;
  /** Every state that a lineage has been in, by its hash, and since when that is recorded. */
  lineages: Map<string, { lineage: Lineage; at: number }>;
  pauses: Map<string, { until: number; failures: number }>;
};

const slot = Symbol.for("tokendesk.refresh");
type Slot = { [slot]?: Memory };

function memory(): Memory {
  const holder = globalThis as Slot;
  holder[slot] ??= { flights: new Map(), lineages: new Map(), pauses: new Map() };
  return holder[slot];
}

/** A hash and a reference each; the tokens themselves are kept once per sign-in. */
const maxStates = 50_000;

/** How long a request waits for a flight while its own access token still works. */
const patienceMs = 2_000;

/** More than a session can have: a gateway that goes in circles does not stop the process. */
const maxGenerations = 1_000;

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
  const lineage = memory().lineages.get(stateOf(connection))?.lineage;
  if (!lineage || (lineage.newest !== null && isSameState(lineage.newest, connection))) return connection;
  return lineage.newest === null ? "ended" : { ...connection, ...lineage.newest };
}

/**
 * A connection with an access token that should work for a while.
 * @param refused an access token that RingCX has just refused: it is renewed whatever its age
 */
export async function renew(connection: Connection, refused?: string): Promise<Renewal> {
  const impatientAt = performance.now() + patienceMs;
  let current = follow(connection);
  for (let generation = 0; generation < maxGenerations; generation += 1) {
    if (current === "ended") return { kind: "ended" };
    if (current.kind === "legacy") {
      if (current.accessToken !== refused) return { kind: "usable", connection: current };
      remember(current, { newest: null });
      return { kind: "ended" };
    }
    const now = Date.now();
    const stillWorks = current.accessToken !== refused && !isExpired(current, now);
    if (stillWorks && (!isDue(current, now) || current.refreshToken === null)) return usable(connection, current);
    if (current.refreshToken === null) return { kind: "ended" };

    // With a token that still works there is no reason to stand still for a slow upstream.
    const flight = flightOf(current, current.refreshToken);
    const outcome = await (stillWorks ? inTime(flight, impatientAt - performance.now()) : flight);
    const after = follow(current);
    if (after === "ended") return { kind: "ended" };
    if (after.accessToken === current.accessToken) {
      const retryAfterMs = Math.max(1_000, (memory().pauses.get(stateOf(after))?.until ?? 0) - Date.now());
      return { kind: "postponed", connection: after, retryAfterMs };
    }
    // What RingCX has just given is not asked for again, however short it lives.
    if (outcome === "renewed") return usable(connection, after);
    current = after;
  }
  throw new Error("a session was renewed in circles");
}

/**
 * A cookie that is still used in a state that was left leads on for as long as it is: the record is made anew before it
 * goes, as the browser may never have taken a newer cookie.
 */
function usable(asked: Connection, connection: Connection): Renewal {
  const { lineages } = memory();
  const state = stateOf(asked);
  const known = lineages.get(state);
  const now = Date.now();
  if (known && !isSameState(asked, connection) && now - known.at > recordLifeMs() / 4) {
    lineages.delete(state);
    lineages.set(state, { ...known, at: now });
    lead(asked, connection).catch((error: unknown) => logger().warn({ err: error }, "renewed session not recorded"));
  }
  return { kind: "usable", connection };
}

/** Whether newer tokens than these are known. Of a portal those that it has stand for them: they stay in force. */
export async function isSuperseded(connection: Connection): Promise<boolean> {
  if (connection.kind === "legacy") return true;
  const current = follow(connection);
  if (current === "ended" || !isSameState(current, connection)) return true;
  const known = await look(connection).catch(freeWithoutDatabase);
  return known.kind === "successor" || known.kind === "ended";
}

/** The refresh token that ends the session upstream: the newest one. Null when there is none, or no session. */
export async function newestRefreshToken(connection: Connection): Promise<string | null> {
  let current = follow(connection);
  for (let generation = 0; generation < maxGenerations; generation += 1) {
    if (current === "ended" || current.refreshToken === null) return null;
    const flight = memory().flights.get(stateOf(current));
    if (flight !== undefined) {
      await inTime(flight, patienceMs);
      const after = follow(current);
      if (after === "ended") return null;
      current = after;
    }
    const known = (await inTime(look(current).catch(freeWithoutDatabase), patienceMs)) ?? { kind: "free" };
    if (known.kind === "ended") return null;
    if (known.kind !== "successor") return current.refreshToken;
    current = { ...current, ...known.tokens };
  }
  return null;
}

function freeWithoutDatabase(error: unknown): Known {
  if (!isDatabaseUnavailable(error)) throw error;
  return { kind: "free" };
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

function flightOf(connection: Connection, refreshToken: string): Promise<Outcome> {
  const { flights } = memory();
  const state = stateOf(connection);
  let flight = flights.get(state);
  if (!flight) {
    flight = fly(connection, refreshToken, state)
      .catch((error: unknown): Outcome => {
        logger().error({ err: error }, "session not renewed; it is kept");
        return "nothing";
      })
      .finally(() => flights.delete(state));
    flights.set(state, flight);
  }
  return flight;
}

/** Finds out what became of a state, or makes it become something. Its result stands in the memory. */
async function fly(connection: Connection, refreshToken: string, state: string): Promise<Outcome> {
  const holder = `${instance}:${randomBytes(6).toString("hex")}`;
  let heldAt = Number.NEGATIVE_INFINITY;
  for (let wait = 100; ; wait = Math.min(300, wait + 50)) {
    const startedAt = performance.now();
    let known: Claim | Known | null;
    try {
      known = await look(connection);
      if (known.kind === "free") known = isPaused(state) ? null : await claim(connection, holder);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      // One that does not answer us may answer another replica, which is at it with a lease. For so long it is asked again.
      if (error.problem === "timeout" && heldAt === Number.NEGATIVE_INFINITY) heldAt = performance.now();
      // Another replica was at it when the database went away: its answer would be lost to us, and ours ends its session.
      if (performance.now() - heldAt < leaseMs) {
        await delay(wait);
        continue;
      }
      if (isPaused(state)) return "nothing";
      const failures = memory().pauses.get(state)?.failures ?? 0;
      return (await ask(connection, refreshToken, failures, null)) ?? "nothing";
    }
    if (known === null) return "nothing";
    if (known.kind === "mine") {
      // A process that stood still since may have lost the lease.
      if (performance.now() - startedAt > leaseMs - heartbeatMs) continue;
      const outcome = await ask(connection, refreshToken, known.failures, holder);
      if (outcome !== null) return outcome;
      heldAt = performance.now();
    } else if (known.kind === "held") {
      heldAt = performance.now();
    } else {
      return adopt(connection, known);
    }
    await delay(wait);
  }
}

/** Takes over what is known of a state. */
function adopt(connection: Connection, known: Known): Outcome {
  if (known.kind === "successor") remember(connection, { newest: known.tokens }, known.at);
  else if (known.kind === "ended") remember(connection, { newest: null });
  else if (known.kind === "paused") bounded(memory().pauses).set(stateOf(connection), known);
  return known.kind === "successor" || known.kind === "ended" ? "followed" : "nothing";
}

function isPaused(state: string): boolean {
  return (memory().pauses.get(state)?.until ?? 0) > Date.now();
}

/**
 * One question to RingCX, under a lease, or without one when the database is away.
 * @returns null: somebody else has the lease by now, and their answer decides
 */
async function ask(
  connection: Connection,
  refreshToken: string,
  failuresBefore: number,
  holder: string | null,
): Promise<Outcome | null> {
  const { pauses } = memory();
  const state = stateOf(connection);
  const heartbeat = holder === null ? undefined : setInterval(() => beat(connection, holder), heartbeatMs).unref();
  // The lifetime runs from the question: earlier than RingCX counts, never later.
  const issuedAt = Date.now();
  try {
    const grant = await refreshSession(connection.host, refreshToken);
    // An answer without a refresh token leaves the old one in force, as in OAuth (RFC 6749, section 6).
    const newest = { ...grant, refreshToken: grant.refreshToken ?? refreshToken, issuedAt };
    if (grant.accessToken === connection.accessToken) {
      // No new access token; a new refresh token must be kept all the same, the old one is used up.
      const kept = { ...connection, refreshToken: newest.refreshToken };
      const { until } = pause(stateOf(kept), failuresBefore, 0);
      if (kept.refreshToken === refreshToken) {
        if (holder !== null) await storePause(connection, holder, failuresBefore + 1, until).catch(unwritten);
        return "nothing";
      }
      remember(connection, { newest: holder === null ? kept : await store(connection, kept, holder) });
      return "renewed";
    }
    pauses.delete(state);
    remember(connection, { newest: holder === null ? newest : await store(connection, newest, holder) });
    logger().debug({ operation: "refresh", outcome: "renewed" }, "session renewed");
    return "renewed";
  } catch (error) {
    if (error instanceof UpstreamError && isTerminal(error, failuresBefore)) {
      const known = holder === null ? null : await storeEnd(connection, holder).catch(unwritten);
      if (known?.kind === "held") return null;
      logger().info({ err: error }, "RingCX ended a session");
      return adopt(connection, known?.kind === "successor" ? known : { kind: "ended" });
    }
    const { until, failures } = pause(state, failuresBefore, error instanceof UpstreamError ? error.retryAfterMs : 0);
    logger().warn({ err: error, retryAfterMs: until - Date.now() }, "session not renewed; it is kept");
    const known = holder === null ? null : await storePause(connection, holder, failures, until).catch(unwritten);
    if (known?.kind === "held") return null;
    return known ? adopt(connection, known) : "nothing";
  } finally {
    clearInterval(heartbeat);
  }
}

function beat(connection: Connection, holder: string): void {
  prolong(connection, holder).catch((error: unknown) => logger().warn({ err: error }, "lease not prolonged"));
}

/** How long a request waits for its tokens to be recorded, and for how long that is tried at all. */
const storePatienceMs = 1_500;
const storeTriesMs = 30_000;

/**
 * Records a successor, again and again while the database is away: the others have only the token that was used.
 * @returns the tokens in force: these, unless somebody else's are recorded
 */
async function store(connection: Connection, tokens: Tokens, holder: string): Promise<Tokens> {
  const givenUpAt = performance.now() + storeTriesMs;
  const attempt = async (): Promise<Tokens> => {
    for (;;) {
      try {
        return await storeSuccessor(connection, tokens, holder);
      } catch (error) {
        if (!isDatabaseUnavailable(error) || performance.now() > givenUpAt) {
          logger().error({ err: error }, "renewed session not recorded");
          return tokens;
        }
        await delay(250, undefined, { ref: false });
        beat(connection, holder);
      }
    }
  };
  return (await inTime(attempt(), storePatienceMs)) ?? tokens;
}

function unwritten(error: unknown): null {
  if (!isDatabaseUnavailable(error)) throw error;
  return null;
}

/** Nobody asks again for a while: 2, 4, 8, ... 30 seconds, or longer if RingCX says so. */
function pause(
  state: string,
  failuresBefore: number,
  askedMs: number | undefined,
): { until: number; failures: number } {
  const failures = failuresBefore + 1;
  const pause = { until: Date.now() + Math.max(askedMs ?? 0, Math.min(30_000, 1_000 * 2 ** failures)), failures };
  bounded(memory().pauses).set(state, pause);
  return pause;
}

/** Leads the state that was left, the states before it, and the new one to what is in force now. */
function remember(left: Connection, now: Lineage, at = Date.now()): void {
  const { lineages } = memory();
  for (const [state, known] of lineages) {
    if (Date.now() - known.at < recordLifeMs()) break;
    lineages.delete(state);
  }
  const lineage = lineages.get(stateOf(left))?.lineage ?? now;
  lineage.newest = now.newest;
  const states = now.newest === null ? [left] : [left, { ...left, ...now.newest }];
  for (const state of states) {
    lineages.delete(stateOf(state));
    bounded(lineages).set(stateOf(state), { lineage, at });
  }
}

function bounded<V>(map: Map<string, V>): Map<string, V> {
  while (map.size >= maxStates) map.delete(map.keys().next().value as string);
  return map;
}
