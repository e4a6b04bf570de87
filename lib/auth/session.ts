import "server-only";
import { createHash } from "node:crypto";
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import type { Actor } from "@/lib/audit/log";
import { clientAddress } from "@/lib/auth/address";
import { isOfCompany } from "@/lib/auth/company";
import { type Identity, identityCookieName, readIdentity } from "@/lib/auth/identity";
import { type SignInReason, safeReturnPath, signInPath } from "@/lib/auth/return-path";
import { higherRole, type Role, roleInTenant, roleOf } from "@/lib/auth/roles";
import { companyWorkspaces } from "@/lib/auth/workspaces";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { type RingcxClient, TokenClient } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { type CookieJar, readSession } from "@/lib/session/cookie";
import { endEverywhere } from "@/lib/session/end";
import { isSameState } from "@/lib/session/refresh";
import { registerSession } from "@/lib/session/registry";
import { homeOf, isHome, type Place, personIdOf, type SessionData, tenantOf } from "@/lib/session/schema";
import { keepChanges, openSession } from "@/lib/session/upkeep";

type SessionUser = { id: string; name: string; email: string | null; role: Role };

/** A RingCX connection as it may be shown: no token. */
export type ConnectionView = {
  id: string;
  kind: "ringcx" | "legacy";
  host: string;
  username: string;
  platformId: string;
  mainAccountId: string;
  name: string | null;
  /** `postponed`: RingCX could not renew it just now; `lost`: RingCX ended it. */
  state: "live" | "postponed" | "lost";
  /** It is the one that pages are about. */
  active: boolean;
  /** It is the sign-in itself: signing out is the way to end it. */
  home: boolean;
};

/** What a person can look at: a main account, through a connection or by the role that the company gave. */
export type Workspace = {
  /** Of the connection, or the tenant. */
  id: string;
  tenant: string;
  connectionId: string | null;
};

/**
 * A signed-in person, proven for this request, at work in one workspace. `user`, `tenant`, `client` and `actor` are those
 * of the active connection; {@link Session.through} gives the same person through another one.
 */
export type Session = {
  sid: string;
  /** As whom they act: the RingCX user of the connection; without one, the identity. */
  user: SessionUser;
  /** The name that the user proved: RingCX's, or a verified e-mail address. */
  login: string;
  /** Who the person is, whatever they work with. */
  identity: { id: string; name: string; email: string | null; login: string; provider: Identity["provider"] };
  /** All of them, those that were lost at the end. */
  connections: ConnectionView[];
  workspaces: Workspace[];
  /** Of the one that this is about. */
  workspaceId: string;
  /** null: there is none here, and what needs RingCX is refused. */
  connectionId: string | null;
  /** A calm sentence when RingCX could not renew a connection just now. */
  notice: string | null;
  /** Nothing crosses it: host and main account; `sso|{host}`: the company's sign-ins themselves. */
  tenant: string;
  /** The tenant that the sign-in is registered under. */
  home: string;
  /** Of the connection; without one the first host that this tenant is known at. */
  host: string;
  /** @throws {TokendeskError} `connection_required` */
  readonly client: RingcxClient;
  /** The way to a token that is at hand, without a connection; null: there is one. */
  holdingAlone: ((value: string, patienceMs?: number) => TokenClient) | null;
  /** For the audit log. */
  actor: Actor;
  /** When the person last proved who they are, epoch milliseconds. */
  authenticatedAt: number;
  /** @throws {TokendeskError} `not_found` */
  through(connectionId: string): Session;
  /** One for each connection, the active one first. */
  each(): Session[];
};

type Opened = { session: Session; data: SessionData; live: ReadonlyMap<string, LiveConnection> };
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
  const { data, postponed, registered } = state;
  const identity = await readIdentity(store.get(identityCookieName())?.value);
  const home = homeOf(data);
  if (identity === null || home === null || identity.sid !== data.sid) return { session: null, reason: "required" };

  const given = await headers();
  if (identity.provider === "oidc" && !isOfCompany(identity.sub)) {
    // Who came through a provider that is not asked any more is signed out, as of an account that is not served any more.
    await endEverywhere(data, "expired", actorOf(home, personOf(identity), given), { userName: identity.name });
    return { session: null, reason: "expired" };
  }
  const live = new Map(
    data.connections.map((connection) => [connection.id, new LiveConnection(connection, isHome(data, connection))]),
  );
  const workspaces = await workspacesOf(identity, data, home);
  const facts = { identity, data, home, live, workspaces, postponed, given };
  const [first] = workspaces;
  if (first === undefined) return { session: null, reason: "required" };
  const session = inWorkspace(facts, workspaces.find(({ id }) => id === data.active) ?? first);
  // Signed in while the database was away, or by a version that kept no registry. The cookie learns of it from the next
  // request: here it may not be written.
  if (!registered) await registerSession(data, actorOf(home, personOf(identity), given), identity.name);
  return { session, data, live };
}

type Facts = {
  identity: Identity;
  data: SessionData;
  home: string;
  live: ReadonlyMap<string, LiveConnection>;
  workspaces: Workspace[];
  postponed: readonly string[];
  given: Headers;
};

async function workspacesOf(identity: Identity, data: SessionData, home: string): Promise<Workspace[]> {
  const connected = data.connections.map((connection) => ({
    id: publicIdOf(connection),
    tenant: tenantOf(connection),
    connectionId: publicIdOf(connection),
  }));
  if (identity.provider !== "oidc") return connected;
  const reached = new Set(connected.map(({ tenant }) => tenant));
  const oversees = companyRoleOf(identity) !== "member";
  const byRole = [...(oversees ? await companyWorkspaces() : []), ...(oversees || connected.length === 0 ? [home] : [])]
    .filter((tenant) => !reached.has(tenant))
    .map((tenant) => ({ id: tenant, tenant, connectionId: null }));
  return [...connected, ...byRole];
}

/** By its group, or by its verified e-mail address. Of no account for who came through RingCX. */
function companyRoleOf({ provider, inOpsGroup, login }: Identity): Role {
  return provider === "oidc" ? higherRole(inOpsGroup ? "ops" : "member", roleOf(login)) : "member";
}

function inWorkspace(facts: Facts, workspace: Workspace): Session {
  const { identity, data, home, live, workspaces, postponed, given } = facts;
  const { tenant } = workspace;
  const connection = data.connections.find((one) => publicIdOf(one) === workspace.connectionId) ?? null;
  const person = connection && !isHome(data, connection) ? holderOf(connection) : personOf(identity);
  const role = higherRole(
    connection ? roleOf(connection.username) : "member",
    roleInTenant(companyRoleOf(identity), tenant, home),
  );
  const sameName = identity.login.toLowerCase() === person.login.toLowerCase();
  const lost = data.lost ?? [];
  const { ringcxHosts, ringcxLegacyHosts } = env();
  const isOfTenant = (one: string) => tenant.startsWith(`${new URL(one).host}|`);
  const host = connection?.host ?? [...ringcxHosts, ...ringcxLegacyHosts].find(isOfTenant) ?? ringcxHosts[0];
  return {
    sid: identity.sid,
    user: { id: person.id, name: person.name, email: person.email, role },
    login: person.login,
    identity: { ...personOf(identity), provider: identity.provider },
    connections: [
      ...data.connections.map((one) =>
        viewOf(one, {
          state: postponed.includes(one.id) ? "postponed" : "live",
          active: one.id === connection?.id,
          home: isHome(data, one),
        }),
      ),
      ...lost.map((one) => viewOf(one, { state: "lost", active: false, home: false })),
    ],
    workspaces,
    workspaceId: workspace.id,
    connectionId: workspace.connectionId,
    notice: noticeOf(data, postponed, person.login),
    tenant,
    home,
    host,
    holdingAlone: connection
      ? null
      : (value, patienceMs) => new TokenClient({ host, limitKey: `${host}|${identity.sub}` }, value, patienceMs),
    get client() {
      const at = connection && live.get(connection.id);
      if (at) return at.client;
      throw new TokendeskError(
        "connection_required",
        "This needs a RingCX account of yours. Connect one, then come back.",
      );
    },
    actor: actorOf(
      tenant,
      { id: person.id, login: sameName ? person.login : `${identity.login} as ${person.login}` },
      given,
    ),
    authenticatedAt: data.authenticatedAt ?? data.createdAt,
    through(connectionId) {
      const other = workspaces.find((one) => one.connectionId === connectionId);
      if (other) return inWorkspace(facts, other);
      throw new TokendeskError("not_found", "This connection is not one of yours any more. Connect it again.");
    },
    each() {
      const connected = workspaces.filter(({ connectionId }) => connectionId !== null);
      return [...connected]
        .sort((a, b) => Number(b.id === workspace.id) - Number(a.id === workspace.id))
        .map((one) => inWorkspace(facts, one));
    },
  };
}

/**
 * What a connection is called outside the cookie: of the same user at the same host it is the same after each sign-in, so
 * that a page that was left open, and an address that was kept, lead to it again.
 */
export function publicIdOf(place: Place): string {
  return createHash("sha256")
    .update(`${place.host}\n${personIdOf(place)}`)
    .digest("base64url")
    .slice(0, 16);
}

type Person = { id: string; name: string; email: string | null; login: string };

function personOf({ sub, name, email, login }: Identity): Person {
  return { id: sub, name, email, login };
}

/** The RingCX user of a connection. */
export function holderOf(place: Place): Person {
  const { username, name } = place;
  return {
    id: personIdOf(place),
    name: name ?? username,
    email: username.includes("@") ? username : null,
    login: username,
  };
}

export function viewOf(place: Place, standing: Pick<ConnectionView, "state" | "active" | "home">): ConnectionView {
  const { kind, host, username, platformId, mainAccountId, name } = place;
  return {
    id: publicIdOf(place),
    kind: kind ?? "ringcx",
    host,
    username,
    platformId,
    mainAccountId,
    name: name ?? null,
    ...standing,
  };
}

function noticeOf({ connections, lost = [], active }: SessionData, postponed: readonly string[], login: string) {
  const named = ({ username, mainAccountId }: Place) => `${username} (${mainAccountId})`;
  const gone = lost.find((one) => publicIdOf(one) === active);
  if (gone)
    return `RingCX has ended the connection of ${named(gone)}. You work as ${login} until you connect it again.`;
  const waiting = connections.filter(({ id }) => postponed.includes(id));
  if (waiting.length === 0) return null;
  if (connections.length === 1) {
    return "RingCX could not renew your session just now. You are still signed in; Tokendesk keeps trying.";
  }
  const names = waiting.map(named).join(", ");
  return `RingCX could not renew the connection of ${names} just now. You are still signed in; Tokendesk keeps trying.`;
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
      const renewed = [...live.values()]
        .map(({ connection }) => connection)
        .filter((now) => !data.connections.some((before) => before.id === now.id && isSameState(now, before)));
      if (renewed.length === 0) return;
      const jar = cookieJar(await cookies());
      // The handler may have added or removed a connection, or ended the session.
      const { data: current } = await readSession(jar);
      if (current?.sid !== data.sid) return;
      const connections = current.connections.map((one) => renewed.find(({ id }) => id === one.id) ?? one);
      await keepChanges(jar, { ...current, connections }, current);
    },
  };
}
