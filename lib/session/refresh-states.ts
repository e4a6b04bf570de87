import "server-only";
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { type Selectable, sql, type Transaction } from "kysely";
import type { z } from "zod";
import { read, write } from "@/lib/db/client";
import type { Database, RefreshStatesTable } from "@/lib/db/schema";
import { env } from "@/lib/env";
import { logger } from "@/lib/logger";
import { type Connection, connectionSchema } from "@/lib/session/schema";

/**
 * What all replicas know of the states of a sign-in (docs/decisions/0004-refresh.md): who renews one at the moment, and
 * what it was renewed to. The successor is sealed under a key that only the predecessor's refresh token gives, so that
 * who has the database alone opens nothing. Every function is a short transaction of its own and throws
 * {DatabaseUnavailable}.
 */

export type Tokens = Pick<Connection, "accessToken" | "refreshToken" | "lifetimeMs" | "issuedAt">;

export type Known =
  /** `at`: since when it is recorded. */
  | { kind: "successor"; tokens: Tokens; at: number }
  | { kind: "ended" }
  | { kind: "paused"; until: number; failures: number }
  /** Another one renews it. */
  | { kind: "held" }
  /** Nobody does. */
  | { kind: "free" };

export type Claim = Exclude<Known, { kind: "free" }> | { kind: "mine"; failures: number };

/** Longer than a healthy holder ever needs between two heartbeats. */
export const leaseMs = 6_000;
export const heartbeatMs = 2_000;

/** A state of a connection: a gateway that gives the same refresh token again makes a new state all the same. */
export function stateOf({ accessToken, refreshToken }: Pick<Connection, "accessToken" | "refreshToken">): string {
  return createHash("sha256").update(`${refreshToken}\n${accessToken}`).digest("base64url");
}

export async function look(connection: Connection): Promise<Known> {
  const [row] = await read((db) => select(db, stateOf(connection)).execute());
  return row ? knownOf(row, connection) : { kind: "free" };
}

/** Takes the lease of a state, unless there is nothing left to do for it or somebody has it. */
export async function claim(connection: Connection, holder: string): Promise<Claim> {
  const state = stateOf(connection);
  return write(lockOf(state), async (trx) => {
    await insert(trx, state);
    const row = await select(trx, state).executeTakeFirstOrThrow();
    const known = knownOf(row, connection);
    if (known.kind !== "free" && !(known.kind === "held" && row.holder === holder)) return known;
    const taken = await trx
      .updateTable("refresh_states")
      .set({ holder, held_until: leaseEnd(), expires_at: keptUntil() })
      .where("state", "=", state)
      .where("successor", "is", null)
      .returning("failures")
      .executeTakeFirst();
    // A late holder of the state before may have linked it just now: the next look shows it.
    return taken ? { kind: "mine", failures: taken.failures } : { kind: "held" };
  });
}

/** Keeps a lease. Nothing happens when it is somebody else's by now. */
export async function prolong(connection: Connection, holder: string): Promise<void> {
  const state = stateOf(connection);
  await write(lockOf(state), (trx) =>
    trx
      .updateTable("refresh_states")
      .set({ held_until: leaseEnd() })
      .where("state", "=", state)
      .where("holder", "=", holder)
      .execute(),
  );
}

/**
 * Stores what RingCX gave for a state, and gives what is in force now.
 *
 * A holder may be so late that another one has asked meanwhile. The lease is the fence: who has it was the last to ask,
 * and what it was given counts. What a late one was given is stored only where nothing is, or the end: it may be the
 * only good answer that there was.
 */
export async function storeSuccessor(connection: Connection, tokens: Tokens, holder: string): Promise<Tokens> {
  const state = stateOf(connection);
  return write(lockOf(state), async (trx) => {
    await insert(trx, state);
    const row = await select(trx, state).executeTakeFirstOrThrow();
    const stored = row.successor === null ? null : unseal(row.successor, state, connection.refreshToken);
    if (stored && row.holder !== holder) return stored;
    if (stored) {
      // A late one was faster: whoever has its tokens is led to these.
      const between = stateOf(stored);
      await insert(trx, between);
      const linked = await trx
        .updateTable("refresh_states")
        .set({ successor: seal(tokens, between, stored.refreshToken), ended: 0, expires_at: keptUntil() })
        .where("state", "=", between)
        .where("successor", "is", null)
        .where("holder", "is", null)
        .returning("state")
        .execute();
      // It has been renewed, or is about to be: that line goes on.
      if (between !== stateOf(tokens) && linked.length === 0) return stored;
    }
    await trx
      .updateTable("refresh_states")
      .set({
        successor: seal(tokens, state, connection.refreshToken),
        ended: 0,
        failures: 0,
        paused_until: 0,
        expires_at: keptUntil(),
        ...(row.holder === holder ? released : {}),
      })
      .where("state", "=", state)
      .execute();
    return tokens;
  });
}

/**
 * Stores that RingCX refused a state for good, and gives what is so now: a successor that somebody else was given
 * stands, and `held`: somebody else has the lease, whose answer decides.
 */
export async function storeEnd(connection: Connection, holder: string): Promise<Known> {
  return settle(connection, holder, { ended: 1, failures: 0, paused_until: 0 });
}

/** Stores that RingCX could not renew a state now. Nobody asks again before the pause is over. */
export async function storePause(
  connection: Connection,
  holder: string,
  failures: number,
  until: number,
): Promise<Known> {
  return settle(connection, holder, { failures, paused_until: until });
}

/**
 * Leads a state, and for how long it is used, to what is in force now: the records between may go before it does.
 */
export async function lead(connection: Connection, tokens: Tokens): Promise<void> {
  const state = stateOf(connection);
  await write(lockOf(state), async (trx) => {
    await insert(trx, state);
    await trx
      .updateTable("refresh_states")
      .set({ successor: seal(tokens, state, connection.refreshToken), ended: 0, expires_at: keptUntil() })
      .where("state", "=", state)
      .where((eb) => eb.or([eb("holder", "is", null), eb("held_until", "<=", databaseNow())]))
      .execute();
  });
}

/** Removes the records of states that no accepted cookie can hold any more. */
export async function pruneRefreshStates(): Promise<number> {
  const { numDeletedRows } = await write("refresh states", (trx) =>
    trx.deleteFrom("refresh_states").where("expires_at", "<", Date.now()).executeTakeFirst(),
  );
  return Number(numDeletedRows);
}

async function settle(
  connection: Connection,
  holder: string,
  change: Partial<Selectable<RefreshStatesTable>>,
): Promise<Known> {
  const state = stateOf(connection);
  return write(lockOf(state), async (trx) => {
    await trx
      .updateTable("refresh_states")
      .set({ ...change, ...released, expires_at: keptUntil() })
      .where("state", "=", state)
      .where("holder", "=", holder)
      .where("successor", "is", null)
      .execute();
    const row = await select(trx, state).executeTakeFirst();
    return row ? knownOf(row, connection) : { kind: "free" };
  });
}

const released = { holder: null, held_until: 0 };

const lockOf = (state: string) => `refresh:${state}`;

/** A cookie in a state that was left is accepted until its idle limit, and no longer. */
export function recordLifeMs(): number {
  return env().sessionIdleMs + 60_000;
}

const keptUntil = () => Date.now() + recordLifeMs();

type Row = Selectable<RefreshStatesTable> & { held: number };

function select(db: Pick<Transaction<Database>, "selectFrom">, state: string) {
  return db
    .selectFrom("refresh_states")
    .selectAll()
    .select(sql<number>`case when holder is not null and held_until > ${databaseNow()} then 1 else 0 end`.as("held"))
    .where("state", "=", state);
}

async function insert(trx: Transaction<Database>, state: string): Promise<void> {
  await trx
    .insertInto("refresh_states")
    .values({
      state,
      successor: null,
      ended: 0,
      failures: 0,
      paused_until: 0,
      expires_at: keptUntil(),
      ...released,
    })
    .onConflict((conflict) => conflict.column("state").doNothing())
    .execute();
}

/** Leases are measured by one clock: the replicas' own may differ by more than a lease lasts. */
export function databaseNow() {
  return env().databaseUrl === null
    ? sql<number>`${Date.now()}`
    : sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`;
}

const leaseEnd = () => sql<number>`${databaseNow()} + ${sql.lit(leaseMs)}`;

function knownOf(row: Row, connection: Connection): Known {
  if (row.successor !== null) {
    const tokens = unseal(row.successor, row.state, connection.refreshToken);
    // Only damage could be the reason. To ask RingCX with a token that was used would end the session.
    return tokens ? { kind: "successor", tokens, at: row.expires_at - recordLifeMs() } : { kind: "ended" };
  }
  if (row.ended === 1) return { kind: "ended" };
  if (row.held === 1) return { kind: "held" };
  if (row.paused_until > Date.now()) return { kind: "paused", until: row.paused_until, failures: row.failures };
  return { kind: "free" };
}

const tokensSchema = connectionSchema.pick({ accessToken: true, refreshToken: true, lifetimeMs: true, issuedAt: true });

function keyOf(refreshToken: string | null): Buffer {
  return Buffer.from(hkdfSync("sha256", refreshToken ?? "", "", "tokendesk refresh successor", 32));
}

function seal({ accessToken, refreshToken, lifetimeMs, issuedAt }: Tokens, state: string, key: string | null): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", keyOf(key), iv).setAAD(Buffer.from(state));
  const text = JSON.stringify({ accessToken, refreshToken, lifetimeMs, issuedAt } satisfies z.infer<
    typeof tokensSchema
  >);
  return Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

function unseal(sealed: string, state: string, key: string | null): Tokens | null {
  try {
    const bytes = Buffer.from(sealed, "base64url");
    const decipher = createDecipheriv("aes-256-gcm", keyOf(key), bytes.subarray(0, 12), { authTagLength: 16 })
      .setAAD(Buffer.from(state))
      .setAuthTag(bytes.subarray(-16));
    const text = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("utf8");
    return tokensSchema.parse(JSON.parse(text));
  } catch (error) {
    logger().error({ err: error }, "the record of a renewed session does not open");
    return null;
  }
}
