import { type SchemaModule, sql, type Transaction } from "kysely";
import type { Database } from "@/lib/db/schema";

type Migration = { name: string; up(schema: SchemaModule): Promise<void> };

/** In order, only ever added to. A released one is never changed: databases that ran it would differ from new ones. */
const migrations: readonly Migration[] = [
  {
    name: "0001-tokens",
    async up(schema) {
      await schema
        .createTable("tokens")
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("fingerprint", "text", (column) => column.notNull())
        .addColumn("hint", "text", (column) => column.notNull())
        .addColumn("owner_id", "text", (column) => column.notNull())
        .addColumn("owner_name", "text", (column) => column.notNull())
        .addColumn("label", "text")
        .addColumn("purpose", "text")
        .addColumn("environment", "text")
        .addColumn("rotate_by", "text")
        .addColumn("created_here", "integer", (column) => column.notNull().check(sql`created_here in (0, 1)`))
        .addColumn("first_seen_at", "bigint", (column) => column.notNull())
        .addColumn("last_seen_at", "bigint", (column) => column.notNull())
        .addColumn("revoked_at", "bigint")
        .addColumn("revoked_proof", "text")
        .addColumn("vanished_at", "bigint")
        .addPrimaryKeyConstraint("tokens_key", ["tenant", "id"])
        .addUniqueConstraint("tokens_fingerprint", ["tenant", "fingerprint"])
        .execute();
      await schema.createIndex("tokens_owner").on("tokens").columns(["tenant", "owner_id"]).execute();
    },
  },
];

/** The database was made by a later version of Tokendesk than this one. */
export class NewerSchema extends Error {
  override readonly name = "NewerSchema";
}

/**
 * Brings the schema up to date, inside the caller's transaction: all of it or nothing. The caller holds the lock that
 * keeps other processes out.
 * @returns the names of the migrations that were applied
 * @throws {NewerSchema} when a migration is recorded that this version does not know
 */
export async function migrate(db: Transaction<Database>, now: number): Promise<string[]> {
  await db.schema
    .createTable("migrations")
    .ifNotExists()
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("applied_at", "bigint", (column) => column.notNull())
    .execute();
  const applied = new Set((await db.selectFrom("migrations").select("name").execute()).map(({ name }) => name));
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new NewerSchema(`The database is of a later version of Tokendesk: it has ${unknown.sort().join(", ")}`);
  }

  const missing = migrations.filter(({ name }) => !applied.has(name));
  for (const { name, up } of missing) {
    await up(db.schema);
    await db.insertInto("migrations").values({ name, applied_at: now }).execute();
  }
  return missing.map(({ name }) => name);
}
