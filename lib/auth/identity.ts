import "server-only";
import type { NextAuthOptions } from "next-auth";
import { decode, encode, type JWT } from "next-auth/jwt";
import CredentialsProvider from "next-auth/providers/credentials";
import { z } from "zod";
import { safeReturnPath } from "@/lib/auth/return-path";
import { signInAttempt, signInWithPassword } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { logger } from "@/lib/logger";
import { deriveKey } from "@/lib/session/cookie";

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
});
type Identity = z.infer<typeof identitySchema>;

const purpose = "identity cookie";

export function identityCookieName(): string {
  return env().secureCookies ? "__Host-tokendesk.identity" : "tokendesk.identity";
}

export function authOptions(): NextAuthOptions {
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
    cookies: { sessionToken: { name: identityCookieName(), options: cookie } },
    pages: { signIn: "/sign-in", error: "/sign-in", signOut: "/sign-in" },
    providers: [
      CredentialsProvider({
        id: "ringcx",
        name: "RingCX",
        credentials: { username: {}, password: {}, platformId: {}, host: {} },
        authorize: (credentials) => signInWithPassword(credentials),
      }),
    ],
    events: {
      signOut: () => {
        const attempt = signInAttempt.getStore();
        if (attempt) attempt.signedOut = true;
      },
    },
    callbacks: {
      redirect: ({ url, baseUrl }) =>
        `${baseUrl}${safeReturnPath(url.startsWith(baseUrl) ? url.slice(baseUrl.length) : url)}`,
      // Only what stands here is kept; next-auth's defaults (picture) are dropped.
      jwt: ({ token, user }) => (user ? { ...identitySchema.parse({ ...user, sub: user.id }) } : token),
      session: ({ session, token }) => ({
        expires: session.expires,
        user: { name: token.name ?? null, email: token.email ?? null },
      }),
    },
    logger: {
      // next-auth's metadata can hold whatever a provider or a form sent: the code is enough.
      error: (code) => logger().error({ code }, "next-auth"),
      warn: (code) => logger().warn({ code }, "next-auth"),
      debug: () => {},
    },
  };
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
