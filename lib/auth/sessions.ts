import "server-only";
import { cookies, headers } from "next/headers";
import type { Actor } from "@/lib/audit/log";
import { dropPending } from "@/lib/auth/exchange-cookie";
import { identityCookieName, readIdentity } from "@/lib/auth/identity";
import { takeIntent } from "@/lib/auth/intent";
import { roleOf } from "@/lib/auth/roles";
import { actorOf, cookieJar, type Session } from "@/lib/auth/session";
import type { SignedIn } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { clearSession, readSession, writeSession } from "@/lib/session/cookie";
import { endEverywhere, endUpstream } from "@/lib/session/end";
import { activeSessions, endSessions, registerSession, registryId } from "@/lib/session/registry";
import { type EndReason, homeOf, type SessionData, type SessionView } from "@/lib/session/schema";

/**
 * Puts a sign-in that RingCX has accepted into the browser and the registry. What the browser had before is ended.
 * @throws {TokendeskError} `session_too_large`: nobody is signed in then
 */
export async function startSession(person: SignedIn, session: SessionData): Promise<void> {
  const store = await cookies();
  const jar = cookieJar(store);
  const { data: previous } = await readSession(jar);
  const previousIdentity = store.get(identityCookieName())?.value;
  try {
    // A rehearsal: what does not fit must not be registered.
    await writeSession({ read: (name) => jar.read(name), write: () => {} }, { ...session, registered: false });
  } catch (error) {
    for (const connection of session.connections) await endUpstream(connection.host, connection.refreshToken);
    throw error;
  }
  const given = await headers();
  const actor = actorOf(homeOf(session), person, given);
  const created = {
    action: "session.create",
    outcome: "succeeded",
    details: { session: registryId(session.sid), door: doorOf(person, session) },
  } as const;
  const registered = await registerSession(session, actor, person.name, created);
  await writeSession(jar, { ...session, registered });
  await dropUnfinished(store);
  if (previous) await endOf(previous, "replaced", given, previousIdentity);
}

/** Another sign-in that was begun in this browser is not to be finished by whoever comes next. */
async function dropUnfinished(store: Awaited<ReturnType<typeof cookies>>): Promise<void> {
  await takeIntent(cookieJar(store));
  await dropPending(store);
}

/** How they came in, for the audit log. */
function doorOf({ provider }: SignedIn, { connections: [first] }: SessionData): string {
  if (provider === "oidc") return "sso";
  if (provider === "ringcentral") return "ringex";
  return first?.kind === "legacy" ? "legacy" : "password";
}

/** Signs this browser out: here, at RingCX and in the registry, as far as each can be reached. Never refused. */
export async function endCurrentSession(): Promise<void> {
  const store = await cookies();
  const jar = cookieJar(store);
  const { data } = await readSession(jar);
  const identity = store.get(identityCookieName())?.value;
  await clearSession(jar);
  await dropUnfinished(store);
  for (const { name } of store.getAll()) {
    if (name === identityCookieName() || name.endsWith("next-auth.csrf-token")) {
      jar.write(name, "", { path: "/", httpOnly: true, sameSite: "lax", secure: env().secureCookies, maxAge: 0 });
    }
  }
  if (data) await endOf(data, "signed_out", await headers(), identity);
}

/** The identity cookie says whose it is; when it is of another sign-in, only the connection does. */
async function endOf(data: SessionData, reason: EndReason, given: Headers, identityCookie?: string): Promise<void> {
  const identity = await readIdentity(identityCookie);
  const [connection] = data.connections;
  const tenant = homeOf(data);
  if (identity !== null && identity.sid === data.sid) {
    const actor = actorOf(tenant, { id: identity.sub, login: identity.login }, given);
    return endEverywhere(data, reason, actor, { userName: identity.name });
  }
  const actor = actorOf(tenant, { id: "", login: connection?.username ?? "unknown" }, given);
  return endEverywhere(data, reason, { ...actor, id: null });
}

/**
 * The sessions in use, the latest used first: the person's own, or those of the whole main account, for ops. `more`: only
 * the latest 500 are told.
 * @throws {TokendeskError} `forbidden`, `audit_unavailable`
 */
export async function listSessions(
  session: Session,
  scope: "own" | "team",
): Promise<{ sessions: SessionView[]; more: boolean }> {
  if (scope === "team" && session.user.role === "member") {
    throw new TokendeskError("forbidden", "Only ops and administrators see the sessions of others.");
  }
  const { sessions, more } =
    scope === "own"
      ? await activeSessions(session.home, session.identity.id)
      : await activeSessions(session.tenant, null);
  const current = registryId(session.sid);
  const views = sessions.map((row) => ({
    id: row.id,
    user: { id: row.user_id, name: row.user_name },
    createdAt: new Date(row.created_at).toISOString(),
    seenAt: new Date(row.seen_at).toISOString(),
    address: row.address,
    userAgent: row.user_agent,
    current: row.id === current,
    mayEnd: endingOf(session, row) !== null,
  }));
  return { sessions: views, more };
}

/** Who the person is, where their sign-in is registered. */
export function homeActor({ actor, home, identity }: Session): Actor {
  return { ...actor, tenant: home, id: identity.id, name: identity.login };
}

/** As what the reader may end this session; null: they may not. */
function endingOf(
  { identity, home, tenant, user }: Session,
  row: { tenant: string; user_id: string; login: string },
): EndReason | null {
  if (row.tenant === home && row.user_id === identity.id) return "ended_by_user";
  if (row.tenant !== tenant) return null;
  if (user.role === "admin") return "ended_by_ops";
  // Who is ops by a group of the company is not known to the registry.
  const isMember = !row.tenant.startsWith("sso|") && roleOf(row.login) === "member";
  return user.role === "ops" && isMember ? "ended_by_ops" : null;
}

/**
 * Ends one session: one's own; for ops also a member's of the same main account, for admins anybody's there. The current
 * one is signed out.
 * @throws {TokendeskError} `not_found`, also for sessions that are not theirs to end; `audit_unavailable`
 */
export async function endOne(session: Session, id: string): Promise<void> {
  if (id === registryId(session.sid)) return endCurrentSession();
  const ended: string[] = [];
  for (const tenant of new Set([session.home, session.tenant])) {
    const actor = tenant === session.home ? homeActor(session) : session.actor;
    ended.push(...(await endSessions(actor, { tenant, id }, (row) => endingOf(session, row))));
  }
  if (ended.length === 0) throw new TokendeskError("not_found", "There is no such session, or it has ended already.");
}

/**
 * Ends the person's own sessions: all, or all but the current one.
 * @returns how many
 * @throws {TokendeskError} `audit_unavailable`
 */
export async function endAll(session: Session, { others }: { others: boolean }): Promise<number> {
  const current = registryId(session.sid);
  const whose = { tenant: session.home, userId: session.identity.id };
  const ended = await endSessions(homeActor(session), whose, (row) => {
    if (row.id === current) return others ? null : "signed_out";
    return "ended_by_user";
  });
  if (others) return ended.length;
  await endCurrentSession();
  return ended.length + (ended.includes(current) ? 0 : 1);
}
