import "server-only";
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import type { Actor } from "@/lib/audit/log";
import { clientAddress } from "@/lib/auth/address";
import { identityCookieName, readIdentity } from "@/lib/auth/identity";
import { type SignInReason, safeReturnPath, signInPath } from "@/lib/auth/return-path";
import { type Role, roleOf } from "@/lib/auth/roles";
import { TokendeskError } from "@/lib/errors";
import type { RingcxClient } from "@/lib/ringcx/client";
import { LiveConnection, tenantOf } from "@/lib/session/connection";
import type { CookieJar } from "@/lib/session/cookie";
import { isSameState } from "@/lib/session/refresh";
import { registerSession } from "@/lib/session/registry";
import type { SessionData } from "@/lib/session/schema";
import { keepChanges, openSession } from "@/lib/session/upkeep";

type SessionUser = { id: string; name: string; email: string | null; role: Role };

/** A RingCX connection as it may be shown: no token. */
type ConnectionView = {
  id: string;
  host: string;
  username: string;
  platformId: string;
  mainAccountId: string;
};

/** A signed-in person, proven for this request. */
export type Session = {
  sid: string;
  user: SessionUser;
  connections: ConnectionView[];
  /** A calm sentence when RingCX could not renew the session just now. */
  notice: string | null;
  /** Nothing crosses it: host and main account of the connection. */
  tenant: string;
  client: RingcxClient;
  /** For the audit log. */
  actor: Actor;
};

type Opened = { session: Session; data: SessionData; live: LiveConnection };
type Refusal = { session: null; reason: SignInReason };

/**
 * Both cookies, checked against each other: the identity (next-auth) and the RingCX connections (iron-session).
 * This is the guard of every page and route; the proxy is a convenience.
 */
async function open(keep: boolean): Promise<Opened | Refusal> {
  const store = await cookies();
  const state = await openSession(cookieJar(store), keep);
  if (state.kind === "none") return { session: null, reason: "required" };
  if (state.kind === "ended") return { session: null, reason: state.reason };
  const identity = await readIdentity(store.get(identityCookieName())?.value);
  const connection = state.data.connections[0];
  if (identity === null || connection === undefined || identity.sid !== state.data.sid) {
    return { session: null, reason: "required" };
  }
  const live = new LiveConnection(connection);
  const tenant = tenantOf(connection);
  const session: Session = {
    sid: identity.sid,
    user: { id: identity.sub, name: identity.name, email: identity.email, role: roleOf(identity.login) },
    connections: state.data.connections.map(({ id, host, username, platformId, mainAccountId }) => ({
      id,
      host,
      username,
      platformId,
      mainAccountId,
    })),
    notice: state.postponed
      ? "RingCX could not renew your session just now. You are still signed in; Tokendesk keeps trying."
      : null,
    tenant,
    client: live.client,
    actor: actorOf(tenant, { id: identity.sub, login: identity.login }, await headers()),
  };
  // Signed in while the database was away, or by a version that kept no registry. The cookie learns of it from the next
  // request: here it may not be written.
  if (!state.registered) await registerSession(state.data, session.actor, identity.name);
  return { session, data: state.data, live };
}

/** A person at work, as the audit log names them. */
export function actorOf(tenant: string | null, person: { id: string; login: string }, given: Headers): Actor {
  return {
    tenant,
    id: person.id,
    name: person.login,
    address: clientAddress(given),
    userAgent: given.get("user-agent"),
    requestId: given.get("x-request-id"),
  };
}

/** Next's cookie store as a jar. Writing is for route handlers: in a server component it throws. */
export function cookieJar(store: Awaited<ReturnType<typeof cookies>>): CookieJar {
  return {
    read: (name) => store.get(name)?.value,
    write: (name, value, options) => {
      store.set(name, value, options ?? {});
    },
  };
}

const openOnce = cache(() => open(false));

/** For pages: the session, or null for a stranger. Once per render, whoever asks. */
export async function currentSession(): Promise<Session | null> {
  return (await openOnce()).session;
}

/** For pages: the session, or the sign-in page with the reason and the way back. */
export async function requireSession(): Promise<Session> {
  const opened = await openOnce();
  if (opened.session === null) redirect(signInPath(opened.reason, await currentPath()));
  return opened.session;
}

/** Path and query of the page that is being rendered, as the proxy noted it. */
async function currentPath(): Promise<string> {
  return safeReturnPath((await headers()).get("x-tokendesk-path"));
}

/**
 * For route handlers: the session, and `settle`, which writes what changed while the handler ran.
 * @throws {TokendeskError} `not_signed_in` or `session_expired`
 */
export async function openRouteSession(): Promise<{ session: Session; settle(): Promise<void> }> {
  const opened = await open(true);
  if (opened.session === null) {
    if (opened.reason === "required") throw new TokendeskError("not_signed_in", "Sign in first.");
    throw new TokendeskError(
      "session_expired",
      opened.reason === "idle"
        ? "Your session was unused for too long and has ended. Sign in again."
        : "Your session has ended. Sign in again.",
    );
  }
  const { session, data, live } = opened;
  return {
    session,
    async settle() {
      if (isSameState(live.connection, data.connections[0])) return;
      await keepChanges(cookieJar(await cookies()), {
        ...data,
        connections: [live.connection, ...data.connections.slice(1)],
      });
    },
  };
}
