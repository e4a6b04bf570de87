import "server-only";
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { admitAttempt } from "@/lib/auth/throttle";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { signInAdmin } from "@/lib/ringcx/client";
import { type FailureReason, UpstreamError } from "@/lib/ringcx/errors";
import type { SignInAnswer } from "@/lib/ringcx/schemas";
import { tenantOf } from "@/lib/session/connection";
import { endUpstream } from "@/lib/session/end";
import type { SessionData } from "@/lib/session/schema";

/** What happens inside next-auth, told to the handler around it. */
export type SignInAttempt = {
  address: string;
  /** As it was typed; null: the form was not filled in. */
  username: string | null;
  /** Where the person belongs, as soon as RingCX has said so, if that is served here. */
  tenant: string | null;
  person: SignedIn | null;
  session: SessionData | null;
  error: unknown;
  signedOut: boolean;
};

export function newAttempt(address: string): SignInAttempt {
  return { address, username: null, tenant: null, person: null, session: null, error: null, signedOut: false };
}

/** next-auth gives `authorize` no way to set a cookie or to fail with more than a string. */
export const signInAttempt = new AsyncLocalStorage<SignInAttempt>();

const credentialsSchema = z.object({
  username: z.string().trim().min(1, "Enter your username").max(320),
  password: z.string().min(1, "Enter your password").max(1024),
  platformId: z.string().trim().min(1, "Enter your platform ID").max(64),
  host: z.string().optional(),
});

/** The person as next-auth's `user`. */
export type SignedIn = { id: string; name: string; email: string | null; login: string; sid: string };

/**
 * Signs in with RingCX: username, password and platform ID, no RingEX. Null when it failed; the error, and on
 * success the session, are left in {@link signInAttempt}.
 */
export async function signInWithPassword(input: unknown): Promise<SignedIn | null> {
  const attempt = signInAttempt.getStore();
  if (!attempt) throw new Error("signInWithPassword runs inside signInAttempt only");
  try {
    const { person, session } = await attemptSignIn(input, attempt);
    attempt.person = person;
    attempt.session = session;
    return person;
  } catch (error) {
    attempt.error = error;
    return null;
  }
}

async function attemptSignIn(
  input: unknown,
  attempt: SignInAttempt,
): Promise<{ person: SignedIn; session: SessionData }> {
  const parsed = credentialsSchema.safeParse(input);
  if (!parsed.success) {
    throw new TokendeskError("invalid_input", parsed.error.issues.map((issue) => issue.message).join(". "), {
      extensions: { errors: parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })) },
    });
  }
  const { username, password, platformId } = parsed.data;
  const host = parsed.data.host || env().ringcxHosts[0];
  if (!env().ringcxHosts.includes(host)) {
    throw new TokendeskError(
      "invalid_input",
      "This host is not one that Tokendesk may call. Choose one from the list.",
    );
  }

  attempt.username = username;
  const judge = admitAttempt(attempt.address, username);
  let answer: SignInAnswer;
  try {
    answer = await signInAdmin(host, { username, password, platformId });
  } catch (error) {
    judge(isVerdict(error) ? "refused" : "no_verdict");
    throw asSignInError(error);
  }
  judge("accepted");

  const { allowedAccounts } = env();
  const { mainAccountId } = answer;
  if (allowedAccounts?.includes(mainAccountId) !== false) attempt.tenant = tenantOf({ host, mainAccountId });
  const refusal = refusalOf(answer);
  if (refusal) {
    await endUpstream(host, answer.refreshToken);
    throw refusal;
  }

  const now = Date.now();
  const sid = randomBytes(18).toString("base64url");
  const hostName = new URL(host).host;
  return {
    person: {
      id: `ringcx:${hostName}:${answer.mainAccountId}:${answer.adminId ?? username.toLowerCase()}`,
      name: answer.displayName ?? username,
      email: username.includes("@") ? username : null,
      login: username,
      sid,
    },
    session: {
      sid,
      createdAt: now,
      seenAt: now,
      connections: [
        {
          id: randomBytes(9).toString("base64url"),
          host,
          username,
          platformId: answer.platformId ?? platformId,
          mainAccountId: answer.mainAccountId,
          accessToken: answer.accessToken,
          refreshToken: answer.refreshToken,
          issuedAt: now,
          lifetimeMs: answer.lifetimeMs,
        },
      ],
    },
  };
}

/**
 * Whether this says that a guess was wrong, or could: an HTML 401, a 500 and a redirect to a login page count, or they
 * would be a way to guess without end. A RingCX that is down, silent or busy does not.
 */
function isVerdict(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  if (error.reason === "timeout" || error.reason === "rate_limited") return false;
  return error.reason !== "unavailable" || error.upstreamStatus === 500;
}

/** RingCX knows this person, but they may not come in. */
function refusalOf(answer: SignInAnswer): TokendeskError | null {
  if (answer.passwordResetRequired) {
    return new TokendeskError(
      "password_reset_required",
      "RingCX wants you to set a new password first. Sign in to RingCX itself, set it, then come back.",
    );
  }
  const { allowedAccounts } = env();
  if (allowedAccounts && !allowedAccounts.includes(answer.mainAccountId)) {
    return new TokendeskError(
      "account_not_allowed",
      "Your RingCX account is not one that this Tokendesk serves. Ask its administrator to allow it.",
    );
  }
  return null;
}

function asSignInError(error: unknown): unknown {
  if (!(error instanceof UpstreamError)) return error;
  switch (error.reason) {
    case "unauthorized":
    case "jwt_refused":
    case "not_found":
    case "rejected":
      return new TokendeskError(
        "invalid_credentials",
        "RingCX did not accept this username, password and platform ID together. Check all three, and the host.",
        { cause: error },
      );
    case "forbidden":
      return new TokendeskError(
        "forbidden",
        "RingCX knows this user but does not let it sign in. Ask a RingCX administrator.",
        {
          cause: error,
        },
      );
    default:
      return new TokendeskError(error.code, signInTrouble[error.reason], {
        cause: error,
        ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
      });
  }
}

/** Nobody is signed in yet, and nobody was told that they are wrong. */
const signInTrouble = {
  rate_limited: "RingCX is limiting sign-ins at the moment. Wait, then try again.",
  timeout: "RingCX did not answer in time, so you are not signed in. Try again in a moment.",
  unavailable: "RingCX cannot be reached right now, so you are not signed in. Try again in a moment.",
  bad_response:
    "Something in front of RingCX answered instead of it, so you are not signed in. Check the host, then try again.",
} satisfies Partial<Record<FailureReason, string>>;

/** What the sign-in form offers. */
export function signInOptions(): { hosts: string[]; sandbox: boolean } {
  return { hosts: [...env().ringcxHosts], sandbox: env().sandbox };
}
