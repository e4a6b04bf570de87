import "server-only";
import { cookies, headers } from "next/headers";
import { companyPerson, companyTrouble } from "@/lib/auth/company";
import { noteConfirmation } from "@/lib/auth/connections";
import { issueIdentity } from "@/lib/auth/identity";
import { intentSeconds, keepIntent, type SignInIntent } from "@/lib/auth/intent";
import { keepExchange, ringexTrouble } from "@/lib/auth/ringex";
import { cookieJar, currentSession, openRouteSession, type Session } from "@/lib/auth/session";
import { startSession } from "@/lib/auth/sessions";
import type { SignedIn, SignInAttempt } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import type { SessionData } from "@/lib/session/schema";

/**
 * Somebody is back from another site.
 * @returns where they go now
 * @throws {TokendeskError} `extensions.problem` names what the sign-in page says
 */
export async function arrive(
  door: "oidc" | "ringcentral",
  attempt: SignInAttempt,
  intent: SignInIntent,
  url: URL,
): Promise<string> {
  if (attempt.arrival === null) {
    if (attempt.error !== null) throw attempt.error;
    throw door === "oidc" ? companyTrouble(url) : ringexTrouble(url);
  }
  if (door === "ringcentral") return keepExchange(attempt.arrival, intent);
  if (intent.purpose === "connect") {
    throw new TokendeskError("invalid_input", "A company identity is no RingCX account.");
  }
  const { person, session, authenticatedAt } = companyPerson(attempt.arrival, attempt);
  // A provider that still knows the browser may let anybody who sits at it pass without asking.
  const mostMs = Math.min(intentSeconds * 1000, env().stepUpMs);
  if (intent.purpose === "confirm" && !(Date.now() - (authenticatedAt ?? 0) < mostMs)) {
    throw new TokendeskError("forbidden", "The identity provider does not say that you signed in there once more.", {
      extensions: { problem: "not_fresh" },
    });
  }
  return finishSignIn(person, session, intent);
}

/**
 * Notes what the sign-in is for that is about to lead away from here.
 * @throws {TokendeskError} `not_signed_in`, `session_expired`; `invalid_input`: no door is there for it
 */
export async function beginSignIn({
  purpose,
  returnTo,
  linkConfirmed,
}: Pick<SignInIntent, "purpose" | "returnTo" | "linkConfirmed">): Promise<void> {
  const { ringex, oidc } = env();
  const jar = cookieJar(await cookies());
  if (purpose === "sign_in") {
    if (ringex === null && oidc === null) throw noDoor("There is no other way to sign in here than a password.");
    return keepIntent(jar, { purpose, returnTo, sid: null, linkConfirmed: false });
  }
  const { session, settle } = await openRouteSession();
  try {
    if (purpose === "connect" && ringex === null) throw noDoor("RingCX accounts are connected with a password here.");
    if (
      purpose === "confirm" &&
      !{ ringcx: false, ringcentral: ringex !== null, oidc: oidc !== null }[session.identity.provider]
    ) {
      throw noDoor("Confirm in the way that you signed in.");
    }
    await keepIntent(jar, {
      purpose,
      returnTo,
      sid: session.sid,
      linkConfirmed: purpose === "connect" && linkConfirmed,
    });
  } finally {
    await settle();
  }
}

function noDoor(detail: string): TokendeskError {
  return new TokendeskError("invalid_input", detail);
}

/** Whoever has proven who they are: a new session, or the one that there is, confirmed. */
export async function finishSignIn(person: SignedIn, session: SessionData, intent: SignInIntent): Promise<string> {
  if (intent.purpose === "confirm") {
    const current = await sessionOf(intent);
    if (current.identity.id !== person.id) {
      throw new TokendeskError("forbidden", "This is another person than the one who is signed in.", {
        extensions: { problem: "other_person" },
      });
    }
    await noteConfirmation(current, session.authenticatedAt);
    return intent.returnTo;
  }
  await startSession(person, session);
  await issueIdentity(cookieJar(await cookies()), person);
  return intent.returnTo;
}

/** The session that an intent belongs to: the one that it was begun in, or none. */
export async function sessionOf({ sid }: SignInIntent): Promise<Session> {
  const current = await currentSession();
  if (current !== null && current.sid === sid) return current;
  throw new TokendeskError("session_expired", "The session that this was for has ended. Sign in again.", {
    extensions: { problem: "stale" },
  });
}

/** For the audit log, of a request that has no session yet. */
export async function arrivalFrom(): Promise<{ userAgent: string | null; requestId: string | null }> {
  const given = await headers();
  return { userAgent: given.get("user-agent"), requestId: given.get("x-request-id") };
}
