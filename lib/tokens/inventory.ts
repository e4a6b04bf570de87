import "server-only";
import type { ExpressionBuilder, Kysely, Selectable, Transaction } from "kysely";
import { z } from "zod";
import { appendWithin, type Entry, installation } from "@/lib/audit/log";
import { read, write } from "@/lib/db/client";
import { DatabaseUnavailable } from "@/lib/db/failure";
import type { Database, RevocationOrdersTable, TokensTable } from "@/lib/db/schema";
import type { NewToken, RevocationProof, TokenPatch, TokenStatus } from "@/lib/tokens/schema";

/**
 * What Tokendesk remembers of API tokens. Every verb is bound to one owner in one tenant; nothing is read or changed
 * beyond that.
 *
 * Times are epoch milliseconds and say when the evidence was asked for, not when it was written down: a list that was
 * fetched before another but is merged after it does not undo what the later one changed.
 */
export type OwnerScope = {
  /** `host|mainAccountId` */
  tenant: string;
  /** RingCX user ID: a user name can be changed. */
  ownerId: string;
  ownerName: string;
  /** The name that was typed to sign in. */
  login: string | null;
};

/** Whose a token is. */
type OwnerKey = Pick<OwnerScope, "tenant" | "ownerId"> & Partial<OwnerScope>;

/** What belongs to a change and is committed with it, or not at all: its record in the audit log. */
type Alongside = (trx: Transaction<Database>, changed: InventoryRecord) => Promise<unknown>;

/** A token as the upstream list, or the creation, showed it. See lib/tokens/fingerprint. */
export type SeenToken = { id: string; fingerprint: string; hint: string };

export type InventoryRecord = {
  id: string;
  hint: string;
  ownerId: string;
  ownerName: string;
  label: string | null;
  purpose: string | null;
  environment: string | null;
  usedIn: string | null;
  /** Calendar date: `2026-12-31`. */
  rotateBy: string | null;
  createdHere: boolean;
  /** Set when it came into the list without having been created here, after the owner's first list. */
  appearedAt: number | null;
  /** When its owner said what it is. */
  adoptedAt: number | null;
  firstSeenAt: number;
  /** To the minute. */
  lastSeenAt: number;
  vanishedAt: number | null;
  /** When its owner took note of that. */
  vanishNotedAt: number | null;
  revokedAt: number | null;
  revokedProof: RevocationProof["method"] | null;
  /** A list that was fetched after the proof of revocation shows the token: it is alive, whatever the proof said. */
  seenAfterRevocation: boolean;
  status: TokenStatus;
};

/** A token that was seen again within this time is not written again: looking at a page stays a read. */
const touchAfterMs = 60_000;
/**
 * One list may have missed a token. An order for it is closed when another one, asked for this much later, does not show
 * it either; one that shows nothing at all is believed later still.
 */
const goneAfterMs = { some: 60_000, nothing: 24 * 60 * 60_000 };
/** SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535; a row has 10. */
const batchSize = 1000;

/**
 * Merges what the owner's list shows: new ones are recorded, seen ones touched, those that are no longer there marked
 * vanished. Orders for tokens that stay away are closed, and opened again when the token is back.
 * @param fetchedAt when the list was asked for. What was seen or recorded after that is not marked vanished.
 * @param options.complete false when parts of the list could not be read: then nothing is marked vanished
 * @returns every record of the owner by id, those that the list no longer shows included
 * @throws {DatabaseUnavailable}
 */
export async function mergeSeen(
  scope: OwnerScope,
  seen: ReadonlyArray<SeenToken>,
  fetchedAt: number,
  { complete = true } = {},
): Promise<Map<string, InventoryRecord>> {
  const shown = new Map(seen.map((token) => [token.id, token]));
  const [rows, owner] = await read(async (db) => [await ownRows(db, scope), await lookOf(db, scope)] as const);
  const listedLately = owner !== undefined && fetchedAt - owner.last_listed_at < touchAfterMs;
  if (listedLately && !hasChanges(compare(scope, rows, shown, fetchedAt, complete))) return toRecords(rows);

  const merged = await write(`inventory:${scope.tenant}:${scope.ownerId}`, async (trx) => {
    // Compared again under the lock: another merge may have come in between.
    const changes = compare(scope, await ownRows(trx, scope), shown, fetchedAt, complete);
    for (const ids of batches(changes.missing)) {
      await ownTokens(trx, scope).set({ vanished_at: fetchedAt }).where("id", "in", ids).execute();
    }
    for (const ids of batches(changes.touched)) {
      await ownTokens(trx, scope)
        .set({ vanished_at: null, vanish_noted_at: null, last_seen_at: fetchedAt })
        .where("id", "in", ids)
        .execute();
    }
    // Nobody can say of what the first list shows whether it came since.
    const appearedAt = (await lookOf(trx, scope)) === undefined ? null : fetchedAt;
    for (const tokens of batches(changes.fresh)) await insertSeen(trx, scope, tokens, fetchedAt, appearedAt);
    if (changes.renamed) await ownTokens(trx, scope).set({ owner_name: scope.ownerName }).execute();
    await recordLook(trx, scope, fetchedAt);
    const rows = await ownRows(trx, scope);
    const entries = await reviewOrders(trx, scope, shown, fetchedAt, complete);
    if (entries.length > 0) await appendWithin(trx, { ...installation, tenant: scope.tenant }, entries);
    return rows;
  });
  return toRecords(merged);
}

function lookOf(db: Kysely<Database>, { tenant, ownerId }: OwnerScope) {
  return db
    .selectFrom("owners")
    .select(["last_listed_at"])
    .where("tenant", "=", tenant)
    .where("owner_id", "=", ownerId)
    .executeTakeFirst();
}

async function recordLook(trx: Transaction<Database>, scope: OwnerScope, fetchedAt: number): Promise<void> {
  const latest = { owner_name: scope.ownerName, login: scope.login?.toLowerCase() ?? null };
  await trx
    .insertInto("owners")
    .values({
      ...latest,
      tenant: scope.tenant,
      owner_id: scope.ownerId,
      // `ringcx:host:mainAccountId:adminId`, as the sign-in made it.
      vendor_id: /:(\d+)$/.exec(scope.ownerId)?.[1] ?? null,
      first_listed_at: fetchedAt,
      last_listed_at: fetchedAt,
    })
    .onConflict((conflict) =>
      conflict.columns(["tenant", "owner_id"]).doUpdateSet((eb) => ({
        ...latest,
        last_listed_at: eb
          .case()
          .when("owners.last_listed_at", "<", fetchedAt)
          .then(fetchedAt)
          .else(eb.ref("owners.last_listed_at"))
          .end(),
      })),
    )
    .execute();
}

/**
 * Closes the pending orders for the owner's tokens that are gone for good, as far as lists can say, and opens those again
 * that were closed so and whose token is there.
 * @returns what to record of it
 */
async function reviewOrders(
  trx: Transaction<Database>,
  scope: OwnerScope,
  shown: ReadonlyMap<string, SeenToken>,
  fetchedAt: number,
  complete: boolean,
): Promise<Entry[]> {
  const orders = await trx
    .selectFrom("revocation_orders")
    .innerJoin("tokens", (join) =>
      join
        .onRef("tokens.tenant", "=", "revocation_orders.tenant")
        .onRef("tokens.id", "=", "revocation_orders.token_id"),
    )
    .select([
      "revocation_orders.id",
      "revocation_orders.token_id",
      "revocation_orders.token_hint",
      "revocation_orders.owner_id",
      "revocation_orders.state",
      "revocation_orders.running_until",
      "tokens.vanished_at",
      "tokens.revoked_at",
      "tokens.last_seen_at",
    ])
    .where("revocation_orders.tenant", "=", scope.tenant)
    .where("revocation_orders.state", "in", ["pending", "vanished"])
    .where("tokens.owner_id", "=", scope.ownerId)
    .orderBy("revocation_orders.ordered_at", "desc")
    .execute();
  const pending = new Set(orders.filter(({ state }) => state === "pending").map(({ token_id }) => token_id));
  const change = (id: string, changes: Partial<RevocationOrdersTable>) =>
    trx.updateTable("revocation_orders").set(changes).where("id", "=", id).execute();

  const entries: Entry[] = [];
  for (const order of orders) {
    const token = { id: order.token_id, hint: order.token_hint };
    const listed = shown.has(token.id) && isAlive(order);
    if (order.state === "vanished") {
      if (!listed || pending.has(token.id)) continue;
      pending.add(token.id);
      await change(order.id, { state: "pending", owner_id: scope.ownerId, settled_at: null, trouble: null });
      const details = { order: order.id, reopened: true };
      entries.push({ action: "token.order", outcome: "succeeded", token, details });
    } else if (complete && isGone(order, shown.size, fetchedAt)) {
      const trouble = "It was no longer in its owner's list.";
      await change(order.id, { state: "vanished", settled_at: fetchedAt, trouble });
      const details = { order: order.id, closed: "vanished" };
      entries.push({ action: "token.order", outcome: "unknown", token, details });
    } else if (listed && order.owner_id !== scope.ownerId) await change(order.id, { owner_id: scope.ownerId });
  }
  return entries;
}

/** The token of this order was gone before, and a list that shows `shown` tokens is late enough to confirm it. */
function isGone(
  order: Pick<Row, "vanished_at" | "revoked_at" | "last_seen_at"> & { running_until: number | null },
  shown: number,
  fetchedAt: number,
): boolean {
  const goneAt = order.vanished_at ?? order.revoked_at;
  if (isAlive(order) || goneAt === null || (order.running_until ?? 0) > fetchedAt) return false;
  return fetchedAt - goneAt >= (shown === 0 ? goneAfterMs.nothing : goneAfterMs.some);
}

/**
 * Records a token that was created here. A list may have shown it already; then its first sight is kept.
 * @throws {DatabaseUnavailable}
 */
export async function recordCreated(
  scope: OwnerScope,
  token: SeenToken,
  metadata: NewToken,
  now: number,
): Promise<InventoryRecord> {
  const row = await write(`inventory:${scope.tenant}:${scope.ownerId}`, (trx) =>
    trx
      .insertInto("tokens")
      .values({
        ...newRow(scope, token, now),
        label: storable(metadata.label),
        purpose: storable(metadata.purpose),
        environment: storable(metadata.environment),
        used_in: storable(metadata.usedIn),
        rotate_by: storable(metadata.rotateBy),
        created_here: 1,
      })
      .onConflict((conflict) =>
        conflict.columns(["tenant", "id"]).doUpdateSet((eb) => ({
          owner_id: eb.ref("excluded.owner_id"),
          owner_name: eb.ref("excluded.owner_name"),
          label: eb.ref("excluded.label"),
          purpose: eb.ref("excluded.purpose"),
          environment: eb.ref("excluded.environment"),
          used_in: eb.ref("excluded.used_in"),
          rotate_by: eb.ref("excluded.rotate_by"),
          created_here: eb.ref("excluded.created_here"),
          appeared_at: null,
          adopted_at: null,
          first_seen_at: eb
            .case()
            .when("tokens.owner_id", "=", eb.ref("excluded.owner_id"))
            .then(eb.ref("tokens.first_seen_at"))
            .else(eb.ref("excluded.first_seen_at"))
            .end(),
          last_seen_at: eb.ref("excluded.last_seen_at"),
          vanished_at: null,
        })),
      )
      .returning(columns)
      .executeTakeFirstOrThrow(),
  );
  return toRecord(parseRow(row));
}

/**
 * Changes what people say of a token: what is absent stays, null clears. Who gives it a label says that it is theirs.
 * @param alongside runs in the same transaction, when there is such a token
 * @returns the record, or null when the owner has no such token
 * @throws {DatabaseUnavailable}
 */
export async function editMetadata(
  scope: OwnerScope,
  id: string,
  patch: TokenPatch,
  now: number,
  alongside: Alongside,
): Promise<InventoryRecord | null> {
  const changes = {
    owner_name: scope.ownerName,
    ...(patch.label === undefined ? {} : { label: storable(patch.label) }),
    ...(patch.purpose === undefined ? {} : { purpose: storable(patch.purpose) }),
    ...(patch.environment === undefined ? {} : { environment: storable(patch.environment) }),
    ...(patch.usedIn === undefined ? {} : { used_in: storable(patch.usedIn) }),
    ...(patch.rotateBy === undefined ? {} : { rotate_by: storable(patch.rotateBy) }),
    ...(typeof patch.label === "string" ? { adopted_at: now } : {}),
  };
  return change(scope, id, changes, alongside);
}

/**
 * Records that the owner knows that a token is gone.
 * @returns the record, or null when the owner has no such token
 * @throws {DatabaseUnavailable}
 */
export async function noteVanished(
  scope: OwnerScope,
  id: string,
  now: number,
  alongside: Alongside,
): Promise<InventoryRecord | null> {
  return change(scope, id, { vanish_noted_at: now }, alongside);
}

async function change(
  scope: OwnerScope,
  id: string,
  changes: Partial<TokensTable>,
  alongside: Alongside,
): Promise<InventoryRecord | null> {
  return write(`inventory:${scope.tenant}:${scope.ownerId}`, async (trx) => {
    const row = await ownTokens(trx, scope).set(changes).where("id", "=", id).returning(columns).executeTakeFirst();
    if (row === undefined) return null;
    const changed = toRecord(parseRow(row));
    await alongside(trx, changed);
    return changed;
  });
}

/**
 * Records a proven revocation. A repeated one changes nothing, unless the token was seen alive since the first.
 * @returns the record, or null when the owner has no such token
 * @throws {DatabaseUnavailable}
 */
export async function recordRevoked(
  scope: OwnerKey,
  id: string,
  method: RevocationProof["method"],
  now: number,
): Promise<InventoryRecord | null> {
  const row = await write(`inventory:${scope.tenant}:${scope.ownerId}`, async (trx) => {
    await ownTokens(trx, scope)
      // A list may have missed it meanwhile; now it is known why.
      .set({ revoked_at: now, revoked_proof: method, vanished_at: null, vanish_noted_at: null })
      .where("id", "=", id)
      .where((eb) => eb.or([eb("revoked_at", "is", null), eb("last_seen_at", ">", eb.ref("revoked_at"))]))
      .execute();
    await trx
      .updateTable("revocation_orders")
      // Without RingCX's refusal of the token itself a later list may know better.
      .set({
        state: method === "token_refused" ? "done" : "vanished",
        settled_at: now,
        running_until: null,
        trouble: null,
      })
      .where("tenant", "=", scope.tenant)
      .where("token_id", "=", id)
      .where("state", "=", "pending")
      .execute();
    return await ownRow(trx, scope, id);
  });
  return row ? toRecord(row) : null;
}

/**
 * The same for a token of whomever in the tenant.
 * @returns the record, or null when nothing is remembered of it
 * @throws {DatabaseUnavailable}
 */
export async function recordRevokedOfTenant(
  tenant: string,
  id: string,
  method: RevocationProof["method"],
  now: number,
): Promise<InventoryRecord | null> {
  const known = await readTenantRecord(tenant, id);
  return known && recordRevoked({ tenant, ownerId: known.ownerId }, id, method, now);
}

/** How many tokens of the owner are remembered, those that are gone included. @throws {DatabaseUnavailable} */
export async function countKnown(scope: OwnerScope): Promise<number> {
  const { count } = await read((db) =>
    db
      .selectFrom("tokens")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("tenant", "=", scope.tenant)
      .where("owner_id", "=", scope.ownerId)
      .executeTakeFirstOrThrow(),
  );
  return count;
}

/** The record of one token, or null when the owner has no such token. @throws {DatabaseUnavailable} */
export async function readRecord(scope: OwnerScope, id: string): Promise<InventoryRecord | null> {
  const row = await read((db) => ownRow(db, scope, id));
  return row ? toRecord(row) : null;
}

/**
 * The record of one token of the tenant, whoever's it is: for ops.
 * @throws {DatabaseUnavailable}
 */
export async function readTenantRecord(tenant: string, id: string): Promise<InventoryRecord | null> {
  return read((db) => tenantRecord(db, tenant, id));
}

/** The same, within a transaction. */
export async function tenantRecord(db: Kysely<Database>, tenant: string, id: string): Promise<InventoryRecord | null> {
  const rows = db.selectFrom("tokens").select(columns).where("tenant", "=", tenant).where("id", "=", id);
  const row = await rows.executeTakeFirst();
  return row ? parseRecord(row) : null;
}

/** What {@link parseRecord} reads. */
export const columns = [
  "id",
  "hint",
  "owner_id",
  "owner_name",
  "label",
  "purpose",
  "environment",
  "used_in",
  "rotate_by",
  "created_here",
  "appeared_at",
  "adopted_at",
  "first_seen_at",
  "last_seen_at",
  "revoked_at",
  "revoked_proof",
  "vanished_at",
  "vanish_noted_at",
] as const satisfies ReadonlyArray<keyof TokensTable>;

const time = z.number().int();
/** What other programs, a restore or a later version left in the table is looked at before it is believed. */
const rowSchema = z.object({
  id: z.string(),
  hint: z.string(),
  owner_id: z.string(),
  owner_name: z.string(),
  label: z.string().nullable(),
  purpose: z.string().nullable(),
  environment: z.string().nullable(),
  used_in: z.string().nullable(),
  rotate_by: z.iso.date().nullable(),
  created_here: z.literal([0, 1]),
  appeared_at: time.nullable(),
  adopted_at: time.nullable(),
  first_seen_at: time,
  last_seen_at: time,
  revoked_at: time.nullable(),
  revoked_proof: z.enum(["token_refused", "absent_from_list"]).nullable(),
  vanished_at: time.nullable(),
  vanish_noted_at: time.nullable(),
});
type Row = z.infer<typeof rowSchema>;

/** For queries of other modules over {@link columns}. @throws {DatabaseUnavailable} when the row makes no sense */
export function parseRecord(row: Pick<Selectable<TokensTable>, (typeof columns)[number]>): InventoryRecord {
  return toRecord(parseRow(row));
}

function parseRow(row: Pick<Selectable<TokensTable>, (typeof columns)[number]>): Row {
  const parsed = rowSchema.safeParse(row);
  if (!parsed.success) throw new DatabaseUnavailable("damaged", { cause: parsed.error });
  return parsed.data;
}

function ownTokens(db: Kysely<Database>, scope: OwnerKey) {
  return db.updateTable("tokens").where("tenant", "=", scope.tenant).where("owner_id", "=", scope.ownerId);
}

function selectOwn(db: Kysely<Database>, scope: OwnerKey) {
  return db
    .selectFrom("tokens")
    .select(columns)
    .where("tenant", "=", scope.tenant)
    .where("owner_id", "=", scope.ownerId);
}

async function ownRows(db: Kysely<Database>, scope: OwnerScope): Promise<Row[]> {
  return (await selectOwn(db, scope).execute()).map(parseRow);
}

async function ownRow(db: Kysely<Database>, scope: OwnerKey, id: string): Promise<Row | null> {
  const row = await selectOwn(db, scope).where("id", "=", id).executeTakeFirst();
  return row ? parseRow(row) : null;
}

type Changes = {
  fresh: SeenToken[];
  /** Seen again, to be written. */
  touched: string[];
  missing: string[];
  renamed: boolean;
};

function hasChanges({ fresh, touched, missing, renamed }: Changes): boolean {
  return renamed || fresh.length > 0 || touched.length > 0 || missing.length > 0;
}

/** What the list changes in what is known. */
function compare(
  scope: OwnerScope,
  rows: readonly Row[],
  shown: ReadonlyMap<string, SeenToken>,
  fetchedAt: number,
  complete: boolean,
): Changes {
  const changes: Changes = { fresh: [], touched: [], missing: [], renamed: false };
  for (const row of rows) {
    if (row.owner_name !== scope.ownerName) changes.renamed = true;
    if (shown.has(row.id)) {
      if (isNews(row, fetchedAt)) changes.touched.push(row.id);
    } else if (complete && isAlive(row) && row.last_seen_at < fetchedAt) changes.missing.push(row.id);
  }
  const known = new Set(rows.map(({ id }) => id));
  for (const token of shown.values()) if (!known.has(token.id)) changes.fresh.push(token);
  return changes;
}

function isAlive(row: Pick<Row, "vanished_at" | "revoked_at" | "last_seen_at">): boolean {
  return row.vanished_at === null && (row.revoked_at === null || row.last_seen_at > row.revoked_at);
}

/** The same in a query: it is in the latest list of its owner. */
export const isListed = (eb: ExpressionBuilder<Database, "tokens">) =>
  eb.and([
    eb("tokens.vanished_at", "is", null),
    eb.or([eb("tokens.revoked_at", "is", null), eb("tokens.last_seen_at", ">", eb.ref("tokens.revoked_at"))]),
  ]);

/** Whether it must be written down that a list of this time shows the token. */
function isNews(row: Row, fetchedAt: number): boolean {
  if (row.vanished_at !== null) return fetchedAt > row.vanished_at;
  if (!isAlive(row)) return row.revoked_at !== null && fetchedAt > row.revoked_at;
  return fetchedAt - row.last_seen_at >= touchAfterMs;
}

/**
 * A token that another owner of the tenant has keeps its record as long as that record is alive: the other's list is the
 * better evidence. A dead one passes to whose list shows it now, without what the other wrote about it.
 */
async function insertSeen(
  db: Kysely<Database>,
  scope: OwnerScope,
  tokens: readonly SeenToken[],
  fetchedAt: number,
  appearedAt: number | null,
): Promise<void> {
  await db
    .insertInto("tokens")
    .values(tokens.map((token) => ({ ...newRow(scope, token, fetchedAt), appeared_at: appearedAt })))
    .onConflict((conflict) =>
      conflict
        .columns(["tenant", "id"])
        .doUpdateSet((eb) => ({
          owner_id: eb.ref("excluded.owner_id"),
          owner_name: eb.ref("excluded.owner_name"),
          created_here: eb.ref("excluded.created_here"),
          first_seen_at: eb.ref("excluded.first_seen_at"),
          last_seen_at: eb.ref("excluded.last_seen_at"),
          appeared_at: eb.ref("excluded.appeared_at"),
          adopted_at: null,
          label: null,
          purpose: null,
          environment: null,
          used_in: null,
          rotate_by: null,
          vanished_at: null,
          vanish_noted_at: null,
        }))
        .where((eb) =>
          eb.or([
            eb("tokens.vanished_at", "is not", null),
            eb("tokens.revoked_at", ">=", eb.ref("tokens.last_seen_at")),
          ]),
        ),
    )
    .execute();
}

function newRow(scope: OwnerScope, { id, fingerprint, hint }: SeenToken, seenAt: number) {
  return {
    tenant: scope.tenant,
    id,
    fingerprint,
    hint,
    owner_id: scope.ownerId,
    owner_name: scope.ownerName,
    created_here: 0,
    first_seen_at: seenAt,
    last_seen_at: seenAt,
  };
}

/** PostgreSQL refuses NUL in text, and half of a surrogate pair cannot be written as UTF-8. Nothing else is touched. */
export function storable(text: string | null | undefined): string | null {
  return text?.replaceAll("\0", "").toWellFormed() || null;
}

function* batches<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += batchSize) yield items.slice(start, start + batchSize);
}

function toRecords(rows: readonly Row[]): Map<string, InventoryRecord> {
  return new Map(rows.map((row) => [row.id, toRecord(row)]));
}

function toRecord(row: Row): InventoryRecord {
  const alive = isAlive(row);
  return {
    id: row.id,
    hint: row.hint,
    ownerId: row.owner_id,
    ownerName: row.owner_name,
    label: row.label,
    purpose: row.purpose,
    environment: row.environment,
    usedIn: row.used_in,
    rotateBy: row.rotate_by,
    createdHere: row.created_here === 1,
    appearedAt: row.appeared_at,
    adoptedAt: row.adopted_at,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    vanishedAt: row.vanished_at,
    vanishNotedAt: row.vanish_noted_at,
    revokedAt: row.revoked_at,
    revokedProof: row.revoked_proof,
    seenAfterRevocation: alive && row.revoked_at !== null,
    status: alive ? "active" : row.revoked_at !== null ? "revoked" : "vanished",
  };
}
