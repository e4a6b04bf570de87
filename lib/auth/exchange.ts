import "server-only";
import { cookies } from "next/headers";
import type { Actor } from "@/lib/audit/log";
import { arrivalFrom, finishSignIn, sessionOf } from "@/lib/auth/arrival";
import { addConnection } from "@/lib/auth/connections";
import { recordDenial } from "@/lib/auth/denial";
import { dropPending, type PendingExchange, prolongPending, readPending } from "@/lib/auth/exchange-cookie";
import type { SignInIntent } from "@/lib/auth/intent";
import { homeActor } from "@/lib/auth/sessions";
import { admitted, connectionOf, newAttempt, type SignInAttempt, signedInWith } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { isTokendeskError, TokendeskError } from "@/lib/errors";
import { inTime } from "@/lib/in-time";
import { logger } from "@/lib/logger";
import { exchangeRingexToken, RingcxClient, ringexPerson } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import type { SignInAnswer, TokenHolder } from "@/lib/ringcx/schemas";
import { endUpstream } from "@/lib/session/end";
import { askTurn, type Place, pauseLine, settleTurn, type Ticket } from "@/lib/session/exchange-queue";
import type { Connection } from "@/lib/session/schema";

/** The second half of a RingEX sign-in: RingCentral's token waits for its turn, and becomes a RingCX session. */

export type ExchangeAnswer = { place: number; waitSeconds: number } | { returnTo: string };

const patienceMs = 2_000;
/** The vendor does not say how long a 429 holds. */
const pauseMs = 60_000;

/** What the browser waits for; null: nothing. */
export async function pendingExchange(): Promise<Pick<SignInIntent, "purpose" | "returnTo"> | null> {
  const pending = await readPending(await cookies());
  return pending && { purpose: pending.intent.purpose, returnTo: pending.intent.returnTo };
}

/**
 * Asks whether it is the browser's turn, and exchanges when it is.
 * @throws {TokendeskError} With `extensions.again` nothing is lost but the place in the line; else it starts again at RingCentral.
 */
export async function continueExchange(address: string): Promise<ExchangeAnswer> {
  const store = await cookies();
  const pending = await readPending(store);
  if (pending === null) throw nothingPending();
  const { intent } = pending;
  /** Who is signed in already, and records are of then. */
  let by: Actor | undefined;
  try {
    // What this was for may be over: then nothing is used up.
    if (intent.purpose !== "sign_in") by = homeActor(await sessionOf(intent));
  } catch (error) {
    await dropPending(store);
    throw error;
  }
  const turn = await askTurn(pending.id);
  if (turn.kind === "over") {
    await dropPending(store);
    throw usedAlready();
  }
  if (turn.kind === "waiting") {
    await prolongPending(store, pending);
    return placeOf(turn);
  }

  const attempt = newAttempt(address);
  const issuedAt = Date.now();
  let connection: Connection;
  try {
    const answer = await exchangeRingexToken(pending.host, pending);
    // From here on there is a session to be kept: nothing waits long for the database.
    await inTime(Promise.all([settleTurn(turn.ticket, "done"), dropPending(store)]), patienceMs);
    connection = await connectionFrom(pending, answer, issuedAt, attempt);
    if (intent.purpose !== "connect") return { returnTo: await signIn(connection, intent) };
  } catch (error) {
    if (error instanceof UpstreamError && error.operation === "exchange") {
      if (error.reason === "rate_limited") return placeOf(await pause(turn.ticket, error));
      const told = await refusal(error, turn.ticket);
      if (told.extensions.again === true) throw told;
      await dropPending(store);
      // Of a name that RingCX has not said.
      await recordDenial({ ...attempt, username: "", error: told }, await arrivalFrom(), by);
      throw told;
    }
    attempt.error = error;
    await recordDenial(attempt, await arrivalFrom(), by);
    throw error;
  }
  await connect(connection, intent);
  return { returnTo: intent.returnTo };
}

/**
 * The same on the way back from RingCentral: with nobody in the line there is nothing to wait for.
 * @returns where to go now; null: it waits
 * @throws {TokendeskError} it starts again at RingCentral
 */
export async function exchangeAtOnce(address: string): Promise<string | null> {
  try {
    const answer = await continueExchange(address);
    return "returnTo" in answer ? answer.returnTo : null;
  } catch (error) {
    // Whether it is tried again is for the person to say.
    if (isTokendeskError(error) && error.extensions.again === true) return "/sign-in/ringex?lost=1";
    throw error;
  }
}

function nothingPending(): TokendeskError {
  return new TokendeskError("not_found", "No sign-in of this browser waits here, or it took too long. Start again.", {
    extensions: { problem: "state" },
  });
}

function usedAlready(): TokendeskError {
  return new TokendeskError("not_found", "This sign-in was used already. Start again.", {
    extensions: { problem: "code" },
  });
}

function placeOf({ place, waitMs }: Place): ExchangeAnswer {
  return { place, waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}

function pause(ticket: Ticket, error: UpstreamError): Promise<Place> {
  const waitMs = error.retryAfterMs ?? pauseMs;
  logger().warn({ err: error, retryAfterMs: waitMs }, "RingCX holds back RingEX sign-ins; everybody waits");
  return pauseLine(ticket, waitMs);
}

/** What becomes of an exchange that RingCX did not make. */
async function refusal(error: UpstreamError, ticket: Ticket): Promise<TokendeskError> {
  const { failure, reason } = error;
  const lost = failure === "unknown" || failure === "transient";
  logger().warn({ err: error }, "a RingEX sign-in was not exchanged");
  await settleTurn(ticket, lost ? "lost" : "done");
  if (failure === "unknown") {
    return new TokendeskError(
      error.code,
      "The answer of RingCX got lost, so you are not signed in. Try again: it takes a new place in the line.",
      { cause: error, extensions: { again: true } },
    );
  }
  if (lost) {
    return new TokendeskError(
      error.code,
      "RingCX cannot be reached right now, so you are not signed in. Try again in a moment.",
      { cause: error, extensions: { again: true } },
    );
  }
  if (reason === "forbidden") {
    return new TokendeskError(
      "forbidden",
      "RingCX knows this user but does not let it sign in. Ask a RingCX administrator.",
      { cause: error },
    );
  }
  return new TokendeskError(
    failure === "credentials" ? "invalid_credentials" : error.code,
    "RingCX did not accept your sign-in at RingCentral. Start again; if that does not help, ask whether your RingCentral user has access to RingCX.",
    { cause: error },
  );
}

/**
 * The connection, under the name that RingCX knows the user by: roles are decided by it. The e-mail address of a RingEX
 * extension is not asked for, since its owner can change it.
 * @throws {TokendeskError} as {@link admitted}; `upstream_bad_response`: RingCX does not say who it is
 */
async function connectionFrom(
  { host, id, accessToken }: PendingExchange,
  answer: SignInAnswer,
  issuedAt: number,
  attempt: SignInAttempt,
): Promise<Connection> {
  const holder = await holderOf(host, id, answer);
  const adminId = answer.adminId ?? holder?.userId ?? null;
  if (adminId === null) {
    await endUpstream(host, answer.refreshToken);
    throw new TokendeskError("upstream_bad_response", "RingCX does not say who signed in, so nobody was.");
  }
  const username = holder?.login ?? `admin ${adminId}`;
  attempt.username = username;
  const named = holder !== null && holder.name.toLowerCase() !== username && holder.name !== holder.userId;
  const displayName = answer.displayName ?? (named ? holder.name : await nameAtRingex(accessToken));
  return admitted(connectionOf(host, username, { ...answer, adminId, displayName }, issuedAt), attempt, answer);
}

/** null: RingCX does not say it now. No role goes by the name then, but nobody is kept out. */
async function holderOf(host: string, id: string, answer: SignInAnswer): Promise<TokenHolder | null> {
  const refused = new TokendeskError(
    "session_expired",
    "RingCX does not accept the access token that it has just made.",
  );
  const client = new RingcxClient(
    { kind: "ringcx", host, connectionId: id, limitKey: `${host}|${answer.mainAccountId}|admin ${answer.adminId}` },
    { current: () => answer.accessToken, renew: () => Promise.reject(refused) },
  );
  try {
    return await client.whoami();
  } catch (error) {
    if (!isTokendeskError(error)) throw error;
    logger().warn({ err: error }, "RingCX does not name who signed in with RingEX: no role goes by the name");
    return null;
  }
}

async function nameAtRingex(accessToken: string): Promise<string | null> {
  const { ringex } = env();
  if (ringex === null) return null;
  try {
    return (await ringexPerson(ringex.serverUrl, accessToken)).name;
  } catch (error) {
    if (!isTokendeskError(error)) throw error;
    logger().warn({ err: error }, "RingCentral does not name who signed in");
    return null;
  }
}

/** For a sign-in and for a confirmation, which leaves nothing at RingCX. */
async function signIn(connection: Connection, intent: SignInIntent): Promise<string> {
  const { person, session } = signedInWith(connection, "ringcentral");
  const end = () => endUpstream(connection.host, connection.refreshToken);
  try {
    const returnTo = await finishSignIn(person, session, intent);
    if (intent.purpose === "confirm") await end();
    return returnTo;
  } catch (error) {
    // A session that does not fit was ended where that was found.
    if (intent.purpose === "confirm" || !isTokendeskError(error) || error.code !== "session_too_large") await end();
    throw error;
  }
}

async function connect(connection: Connection, intent: SignInIntent): Promise<void> {
  let session: Awaited<ReturnType<typeof sessionOf>>;
  try {
    session = await sessionOf(intent);
  } catch (error) {
    await endUpstream(connection.host, connection.refreshToken);
    throw error;
  }
  await addConnection(session, connection, { linkConfirmed: intent.linkConfirmed });
}
