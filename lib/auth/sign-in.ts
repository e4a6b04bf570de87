import "server-only";
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { admitAttempt } from "@/lib/auth/throttle";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { signInAdmin, signInLegacy } from "@/lib/ringcx/client";
import { type FailureReason, UpstreamError } from "@/lib/ringcx/errors";
import type { SignInAnswer } from "@/lib/ringcx/schemas";
import { endUpstream } from "@/lib/session/end";
import { type Connection, personIdOf, type SessionData, tenantOf } from "@/lib/session/schema";

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
  /** Who came back from another site, as that site says. */
  arrival: Arrival | null;
};

/** What next-auth has checked: state, PKCE, and of an ID token signature, issuer, audience, nonce and times. */
export type Arrival = {
  account: { access_token?: string | undefined; token_type?: string | undefined };
  profile: Record<string, unknown>;
};

export function newAttempt(address: string): SignInAttempt {
  return {
    address,
    username: null,
    tenant: null,
    person: null,
    session: null,
    error: null,
    signedOut: false,
    arrival: null,
  };
}

/** next-auth gives `authorize` no way to set a cookie or to fail with more than a string. */
export const signInAttempt = new AsyncLocalStorage<SignInAttempt>();

export const credentialsSchema = z.object({
  username: z.string().trim().min(1, "Enter your username").max(320),
  password: z.string().min(1, "Enter your password").max(1024),
  /** Of RingCX; a legacy portal has none. */
  platformId: z.string().trim().max(64).default(""),
  host: z.string().optional(),
  /** Of a legacy portal: two weeks instead of an hour. A form sends a word. */
  staySignedIn: z
    .union([z.boolean(), z.enum(["true", "false", "on", ""])])
    .default(false)
    .transform((given) => given === true || given === "true" || given === "on"),
});
type Credentials = z.input<typeof credentialsSchema>;

/** The person as next-auth's `user`. */
export type SignedIn = {
  id: string;
  name: string;
  email: string | null;
  login: string;
  sid: string;
  provider: "ringcx" | "ringcentral" | "oidc";
  inOpsGroup: boolean;
};

/**
 * Signs in with RingCX: username, password and platform ID, no RingEX. Null when it failed; the error, and on
 * success the session, are left in {@link signInAttempt}.
 */
export async function signInWithPassword(input: unknown): Promise<SignedIn | null> {
  const attempt = signInAttempt.getStore();
  if (!attempt) throw new Error("signInWithPassword runs inside signInAttempt only");
  try {
    const parsed = credentialsSchema.safeParse(input);
    if (!parsed.success) {
      const errors = parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
      if (lacksPlatform(input)) errors.push({ path: "platformId", message: noPlatform });
      throw new TokendeskError("invalid_input", errors.map(({ message }) => message).join(". "), {
        extensions: { errors },
      });
    }
    const { person, session } = signedInWith(await connectWithPassword(parsed.data, attempt), "ringcx");
    attempt.person = person;
    attempt.session = session;
    return person;
  } catch (error) {
    attempt.error = error;
    return null;
  }
}

const noPlatform = "Enter your platform ID";

/** Of a form in which more is missing: that, too. */
function lacksPlatform(input: unknown): boolean {
  const form = z.object({ platformId: z.string().trim().optional(), host: z.string().optional() }).safeParse(input);
  return !form.data?.platformId && !isLegacyHost(form.data?.host || env().ringcxHosts[0]);
}

/** A host that is both is taken for RingCX, which asks for more. */
function isLegacyHost(host: string): boolean {
  return !env().ringcxHosts.includes(host) && env().ringcxLegacyHosts.includes(host);
}

/** The sign-in that stands on a connection. */
export function signedInWith(
  connection: Connection,
  provider: "ringcx" | "ringcentral",
): { person: SignedIn; session: SessionData } {
  const { username, name } = connection;
  const sid = newSessionId();
  const now = Date.now();
  return {
    person: {
      id: personIdOf(connection),
      name: name ?? username,
      email: username.includes("@") ? username : null,
      login: username,
      sid,
      provider,
      inOpsGroup: false,
    },
    session: { sid, createdAt: now, seenAt: now, connections: [connection] },
  };
}

export function newSessionId(): string {
  return randomBytes(18).toString("base64url");
}

/**
 * A connection by username and password: to RingCX with a platform ID, or to a legacy portal. Counted against guessing.
 * @throws {TokendeskError} what the person is told; RingCX keeps no sign-in then
 */
export async function connectWithPassword(
  input: Credentials,
  attempt: Pick<SignInAttempt, "address" | "username" | "tenant">,
): Promise<Connection> {
  const { username, password, platformId, staySignedIn, ...given } = credentialsSchema.parse(input);
  const host = given.host || env().ringcxHosts[0];
  const legacy = isLegacyHost(host);
  if (!legacy && !env().ringcxHosts.includes(host)) {
    throw new TokendeskError(
      "invalid_input",
      "This host is not one that Tokendesk may call. Choose one from the list.",
    );
  }
  if (!legacy && platformId === "") {
    throw new TokendeskError("invalid_input", noPlatform, {
      extensions: { errors: [{ path: "platformId", message: noPlatform }] },
    });
  }

  attempt.username = username;
  const judge = admitAttempt(attempt.address, username);
  const verdictOn = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      const answer = await asked;
      judge("accepted");
      return answer;
    } catch (error) {
      // A portal is asked a second question, for the account: what comes of that says nothing of the password.
      const ofSignIn = error instanceof UpstreamError && signInOperations.has(error.operation);
      judge(ofSignIn && isVerdict(error) ? "refused" : "no_verdict");
      throw ofSignIn ? asSignInError(error) : error;
    }
  };
  // The lifetime runs from the question: earlier than RingCX counts, never later.
  const issuedAt = Date.now();
  if (!legacy) {
    const answer = await verdictOn(signInAdmin(host, { username, password, platformId }));
    return admitted(connectionOf(host, username, answer, issuedAt, platformId), attempt, answer);
  }
  const answer = await verdictOn(signInLegacy(host, { username, password, stayLoggedIn: staySignedIn }));
  return admitted(
    {
      kind: "legacy",
      host,
      username: answer.login ?? username,
      platformId: answer.platformId ?? "",
      mainAccountId: requireMainAccount(answer.mainAccountId),
      accessToken: answer.authToken,
      refreshToken: null,
      issuedAt,
      lifetimeMs: answer.lifetimeMs,
      ...(answer.userId === null ? {} : { adminId: answer.userId }),
      ...(answer.displayName === null ? {} : { name: answer.displayName }),
    },
    attempt,
  );
}

const signInOperations = new Set(["login", "legacy.login"]);

/** What RingCX answered to a sign-in, as a connection. */
export function connectionOf(
  host: string,
  username: string,
  answer: SignInAnswer,
  issuedAt: number,
  platformId = "",
): Omit<Connection, "id"> {
  return {
    host,
    username,
    platformId: answer.platformId ?? platformId,
    mainAccountId: answer.mainAccountId,
    accessToken: answer.accessToken,
    refreshToken: answer.refreshToken,
    issuedAt,
    lifetimeMs: answer.lifetimeMs,
    ...(answer.adminId === null ? {} : { adminId: answer.adminId }),
    ...(answer.displayName === null ? {} : { name: answer.displayName }),
  };
}

/**
 * The connection with an ID of its own, if its account is served here.
 * @throws {TokendeskError} `account_not_allowed`, `password_reset_required`; the sign-in is ended at RingCX then
 */
export async function admitted(
  connection: Omit<Connection, "id">,
  attempt: Pick<SignInAttempt, "tenant">,
  answer: Pick<SignInAnswer, "passwordResetRequired"> = { passwordResetRequired: false },
): Promise<Connection> {
  const { mainAccountId, host, refreshToken } = connection;
  if (env().allowedAccounts?.includes(mainAccountId) !== false) attempt.tenant = tenantOf(connection);
  const refusal = refusalOf({ mainAccountId, ...answer });
  if (refusal) {
    await endUpstream(host, refreshToken);
    throw refusal;
  }
  return { id: randomBytes(9).toString("base64url"), ...connection };
}

function requireMainAccount(mainAccountId: string | null): string {
  if (mainAccountId !== null) return mainAccountId;
  throw new TokendeskError(
    "upstream_bad_response",
    "The portal does not say which account this user belongs to, so nobody was signed in.",
  );
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
function refusalOf(answer: Pick<SignInAnswer, "mainAccountId" | "passwordResetRequired">): TokendeskError | null {
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
  // Nobody is signed in by a page, and the way on is the same whoever wrote it: try again.
  const reason = error.reason === "bad_response" && error.upstreamStatus === 401 ? "unauthorized" : error.reason;
  switch (reason) {
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
      return new TokendeskError(error.code, signInTrouble[reason], {
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

/** What the sign-in form offers. `ssoName`: what the company's identity provider is called; null: there is none. */
export function signInOptions(): {
  hosts: string[];
  legacyHosts: string[];
  ringex: boolean;
  ssoName: string | null;
  sandbox: boolean;
} {
  const { ringcxHosts, ringcxLegacyHosts, ringex, oidc, sandbox } = env();
  return {
    hosts: [...ringcxHosts],
    legacyHosts: [...ringcxLegacyHosts],
    ringex: ringex !== null,
    ssoName: oidc?.name ?? null,
    sandbox,
  };
}
