import { type SchemaModule, sql, type Transaction } from "kysely";
import type { Database } from "@/lib/db/schema";

type Migration = { name: string; up(schema: SchemaModule, db: Transaction<Database>): Promise<void> };

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
  {
    name: "0002-memory",
    async up(schema, db) {
      await schema.alterTable("tokens").addColumn("used_in", "text").execute();
      for (const column of ["appeared_at", "adopted_at", "vanish_noted_at"]) {
        await schema.alterTable("tokens").addColumn(column, "bigint").execute();
      }
      await schema
        .createTable("owners")
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("owner_id", "text", (column) => column.notNull())
        .addColumn("owner_name", "text", (column) => column.notNull())
        .addColumn("vendor_id", "text")
        .addColumn("login", "text")
        .addColumn("first_listed_at", "bigint", (column) => column.notNull())
        .addColumn("last_listed_at", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("owners_key", ["tenant", "owner_id"])
        .execute();
      await sql`
        insert into owners (tenant, owner_id, owner_name, first_listed_at, last_listed_at)
        select tenant, owner_id, max(owner_name), min(first_seen_at), max(last_seen_at)
        from tokens group by tenant, owner_id`.execute(db);
      await schema
        .createTable("revocation_orders")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("token_id", "text", (column) => column.notNull())
        .addColumn("token_hint", "text", (column) => column.notNull())
        .addColumn("owner_id", "text", (column) => column.notNull())
        .addColumn("ordered_by_id", "text", (column) => column.notNull())
        .addColumn("ordered_by_name", "text", (column) => column.notNull())
        .addColumn("ordered_at", "bigint", (column) => column.notNull())
        .addColumn("reason", "text")
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("tried_at", "bigint")
        .addColumn("running_until", "bigint")
        .addColumn("trouble", "text")
        .addColumn("settled_at", "bigint")
        .execute();
      await schema
        .createIndex("revocation_orders_pending")
        .unique()
        .on("revocation_orders")
        .columns(["tenant", "token_id"])
        .where(sql.ref("state"), "=", "pending")
        .execute();
      await schema
        .createIndex("revocation_orders_state")
        .on("revocation_orders")
        .columns(["tenant", "state"])
        .execute();

      await schema
        .createTable("audit_chain")
        .addColumn("id", "integer", (column) => column.primaryKey().check(sql`id = 1`))
        .addColumn("chain", "text", (column) => column.notNull())
        .addColumn("seq", "bigint", (column) => column.notNull())
        .addColumn("hash", "text", (column) => column.notNull())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addColumn("pruned_seq", "bigint", (column) => column.notNull())
        .addColumn("pruned_hash", "text")
        .execute();
      await schema
        .createTable("audit_events")
        .addColumn("seq", "bigint", (column) => column.primaryKey())
        .addColumn("id", "text", (column) => column.notNull().unique())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addColumn("tenant", "text")
        .addColumn("action", "text", (column) => column.notNull())
        .addColumn("outcome", "text", (column) => column.notNull())
        .addColumn("actor_id", "text")
        .addColumn("actor_name", "text", (column) => column.notNull())
        .addColumn("address", "text")
        .addColumn("user_agent", "text")
        .addColumn("request_id", "text")
        .addColumn("correlation_id", "text", (column) => column.notNull())
        .addColumn("token_id", "text")
        .addColumn("token_hint", "text")
        .addColumn("reason", "text")
        .addColumn("details", "text", (column) => column.notNull())
        .addColumn("previous_hash", "text", (column) => column.notNull())
        .addColumn("hash", "text", (column) => column.notNull())
        .execute();
      for (const [name, columns] of [
        ["audit_events_at", ["at", "seq"]],
        ["audit_events_tenant", ["tenant", "seq"]],
        ["audit_events_actor", ["tenant", "actor_id", "seq"]],
        ["audit_events_deed", ["tenant", "actor_id", "action", "outcome", "seq"]],
        ["audit_events_name", ["tenant", "actor_name", "seq"]],
        ["audit_events_action", ["tenant", "action", "outcome", "seq"]],
        ["audit_events_outcome", ["tenant", "outcome", "seq", "action"]],
        ["audit_events_token", ["tenant", "token_id", "seq"]],
      ] as const) {
        await schema
          .createIndex(name)
          .on("audit_events")
          .columns([...columns])
          .execute();
      }
      await schema
        .createTable("audit_intents")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("correlation_id", "text", (column) => column.notNull())
        .addColumn("seq", "bigint", (column) => column.notNull())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addColumn("tenant", "text")
        .addColumn("actor_id", "text")
        .addColumn("action", "text", (column) => column.notNull())
        .addColumn("token_id", "text")
        .addColumn("instance", "text", (column) => column.notNull())
        .execute();
      await schema
        .createTable("audit_checkpoints")
        .addColumn("chain", "text", (column) => column.notNull())
        .addColumn("seq", "bigint", (column) => column.notNull())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("statement", "text", (column) => column.notNull())
        .addColumn("signature", "text", (column) => column.notNull())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("audit_checkpoints_key", ["chain", "seq", "kind"])
        .execute();

      await schema
        .createTable("sessions")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("user_id", "text", (column) => column.notNull())
        .addColumn("user_name", "text", (column) => column.notNull())
        .addColumn("login", "text", (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("seen_at", "bigint", (column) => column.notNull())
        .addColumn("address", "text")
        .addColumn("user_agent", "text")
        .addColumn("ended_at", "bigint")
        .addColumn("end_reason", "text")
        .addColumn("ended_by", "text")
        .execute();
      await schema.createIndex("sessions_user").on("sessions").columns(["tenant", "user_id"]).execute();
      await schema.createIndex("sessions_ended").on("sessions").columns(["ended_at", "tenant", "seen_at"]).execute();
      await schema
        .createTable("refresh_states")
        .addColumn("state", "text", (column) => column.primaryKey())
        .addColumn("holder", "text")
        .addColumn("held_until", "bigint", (column) => column.notNull())
        .addColumn("successor", "text")
        .addColumn("ended", "integer", (column) => column.notNull().check(sql`ended in (0, 1)`))
        .addColumn("failures", "integer", (column) => column.notNull())
        .addColumn("paused_until", "bigint", (column) => column.notNull())
        .addColumn("expires_at", "bigint", (column) => column.notNull())
        .execute();
      await schema.createIndex("refresh_states_expiry").on("refresh_states").column("expires_at").execute();
    },
  },
  {
    name: "0003-incidents",
    async up(schema) {
      await schema
        .createTable("incidents")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("host", "text", (column) => column.notNull())
        .addColumn("origin", "text", (column) => column.notNull())
        .addColumn("opened_by_id", "text", (column) => column.notNull())
        .addColumn("opened_by_name", "text", (column) => column.notNull())
        .addColumn("key_name", "text")
        .addColumn("opened_at", "bigint", (column) => column.notNull())
        .addColumn("text_bytes", "bigint", (column) => column.notNull())
        .addColumn("files", "integer", (column) => column.notNull())
        .addColumn("found", "integer", (column) => column.notNull())
        .addColumn("reason", "text")
        .addColumn("siblings", "integer", (column) => column.notNull())
        .addColumn("confirmed_at", "bigint")
        .addColumn("confirmed_by_name", "text")
        .addColumn("finished_at", "bigint")
        .addColumn("vendor_changes", "text")
        .addColumn("holder", "text")
        .addColumn("held_until", "bigint", (column) => column.notNull())
        .addColumn("spent", "text")
        .execute();
      await schema.createIndex("incidents_opened").on("incidents").columns(["tenant", "opened_at"]).execute();
      await schema
        .createTable("incident_tokens")
        .addColumn("incident_id", "text", (column) => column.notNull())
        .addColumn("token_id", "text", (column) => column.notNull())
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("fingerprint", "text", (column) => column.notNull())
        .addColumn("hint", "text", (column) => column.notNull())
        .addColumn("leaked", "integer", (column) => column.notNull())
        .addColumn("places", "text", (column) => column.notNull())
        .addColumn("found_at", "bigint", (column) => column.notNull())
        .addColumn("status", "text", (column) => column.notNull())
        .addColumn("why", "text", (column) => column.notNull())
        .addColumn("checked_at", "bigint")
        .addColumn("token_user", "text")
        .addColumn("accounts", "text")
        .addColumn("reach", "text")
        .addColumn("not_checked", "text", (column) => column.notNull())
        .addColumn("position", "integer")
        .addColumn("step", "text")
        .addColumn("detail", "text")
        .addColumn("deleted_at", "bigint")
        .addColumn("proven_at", "bigint")
        .addColumn("proof", "text")
        .addPrimaryKeyConstraint("incident_tokens_key", ["incident_id", "token_id"])
        .execute();
      await schema.createIndex("incident_tokens_token").on("incident_tokens").columns(["tenant", "token_id"]).execute();

      await schema
        .createTable("rotations")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("old_token_id", "text", (column) => column.notNull())
        .addColumn("old_hint", "text", (column) => column.notNull())
        .addColumn("new_token_id", "text", (column) => column.notNull())
        .addColumn("new_hint", "text", (column) => column.notNull())
        .addColumn("owner_id", "text", (column) => column.notNull())
        .addColumn("owner_name", "text", (column) => column.notNull())
        .addColumn("started_at", "bigint", (column) => column.notNull())
        .addColumn("revoke_at", "bigint")
        .addColumn("places", "text", (column) => column.notNull())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("settled_at", "bigint")
        .execute();
      await schema.createIndex("rotations_state").on("rotations").columns(["tenant", "state"]).execute();
      await schema.createIndex("rotations_due").on("rotations").columns(["state", "revoke_at"]).execute();
      await schema
        .createTable("reminders")
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("token_id", "text", (column) => column.notNull())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("due", "text", (column) => column.notNull())
        .addColumn("sent_at", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("reminders_key", ["tenant", "token_id", "kind", "due"])
        .execute();

      await schema
        .createTable("api_keys")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("tenant", "text", (column) => column.notNull())
        .addColumn("host", "text", (column) => column.notNull())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("key_hash", "text", (column) => column.notNull().unique())
        .addColumn("hint", "text", (column) => column.notNull())
        .addColumn("scopes", "text", (column) => column.notNull())
        .addColumn("created_by_id", "text", (column) => column.notNull())
        .addColumn("created_by_name", "text", (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("last_used_at", "bigint")
        .addColumn("expires_at", "bigint")
        .addColumn("revoked_at", "bigint")
        .execute();
      await schema.createIndex("api_keys_tenant").on("api_keys").columns(["tenant", "created_at"]).execute();

      await schema
        .createTable("notifications")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("tenant", "text")
        .addColumn("type", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("target", "text", (column) => column.notNull())
        .addColumn("payload", "text", (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("attempts", "integer", (column) => column.notNull())
        .addColumn("next_at", "bigint", (column) => column.notNull())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("trouble", "text")
        .addColumn("held_until", "bigint", (column) => column.notNull())
        .addColumn("settled_at", "bigint")
        .execute();
      await schema.createIndex("notifications_due").on("notifications").columns(["state", "next_at"]).execute();
      await schema.createIndex("notifications_tenant").on("notifications").columns(["tenant", "created_at"]).execute();
    },
  },
  {
    name: "0004-exchanges",
    async up(schema) {
      await schema
        .createTable("ringex_exchanges")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("seq", "bigint", (column) => column.notNull())
        .addColumn("expires_at", "bigint", (column) => column.notNull())
        .execute();
      await schema
        .createTable("ringex_tokens")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("sealed", "text", (column) => column.notNull())
        .addColumn("expires_at", "bigint", (column) => column.notNull())
        .execute();
      await schema.alterTable("incident_tokens").addColumn("siblings_known", "integer").execute();
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
    await up(db.schema, db);
    await db.insertInto("migrations").values({ name, applied_at: now }).execute();
  }
  return missing.map(({ name }) => name);
}
