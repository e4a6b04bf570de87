import "server-only";
import { cookies, headers } from "next/headers";
import type { z } from "zod";
import { recordOrSpool } from "@/lib/audit/log";
import { recordDenial } from "@/lib/auth/denial";
import { type ConnectionView, cookieJar, publicIdOf, type Session, viewOf } from "@/lib/auth/session";
import { homeActor } from "@/lib/auth/sessions";
import { connectWithPassword, type credentialsSchema, newAttempt } from "@/lib/auth/sign-in";
import { isTokendeskError, TokendeskError } from "@/lib/errors";
import { changeSession } from "@/lib/session/changes";
import { endUpstream } from "@/lib/session/end";
import { newestRefreshToken } from "@/lib/session/refresh";
import { registryId, standingOf } from "@/lib/session/registry";
import { type Connection, isHome, type Place, personIdOf, type SessionData, tenantOf } from "@/lib/session/schema";

/** The RingCX accounts that one person works with at the same time. */

const mostConnections = 6;

/**
 * Connects another RingCX account with its password.
 * @throws {TokendeskError} as a sign-in does, and as {@link addConnection}
 */
export async function connect(
  session: Session,
  credentials: z.input<typeof credentialsSchema>,
  { linkConfirmed, address }: { linkConfirmed: boolean; address: string },
): Promise<{ connection: ConnectionView }> {
  const attempt = newAttempt(address);
  let connection: Connection;
  try {
    connection = await connectWithPassword(credentials, attempt);
  } catch (error) {
    attempt.error = error;
    const given = await headers();
    const from = { userAgent: given.get("user-agent"), requestId: given.get("x-request-id") };
    await recordDenial(attempt, from, homeActor(session));
    throw error;
  }
  return addConnection(session, connection, { linkConfirmed });
}

/**
 * Puts a connection that RingCX has accepted into the session; it becomes the active one. One of the same user that works
 * stays in its place. What is not kept is ended at RingCX; when it does not fit, the session is as it was.
 * @throws {TokendeskError} `link_unconfirmed`: the company knows the person by another name; `session_too_large`;
 * `invalid_input`: there are too many
 */
export async function addConnection(
  session: Session,
  connection: Connection,
  { linkConfirmed }: { linkConfirmed: boolean },
): Promise<{ connection: ConnectionView }> {
  const id = personIdOf(connection);
  const isSame = (one: Place) =>
    one.host === connection.host && (personIdOf(one) === id || (isHomeOf(one) && session.identity.id === id));
  // In a cookie of a former version it does not know the user's ID; the identity does.
  const isHomeOf = (one: Place) => session.connections.some((view) => view.home && view.id === publicIdOf(one));
  const works = (one: Place, data: SessionData) =>
    isHome(data, one) || session.connections.find(({ id }) => id === publicIdOf(one))?.state !== "postponed";
  let changed: Awaited<ReturnType<typeof change>>;
  try {
    requireLink(session, connection, linkConfirmed);
    changed = await change(session, ({ lost = [], ...data }) => {
      const same = data.connections.find(isSame);
      if (same && works(same, data)) return { ...data, ...listed(lost), active: publicIdOf(same) };
      // Under an ID of its own: an older cookie may bring the one that it replaces.
      const connections = [...data.connections.filter((one) => one !== same), connection];
      if (connections.length > mostConnections) {
        throw new TokendeskError(
          "invalid_input",
          `${mostConnections} RingCX accounts are connected. Disconnect one of them first.`,
        );
      }
      return { ...data, ...listed(lost.filter((one) => !isSame(one))), connections, active: publicIdOf(connection) };
    });
  } catch (error) {
    await endUpstream(connection.host, connection.refreshToken);
    throw error;
  }
  const { data, removed } = changed;
  if ((await standingOf(session.sid)).kind === "ended") {
    // Signed out meanwhile, in another tab: nobody would end this one any more.
    await endUpstream(connection.host, connection.refreshToken);
    throw new TokendeskError("session_expired", "Your session has ended meanwhile. Sign in again.");
  }
  const kept = data.connections.find(isSame) ?? connection;
  if (kept.id !== connection.id) await endUpstream(connection.host, connection.refreshToken);
  else await noteConnection(session, kept, "connection.add");
  for (const one of removed) await endUpstream(one.host, await newestRefreshToken(one));
  return { connection: viewOf(kept, { state: "live", active: true, home: isHome(data, kept) }) };
}

/**
 * Ends a connection here and at RingCX; of a lost one nothing is left to end.
 * @throws {TokendeskError} `not_found`; `invalid_input` for the one that the sign-in stands on
 */
export async function disconnect(session: Session, id: string): Promise<void> {
  const { removed } = await change(session, ({ lost = [], active, ...data }) => {
    const isIt = (one: Place) => publicIdOf(one) === id;
    if (data.connections.some((one) => isIt(one) && isHome(data, one))) {
      throw new TokendeskError("invalid_input", "You are signed in through this account. Sign out to end it.");
    }
    if (![...data.connections, ...lost].some(isIt)) throw noSuch();
    return {
      ...data,
      connections: data.connections.filter((one) => !isIt(one)),
      ...listed(lost.filter((one) => !isIt(one))),
      ...(active === undefined || active === id ? {} : { active }),
    };
  });
  for (const connection of removed) {
    await endUpstream(connection.host, await newestRefreshToken(connection));
    await noteConnection(session, connection, "connection.remove");
  }
}

/**
 * Makes a connection, or a workspace that a role reaches, the one that pages are about.
 * @throws {TokendeskError} `not_found`
 */
export async function activate(session: Session, id: string): Promise<void> {
  const workspace = session.workspaces.find((one) => one.id === id);
  if (workspace === undefined) throw noSuch();
  await change(session, (data) => {
    const { connectionId } = workspace;
    if (connectionId !== null && !data.connections.some((one) => publicIdOf(one) === connectionId)) throw noSuch();
    return { ...data, active: id };
  });
}

/**
 * Notes that the person has proven again who they are.
 * @param authenticatedAt when, epoch milliseconds
 */
export async function noteConfirmation(
  session: Session,
  authenticatedAt = Date.now(),
): Promise<{ authenticatedAt: string }> {
  await change(session, (data) => ({ ...data, authenticatedAt }));
  await recordOrSpool(homeActor(session), {
    action: "session.confirm",
    outcome: "succeeded",
    details: { session: registryId(session.sid) },
  });
  return { authenticatedAt: new Date(authenticatedAt).toISOString() };
}

async function change(session: Session, change: (data: SessionData) => SessionData) {
  try {
    return await changeSession(cookieJar(await cookies()), session.sid, change);
  } catch (error) {
    if (!isTokendeskError(error) || error.code !== "session_too_large") throw error;
    throw new TokendeskError(
      "session_too_large",
      "The encrypted cookie has no room for one more of these accounts, so nothing was changed. Disconnect another one first.",
      { cause: error },
    );
  }
}

function listed(lost: Place[]): { lost?: Place[] } {
  return lost.length > 0 ? { lost } : {};
}

function noSuch(): TokendeskError {
  return new TokendeskError("not_found", "There is no such connection, or it is gone already.");
}

/** Who came through the company says so themselves when RingCX knows the user by another name. */
function requireLink({ identity }: Session, { username }: Connection, linkConfirmed: boolean): void {
  if (identity.provider !== "oidc" || linkConfirmed) return;
  if (identity.email !== null && identity.email.toLowerCase() === username.toLowerCase()) return;
  throw new TokendeskError(
    "link_unconfirmed",
    `You are signed in as ${identity.login}; this RingCX user is ${username}. Say that it is yours to connect.`,
    { extensions: { identity: identity.login, username } },
  );
}

function noteConnection(
  session: Session,
  connection: Connection,
  action: "connection.add" | "connection.remove",
): Promise<void> {
  const details = { session: registryId(session.sid), user: connection.username };
  return recordOrSpool(
    {
      ...session.actor,
      tenant: tenantOf(connection),
      id: personIdOf(connection),
      name:
        session.identity.login.toLowerCase() === connection.username.toLowerCase()
          ? connection.username
          : `${session.identity.login} as ${connection.username}`,
    },
    { action, outcome: "succeeded", details },
  );
}
