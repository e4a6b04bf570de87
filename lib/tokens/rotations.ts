import "server-only";
import { randomUUID } from "node:crypto";
import type { Kysely, Selectable, Transaction } from "kysely";
import { z } from "zod";
import { appendWithin, type Entry, installation } from "@/lib/audit/log";
import { read, write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import type { Database, RotationsTable } from "@/lib/db/schema";
import { TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import type { TokenMark } from "@/lib/tokens/fingerprint";
import { ifReachable, iso, needDatabase, scopeOf, type TokenOwner } from "@/lib/tokens/held";
import { columns, type InventoryRecord, isListed, parseRecord, storable, tenantRecord } from "@/lib/tokens/inventory";
import { orderWithin, takeBack } from "@/lib/tokens/orders";
import { remind } from "@/lib/tokens/reminders";
import {
  placesIn,
  type Rotation,
  type RotationPatch,
  type RotationPlace,
  type RotationSide,
} from "@/lib/tokens/schema";

/**
 * Tokens that are being replaced, until the old one is dead. What a rotation needs a value for waits for its owner: a
 * date that has come becomes a revocation order (lib/tokens/orders.ts).
 */
type RotationRow = Selectable<RotationsTable>;
type Owner = Pick<TokenOwner, "tenant" | "user" | "actor">;

const dayMs = 24 * 3_600_000;
const underWay = ["open", "ordered"];
/** Far enough for every plan, and near enough that a wrong year is noticed. */
const longestPlanMs = 2 * 366 * dayMs;

/** The same lock as whatever else changes this owner's tokens: their fate must not change between look and order. */
const lockOf = (tenant: string, ownerId: string) => `inventory:${tenant}:${ownerId}`;

/**
 * Begins to follow the replacement of a token. A former rotation of the same token ends: its list of places goes on.
 * @throws {DatabaseUnavailable}
 */
export async function beginRotation(
  owner: TokenOwner,
  old: Pick<TokenMark, "id" | "hint">,
  successor: Pick<TokenMark, "id" | "hint">,
): Promise<void> {
  const { tenant, ownerId, ownerName } = scopeOf(owner);
  await write(lockOf(tenant, ownerId), async (trx) => {
    const now = Date.now();
    const former = await ownUnderWay(trx, owner).where("old_token_id", "=", old.id).execute();
    const entries: Entry[] = [];
    for (const row of former) entries.push(...(await end(trx, row, now, { replacedBy: successor.hint })));
    const known = await tenantRecord(trx, tenant, old.id);
    const before = former.flatMap(placesOf).map(({ place }) => ({ place, done: false }));
    await trx
      .insertInto("rotations")
      .values({
        id: randomUUID(),
        tenant,
        old_token_id: old.id,
        old_hint: old.hint,
        new_token_id: successor.id,
        new_hint: successor.hint,
        owner_id: ownerId,
        owner_name: ownerName,
        started_at: now,
        revoke_at: null,
        places: JSON.stringify(before.length > 0 ? before : placesIn(known?.usedIn ?? null)),
        state: "open",
        settled_at: null,
      })
      .execute();
    if (entries.length > 0) await appendWithin(trx, owner.actor, entries);
  });
}

/**
 * The rotations that are under way, the oldest first: those of one owner, or of the whole main account. One whose old
 * token is gone is over, whether that is written down yet or not.
 * @throws {DatabaseUnavailable}
 */
export function rotationsUnderWay(tenant: string, ownerId?: string): Promise<Rotation[]> {
  return read(async (db) => {
    const all = db
      .selectFrom("rotations")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("state", "in", underWay)
      .orderBy("started_at")
      .orderBy("id")
      .limit(shown);
    const rows = await (ownerId === undefined ? all : all.where("owner_id", "=", ownerId)).execute();
    const records = await recordsOf(db, tenant, rows);
    return rows
      .filter((row) => !isGone(records.get(row.old_token_id)))
      .map((row) => viewOf(row, records.get(row.old_token_id), records.get(row.new_token_id)));
  });
}

/** The owner's, for the list of their tokens; none when the database is out of reach. */
export async function ownRotations({ tenant, user }: Owner): Promise<Rotation[]> {
  return (await ifReachable(rotationsUnderWay(tenant, user.id))) ?? [];
}

/**
 * The reader's rotations; for ops, those of the whole main account.
 * @throws {TokendeskError} `audit_unavailable`
 */
export function listRotations(
  reader: TokenOwner & { user: { role: "member" | "ops" | "admin" } },
): Promise<{ rotations: Rotation[] }> {
  const own = reader.user.role === "member" ? reader.user.id : undefined;
  return needDatabase(
    rotationsUnderWay(reader.tenant, own).then((rotations) => ({ rotations })),
    "read",
  );
}

/**
 * Changes the plan of one's own rotation: where the old token is used still, and when it is to be revoked. A new date
 * for one that is ordered takes the order back.
 * @throws {TokendeskError} `not_found`; `invalid_input`: the date is over or too far; `audit_unavailable`
 */
export async function planRotation(owner: Owner, id: string, patch: RotationPatch): Promise<{ rotation: Rotation }> {
  const rotation = await changeOwn(owner, id, async (trx, row) => {
    const revokeAt =
      patch.revokeAt === undefined ? row.revoke_at : patch.revokeAt === null ? null : Date.parse(patch.revokeAt);
    const moved = revokeAt !== row.revoke_at;
    if (moved && revokeAt !== null) checkDate(revokeAt);
    const places = patch.places?.map(({ place, done }) => ({ place: storable(place) ?? "", done })) ?? placesOf(row);
    const takenBack = moved && row.state === "ordered" ? await takeBackOwn(trx, row) : null;
    const changed = await trx
      .updateTable("rotations")
      .set({ revoke_at: revokeAt, places: JSON.stringify(places), ...(moved ? { state: "open" } : {}) })
      .where("id", "=", row.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const entry: Entry = {
      action: moved && revokeAt === null ? "rotation.cancel" : "rotation.plan",
      outcome: "succeeded",
      token: { id: row.old_token_id, hint: row.old_hint },
      details: { rotationId: row.id, successor: row.new_hint, ...planOf(changed) },
    };
    await appendWithin(trx, owner.actor, [...(takenBack ? [takenBack] : []), entry]);
    return changed;
  });
  return { rotation };
}

/**
 * Ends one's own rotation with both tokens alive: nothing is revoked by it any more.
 * @throws {TokendeskError} `not_found`, `audit_unavailable`
 */
export async function cancelRotation(owner: Owner, id: string): Promise<void> {
  await changeOwn(owner, id, async (trx, row) => {
    await appendWithin(trx, owner.actor, await end(trx, row, Date.now(), {}));
    return row;
  });
}

async function changeOwn(
  owner: Owner,
  id: string,
  change: (trx: Transaction<Database>, row: RotationRow) => Promise<RotationRow>,
): Promise<Rotation> {
  return needDatabase(
    write(lockOf(owner.tenant, owner.user.id), async (trx) => {
      const row = await ownUnderWay(trx, owner).where("id", "=", id).executeTakeFirst();
      const old = row && (await tenantRecord(trx, owner.tenant, row.old_token_id));
      if (row === undefined || isGone(old)) {
        throw new TokendeskError("not_found", "There is no such rotation of yours under way. It may be over by now.");
      }
      const successor = await tenantRecord(trx, owner.tenant, row.new_token_id);
      return viewOf(await change(trx, row), old, successor);
    }),
  );
}

function checkDate(revokeAt: number): void {
  const now = Date.now();
  if (revokeAt < now) {
    throw new TokendeskError("invalid_input", "This date is over. To revoke the old token now, revoke it at once.");
  }
  if (revokeAt > now + longestPlanMs) {
    throw new TokendeskError("invalid_input", "This date is more than two years ahead.");
  }
}

/** Ends it, and takes back what it ordered. */
async function end(
  trx: Transaction<Database>,
  row: RotationRow,
  now: number,
  details: Record<string, string>,
): Promise<Entry[]> {
  const takenBack = row.state === "ordered" ? await takeBackOwn(trx, row) : null;
  await trx.updateTable("rotations").set({ state: "cancelled", settled_at: now }).where("id", "=", row.id).execute();
  return [
    ...(takenBack ? [takenBack] : []),
    {
      action: "rotation.cancel",
      outcome: "succeeded",
      token: { id: row.old_token_id, hint: row.old_hint },
      details: { rotationId: row.id, successor: row.new_hint, ended: true, ...details },
    },
  ];
}

/** An order that somebody else gave stands. */
function takeBackOwn(trx: Transaction<Database>, row: RotationRow): Promise<Entry | null> {
  return takeBack(trx, row.tenant, { token_id: row.old_token_id, ordered_by_id: row.owner_id });
}

function planOf(row: RotationRow) {
  const places = placesOf(row);
  return {
    revokeAt: iso(row.revoke_at),
    places: places.length,
    placesDone: places.filter(({ done }) => done).length,
  };
}

/**
 * What time brings, among all replicas once: rotations whose old token is gone are closed; a plan whose date has come
 * becomes a revocation order; reminders are sent. Needs no value of a token.
 * @throws {DatabaseUnavailable}
 */
export async function keepRotations(now = Date.now()): Promise<void> {
  await closeGone(now);
  await reopenUnordered();
  await orderDue(now);
  await remind(now);
}

/** One list may have missed a token: what has vanished is waited for. */
const vanishedForMs = dayMs;

async function closeGone(now: number): Promise<void> {
  const rows = await read((db) =>
    db
      .selectFrom("rotations")
      .innerJoin("tokens", (join) =>
        join.onRef("tokens.tenant", "=", "rotations.tenant").onRef("tokens.id", "=", "rotations.old_token_id"),
      )
      .select("rotations.id")
      .where("rotations.state", "in", underWay)
      .where((eb) =>
        eb.or([
          eb("tokens.vanished_at", "<=", now - vanishedForMs),
          eb.and([eb("tokens.vanished_at", "is", null), eb.not(isListed(eb))]),
        ]),
      )
      .limit(shown)
      .execute(),
  );
  if (rows.length === 0) return;
  await write("rotations", (trx) =>
    trx
      .updateTable("rotations")
      .set({ state: "done", settled_at: now })
      .where("state", "in", underWay)
      .where(
        "id",
        "in",
        rows.map(({ id }) => id),
      )
      .execute(),
  );
}

/** Its order was taken back by somebody else, or came to nothing: what to do with the old token is open again. */
async function reopenUnordered(): Promise<void> {
  const rows = await read((db) => unordered(db).select(["rotations.id", "rotations.tenant", "owner_id"]).execute());
  for (const { id, tenant, owner_id } of rows) {
    await write(lockOf(tenant, owner_id), async (trx) => {
      const row = await unordered(trx).select("rotations.id").where("rotations.id", "=", id).executeTakeFirst();
      if (row === undefined) return;
      await trx.updateTable("rotations").set({ state: "open", revoke_at: null }).where("id", "=", id).execute();
    });
  }
}

function unordered(db: Kysely<Database>) {
  return db
    .selectFrom("rotations")
    .where("rotations.state", "=", "ordered")
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("revocation_orders")
            .select("revocation_orders.id")
            .whereRef("revocation_orders.tenant", "=", "rotations.tenant")
            .whereRef("revocation_orders.token_id", "=", "rotations.old_token_id")
            .where("revocation_orders.state", "=", "pending"),
        ),
      ),
    )
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("tokens")
          .select("tokens.id")
          .whereRef("tokens.tenant", "=", "rotations.tenant")
          .whereRef("tokens.id", "=", "rotations.old_token_id")
          .where(isListed),
      ),
    );
}

async function orderDue(now: number): Promise<void> {
  const due = await read((db) =>
    db.selectFrom("rotations").selectAll().where("state", "=", "open").where("revoke_at", "<=", now).execute(),
  );
  for (const row of due) {
    try {
      await write(lockOf(row.tenant, row.owner_id), (trx) => order(trx, row, now));
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      logger().error({ err: error, rotation: row.id }, "a planned revocation was not ordered");
    }
  }
}

/** A token without a living successor is not ordered to be revoked: its owner is asked on the overview. */
async function order(trx: Transaction<Database>, { id, tenant }: RotationRow, now: number): Promise<void> {
  const row = await trx
    .selectFrom("rotations")
    .selectAll()
    .where("id", "=", id)
    .where("state", "=", "open")
    .where("revoke_at", "<=", now)
    .executeTakeFirst();
  if (row === undefined) return;
  const old = await tenantRecord(trx, tenant, row.old_token_id);
  const successor = await tenantRecord(trx, tenant, row.new_token_id);
  if (old?.status !== "active" || old.ownerId !== row.owner_id || successor?.status !== "active") return;
  await trx.updateTable("rotations").set({ state: "ordered" }).where("id", "=", id).execute();
  const giver = { tenant, user: { id: row.owner_id, name: row.owner_name } };
  const { entry } = await orderWithin(trx, giver, old, `Replaced by ${row.new_hint}; its date has come`);
  if (entry === null) return;
  const details = { ...entry.details, rotationId: id, revokeAt: iso(row.revoke_at) };
  await appendWithin(trx, { ...installation, tenant }, [{ ...entry, details }]);
}

/** More are under way in no main account that could be looked after. */
const shown = 1000;

function ownUnderWay(db: Kysely<Database>, { tenant, user }: Pick<Owner, "tenant" | "user">) {
  return db
    .selectFrom("rotations")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("owner_id", "=", user.id)
    .where("state", "in", underWay);
}

async function recordsOf(
  db: Kysely<Database>,
  tenant: string,
  rows: readonly RotationRow[],
): Promise<Map<string, InventoryRecord>> {
  if (rows.length === 0) return new Map();
  const ids = [...new Set(rows.flatMap(({ old_token_id, new_token_id }) => [old_token_id, new_token_id]))];
  const found = await db
    .selectFrom("tokens")
    .select(columns)
    .where("tenant", "=", tenant)
    .where("id", "in", ids)
    .execute();
  return new Map(found.map((row) => [row.id, parseRecord(row)]));
}

/** What is not remembered at all may be alive. */
function isGone(record: InventoryRecord | null | undefined): boolean {
  return record != null && record.status !== "active";
}

function viewOf(
  row: RotationRow,
  old: InventoryRecord | null | undefined,
  successor: InventoryRecord | null | undefined,
): Rotation {
  const side = (id: string, hint: string, record: InventoryRecord | null | undefined): RotationSide => ({
    id,
    hint,
    label: record?.label ?? null,
    listed: !isGone(record),
  });
  return {
    id: row.id,
    old: side(row.old_token_id, row.old_hint, old),
    successor: side(row.new_token_id, row.new_hint, successor),
    owner: old?.ownerName ?? row.owner_name,
    startedAt: iso(row.started_at) as string,
    revokeAt: iso(row.revoke_at),
    places: placesOf(row),
    state: row.state === "ordered" ? "ordered" : "open",
  };
}

const placesSchema = z.array(z.object({ place: z.string(), done: z.boolean() }));

/** A list that makes no sense is an empty one: the plan itself must not be lost with it. */
function placesOf({ places }: RotationRow): RotationPlace[] {
  try {
    return placesSchema.parse(JSON.parse(places));
  } catch {
    return [];
  }
}
