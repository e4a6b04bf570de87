import type { IncomingHttpHeaders } from "node:http";
import * as administration from "./administration.ts";
import * as authentication from "./authentication.ts";
import { type Answer, type Call, formOrQuery, type Identity, text, unauthorized } from "./http.ts";
import * as oauth from "./oauth.ts";
import { digestOf } from "./platform.ts";
import type { SandboxUser } from "./seed.ts";
import type { State } from "./state.ts";

/** The stable names of the operations, for faults, the journal and the statistics. `unknown`: no such path. */
export const OPERATIONS = [
  "login",
  "login.details",
  "refresh",
  "logout",
  "exchange",
  "token.claims",
  "token.validate",
  "token.create",
  "token.list",
  "token.delete",
  "accounts",
  "auth",
  "isTokenValid",
  "users",
  "users.children",
  "auditLogs.auditable",
  "auditLogs.search",
  "legacy.login",
  "oauth.authorize",
  "oauth.token",
  "rc.account",
  "rc.extension",
  "unknown",
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** Whose gateway answers: RingCX's sign-in, its admin API, a legacy portal, or RingEX. Decides which credential counts. */
export const SURFACES = ["engage", "voice", "portal", "ringex"] as const;

export type Surface = (typeof SURFACES)[number];

export type Route = {
  operation: Operation;
  surface: Surface;
  method: string;
  path: RegExp;
  /** The call can change state: its journal entry says whether it did. */
  mutates: boolean;
  /** Whom a call is about that carries no credential of its own. */
  subject: (call: Call, state: State) => SandboxUser | null;
  answer: (call: Call, state: State, identity: Identity) => Answer;
};

const nobody = () => null;
const usernameInQuery = (call: Call, state: State) =>
  state.platform.users.get(call.query.get("username") ?? "") ?? null;

type Signed = Identity & { user: SandboxUser };

/** Wraps an operation that needs a live credential. */
function signedIn(answer: (call: Call, state: State, identity: Signed) => Answer): Route["answer"] {
  return (call, state, identity) => {
    const { user } = identity;
    if (user === null) return identity.refusal ?? unauthorized(call, "Authentication is required");
    return answer(call, state, { ...identity, user });
  };
}

function route(
  operation: Operation,
  surface: Surface,
  method: string,
  path: RegExp,
  answer: Route["answer"],
  more: Partial<Pick<Route, "mutates" | "subject">> = {},
): Route {
  return { operation, surface, method, path, answer, mutates: false, subject: nobody, ...more };
}

const MUTATES = { mutates: true };

/** The vendor's paths, then those of the legacy portals: below `/v1`, or `/api/v1` when the base ends in `/api`. */
const ROUTES: readonly Route[] = [
  route("login", "engage", "POST", /^\/api\/auth\/login\/admin$/, authentication.login, {
    mutates: true,
    subject: usernameInQuery,
  }),
  route("login.details", "engage", "GET", /^\/api\/auth\/login$/, signedIn(authentication.loginDetails)),
  route("refresh", "engage", "POST", /^\/api\/auth\/token\/refresh$/, authentication.refresh, {
    mutates: true,
    subject: (call, state) => state.sessions.userOfRefreshToken(formOrQuery(call, "refresh_token") ?? ""),
  }),
  route("logout", "engage", "DELETE", /^\/api\/auth\/logout\/([^/]+)$/, authentication.logout, {
    mutates: true,
    subject: (call, state) => state.sessions.userOfRefreshToken(call.params[0] ?? ""),
  }),
  route("exchange", "engage", "POST", /^\/api\/auth\/login\/rc\/accesstoken$/, authentication.exchange, {
    mutates: true,
    subject: (call, state) => state.ringex.userOfAccessToken(formOrQuery(call, "rcAccessToken") ?? ""),
  }),
  route("token.claims", "engage", "GET", /^\/api\/auth\/token\/claims$/, signedIn(authentication.tokenClaims)),
  route("token.validate", "engage", "GET", /^\/api\/auth\/token\/validate$/, signedIn(authentication.tokenValidate)),
  ...(["voice", "portal"] as const).flatMap((surface) => {
    const at = (path: string) => new RegExp(`^${surface === "voice" ? "/voice/api" : "(?:/api)?"}/v1/${path}$`);
    return [
      route("token.create", surface, "POST", at("admin/token"), signedIn(administration.createToken), MUTATES),
      route("token.list", surface, "GET", at("admin/token"), signedIn(administration.listTokens)),
      route("token.delete", surface, "DELETE", at("admin/token/([^/]+)"), administration.deleteToken, MUTATES),
      route("accounts", surface, "GET", at("admin/accounts"), signedIn(administration.accounts)),
      route("auth", surface, "GET", at("admin/auth"), signedIn(administration.auth)),
      route("users", surface, "GET", at("admin/users"), signedIn(administration.users)),
      route("isTokenValid", surface, "GET", at("auth/isTokenValid"), administration.isTokenValid),
      route("legacy.login", surface, "POST", at("auth/login"), authentication.legacyLogin, {
        mutates: true,
        subject: (call, state) => state.platform.users.get(formOrQuery(call, "username") ?? "") ?? null,
      }),
    ];
  }),
  route(
    "users.children",
    "voice",
    "GET",
    /^\/voice\/api\/v1\/admin\/users\/([^/]+)\/children$/,
    signedIn(administration.userChildren),
  ),
  route(
    "auditLogs.auditable",
    "voice",
    "GET",
    /^\/voice\/api\/v1\/admin\/auditLogs\/auditable$/,
    signedIn(administration.auditable),
  ),
  route(
    "auditLogs.search",
    "voice",
    "PUT",
    /^\/voice\/api\/v1\/admin\/auditLogs\/search$/,
    signedIn(administration.searchAuditLogs),
  ),
  route("oauth.authorize", "ringex", "GET", /^\/restapi\/oauth\/authorize$/, oauth.authorizePage),
  route("oauth.authorize", "ringex", "POST", /^\/restapi\/oauth\/authorize$/, oauth.authorizeDecision, MUTATES),
  route("oauth.token", "ringex", "POST", /^\/restapi\/oauth\/token$/, oauth.token, MUTATES),
  route("rc.account", "ringex", "GET", /^\/restapi\/v1\.0\/account\/~$/, signedIn(oauth.rcAccount)),
  route("rc.extension", "ringex", "GET", /^\/restapi\/v1\.0\/account\/~\/extension\/~$/, signedIn(oauth.rcExtension)),
];

/** The route of a path. `params` are still percent-encoded. A known path with another method answers 405. */
export function findRoute(
  method: string,
  path: string,
): { route: Route; params: string[] } | "unknown path" | "unknown method" {
  let known = false;
  for (const candidate of ROUTES) {
    const match = candidate.path.exec(path);
    if (match === null) continue;
    if (candidate.method === method) return { route: candidate, params: match.slice(1) };
    known = true;
  }
  return known ? "unknown method" : "unknown path";
}

/** The path with a digest in place of each segment that is, or may be, a secret. */
export function maskPath(path: string): string {
  return path
    .split("/")
    .map((segment, index, segments) => {
      const before = segments.slice(Math.max(0, index - 2), index).join("/");
      const isSecret = before === "admin/token" || before === "auth/logout" || segment.length >= 32;
      return isSecret && segment !== "" ? digestOf(decodePath(segment) ?? segment) : segment;
    })
    .join("/");
}

/** A percent-decoded path segment, or null when the encoding is broken. */
export function decodePath(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** What follows the scheme Bearer, empty when nothing does; null for another scheme or no header. */
function bearer(headers: IncomingHttpHeaders): string | null {
  const match = /^Bearer(?:\s+(.*))?$/i.exec(headers.authorization ?? "");
  return match === null ? null : (match[1] ?? "").trim();
}

function missingCredential(surface: Surface, call: Call): Answer {
  if (surface === "ringex") return oauth.tokenNotFound();
  return surface === "portal" ? unauthorized(call, "Authentication is required") : text("Jwt is missing", 401);
}

/**
 * Whose credential the call carries. The gateway looks at `Authorization` before `X-Auth-Token`; a legacy portal knows
 * only `X-Auth-Token`, the sign-in and RingEX only Bearer.
 */
export function identify(surface: Surface, call: Call, state: State): Identity {
  const { headers } = call;
  const xAuthToken = headers["x-auth-token"];
  const credential = surface === "portal" ? null : bearer(headers);
  if (credential !== null) {
    const anonymous = { auth: "bearer", user: null, credential } as const;
    if (surface === "ringex") {
      const user = state.ringex.userOfAccessToken(credential);
      return { ...anonymous, user, refusal: user === null ? oauth.tokenNotFound() : null };
    }
    if (credential === "") return { ...anonymous, refusal: text("Jwt is missing", 401) };
    const verified = state.sessions.verify(credential);
    if (typeof verified === "string") return { ...anonymous, refusal: text(verified, 401) };
    return { ...anonymous, user: verified.user, refusal: null };
  }
  if (typeof xAuthToken === "string" && xAuthToken !== "" && (surface === "voice" || surface === "portal")) {
    const user = state.platform.ownerOf(xAuthToken) ?? state.sessions.userOfAuthToken(xAuthToken);
    if (user !== null) state.sessions.prolong(xAuthToken);
    const refusal = user === null ? unauthorized(call, "Invalid or expired token") : null;
    return { auth: "x-auth-token", user, credential: xAuthToken, refusal };
  }
  return { auth: "none", user: null, credential: null, refusal: missingCredential(surface, call) };
}
