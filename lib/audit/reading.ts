import "server-only";
import { setImmediate as otherWork } from "node:timers/promises";
import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import { needLog } from "@/lib/audit/availability";
import { type EventRow, shownEvent } from "@/lib/audit/chain";
import {
  type AuditAction,
  type AuditEvent,
  type AuditFilter,
  type AuditPage,
  type AuditQuery,
  auditActions,
  auditOutcomes,
} from "@/lib/audit/schema";
import { read } from "@/lib/db/client";
import type { Database } from "@/lib/db/schema";
import { TokendeskError } from "@/lib/errors";

/**
 * Reading the log, always by key. Every question is cut into ranges of one index each, so that an answer costs what it
 * shows and not what the log holds.
 */

/** Who reads. A session is one. */
export type Reader = { tenant: string; user: { id: string; role: "member" | "ops" | "admin" } };

/** Values that a range of an index is fixed to, in the order of the index's columns. */
type Fixed = [column: "tenant" | "actor_id" | "actor_name" | "action" | "outcome" | "token_id", value: string | null][];
/** Events with these values, in the order of their sequence. `rest`: further conditions, where the range is small. */
export type Range = { fixed: Fixed; rest: Fixed };

/** Sequence numbers, both excluded. */
export type Bounds = { above: number; below: number };
type Direction = "asc" | "desc";

/** A filter value that no event can have. */
const nobody: Range[] = [];

/**
 * The ranges that hold what the reader asks for and may see: members their own events, ops and admin those of their
 * tenant, admin also those of none.
 * @throws {DatabaseUnavailable}
 */
export async function rangesFor(reader: Reader, filter: AuditFilter): Promise<Range[]> {
  if (filter.token === undefined) return rangesOfOne(reader, filter);
  const tokens = await tokenIds(reader.tenant, filter.token);
  return (await Promise.all(tokens.map((token) => rangesOfOne(reader, { ...filter, token })))).flat();
}

/** A token is asked for by its ID, or by what a person can see of it: `aws80:…c0a9`, or the last four characters. */
async function tokenIds(tenant: string, token: string): Promise<string[]> {
  const hint = /^(?:([A-Za-z][\w-]{0,15}:)?(?:…|\.\.\.))?([\w-]{4})$/.exec(token);
  if (!hint) return [token];
  const [, prefix, end] = hint;
  const rows = await read((db) =>
    db
      .selectFrom("tokens")
      .select("id")
      .where("tenant", "=", tenant)
      .where("hint", prefix === undefined ? "like" : "=", prefix === undefined ? `%…${end}` : `${prefix}…${end}`)
      .limit(50)
      .execute(),
  );
  return [...new Set([token, ...rows.map(({ id }) => id)])];
}

async function rangesOfOne(reader: Reader, filter: AuditFilter): Promise<Range[]> {
  const { tenant, user } = reader;
  if (user.role === "member") {
    const ids = filter.actor === undefined ? [user.id] : await actorIds(tenant, filter.actor);
    return ids.includes(user.id) ? rangesOf(tenant, [user.id], filter) : nobody;
  }
  const ids = filter.actor === undefined ? null : await actorIds(tenant, filter.actor);
  const own = ids?.length === 0 ? nobody : rangesOf(tenant, ids, filter);
  return user.role === "ops" ? own : [...own, ...rangesOfNobody(filter)];
}

/** What is no main account's: refused sign-ins, and what the installation does of itself. None of it is about a token. */
function rangesOfNobody({ actor, action, outcome, token }: AuditFilter): Range[] {
  if (token !== undefined) return nobody;
  const fixed: Fixed = [["tenant", null]];
  if (actor !== undefined) {
    const rest: Fixed = [];
    if (action !== undefined) rest.push(["action", action]);
    if (outcome !== undefined) rest.push(["outcome", outcome]);
    return [{ fixed: [...fixed, ["actor_name", actor.toLowerCase()]], rest }];
  }
  if (action !== undefined) {
    const outcomes = outcome === undefined ? auditOutcomes : [outcome];
    return outcomes.map((each) => ({ fixed: [...fixed, ["action", action], ["outcome", each]], rest: [] }));
  }
  if (outcome !== undefined) fixed.push(["outcome", outcome]);
  return [{ fixed, rest: [] }];
}

function rangesOf(tenant: string, actors: readonly string[] | null, filter: AuditFilter): Range[] {
  const { action, outcome, token } = filter;
  if (token !== undefined) {
    // A token has few events.
    const rest: Fixed = [];
    if (action !== undefined) rest.push(["action", action]);
    if (outcome !== undefined) rest.push(["outcome", outcome]);
    const fixed: Fixed = [
      ["tenant", tenant],
      ["token_id", token],
    ];
    if (actors === null) return [{ fixed, rest }];
    return actors.map((actor) => ({ fixed, rest: [...rest, ["actor_id", actor]] }));
  }
  const deeds: Fixed[] = [];
  if (action !== undefined || (outcome !== undefined && actors !== null)) {
    for (const one of action === undefined ? auditActions : [action]) {
      for (const each of outcome === undefined ? auditOutcomes : [outcome]) {
        deeds.push([
          ["action", one],
          ["outcome", each],
        ]);
      }
    }
  } else deeds.push(outcome === undefined ? [] : [["outcome", outcome]]);
  const people: Fixed[] = actors === null ? [[]] : actors.map((actor) => [["actor_id", actor]]);
  return people.flatMap((person) =>
    deeds.map((deed): Range => ({ fixed: [["tenant", tenant], ...person, ...deed], rest: [] })),
  );
}

/** The user IDs that an ID or a login stands for: the login's latest ones. */
async function actorIds(tenant: string, actor: string): Promise<string[]> {
  const rows = await read((db) =>
    db
      .selectFrom("audit_events")
      .select("actor_id")
      .where("tenant", "=", tenant)
      .where("actor_name", "=", actor.toLowerCase())
      .orderBy("seq", "desc")
      .limit(100)
      .execute(),
  );
  const ids = rows.flatMap(({ actor_id }) => (actor_id === null ? [] : [actor_id]));
  return [...new Set([actor, ...ids])];
}

/** The rows of a range, by key. */
export function rowsOf(db: Kysely<Database>, range: Range, bounds: Bounds, direction: Direction, limit: number) {
  type Query = SelectQueryBuilder<Database, "audit_events", EventRow>;
  let query: Query = db.selectFrom("audit_events").selectAll();
  for (const [column, value] of range.fixed) {
    query = value === null ? query.where(column, "is", null) : query.where(column, "=", value);
  }
  // Hidden from the planner, which would take an index that fits more conditions and holds more events.
  for (const [column, value] of range.rest) {
    query = query.where(sql<boolean>`coalesce(${sql.ref(column)}, '') = ${value}`);
  }
  // PostgreSQL takes `is null` for no fixed value: the order has to name the whole index.
  if (range.fixed.some(([, value]) => value === null)) {
    for (const [column] of range.fixed) query = query.orderBy(column, direction);
  }
  // One condition: of two, SQLite makes a range of any index that begins with the tenant, and reads all of it.
  return query
    .where((eb) => eb.between("seq", bounds.above + 1, bounds.below - 1))
    .orderBy("seq", direction)
    .limit(limit);
}

/**
 * The events of all ranges in one order, read in batches as they are taken.
 * @throws {DatabaseUnavailable}
 */
export async function* eventsIn(
  ranges: readonly Range[],
  bounds: Bounds,
  direction: Direction,
  batch: number,
): AsyncGenerator<AuditEvent> {
  // Of many ranges each gives a part.
  const size = ranges.length === 1 ? batch : Math.max(20, Math.ceil((batch * 2) / ranges.length));
  const before = (a: EventRow, b: EventRow) => (direction === "asc" ? a.seq < b.seq : a.seq > b.seq);
  const sources = ranges.map((range) => ({
    range,
    rows: [] as EventRow[],
    next: 0,
    last: null as number | null,
    more: true,
  }));
  for (;;) {
    let first: (typeof sources)[number] | null = null;
    for (const source of sources) {
      if (source.next === source.rows.length && source.more) {
        const { last } = source;
        const from =
          last === null ? bounds : direction === "asc" ? { ...bounds, above: last } : { ...bounds, below: last };
        source.rows = await read((db) => rowsOf(db, source.range, from, direction, size).execute());
        source.next = 0;
        source.more = source.rows.length === size;
        source.last = source.rows.at(-1)?.seq ?? last;
      }
      const row = source.rows[source.next];
      const leader = first?.rows[first.next];
      if (row && (!leader || before(row, leader))) first = source;
    }
    const row = first?.rows[first.next];
    if (!first || !row) return;
    first.next += 1;
    yield shownEvent(row);
  }
}

/** How many places there are from the first to the last event of some ranges: an upper bound of the events. */
export async function spanOf(ranges: readonly Range[], bounds: Bounds): Promise<number> {
  const end = async (direction: Direction) => {
    const rows = await Promise.all(
      ranges.map((range) => read((db) => rowsOf(db, range, bounds, direction, 1).execute())),
    );
    return rows.flat().map(({ seq }) => seq);
  };
  const firsts = await end("asc");
  return firsts.length === 0 ? 0 : Math.max(...(await end("desc"))) - Math.min(...firsts) + 1;
}

/**
 * The sequence numbers between two times, both included: times never decrease along the log. What retention removes is
 * not within them, also where a row of it stands there still, or again.
 */
export async function boundsOf({ from, to }: Pick<AuditFilter, "from" | "to">): Promise<Bounds> {
  const head = await read((db) => db.selectFrom("audit_chain").select("pruned_seq").executeTakeFirst());
  const above = Math.max(head?.pruned_seq ?? 0, from === undefined ? 0 : await lastBefore(Date.parse(from)));
  const isDay = to !== undefined && /^\d{4}-\d\d-\d\d$/.test(to);
  const below = to === undefined ? null : await lastBefore(Date.parse(to) + (isDay ? dayMs : 1));
  return { above, below: below === null ? Number.MAX_SAFE_INTEGER : below + 1 };
}

const dayMs = 24 * 3_600_000;

/** The newest event before a time; 0: there is none. */
async function lastBefore(at: number): Promise<number> {
  const row = await read((db) =>
    db
      .selectFrom("audit_events")
      .select("seq")
      .where("at", "<", at)
      .orderBy("at", "desc")
      .orderBy("seq", "desc")
      .limit(1)
      .executeTakeFirst(),
  );
  return row?.seq ?? 0;
}

function parseCursor(cursor: string): number {
  const decoded = Buffer.from(cursor, "base64url").toString("latin1");
  const seq = /^before:([1-9]\d{0,15})$/.exec(decoded)?.[1];
  if (seq === undefined || cursorOf(Number(seq)) !== cursor) {
    throw new TokendeskError("invalid_input", "cursor: is not one that this log has given out.");
  }
  return Number(seq);
}

function cursorOf(seq: number): string {
  return Buffer.from(`before:${seq}`, "latin1").toString("base64url");
}

/**
 * One page of the log, newest first.
 * @throws {TokendeskError} `invalid_input`: the cursor; `audit_unavailable`
 */
export function readEvents(reader: Reader, query: AuditQuery): Promise<AuditPage> {
  return needLog(pageOf(reader, query), notReadable);
}

export const notReadable = "The audit log cannot be read right now. Nothing in it is lost; try again in a moment.";

async function pageOf(reader: Reader, query: AuditQuery): Promise<AuditPage> {
  const older = query.cursor === undefined ? null : parseCursor(query.cursor);
  const bounds = await boundsOf(query);
  if (older !== null) bounds.below = Math.min(bounds.below, older);
  if (query.after !== undefined) bounds.above = Math.max(bounds.above, query.after);
  const ranges = await rangesFor(reader, query);
  const events: AuditEvent[] = [];
  for await (const event of eventsIn(ranges, bounds, "desc", query.limit + 1)) {
    if (events.length === query.limit) return { events, nextCursor: cursorOf(events.at(-1)?.seq ?? 0) };
    events.push(event);
  }
  return { events, nextCursor: null };
}

/**
 * The history of one token, newest first: what anybody did to it. That it is the reader's own, where they are a member,
 * the caller has made sure of.
 * @throws {DatabaseUnavailable}
 */
export async function eventsOfToken(reader: Reader, tokenId: string, limit: number): Promise<AuditEvent[]> {
  const range: Range = {
    fixed: [
      ["tenant", reader.tenant],
      ["token_id", tokenId],
    ],
    rest: [],
  };
  const bounds = await boundsOf({});
  const rows = await read((db) => rowsOf(db, range, bounds, "desc", limit).execute());
  return rows.map(shownEvent);
}

/**
 * The newest success of any of these acts on each of these tokens, by token ID, whoever did it.
 * @throws {DatabaseUnavailable}
 */
export async function lastSuccesses(
  tenant: string,
  tokenIds: readonly string[],
  actions: readonly AuditAction[],
): Promise<Map<string, number>> {
  if (tokenIds.length === 0) return new Map();
  const rows = await read((db) =>
    db
      .selectFrom("audit_events")
      .select((eb) => ["token_id", eb.fn.max("seq").as("seq")])
      .where("tenant", "=", tenant)
      .where("token_id", "in", tokenIds)
      // Hidden from the planner, as in `rowsOf`: a token has few events.
      .where(sql<boolean>`coalesce(outcome, '') = 'succeeded'`)
      .where(sql<boolean>`coalesce(action, '') in (${sql.join(actions)})`)
      .groupBy("token_id")
      .execute(),
  );
  return new Map(rows.map(({ token_id, seq }) => [token_id as string, seq]));
}

/** What succeeded on a day in UTC (`2026-11-23`). */
type DayActivity = { date: string; action: AuditAction; count: number };

/**
 * How often what was done since a time, by day and action; days on which nothing was done are left out.
 * @param actorId null: by anybody of the tenant
 * @throws {DatabaseUnavailable}
 */
export async function activityByDay(tenant: string, actorId: string | null, sinceMs: number): Promise<DayActivity[]> {
  const activity: DayActivity[] = [];
  let { above } = await boundsOf({ from: new Date(sinceMs).toISOString() });
  // A day at a time: on SQLite a query holds up the process while it runs.
  for (let day = Math.floor(sinceMs / dayMs) * dayMs; day <= Date.now(); day += dayMs) {
    await otherWork();
    const upTo = await lastBefore(day + dayMs);
    if (upTo <= above) continue;
    const counts = await read((db) => {
      let query = db
        .selectFrom("audit_events")
        .select((eb) => ["action", eb.fn.countAll<number>().as("count")])
        .where("tenant", "=", tenant)
        .where("outcome", "=", "succeeded")
        .where("seq", ">", above)
        .where("seq", "<=", upTo)
        .groupBy("action")
        .orderBy("action");
      // Every action is named so that the index of a person's deeds serves, which has it before the outcome.
      if (actorId !== null) query = query.where("actor_id", "=", actorId).where("action", "in", auditActions);
      return query.execute();
    });
    const date = new Date(day).toISOString().slice(0, 10);
    activity.push(...counts.map(({ action, count }) => ({ date, action: action as AuditAction, count })));
    above = upTo;
  }
  return activity;
}
