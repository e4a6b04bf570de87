import "server-only";
import type { NextAuthOptions } from "next-auth";
import { decode, encode, type JWT } from "next-auth/jwt";
import CredentialsProvider from "next-auth/providers/credentials";
import type { OAuthConfig } from "next-auth/providers/oauth";
import { z } from "zod";
import { safeReturnPath } from "@/lib/auth/return-path";
import { type SignedIn, signInAttempt, signInWithPassword } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { logger } from "@/lib/logger";
import { type CookieJar, deriveKey } from "@/lib/session/cookie";

/**
 * next-auth says who the person is; this is the one module that knows it. Its JWT holds no RingCX token, ever:
 * those are in the encrypted session cookie, and `sid` binds the two.
 */
const identitySchema = z.object({
  sub: z.string().min(1),
  name: z.string().min(1),
  email: z.string().nullable(),
  /** What the roles are decided by: the name that was proven at sign-in. */
  login: z.string(),
  sid: z.string().min(16),
  /** The door. Older cookies do not say: there was one. */
  provider: z.enum(["ringcx", "ringcentral", "oidc"]).default("ringcx"),
  /** In the group whose members are ops, as the company's identity provider said at sign-in. */
  inOpsGroup: z.boolean().default(false),
});
export type Identity = z.infer<typeof identitySchema>;

const purpose = "identity cookie";

export function identityCookieName(): string {
  return env().secureCookies ? "__Host-tokendesk.identity" : "tokendesk.identity";
}

/** What next-auth keeps in the browser while somebody is away at another site, and the cookies that hold it. */
export function checkCookies(): Record<"state" | "pkceCodeVerifier" | "nonce", string> {
  const prefix = env().secureCookies ? "__Host-" : "";
  return {
    state: `${prefix}tokendesk.state`,
    pkceCodeVerifier: `${prefix}tokendesk.pkce`,
    nonce: `${prefix}tokendesk.nonce`,
  };
}

/** @param doors the ways in that lead over another site */
export function authOptions(doors: OAuthConfig<Record<string, unknown>>[] = []): NextAuthOptions {
  const { secureCookies, sessionSecrets, sessionMaxMs } = env();
  const maxAge = sessionMaxMs / 1000;
  const cookie = { httpOnly: true, sameSite: "lax" as const, path: "/", secure: secureCookies };
  return {
    secret: deriveKey(sessionSecrets[0], purpose),
    useSecureCookies: secureCookies,
    session: { strategy: "jwt", maxAge },
    jwt: {
      maxAge,
      encode: ({ token }) => encode({ token: token ?? {}, secret: deriveKey(sessionSecrets[0], purpose), maxAge }),
      decode: ({ token }) => decodeWithAny(token),
    },
    cookies: {
      sessionToken: { name: identityCookieName(), options: cookie },
      ...Object.fromEntries(
        Object.entries(checkCookies()).map(([check, name]) => [
          check,
          // Gone before what the sign-in is for is forgotten: see intent.ts.
          { name, options: { ...cookie, maxAge: 540 } },
        ]),
      ),
    },
    pages: { signIn: "/sign-in", error: "/sign-in", signOut: "/sign-in" },
    providers: [
      CredentialsProvider({
        id: "ringcx",
        name: "RingCX",
        credentials: { username: {}, password: {}, platformId: {}, host: {} },
        authorize: (credentials) => signInWithPassword(credentials),
      }),
      ...doors,
    ],
    events: {
      signOut: () => {
        const attempt = signInAttempt.getStore();
        if (attempt) attempt.signedOut = true;
      },
    },
    callbacks: {
      signIn: ({ account, profile }) => {
        const attempt = signInAttempt.getStore();
        if (account?.type !== "oauth" || !attempt) return true;
        // Who somebody is, and whether they may come in, is decided by the handler around this; next-auth makes no session.
        attempt.arrival = { account, profile: { ...profile } };
        return "/sign-in";
      },
      redirect: ({ url, baseUrl }) =>
        `${baseUrl}${safeReturnPath(url.startsWith(baseUrl) ? url.slice(baseUrl.length) : url)}`,
      // next-auth's defaults (picture) are dropped.
      jwt: ({ token, user }) => (user ? claimsOf(user as SignedIn) : token),
      session: ({ session, token }) => ({
        expires: session.expires,
        user: { name: token.name ?? null, email: token.email ?? null },
      }),
    },
    logger: {
      // next-auth's metadata can hold whatever a provider or a form sent: the code is enough.
      // Most of them are refusals: whoever asked is told, and it is recorded.
      error: (code) => logger().warn({ code }, "next-auth"),
      warn: (code) => logger().warn({ code }, "next-auth"),
      debug: () => {},
    },
  };
}

/** Only what stands here is kept. What goes without saying is left out: all cookies together have little room. */
function claimsOf({ id, provider, inOpsGroup, ...person }: SignedIn): JWT {
  const { name, email, login, sid } = identitySchema.parse({ ...person, sub: id });
  return {
    sub: id,
    name,
    email,
    login,
    sid,
    ...(provider === "ringcx" ? {} : { provider }),
    ...(inOpsGroup ? { inOpsGroup } : {}),
  };
}

/** Puts the identity cookie of who came through another site into the browser, as next-auth would. */
export async function issueIdentity(jar: CookieJar, person: SignedIn): Promise<void> {
  const { sessionSecrets, sessionMaxMs, secureCookies } = env();
  const maxAge = sessionMaxMs / 1000;
  const token = claimsOf(person);
  jar.write(identityCookieName(), await encode({ token, secret: deriveKey(sessionSecrets[0], purpose), maxAge }), {
    httpOnly: true,
    sameSite: "lax",
    path: "/",
    secure: secureCookies,
    maxAge,
  });
}

/** All secrets open, also those that no longer seal. */
async function decodeWithAny(token: string | undefined): Promise<JWT | null> {
  for (const secret of env().sessionSecrets) {
    try {
      return await decode({ ...(token === undefined ? {} : { token }), secret: deriveKey(secret, purpose) });
    } catch {
      // Sealed with another key, tampered with, or expired.
    }
  }
  return null;
}

/** The identity in the cookie's value; null when there is none that we made and that still holds. */
export async function readIdentity(cookieValue: string | undefined): Promise<Identity | null> {
  if (!cookieValue) return null;
  const parsed = identitySchema.safeParse(await decodeWithAny(cookieValue));
  return parsed.success ? parsed.data : null;
}
