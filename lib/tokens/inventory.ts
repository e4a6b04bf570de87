import "server-only";
import type { Kysely, Selectable } from "kysely";
import { z } from "zod";
import { read, write } from "@/lib/db/client";
import { DatabaseUnavailable } from "@/lib/db/failure";
import type { Database, TokensTable } from "@/lib/db/schema";
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
};

/** A token as the upstream list, or the creation, showed it. See lib/tokens/fingerprint. */
export type SeenToken = { id: string; fingerprint: string; hint: string };

export type InventoryRecord = {
  id: string;
  hint: string;
  ownerName: string;
  label: string | null;
  purpose: string | null;
  environment: string | null;
  /** Calendar date: `2026-12-31`. */
  rotateBy: string | null;
  createdHere: boolean;
  firstSeenAt: number;
  /** To the minute. */
  lastSeenAt: number;
  vanishedAt: number | null;
  revokedAt: number | null;
  revokedProof: RevocationProof["method"] | null;
  /** A list that was fetched after the proof of revocation shows the token: it is alive, whatever the proof said. */
  seenAfterRevocation: boolean;
  status: TokenStatus;
};

/** A token that was seen again within this time is not written again: looking at a page stays a read. */
const touchAfterMs = 60_000;
/** SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535; a row has 9. */
const batchSize = 1000;

/**
 * Merges what the owner's list shows: new ones are recorded, seen ones touched, those that are no longer there marked
 * vanished.
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
  const rows = await read((db) => ownRows(db, scope));
  if (!hasChanges(compare(scope, rows, shown, fetchedAt, complete))) return toRecords(rows);

  const merged = await write(`inventory:${scope.tenant}:${scope.ownerId}`, async (trx) => {
    // Compared again under the lock: another merge may have come in between.
    const changes = compare(scope, await ownRows(trx, scope), shown, fetchedAt, complete);
    for (const ids of batches(changes.missing)) {
      await ownTokens(trx, scope).set({ vanished_at: fetchedAt }).where("id", "in", ids).execute();
    }
    for (const ids of batches(changes.touched)) {
      await ownTokens(trx, scope).set({ vanished_at: null, last_seen_at: fetchedAt }).where("id", "in", ids).execute();
    }
    for (const tokens of batches(changes.fresh)) await insertSeen(trx, scope, tokens, fetchedAt);
    if (changes.renamed) await ownTokens(trx, scope).set({ owner_name: scope.ownerName }).execute();
    return await ownRows(trx, scope);
  });
  return toRecords(merged);
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
          rotate_by: eb.ref("excluded.rotate_by"),
          created_here: eb.ref("excluded.created_here"),
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
 * Changes what people say of a token: what is absent stays, null clears.
 * @returns the record, or null when the owner has no such token
 * @throws {DatabaseUnavailable}
 */
export async function editMetadata(scope: OwnerScope, id: string, patch: TokenPatch): Promise<InventoryRecord | null> {
  const changes = {
    ...(patch.label === undefined ? {} : { label: storable(patch.label) }),
    ...(patch.purpose === undefined ? {} : { purpose: storable(patch.purpose) }),
    ...(patch.environment === undefined ? {} : { environment: storable(patch.environment) }),
    ...(patch.rotateBy === undefined ? {} : { rotate_by: storable(patch.rotateBy) }),
  };
  if (Object.keys(changes).length === 0) return readRecord(scope, id);
  const row = await write(`inventory:${scope.tenant}:${scope.ownerId}`, (trx) =>
    ownTokens(trx, scope).set(changes).where("id", "=", id).returning(columns).executeTakeFirst(),
  );
  return row ? toRecord(parseRow(row)) : null;
}

/**
 * Records a proven revocation. A repeated one changes nothing, unless the token was seen alive since the first.
 * @returns the record, or null when the owner has no such token
 * @throws {DatabaseUnavailable}
 */
export async function recordRevoked(
  scope: OwnerScope,
  id: string,
  method: RevocationProof["method"],
  now: number,
): Promise<InventoryRecord | null> {
  const row = await write(`inventory:${scope.tenant}:${scope.ownerId}`, async (trx) => {
    await ownTokens(trx, scope)
      .set({ revoked_at: now, revoked_proof: method })
      .where("id", "=", id)
      .where((eb) => eb.or([eb("revoked_at", "is", null), eb("last_seen_at", ">", eb.ref("revoked_at"))]))
      .execute();
    return await ownRow(trx, scope, id);
  });
  return row ? toRecord(row) : null;
}

/** The record of one token, or null when the owner has no such token. @throws {DatabaseUnavailable} */
export async function readRecord(scope: OwnerScope, id: string): Promise<InventoryRecord | null> {
  const row = await read((db) => ownRow(db, scope, id));
  return row ? toRecord(row) : null;
}

const columns = [
  "id",
  "hint",
  "owner_name",
  "label",
  "purpose",
  "environment",
  "rotate_by",
  "created_here",
  "first_seen_at",
  "last_seen_at",
  "revoked_at",
  "revoked_proof",
  "vanished_at",
] as const satisfies ReadonlyArray<keyof TokensTable>;

const time = z.number().int();
/** What other programs, a restore or a later version left in the table is looked at before it is believed. */
const rowSchema = z.object({
  id: z.string(),
  hint: z.string(),
  owner_name: z.string(),
  label: z.string().nullable(),
  purpose: z.string().nullable(),
  environment: z.string().nullable(),
  rotate_by: z.iso.date().nullable(),
  created_here: z.literal([0, 1]),
  first_seen_at: time,
  last_seen_at: time,
  revoked_at: time.nullable(),
  revoked_proof: z.enum(["token_refused", "absent_from_list"]).nullable(),
  vanished_at: time.nullable(),
});
type Row = z.infer<typeof rowSchema>;

function parseRow(row: Pick<Selectable<TokensTable>, (typeof columns)[number]>): Row {
  const parsed = rowSchema.safeParse(row);
  if (!parsed.success) throw new DatabaseUnavailable("damaged", { cause: parsed.error });
  return parsed.data;
}

function ownTokens(db: Kysely<Database>, scope: OwnerScope) {
  return db.updateTable("tokens").where("tenant", "=", scope.tenant).where("owner_id", "=", scope.ownerId);
}

function selectOwn(db: Kysely<Database>, scope: OwnerScope) {
  return db
    .selectFrom("tokens")
    .select(columns)
    .where("tenant", "=", scope.tenant)
    .where("owner_id", "=", scope.ownerId);
}

async function ownRows(db: Kysely<Database>, scope: OwnerScope): Promise<Row[]> {
  return (await selectOwn(db, scope).execute()).map(parseRow);
}

async function ownRow(db: Kysely<Database>, scope: OwnerScope, id: string): Promise<Row | null> {
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

function isAlive(row: Row): boolean {
  return row.vanished_at === null && (row.revoked_at === null || row.last_seen_at > row.revoked_at);
}

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
): Promise<void> {
  await db
    .insertInto("tokens")
    .values(tokens.map((token) => newRow(scope, token, fetchedAt)))
    .onConflict((conflict) =>
      conflict
        .columns(["tenant", "id"])
        .doUpdateSet((eb) => ({
          owner_id: eb.ref("excluded.owner_id"),
          owner_name: eb.ref("excluded.owner_name"),
          created_here: eb.ref("excluded.created_here"),
          first_seen_at: eb.ref("excluded.first_seen_at"),
          last_seen_at: eb.ref("excluded.last_seen_at"),
          label: null,
          purpose: null,
          environment: null,
          rotate_by: null,
          vanished_at: null,
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
function storable(text: string | null | undefined): string | null {
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
    ownerName: row.owner_name,
    label: row.label,
    purpose: row.purpose,
    environment: row.environment,
    rotateBy: row.rotate_by,
    createdHere: row.created_here === 1,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    vanishedAt: row.vanished_at,
    revokedAt: row.revoked_at,
    revokedProof: row.revoked_proof,
    seenAfterRevocation: alive && row.revoked_at !== null,
    status: alive ? "active" : row.revoked_at !== null ? "revoked" : "vanished",
  };
}
