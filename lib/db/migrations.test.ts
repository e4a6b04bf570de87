import { sql } from "kysely";
import { afterEach, describe, expect, test } from "vitest";
import { closeDatabase, read, write } from "@/lib/db/client";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";

let database: TestDatabase;
afterEach(() => database.remove());

/** Back to what version 0.1.0 made: its tables, as it made them, with a few rows. */
async function asVersion01(): Promise<void> {
  await write("test", async (trx) => {
    for (const table of [
      "tokens",
      "owners",
      "revocation_orders",
      "audit_chain",
      "audit_events",
      "audit_intents",
      "audit_checkpoints",
      "sessions",
      "refresh_states",
      "incidents",
      "incident_tokens",
      "rotations",
      "reminders",
      "api_keys",
      "notifications",
      "ringex_exchanges",
      "ringex_tokens",
    ]) {
      await sql`drop table ${sql.table(table)}`.execute(trx);
    }
    await sql`delete from migrations where name <> '0001-tokens'`.execute(trx);
    await sql`create table tokens (
      tenant text not null, id text not null, fingerprint text not null, hint text not null, owner_id text not null,
      owner_name text not null, label text, purpose text, environment text, rotate_by text,
      created_here integer not null check (created_here in (0, 1)), first_seen_at bigint not null,
      last_seen_at bigint not null, revoked_at bigint, revoked_proof text, vanished_at bigint,
      constraint tokens_key primary key (tenant, id),
      constraint tokens_fingerprint unique (tenant, fingerprint))`.execute(trx);
    await sql`create index tokens_owner on tokens (tenant, owner_id)`.execute(trx);
    for (const [id, owner, seen] of [
      ["a", "ada", 10],
      ["b", "ada", 20],
      ["c", "bob", 30],
    ] as const) {
      await sql`
        insert into tokens (tenant, id, fingerprint, hint, owner_id, owner_name, label, created_here, first_seen_at, last_seen_at)
        values ('t', ${id}, ${id}, ${id}, ${owner}, ${owner.toUpperCase()}, ${`label ${id}`}, 1, ${seen}, ${seen + 5})`.execute(
        trx,
      );
    }
  });
  await closeDatabase();
}

describe.each(databaseKinds)("on %s", (kind) => {
  test("a database of version 0.1.0 keeps its tokens, and knows whose lists were seen", async () => {
    database = await useDatabase(kind);
    await asVersion01();
    const tokens = await read((db) =>
      db.selectFrom("tokens").select(["id", "label", "used_in", "appeared_at"]).orderBy("id").execute(),
    );
    expect(tokens).toEqual(
      ["a", "b", "c"].map((id) => ({ id, label: `label ${id}`, used_in: null, appeared_at: null })),
    );
    const owners = await read((db) => db.selectFrom("owners").selectAll().orderBy("owner_id").execute());
    expect(owners).toEqual([
      {
        tenant: "t",
        owner_id: "ada",
        owner_name: "ADA",
        vendor_id: null,
        login: null,
        first_listed_at: 10,
        last_listed_at: 25,
      },
      {
        tenant: "t",
        owner_id: "bob",
        owner_name: "BOB",
        vendor_id: null,
        login: null,
        first_listed_at: 30,
        last_listed_at: 35,
      },
    ]);
  });
});
