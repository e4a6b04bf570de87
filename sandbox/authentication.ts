import {
  type Answer,
  accessDenied,
  type Call,
  failure,
  formOrQuery,
  type Identity,
  json,
  text,
  unauthorized,
  withEffect,
} from "./http.ts";
import type { Settings } from "./platform.ts";
import { PLATFORM_ID, type SandboxUser } from "./seed.ts";
import type { IssuedTokens } from "./sessions.ts";
import type { State } from "./state.ts";
import { userLoginView } from "./views.ts";

// Operations below /api/auth, and the sign-in of the legacy portals.

/** The vendor's `AccessTokenUserDetails`. An admin who is no agent has `agentDetails` empty or absent (guide). */
function accessTokenUserDetails(issued: Omit<IssuedTokens, "refreshToken"> & { refreshToken?: string | null }) {
  const { user, ssoLogin } = issued;
  const mustReset = user.signIn === "must-reset";
  return {
    ...(issued.refreshToken ? { refreshToken: issued.refreshToken } : {}),
    accessToken: issued.accessToken,
    tokenType: "Bearer",
    mainAccountId: user.mainAccountId,
    platformId: PLATFORM_ID,
    adminId: user.userId,
    adminUrl: "/voice/admin/",
    agentUrl: "/voice/agent/",
    ssoLogin,
    isAdminPasswordReset: mustReset,
    ...(mustReset ? { adminPasswordReset: true } : {}),
    ...(user.agent === "absent" ? {} : { agentDetails: user.agent === "one" ? [agentDetails(user)] : [] }),
    ...(ssoLogin ? { rcUser: contact(user) } : {}),
  };
}

function contact(user: SandboxUser) {
  return {
    businessPhone: "+16505550102",
    company: user.mainAccountName,
    department: "Contact Center",
    email: user.username,
    emailAsLoginName: true,
    firstName: user.firstName,
    jobTitle: "Administrator",
    lastName: user.lastName,
    mobilePhone: "+16505550103",
  };
}

/** The twelve fields of the guide's example; `agentGroupId` is null there although the OpenAPI file says integer. */
function agentDetails(user: SandboxUser) {
  return {
    agentId: user.userId * 100 + 11,
    firstName: user.firstName,
    lastName: user.lastName,
    email: user.username,
    username: user.username,
    agentType: "AGENT",
    rcUserId: 222_222_000_000 + user.userId,
    accountId: user.mainAccountId,
    accountName: user.mainAccountName,
    agentGroupId: null,
    allowLoginControl: true,
    allowLoginUpdates: true,
  };
}

function checkPassword(call: Call, state: State, username: string | null, password: string | null) {
  const user = state.platform.users.get(username ?? "");
  if (user === undefined || !user.enabled || user.password !== password) {
    return unauthorized(call, "Invalid username or password");
  }
  return user.signIn === "forbidden" ? accessDenied(call) : user;
}

/** `POST /api/auth/login/admin?username&password&platformId`. Only the query counts; 401 or 403, else 200. */
export function login(call: Call, state: State): Answer {
  const { query } = call;
  if (query.get("platformId") !== PLATFORM_ID) return unauthorized(call, "Unknown platform");
  const user = checkPassword(call, state, query.get("username"), query.get("password"));
  if ("status" in user) return user;
  return withEffect(json(accessTokenUserDetails(state.sessions.signIn(user, false, true))));
}

/** `POST /api/auth/token/refresh`: `refresh_token` in the form body or the query. 401 is final. */
export function refresh(call: Call, state: State): Answer {
  const issued = state.sessions.refresh(formOrQuery(call, "refresh_token") ?? "");
  if (issued === null) return unauthorized(call, "Invalid refresh token");
  return withEffect(json(accessTokenUserDetails(issued)));
}

/** `DELETE /api/auth/logout/{refreshToken}`: 200 text, also for an old refresh token of the session. */
export function logout(call: Call, state: State): Answer {
  if (!state.sessions.end(call.params[0] ?? "")) return unauthorized(call, "Invalid refresh token");
  return withEffect(text("Logged out"));
}

/** `POST /api/auth/login/rc/accesstoken`: a RingEX access token for a RingCX one. 5 per minute, else 429. */
export function exchange(call: Call, state: State): Answer {
  const user = state.ringex.userOfAccessToken(formOrQuery(call, "rcAccessToken") ?? "");
  const { exchangeLimit, exchangePerUser } = state.settings;
  const caller = user === null ? `address ${call.address}` : user.username;
  const wait = state.platform.exchanges.refuse(exchangePerUser ? caller : "all", exchangeLimit, call.at);
  if (wait !== null) return tooManyRequests(wait, state.settings);
  if (user === null || !user.enabled || formOrQuery(call, "rcTokenType") !== "Bearer") {
    return unauthorized(call, "Invalid RingCentral access token");
  }
  if (user.signIn === "forbidden") return accessDenied(call);
  const includeRefresh = call.query.get("includeRefresh") === "true";
  return withEffect(json(accessTokenUserDetails(state.sessions.signIn(user, true, includeRefresh))));
}

/** The sandbox's own 429. `Retry-After` is not documented by the vendor and therefore absent unless configured. */
export function tooManyRequests(seconds: number, settings: Settings): Answer {
  const answer = text("Too Many Requests", 429);
  return settings.retryAfter ? { ...answer, headers: { "retry-after": String(seconds) } } : answer;
}

/** `GET /api/auth/login`: the details of the access token's user, with that access token and no refresh token. */
export function loginDetails(_call: Call, state: State, identity: Identity): Answer {
  const accessToken = identity.credential ?? "";
  const verified = state.sessions.verify(accessToken);
  if (typeof verified === "string") return text(verified, 401);
  const { user, claims } = verified;
  return json(accessTokenUserDetails({ user, accessToken, ssoLogin: claims.ssoLogin === true }));
}

/** `GET /api/auth/token/claims`: the access token's claims as a JSON object. */
export function tokenClaims(_call: Call, state: State, identity: Identity): Answer {
  const verified = state.sessions.verify(identity.credential ?? "");
  return typeof verified === "string" ? text(verified, 401) : json(verified.claims);
}

/** `GET /api/auth/token/validate`: 200 text for a live access token. */
export function tokenValidate(): Answer {
  return text("Token is valid");
}

/** `POST {portal}/v1/auth/login`: username, password, stayLoggedIn in the form body or the query. A `UserLoginView`. */
export function legacyLogin(call: Call, state: State): Answer {
  const user = checkPassword(call, state, formOrQuery(call, "username"), formOrQuery(call, "password"));
  if ("status" in user) return user;
  const stayLoggedIn = formOrQuery(call, "stayLoggedIn") ?? "false";
  if (stayLoggedIn !== "true" && stayLoggedIn !== "false") {
    return failure(call, 400, "bad.request.exception", "stayLoggedIn must be true or false");
  }
  const authToken = state.sessions.openPortalSession(user, stayLoggedIn === "true");
  return withEffect(json(userLoginView(user, authToken, call.headers.host ?? "", call.at)));
}
