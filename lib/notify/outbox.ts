import "server-only";
import { type Selectable, sql } from "kysely";
import { write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import type { NotificationsTable } from "@/lib/db/schema";
import { logger } from "@/lib/logger";
import type { Message } from "@/lib/notify/messages";

export type OutboxRow = Selectable<NotificationsTable>;

/** Longer than an attempt may take. A row that a process took with it when it died is free again after that. */
export const leaseMs = 60_000;
/** How many messages for one receiver this process keeps while the database is away. */
const maxHeld = 1_000;
const lock = "notifications";

/** How long the database is not asked by those who tell of something, after it was away. */
const awayMs = 5_000;

type Memory = {
  /** By target, then by ID: what could not be written, and what became of it since. */
  held: Map<string, Map<string, OutboxRow>>;
  awayUntil: number;
};
const slot = Symbol.for("tokendesk.notify.held");
type Slot = { [slot]?: Memory };

function memory(): Memory {
  const holder = globalThis as Slot;
  holder[slot] ??= { held: new Map(), awayUntil: 0 };
  return holder[slot];
}

/** @param heldUntil until when nobody else may send it */
export function rowOf({ id, receiver, type, tenant, payload }: Message, now: number, heldUntil = 0): OutboxRow {
  return {
    id,
    tenant,
    type,
    channel: receiver.channel,
    target: receiver.target,
    payload,
    created_at: now,
    attempts: 0,
    next_at: now,
    state: "pending",
    trouble: null,
    held_until: heldUntil,
    settled_at: null,
  };
}

/** Writes rows, or keeps them in memory. A row whose ID is there already is left as it is. Never rejects. */
export async function store(rows: readonly OutboxRow[]): Promise<void> {
  try {
    if (memory().awayUntil <= Date.now()) return await insert(rows);
  } catch (error) {
    if (isDatabaseUnavailable(error)) memory().awayUntil = Date.now() + awayMs;
    else logger().error({ err: error }, "notifications not written");
  }
  for (const row of rows) hold(row);
}

/** @throws {DatabaseUnavailable} */
export async function insert(rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await write(lock, (trx) =>
    trx
      .insertInto("notifications")
      .values([...rows])
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute(),
  );
}

function hold(row: OutboxRow): void {
  let rows = memory().held.get(row.target);
  if (!rows) {
    rows = new Map();
    memory().held.set(row.target, rows);
  }
  if (rows.has(row.id) && row.state === "pending" && row.attempts === 0) return;
  rows.set(row.id, row);
  if (rows.size <= maxHeld) return;
  // What has arrived is missed in a list only; of the others the oldest say least.
  const victim = [...rows.values()].find(({ state }) => state === "sent") ?? [...rows.values()][0];
  if (!victim) return;
  rows.delete(victim.id);
  if (victim.state !== "sent") {
    logger().error(
      { type: victim.type, channel: victim.channel, target: victim.target },
      "notification dropped: the database is away and too many wait",
    );
  }
}

/**
 * Writes what was kept in memory for a receiver. Only whoever delivers to it does this: what is under way from memory
 * must not be taken up from the database meanwhile.
 * @throws {DatabaseUnavailable}
 */
export async function writeHeld(target: string): Promise<void> {
  const rows = memory().held.get(target);
  if (!rows) return;
  const some = [...rows.values()].slice(0, 100);
  try {
    await write(lock, async (trx) => {
      for (const row of some) {
        const { attempts, next_at, state, trouble, settled_at } = row;
        const progress = { attempts, next_at, state, trouble, settled_at, held_until: 0 };
        await trx
          .insertInto("notifications")
          .values({ ...row, held_until: 0 })
          .onConflict((conflict) => {
            const known = conflict.column("id");
            // It may have been written after all, before the answer was lost.
            return attempts === 0
              ? known.doNothing()
              : known.doUpdateSet(progress).where("notifications.state", "=", "pending");
          })
          .execute();
      }
    });
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    logger().error({ err: error, messages: some.length }, "notifications not written, and given up");
  }
  for (const row of some) if (rows.get(row.id) === row) rows.delete(row.id);
  if (rows.size === 0) memory().held.delete(target);
  else await writeHeld(target);
}

/** What is due of that which is kept in memory. */
export function heldRows(target: string, limit: number, now: number): OutboxRow[] {
  const rows = [...(memory().held.get(target)?.values() ?? [])];
  return rows.filter(({ state, next_at }) => state === "pending" && next_at <= now).slice(0, limit);
}

/**
 * Takes rows that are due for a receiver, for this process alone until the lease is over. Single tokens come last: of
 * many, what sums them up is worth more.
 * @throws {DatabaseUnavailable}
 */
export function claim(target: string, limit: number, now: number): Promise<OutboxRow[]> {
  return write(lock, async (trx) => {
    const due = await trx
      .selectFrom("notifications")
      .select("id")
      .where("state", "=", "pending")
      .where("target", "=", target)
      .where("next_at", "<=", now)
      .where("held_until", "<=", now)
      .orderBy(sql`case when type like 'token.%' then 1 else 0 end`)
      .orderBy("next_at")
      .orderBy("id")
      .limit(limit)
      .execute();
    if (due.length === 0) return [];
    return trx
      .updateTable("notifications")
      .set({ held_until: now + leaseMs })
      .where(
        "id",
        "in",
        due.map(({ id }) => id),
      )
      .returningAll()
      .execute();
  });
}

/** Writes what became of an attempt, or keeps it in memory. Never rejects. */
export async function settle(row: OutboxRow): Promise<void> {
  const { id, attempts, next_at, state, trouble, settled_at } = row;
  try {
    await write(lock, (trx) =>
      trx
        .updateTable("notifications")
        .set({ attempts, next_at, state, trouble, settled_at, held_until: 0 })
        .where("id", "=", id)
        .where("state", "=", "pending")
        .execute(),
    );
  } catch (error) {
    if (!isDatabaseUnavailable(error)) logger().error({ err: error }, "notification: outcome not written");
    hold({ ...row, held_until: 0 });
  }
}

/** The outcome of an attempt at what is in memory only, unless it was dropped meanwhile. */
export function noteHeld(row: OutboxRow): void {
  const rows = memory().held.get(row.target);
  if (rows?.has(row.id)) rows.set(row.id, row);
}

const dayMs = 24 * 3_600_000;
const keptMs = { sent: 30 * dayMs, dead: 90 * dayMs };
/** So long replicas may differ in what they are configured for, while a new configuration is rolled out. */
const rolloutMs = 600_000;

/**
 * Removes what is old, and gives up what is for nobody.
 * @throws {DatabaseUnavailable}
 */
export async function tidy(targets: readonly string[], now: number): Promise<void> {
  await write(lock, async (trx) => {
    for (const state of ["sent", "dead"] as const) {
      await trx
        .deleteFrom("notifications")
        .where("state", "=", state)
        .where("settled_at", "<", now - keptMs[state])
        .execute();
    }
    let orphans = trx
      .updateTable("notifications")
      .set({ state: "dead", trouble: "Its receiver is not configured any more", settled_at: now })
      .where("state", "=", "pending")
      .where("next_at", "<", now - rolloutMs)
      .where("held_until", "<=", now);
    if (targets.length > 0) orphans = orphans.where("target", "not in", targets);
    await orphans.execute();
  });
}
