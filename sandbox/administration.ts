import { type Answer, accessDenied, type Call, failure, type Identity, json, text, withEffect } from "./http.ts";
import { mayManageUsers } from "./platform.ts";
import type { SandboxUser } from "./seed.ts";
import type { State } from "./state.ts";
import { accountView, auditLogView, userLoginView, userView } from "./views.ts";

// Operations below /voice/api/v1, and their twins of the legacy portals below /v1.

type Signed = Identity & { user: SandboxUser };

const hasNoAccess = (user: SandboxUser) => user.roles.includes("NO_ACCESS");

/** `POST admin/token`: 200 text, a new API token. Every call creates another one. */
export function createToken(call: Call, state: State, { user }: Signed): Answer {
  if (hasNoAccess(user)) return accessDenied(call);
  const value = state.platform.createToken(user);
  return withEffect(state.settings.quotedTokens ? json(value) : text(value));
}

/** `GET admin/token`: the values of the caller's own API tokens, as a JSON array of strings. */
export function listTokens(call: Call, state: State, { user }: Signed): Answer {
  return hasNoAccess(user) ? accessDenied(call) : json(state.platform.tokensOf(user));
}

/**
 * `DELETE admin/token/{apiToken}`: 200 text `true`, or `false` when the token is unknown or not the caller's to delete.
 * The owner may, a user who manages the owner may, and with `anonymousDelete` so may anyone who knows the value.
 */
export function deleteToken(call: Call, state: State, identity: Identity): Answer {
  const { platform } = state;
  const value = call.params[0] ?? "";
  const { user } = identity;
  if (user !== null) {
    if (hasNoAccess(user)) return accessDenied(call);
    const owner = platform.ownerOf(value);
    if (owner === null) return text("false");
    if (owner.username !== user.username && !platform.manages(user, owner)) return text("false");
  } else if (identity.refusal !== null && (identity.auth !== "none" || !state.settings.anonymousDelete)) {
    return identity.refusal;
  }
  return platform.deleteToken(value, user, state.settings.deletionSeconds * 1_000)
    ? withEffect(text("true"))
    : text("false");
}

/** `GET admin/accounts`: the caller's sub-accounts as `Account` objects. */
export function accounts(call: Call, state: State, { user }: Signed): Answer {
  if (hasNoAccess(user)) return accessDenied(call);
  return json(user.accounts.map((account) => accountView(account, state.platform, call.at)));
}

/** `GET admin/auth`: a `UserLoginView` with an authToken: the caller's own one, or a new one. */
export function auth(call: Call, state: State, { user, credential }: Signed): Answer {
  const isAuthToken = credential !== null && state.sessions.userOfAuthToken(credential) !== null;
  const authToken = isAuthToken ? credential : state.sessions.openPortalSession(user, false);
  return json(userLoginView(user, authToken, call.headers.host ?? "", call.at));
}

/** `GET auth/isTokenValid?token`: a JSON boolean for API tokens and legacy auth tokens. Needs no credential. */
export function isTokenValid(call: Call, state: State): Answer {
  const token = call.query.get("token");
  if (token === null) return failure(call, 400, "bad.request.exception", "Required parameter 'token' is not present");
  return json(state.platform.ownerOf(token) !== null || state.sessions.userOfAuthToken(token) !== null);
}

function usersBelow(state: State, user: SandboxUser, activeOnly: boolean, now: number): Record<string, unknown>[] {
  return state.platform
    .childrenOf(user)
    .filter((child) => child.enabled || !activeOnly)
    .map((child) => userView(child, usersBelow(state, child, activeOnly, now), now));
}

function flat(users: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return users.flatMap((user) => [{ ...user, children: [] }, ...flat(user.children as Record<string, unknown>[])]);
}

/** `GET admin/users?activeOnly&flatten`: the `User`s below the caller, nested unless flattened. */
export function users(call: Call, state: State, { user }: Signed): Answer {
  if (!mayManageUsers(user)) return accessDenied(call);
  const below = usersBelow(state, user, call.query.get("activeOnly") === "true", call.at);
  return json(call.query.get("flatten") === "true" ? flat(below) : below);
}

/** `GET admin/users/{userId}/children`: the `User`s below the caller, or below a user whom the caller manages. */
export function userChildren(call: Call, state: State, { user }: Signed): Answer {
  if (!mayManageUsers(user)) return accessDenied(call);
  const root = [...state.platform.users.values()].find((other) => String(other.userId) === call.params[0]);
  if (root === undefined) return failure(call, 404, "not.found.exception", "User not found");
  if (root.username !== user.username && !state.platform.manages(user, root)) return accessDenied(call);
  return json(usersBelow(state, root, false, call.at));
}

const AUDITABLE = [
  { fullPath: "com.ringcentral.engage.voice.model.Account", name: "Account" },
  { fullPath: "com.ringcentral.engage.voice.model.ApiToken", name: "ApiToken" },
  { fullPath: "com.ringcentral.engage.voice.model.User", name: "User" },
];

/** `GET admin/auditLogs/auditable`: the kinds of entity that the audit log knows. */
export function auditable(): Answer {
  return json(AUDITABLE);
}

/** ISO 8601 with an explicit offset; `Z` is refused (guide, "Administrative audit log APIs"). */
const OFFSET_DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?[+-]\d\d:?\d\d$/;

function parseOffsetDateTime(value: unknown): number | null {
  if (typeof value !== "string" || !OFFSET_DATE_TIME.test(value)) return null;
  const millis = Date.parse(value.replace(/([+-]\d\d):?(\d\d)$/, "$1:$2"));
  return Number.isNaN(millis) ? null : millis;
}

/**
 * `PUT admin/auditLogs/search`: `accountId`, `startDateTime`, `endDateTime` required; 400 without them or with `Z`.
 * Events are visible `auditDelaySeconds` after they happened.
 */
export function searchAuditLogs(call: Call, state: State, { user }: Signed): Answer {
  const bad = (message: string) => failure(call, 400, "bad.request.exception", message);
  if (!user.roles.includes("ACCESS_AUDIT_LOG")) return accessDenied(call);
  if (!(call.headers["content-type"] ?? "").startsWith("application/json")) {
    return failure(call, 415, "unsupported.media.type.exception", "Content type must be application/json");
  }
  const criteria = parseObject(call.body);
  if (criteria === null) return bad("Malformed JSON request");
  const { accountId } = criteria;
  const start = parseOffsetDateTime(criteria.startDateTime);
  const end = parseOffsetDateTime(criteria.endDateTime);
  if (typeof accountId !== "string" || accountId === "") return bad("accountId is required");
  if (start === null) return bad("startDateTime is required with an explicit UTC offset");
  if (end === null) return bad("endDateTime is required with an explicit UTC offset");
  if (!belongsTo(user, accountId)) return accessDenied(call);
  const visibleUntil = call.at - state.settings.auditDelaySeconds * 1000;
  const found = state.platform.events.filter(
    (event) =>
      belongsTo(event.owner, accountId) &&
      event.at >= start &&
      event.at <= end &&
      event.at <= visibleUntil &&
      includes(criteria.auditActions, event.action) &&
      includes(criteria.searchEntities, "ApiToken") &&
      equals(criteria.createUserId, event.actor === null ? "" : String(event.actor.userId)) &&
      equals(criteria.auditedEntityId, event.digest),
  );
  if (criteria.ascOrDesc !== "ASCENDING") found.reverse();
  return json(found.map((event) => auditLogView(event, accountId, call.at)));
}

const belongsTo = (user: SandboxUser, accountId: string) =>
  user.mainAccountId === accountId || user.accounts.some((account) => account.accountId === accountId);

const includes = (wanted: unknown, value: string) =>
  !Array.isArray(wanted) || wanted.length === 0 || wanted.includes(value);

const equals = (wanted: unknown, value: string) => wanted === undefined || wanted === null || wanted === value;

function parseObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
