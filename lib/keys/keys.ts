import "server-only";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Selectable } from "kysely";
import { needLog } from "@/lib/audit/availability";
import { type Actor, appendWithin } from "@/lib/audit/log";
import { clientAddress } from "@/lib/auth/address";
import type { Session } from "@/lib/auth/session";
import { admitAttempt } from "@/lib/auth/throttle";
import { read, write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import type { ApiKeysTable } from "@/lib/db/schema";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { type ApiKey, type KeyScope, keyScopes, maxKeys, type NewKey } from "@/lib/keys/schema";
import { logger } from "@/lib/logger";

/**
 * Keys with which scanners and CI jobs report: `tdk_` and 256 random bits, known here only by their SHA-256
 * (docs/decisions/0015-api-keys.md). A key belongs to the main account and the host of whoever made it.
 */

/** Who reports with a key, proven for this request. */
export type KeyHolder = {
  id: string;
  name: string;
  tenant: string;
  host: string;
  scopes: readonly KeyScope[];
  /** For the audit log. */
  actor: Actor;
};

type KeyRow = Selectable<ApiKeysTable>;

const prefix = "tdk_";
const keyForm = /^tdk_[A-Za-z0-9_-]{43}$/;
const minuteMs = 60_000;
/** As many as RingCX lets through, for all. */
const callsPerMinute = 120;
const dayMs = 24 * 60 * minuteMs;

const digest = (value: string) => createHash("sha256").update(value).digest("hex");
const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

const away = {
  read: "The API keys are in Tokendesk's database, which cannot be read just now.",
  change: "Tokendesk cannot reach its own database, so nothing was changed. Tell its administrator.",
  unsure: "Tokendesk lost its own database while it wrote this down: look at the list before you try again.",
};

function shown(row: KeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    hint: `${prefix}…${row.hint}`,
    scopes: scopesOf(row),
    createdBy: row.created_by_name,
    createdAt: new Date(row.created_at).toISOString(),
    lastUsedAt: iso(row.last_used_at),
    expiresAt: iso(row.expires_at),
    revokedAt: iso(row.revoked_at),
  };
}

function scopesOf({ scopes }: Pick<KeyRow, "scopes">): KeyScope[] {
  const given = scopes.split(",");
  return keyScopes.filter((scope) => given.includes(scope));
}

type Keeper = Pick<Session, "tenant" | "user" | "actor" | "host">;

/** @throws {TokendeskError} `forbidden` */
function requireOps({ user }: Keeper): void {
  if (user.role === "member") throw new TokendeskError("forbidden", "Only ops and administrators manage API keys.");
}

/**
 * The keys of the main account: those that work first, each group with the newest first.
 * @throws {TokendeskError} `forbidden`, `audit_unavailable`
 */
export async function listKeys(keeper: Keeper): Promise<ApiKey[]> {
  requireOps(keeper);
  const rows = await needLog(
    read((db) =>
      db
        .selectFrom("api_keys")
        .selectAll()
        .where("tenant", "=", keeper.tenant)
        .orderBy("created_at", "desc")
        .orderBy("id")
        .limit(5 * maxKeys)
        .execute(),
    ),
    away.read,
  );
  const now = Date.now();
  const keys = rows.map((row) => ({ key: shown(row), over: isOver(row, now) }));
  return [...keys.filter(({ over }) => !over), ...keys.filter(({ over }) => over)].map(({ key }) => key);
}

function isOver({ revoked_at, expires_at }: KeyRow, now: number): boolean {
  return revoked_at !== null || (expires_at !== null && expires_at <= now);
}

/**
 * Makes a key. `value` is the key itself: it is told this once and kept nowhere.
 * @throws {TokendeskError} `forbidden`; `invalid_input`: its last day is over, or there are too many; `audit_unavailable`
 */
export async function createKey(keeper: Keeper, wish: NewKey): Promise<{ key: ApiKey; value: string }> {
  requireOps(keeper);
  if (keeper.tenant.startsWith("sso|")) {
    throw new TokendeskError("invalid_input", "A key belongs to a RingCX account. Switch to one, then make it there.");
  }
  const now = Date.now();
  // Its last day counts in full, in UTC.
  const expiresAt = wish.expiresOn === undefined ? null : Date.parse(wish.expiresOn) + dayMs;
  if (expiresAt !== null && expiresAt <= now) {
    const message = "must not be over already";
    throw new TokendeskError("invalid_input", `expiresOn: ${message}`, {
      extensions: { errors: [{ path: "expiresOn", message }] },
    });
  }
  const value = `${prefix}${randomBytes(32).toString("base64url")}`;
  const scopes: KeyScope[] = wish.revoke ? ["report", "revoke"] : ["report"];
  const row: KeyRow = {
    id: randomUUID(),
    tenant: keeper.tenant,
    host: keeper.host,
    name: wish.name,
    key_hash: digest(value),
    hint: value.slice(-4),
    scopes: scopes.join(","),
    created_by_id: keeper.user.id,
    created_by_name: keeper.user.name,
    created_at: now,
    last_used_at: null,
    expires_at: expiresAt,
    revoked_at: null,
  };
  await needLog(
    write(`keys:${keeper.tenant}`, async (trx) => {
      const { count } = await trx
        .selectFrom("api_keys")
        .select((eb) => eb.fn.countAll<number>().as("count"))
        .where("tenant", "=", keeper.tenant)
        .where("revoked_at", "is", null)
        .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", now)]))
        .executeTakeFirstOrThrow();
      if (count >= maxKeys) {
        throw new TokendeskError("invalid_input", `There are ${maxKeys} API keys already. Revoke one first.`);
      }
      await trx.insertInto("api_keys").values(row).execute();
      await appendWithin(trx, keeper.actor, [
        {
          action: "key.create",
          outcome: "succeeded",
          details: { keyId: row.id, name: row.name, scopes, expiresAt: iso(expiresAt) },
        },
      ]);
    }),
    away.change,
    away.unsure,
  );
  return { key: shown(row), value };
}

/**
 * Revokes a key: from now on it opens nothing, on every replica.
 * @throws {TokendeskError} `forbidden`; `not_found`: there is none, or it is revoked already; `audit_unavailable`
 */
export async function revokeKey(keeper: Keeper, id: string): Promise<void> {
  requireOps(keeper);
  const revoked = await needLog(
    write(`keys:${keeper.tenant}`, async (trx) => {
      const row = await trx
        .updateTable("api_keys")
        .set({ revoked_at: Date.now() })
        .where("tenant", "=", keeper.tenant)
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .returning(["id", "name"])
        .executeTakeFirst();
      if (!row) return false;
      await appendWithin(trx, keeper.actor, [
        { action: "key.revoke", outcome: "succeeded", details: { keyId: row.id, name: row.name } },
      ]);
      return true;
    }),
    away.change,
    away.unsure,
  );
  if (!revoked) throw new TokendeskError("not_found", "There is no such API key, or it is revoked already.");
}

// The route handlers may be separate bundles of one process.
const slot = Symbol.for("tokendesk.keys");
type Slot = { [slot]?: Map<string, number[]> };

/** When the keys that have opened something here were used within the last minute, by their hash. */
function recentCalls(): Map<string, number[]> {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  return holder[slot];
}

/** The key that a request carries; null: it carries none of ours. */
export function keyIn(headers: Headers): string | null {
  return /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

/**
 * Who reports, by the request's `Authorization: Bearer tdk_…`.
 * @throws {TokendeskError} `not_signed_in`: no key, a wrong one, or one that is over; `rate_limited`; `forbidden`: it
 * lacks the scope; `account_not_allowed`; `audit_unavailable`: it cannot be looked up
 */
export async function openKey(headers: Headers, requestId: string, scope: KeyScope = "report"): Promise<KeyHolder> {
  const value = keyIn(headers);
  if (value === null || !keyForm.test(value)) {
    throw new TokendeskError("not_signed_in", "Send an API key of Tokendesk: Authorization: Bearer tdk_…");
  }
  const hash = digest(value);
  const address = clientAddress(headers);
  const calls = recentCalls();
  // A key that was right before is not held up by wrong ones from the same address.
  const known = calls.has(hash);
  const judge = known ? () => {} : admitGuess(address, hash);
  let row: KeyRow | undefined;
  try {
    row = await needLog(
      read((db) => db.selectFrom("api_keys").selectAll().where("key_hash", "=", hash).executeTakeFirst()),
      "Tokendesk cannot reach its own database, so it cannot check this API key. Try again in a moment.",
    );
  } catch (error) {
    judge("no_verdict");
    throw error;
  }
  const now = Date.now();
  if (!row || isOver(row, now)) {
    calls.delete(hash);
    judge("refused");
    const over = row === undefined ? "unknown" : row.revoked_at === null ? "expired" : "revoked";
    logger().warn({ requestId, address, key: row?.id ?? null, over }, "an API key was refused");
    throw new TokendeskError("not_signed_in", "Tokendesk does not know this API key, or it is over.");
  }
  judge("accepted");
  admitCall(calls, hash, now);
  const { allowedAccounts } = env();
  if (allowedAccounts && !allowedAccounts.includes(row.tenant.slice(row.tenant.indexOf("|") + 1))) {
    throw new TokendeskError("account_not_allowed", "This Tokendesk no longer serves the account of this API key.");
  }
  const holder = holderOf(row, headers, { address, requestId });
  requireScope(holder, scope);
  await noteUse(row, now);
  return holder;
}

/** @throws {TokendeskError} `forbidden` */
export function requireScope({ scopes }: Pick<KeyHolder, "scopes">, scope: KeyScope): void {
  if (scopes.includes(scope)) return;
  throw new TokendeskError(
    "forbidden",
    scope === "revoke"
      ? "This API key may look tokens up, but not revoke them. Nothing was done. Make a key with automatic revocation."
      : "This API key may not do that.",
  );
}

/** @throws {TokendeskError} `rate_limited` */
function admitGuess(address: string, hash: string): ReturnType<typeof admitAttempt> {
  try {
    // Names of its own: wrong keys of a build machine keep nobody behind the same address from signing in.
    return admitAttempt(`key ${address}`, hash.slice(0, 16));
  } catch (error) {
    const { retryAfter } = error as TokendeskError;
    throw new TokendeskError("rate_limited", "Too many wrong API keys came from your address. Wait, then try again.", {
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  }
}

/** @throws {TokendeskError} `rate_limited` */
function admitCall(calls: Map<string, number[]>, hash: string, now: number): void {
  const recent = (calls.get(hash) ?? []).filter((at) => at + minuteMs > now);
  calls.set(hash, recent);
  if (recent.length >= callsPerMinute) {
    throw new TokendeskError("rate_limited", `An API key may be used ${callsPerMinute} times a minute.`, {
      retryAfter: ((recent[0] ?? now) + minuteMs - now) / 1000,
    });
  }
  recent.push(now);
}

function holderOf(row: KeyRow, headers: Headers, from: Pick<Actor, "address" | "requestId">): KeyHolder {
  return {
    id: row.id,
    name: row.name,
    tenant: row.tenant,
    host: row.host,
    scopes: scopesOf(row),
    actor: {
      tenant: row.tenant,
      id: `key:${row.id}`,
      name: `API key ${row.name}`,
      userAgent: headers.get("user-agent"),
      ...from,
    },
  };
}

/** To the minute. Best effort: the key works whether its use can be written down or not. */
async function noteUse({ id, last_used_at }: KeyRow, now: number): Promise<void> {
  const minute = now - (now % minuteMs);
  if (last_used_at !== null && last_used_at >= minute) return;
  try {
    await write(`key:${id}`, (trx) =>
      trx
        .updateTable("api_keys")
        .set({ last_used_at: minute })
        .where("id", "=", id)
        .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", minute)]))
        .execute(),
    );
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    logger().warn({ err: error }, "the use of an API key was not noted");
  }
}
