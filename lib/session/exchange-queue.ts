import "server-only";
import { randomBytes } from "node:crypto";
import { type Selectable, sql, type Transaction } from "kysely";
import { write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import type { Database, RingexExchangesTable } from "@/lib/db/schema";
import { env } from "@/lib/env";
import { logger } from "@/lib/logger";
import { databaseNow } from "@/lib/session/refresh-states";

/**
 * The line for the exchange of a RingEX token, which the vendor allows five times a minute: first come, first served,
 * among all replicas. Whoever waits keeps asking; who does not any more loses the place. While the database is away
 * each process keeps the limit by what it knew last.
 */

export type Pace = {
  /** Exchanges that may begin within a window, counted from the end of each. */
  limit: number;
  windowMs: number;
  /** Whoever does not ask for so long has left. */
  patienceMs: number;
  /** More than an exchange can take: after that its process is taken for dead. */
  exchangeMs: number;
};

/** The right to one exchange. It is to be given back with {@link settleTurn}, whatever came of it. */
export type Ticket = { id: string; slot: string; seq: number };

export type Place = { kind: "waiting"; place: number; waitMs: number };

/** `over`: it was used. */
export type Turn = Place | { kind: "yours"; ticket: Ticket } | { kind: "over" };

type Entry = Selectable<RingexExchangesTable>;
type Line = Map<string, Entry>;

/** RingCX may have counted an exchange a little later than its answer came. */
const marginMs = 250;

/** Longer than a cookie of a used exchange is accepted. */
const doneMs = 16 * 60_000;

function currentPace(): Pace {
  const { ringexExchangeLimit: limit, ringcxTimeoutMs } = env();
  return { limit, windowMs: 60_000, patienceMs: 20_000, exchangeMs: ringcxTimeoutMs + 5_000 };
}

/** Takes a place at the end of the line. */
export async function joinLine(id: string, pace = currentPace()): Promise<void> {
  await change((line, now) => {
    if (!line.has(id)) stand(line, id, now, pace);
  });
}

/** Whether it is the turn of this one, which has a place from now on if it had none. */
export function askTurn(id: string, pace = currentPace()): Promise<Turn> {
  return change((line, now): Turn => {
    const known = line.get(id);
    if (known?.state === "done") return { kind: "over" };
    // In another tab, or in a request that the browser gave up.
    if (known?.state === "exchanging") return { kind: "waiting", place: 1, waitMs: 1_000 };
    const { seq } = stand(line, id, now, pace);
    const waiting = placeOf(line, seq, now, pace);
    if (waiting.waitMs > 0) return waiting;
    const slot = randomBytes(12).toString("base64url");
    put(line, { id, state: "exchanging", seq, expires_at: now + pace.exchangeMs });
    put(line, { id: slot, state: "slot", seq: 0, expires_at: now + pace.exchangeMs + pace.windowMs });
    return { kind: "yours", ticket: { id, slot, seq } };
  });
}

/** `done`: nothing more comes of this one. `lost`: it may ask again, at the end of the line. */
export async function settleTurn(ticket: Ticket, outcome: "done" | "lost", pace = currentPace()): Promise<void> {
  await change((line, now) => {
    release(line, ticket, now, pace);
    if (outcome === "lost") line.delete(ticket.id);
    else put(line, { id: ticket.id, state: "done", seq: 0, expires_at: now + doneMs });
  });
}

/** RingCX says that its limit is used up: everybody waits so long, and nobody loses the place, this one neither. */
export function pauseLine(ticket: Ticket, pauseMs: number, pace = currentPace()): Promise<Place> {
  return change((line, now) => {
    release(line, ticket, now, pace);
    put(line, { id: ticket.id, state: "waiting", seq: ticket.seq, expires_at: now + pace.patienceMs });
    const until = Math.max(line.get("pause")?.expires_at ?? 0, now + Math.max(1_000, pauseMs));
    put(line, { id: "pause", state: "pause", seq: 0, expires_at: until });
    return placeOf(line, ticket.seq, now, pace);
  });
}

function put(line: Line, entry: Entry): void {
  line.set(entry.id, entry);
}

function stand(line: Line, id: string, now: number, { patienceMs }: Pace): Entry {
  const last = Math.max(0, ...[...line.values()].map(({ seq }) => seq));
  const entry = { id, state: "waiting", seq: line.get(id)?.seq ?? last + 1, expires_at: now + patienceMs };
  put(line, entry);
  return entry;
}

function release(line: Line, { slot }: Ticket, now: number, { windowMs }: Pace): void {
  put(line, { id: slot, state: "slot", seq: 0, expires_at: now + windowMs + marginMs });
}

/** `waitMs` 0: it is the turn of this one. Those before it who may go have not asked yet, and are left their part. */
function placeOf(line: Line, seq: number, now: number, { limit, windowMs }: Pace): Place {
  const entries = [...line.values()];
  const ahead = entries.filter((entry) => entry.state === "waiting" && entry.seq < seq).length;
  const releases = entries
    .filter(({ state }) => state === "slot")
    // One that is still at work counts from its end; most have ended by the time that it is asked for.
    .map(({ expires_at }) => Math.min(expires_at, now + windowMs + marginMs))
    .sort((a, b) => a - b);
  /** When the nth, counted from the first that has to wait, may go. */
  const freeAt = (nth: number): number => {
    if (nth < 0) return now;
    return releases[nth] ?? freeAt(nth - limit) + windowMs + marginMs;
  };
  const at = Math.max(freeAt(ahead - (limit - releases.length)), line.get("pause")?.expires_at ?? 0);
  return { kind: "waiting", place: ahead + 1, waitMs: Math.max(0, at - now) };
}

type Memory = {
  /** As this process knew it last, by the database's clock. */
  line: Line;
  /** How far that clock is ahead of ours, milliseconds. */
  ahead: number;
  /** The database is away, and does not know what happened since. */
  alone: boolean;
  /** How many steps were made alone. */
  steps: number;
};

// The proxy, the route handlers and the server components are separate bundles of one process.
const slot = Symbol.for("tokendesk.exchanges");
type Slot = { [slot]?: Memory };

function memory(): Memory {
  const holder = globalThis as Slot;
  holder[slot] ??= { line: new Map(), ahead: 0, alone: false, steps: 0 };
  return holder[slot];
}

/** One step of the line at a time, in the database; in this process when the database is away. */
async function change<T>(step: (line: Line, now: number) => T): Promise<T> {
  const known = memory();
  try {
    const { alone, steps } = known;
    const missed = alone ? [...known.line.values()] : [];
    const { result, line, now } = await write("ringex exchanges", async (trx) => {
      const { before, now } = await load(trx);
      const line = new Map(before);
      for (const entry of missed) if (isNews(entry, line.get(entry.id))) put(line, entry);
      const result = stepIn(line, now, step);
      await store(trx, before, line);
      return { result, line, now };
    });
    // What was done alone in the meantime is told to the database by the next step.
    if (known.steps !== steps) return result;
    if (alone) logger().info("the line for RingEX exchanges is in the database again");
    Object.assign(known, { line, ahead: now - Date.now(), alone: false });
    return result;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    if (!known.alone) logger().warn({ err: error }, "the limit of RingEX exchanges holds in this process alone");
    known.alone = true;
    known.steps += 1;
    return stepIn(known.line, Date.now() + known.ahead, step);
  }
}

function stepIn<T>(line: Line, now: number, step: (line: Line, now: number) => T): T {
  for (const [id, { expires_at }] of line) if (expires_at <= now) line.delete(id);
  return step(line, now);
}

/** Whether what happened without the database is to be told to it. */
function isNews(entry: Entry, stored: Entry | undefined): boolean {
  if (stored === undefined) return true;
  return entry.state !== "waiting" && stored.state !== "done" && entry.expires_at >= stored.expires_at;
}

async function load(trx: Transaction<Database>): Promise<{ before: Line; now: number }> {
  const { rows } = await sql<{ now: number }>`select ${databaseNow()} as now`.execute(trx);
  const entries = await trx.selectFrom("ringex_exchanges").selectAll().execute();
  return { before: new Map(entries.map((entry) => [entry.id, entry])), now: rows[0]?.now ?? Date.now() };
}

async function store(trx: Transaction<Database>, before: Line, after: Line): Promise<void> {
  const gone = [...before.keys()].filter((id) => !after.has(id));
  const changed = [...after.values()].filter((entry) => before.get(entry.id) !== entry);
  if (gone.length > 0) await trx.deleteFrom("ringex_exchanges").where("id", "in", gone).execute();
  if (changed.length === 0) return;
  await trx
    .insertInto("ringex_exchanges")
    .values(changed)
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet(({ ref }) => ({
        state: ref("excluded.state"),
        seq: ref("excluded.seq"),
        expires_at: ref("excluded.expires_at"),
      })),
    )
    .execute();
}
