import "server-only";
import { createHash, hkdfSync } from "node:crypto";
import { getIronSession, type IronSession } from "iron-session";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { pack, unpack } from "@/lib/session/codec";
import type { SessionData } from "@/lib/session/schema";

/** What holds cookies: `request.cookies`, `await cookies()`, or both sides of a proxied request. */
export type CookieJar = {
  read(name: string): string | undefined;
  write(name: string, value: string, options?: object): void;
};

/** All cookies of ours together, names included, as the `Cookie` header carries them. */
const maxCookieBytes = 7_500;

/**
 * What the other cookies take: next-auth's identity and CSRF token, the theme and the choice of times. Those that the
 * browser has are counted; before there is an identity it is estimated, as measured in cookie.test.ts: it holds the name of
 * the person up to four times, so a long one is allowed for.
 */
function otherCookiesBytes(jar: CookieJar, data: SessionData): number {
  const longest = Math.max(0, ...data.connections.map(({ username }) => username.length));
  const estimate = 680 + 4 * Math.max(0, longest - 20);
  const prefix = env().secureCookies ? "__Host-" : "";
  const names = ["tokendesk.identity", "next-auth.csrf-token"].map((name) => `${prefix}${name}`);
  const bytes = [...names, "tokendesk-theme", "tokendesk-times"].reduce((sum, name) => {
    const value = jar.read(name) ?? "";
    return value === "" ? sum : sum + name.length + value.length + 3;
  }, 0);
  return Math.max(estimate, bytes);
}

type Sealed = { d?: string };

export function sessionCookieName(): string {
  return env().secureCookies ? "__Host-tokendesk" : "tokendesk";
}

/** A key of one purpose, derived from a session secret, so that no two uses share a key. */
export function deriveKey(secret: string, purpose: string): string {
  return Buffer.from(hkdfSync("sha256", secret, "", `tokendesk ${purpose}`, 32)).toString("base64url");
}

/**
 * Key IDs come from the keys themselves: a seal names the key that made it, and the list of SESSION_SECRETs
 * shifts at each rotation.
 */
function keyOf(secret: string): [number, string] {
  return [createHash("sha256").update(secret).digest().readUInt32BE(0) >>> 1, deriveKey(secret, "session cookie")];
}

function options(secrets: readonly string[], createdAt: number) {
  const remaining = Math.floor((createdAt + env().sessionMaxMs - Date.now()) / 1000);
  const ttl = Math.max(1, remaining);
  return {
    cookieName: sessionCookieName(),
    password: Object.fromEntries(secrets.map(keyOf)),
    ttl,
    chunk: true,
    cookieOptions: {
      httpOnly: true,
      sameSite: "lax" as const,
      secure: env().secureCookies,
      path: "/",
      maxAge: ttl,
    },
  };
}

/**
 * Reads the session that the cookies hold. Null when there is none, when it was sealed with another key, was
 * tampered with, or has outlived its limits: the caller cannot and need not tell these apart, except that
 * `stale` says whether there is a cookie to clear.
 */
export async function readSession(jar: CookieJar): Promise<{ data: SessionData | null; stale: boolean }> {
  const name = sessionCookieName();
  const present = [name, `${name}.0`].some((cookie) => (jar.read(cookie) ?? "") !== "");
  if (!present) return { data: null, stale: false };
  const sealed = await open(jar, Date.now());
  const data = sealed.d === undefined ? null : unpack(sealed.d);
  return { data, stale: data === null };
}

function open(jar: CookieJar, createdAt: number): Promise<IronSession<Sealed>> {
  return getIronSession<Sealed>(jar, options(env().sessionSecrets, createdAt));
}

/**
 * Seals the session into the cookies.
 * @throws {TokendeskError} `session_too_large`; nothing was written then
 */
export async function writeSession(jar: CookieJar, data: SessionData): Promise<void> {
  const draft: [string, string, object | undefined][] = [];
  const sealed = await open(
    { read: (name) => jar.read(name), write: (...cookie) => draft.push([cookie[0], cookie[1], cookie[2]]) },
    data.createdAt,
  );
  for (const key of Object.keys(sealed)) delete sealed[key as keyof Sealed];
  sealed.d = pack(data);
  sealed.updateConfig(options(env().sessionSecrets.slice(0, 1), data.createdAt));
  try {
    await sealed.save();
  } catch (cause) {
    throw tooLarge(cause);
  }
  const bytes = draft.reduce((sum, [name, value]) => (value === "" ? sum : sum + name.length + value.length + 3), 0);
  if (bytes > maxCookieBytes - otherCookiesBytes(jar, data)) throw tooLarge(undefined);
  for (const cookie of draft) jar.write(...cookie);
}

function tooLarge(cause: unknown): TokendeskError {
  return new TokendeskError(
    "session_too_large",
    "The access token that RingCX issued for this user does not fit into the encrypted cookie, so nobody was signed in. A user with fewer accounts or roles gets a smaller one.",
    { cause },
  );
}

/** Removes the session from the browser, all its chunks included. */
export async function clearSession(jar: CookieJar): Promise<void> {
  (await open(jar, Date.now())).destroy();
}
