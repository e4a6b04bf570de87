import "server-only";
import { sealData, unsealData } from "iron-session";
import { z } from "zod";
import { safeReturnPath } from "@/lib/auth/return-path";
import { env } from "@/lib/env";
import { type CookieJar, deriveKey } from "@/lib/session/cookie";

/**
 * What a sign-in that leads away from here (RingCentral, the company's identity provider) is for, and where it goes
 * afterwards: in a sealed cookie of its own, for ten minutes and for one use.
 */
export const intentSchema = z.object({
  /** `connect`: another RingCX account for who is signed in; `confirm`: they prove again who they are. */
  purpose: z.enum(["sign_in", "connect", "confirm"]),
  returnTo: z.string().transform(safeReturnPath),
  /** The session that it belongs to; null for `sign_in`. */
  sid: z.string().nullable(),
  /** The person said that a RingCX user of another name is theirs to connect. */
  linkConfirmed: z.boolean(),
});
export type SignInIntent = z.infer<typeof intentSchema>;

export const intentSeconds = 600;
const purpose = "sign-in intent";

function cookieName(): string {
  return env().secureCookies ? "__Host-tokendesk.intent" : "tokendesk.intent";
}

function options(maxAge: number) {
  return { httpOnly: true, sameSite: "lax" as const, path: "/", secure: env().secureCookies, maxAge };
}

export async function keepIntent(jar: CookieJar, intent: SignInIntent): Promise<void> {
  const password = { 1: deriveKey(env().sessionSecrets[0], purpose) };
  jar.write(cookieName(), await sealData(intent, { password, ttl: intentSeconds }), options(intentSeconds));
}

/** The intent, which stays; null: there is none that still holds. */
export async function readIntent(jar: CookieJar): Promise<SignInIntent | null> {
  const sealed = jar.read(cookieName());
  for (const secret of sealed ? env().sessionSecrets : []) {
    const password = { 1: deriveKey(secret, purpose) };
    const found = await unsealData(sealed ?? "", { password, ttl: intentSeconds }).catch(() => null);
    const parsed = intentSchema.safeParse(found);
    if (parsed.success) return parsed.data;
  }
  return null;
}

/** The intent, which is gone from the browser then. Without one a sign-in is a sign-in. */
export async function takeIntent(jar: CookieJar): Promise<SignInIntent> {
  const intent = await readIntent(jar);
  if (jar.read(cookieName())) jar.write(cookieName(), "", options(0));
  return intent ?? { purpose: "sign_in", returnTo: safeReturnPath(null), sid: null, linkConfirmed: false };
}
