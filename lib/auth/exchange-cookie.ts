import "server-only";
import { randomBytes } from "node:crypto";
import { sealData, unsealData } from "iron-session";
import type { cookies } from "next/headers";
import { z } from "zod";
import { intentSchema, type SignInIntent } from "@/lib/auth/intent";
import { env } from "@/lib/env";
import { type RingexToken, ringexToken } from "@/lib/ringcx/ringex";
import { deriveKey } from "@/lib/session/cookie";
import { dropStash, prolongStash, stash, unstash } from "@/lib/session/exchange-stash";

/**
 * What the exchange of a RingEX token needs while it waits for its turn, in a sealed cookie of its own: it needs no
 * database. Beside a session that leaves no room for it the cookie holds a handle, and the database the rest. Whoever
 * keeps waiting has it kept longer, as long as the RingEX token surely lives.
 */
const exchangeSchema = ringexToken.extend({
  /** Of its place in the line. */
  id: z.string().min(16),
  host: z.string(),
  intent: intentSchema,
  /** Epoch milliseconds. */
  arrivedAt: z.number().int(),
});
const sealedSchema = exchangeSchema.extend({ sealedAt: z.number().int() });
export type PendingExchange = z.infer<typeof exchangeSchema>;

const purpose = "ringex exchange";
const lifetimeSeconds = 900;
const lifetimeMs = lifetimeSeconds * 1000;
/** A RingEX token lives for an hour. */
const longestMs = 50 * 60_000;
/** All cookies of ours together, as the `Cookie` header carries them. */
const maxCookieBytes = 7_500;

type Store = Awaited<ReturnType<typeof cookies>>;

function cookieName(): string {
  return env().secureCookies ? "__Host-tokendesk.exchange" : "tokendesk.exchange";
}

function options(maxAge: number) {
  return { httpOnly: true, sameSite: "lax" as const, path: "/", secure: env().secureCookies, maxAge };
}

/** @throws {TokendeskError} `session_too_large`: there is no room, and the database is away */
export async function keepPending(store: Store, token: RingexToken, intent: SignInIntent): Promise<PendingExchange> {
  const pending: PendingExchange = {
    ...token,
    id: randomBytes(18).toString("base64url"),
    host: env().ringcxHosts[0],
    intent,
    arrivedAt: Date.now(),
  };
  const sealed = await seal(pending);
  const value = fits(store, sealed) ? sealed : await stash(JSON.stringify(pending), lifetimeMs);
  store.set(cookieName(), value, options(lifetimeSeconds));
  return pending;
}

function seal(pending: PendingExchange): Promise<string> {
  const password = { 1: deriveKey(env().sessionSecrets[0], purpose) };
  return sealData({ ...pending, sealedAt: Date.now() }, { password, ttl: lifetimeSeconds });
}

function fits(store: Store, value: string): boolean {
  const name = cookieName();
  const others = store
    .getAll()
    // Those of the way there and back are gone with this answer.
    .filter((cookie) => cookie.name !== name && !/tokendesk\.(state|pkce|nonce|intent)$/.test(cookie.name));
  const bytes = [...others, { name, value }].reduce((sum, one) => sum + one.name.length + one.value.length + 3, 0);
  return bytes <= maxCookieBytes;
}

const isSealed = (value: string) => value.startsWith("Fe26.");

/** null: there is none, or it is too old. */
export async function readPending(store: Store): Promise<PendingExchange | null> {
  const value = store.get(cookieName())?.value ?? "";
  if (value === "") return null;
  const parsed = exchangeSchema.safeParse(isSealed(value) ? await unseal(value) : parseJson(await unstash(value)));
  return parsed.success && Date.now() - parsed.data.arrivedAt < longestMs ? parsed.data : null;
}

async function unseal(value: string): Promise<unknown> {
  for (const secret of env().sessionSecrets) {
    const password = { 1: deriveKey(secret, purpose) };
    const found = await unsealData(value, { password, ttl: lifetimeSeconds }).catch(() => null);
    if (sealedSchema.safeParse(found).success) return found;
  }
  return null;
}

function parseJson(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}

/** For who is still in the line. */
export async function prolongPending(store: Store, pending: PendingExchange): Promise<void> {
  const value = store.get(cookieName())?.value ?? "";
  if (isSealed(value)) {
    const parsed = sealedSchema.safeParse(await unseal(value));
    if (!parsed.success || Date.now() - parsed.data.sealedAt < lifetimeMs / 3) return;
    store.set(cookieName(), await seal(pending), options(lifetimeSeconds));
  } else if (value !== "") {
    await prolongStash(value, lifetimeMs);
    store.set(cookieName(), value, options(lifetimeSeconds));
  }
}

export async function dropPending(store: Store): Promise<void> {
  const value = store.get(cookieName())?.value ?? "";
  if (value === "") return;
  store.set(cookieName(), "", options(0));
  if (!isSealed(value)) await dropStash(value);
}
