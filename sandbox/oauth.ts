import { type Answer, type Call, html, type Identity, json, withEffect } from "./http.ts";
import type { Settings } from "./platform.ts";
import { CLIENT_ID, CLIENT_SECRET } from "./ringex.ts";
import type { SandboxUser } from "./seed.ts";
import type { State } from "./state.ts";

// RingEX: the OAuth server and the two REST resources that a single sign-on needs. On RingCentral's side another host
// (https://platform.ringcentral.com); here the same port.

function isRegistered(redirectUri: string, settings: Settings): boolean {
  if (settings.redirectUris.length > 0) return settings.redirectUris.includes(redirectUri);
  if (!URL.canParse(redirectUri)) return false;
  const { protocol, hostname } = new URL(redirectUri);
  return ["http:", "https:"].includes(protocol) && ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><link rel="icon" href="data:,">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}label{display:block}
button{font:inherit;padding:.4rem 1.2rem;margin:1rem .5rem 0 0}small{color:#555}</style></head>
<body><main><h1>${title}</h1>${body}</main></body></html>`;
}

function redirect(uri: string, parameters: Record<string, string>): Answer {
  const location = new URL(uri);
  for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value);
  return { ...html("", 302), headers: { location: location.href } };
}

/** Refuses an authorization request: an error page when the client cannot be trusted, else a redirect back. */
function refuseRequest(parameters: URLSearchParams, settings: Settings): Answer | null {
  const redirectUri = parameters.get("redirect_uri") ?? "";
  const state = parameters.get("state") ?? "";
  if (parameters.get("client_id") !== CLIENT_ID) return html(page("Unknown client_id", ""), 400);
  if (!isRegistered(redirectUri, settings)) return html(page("redirect_uri is not registered", ""), 400);
  const refuse = (error: string, error_description: string) =>
    redirect(redirectUri, { error, error_description, ...(state === "" ? {} : { state }) });
  if (parameters.get("response_type") !== "code") return refuse("unsupported_response_type", "only code is supported");
  if (state === "") return refuse("invalid_request", "state is required");
  if (!/^[A-Za-z0-9_-]{43}$/.test(parameters.get("code_challenge") ?? "")) {
    return refuse("invalid_request", "code_challenge is required");
  }
  if (parameters.get("code_challenge_method") !== "S256") return refuse("invalid_request", "only S256 is supported");
  return null;
}

/** `GET /restapi/oauth/authorize`: a page with a user picker and the buttons Allow and Deny. PKCE S256 is mandatory. */
export function authorizePage(call: Call, state: State): Answer {
  const refusal = refuseRequest(call.query, state.settings);
  if (refusal !== null) return refusal;
  const hidden = [...call.query]
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join("");
  const picker = [...state.platform.users.values()]
    .map(
      (user, index) =>
        `<label><input type="radio" name="sandbox_user" value="${escapeHtml(user.username)}"${index === 0 ? " checked" : ""}> ` +
        `${escapeHtml(user.username)}</label><small>${escapeHtml(user.note)}</small>`,
    )
    .join("");
  return html(
    page(
      "RingCentral sandbox sign-in",
      `<form method="post" action="/restapi/oauth/authorize">${hidden}<fieldset><legend>Sign in as</legend>${picker}</fieldset>` +
        '<button name="sandbox_decision" value="allow">Allow</button><button name="sandbox_decision" value="deny">Deny</button></form>',
    ),
  );
}

/** The form of that page: 302 back to the client with a code, or with `error=access_denied`. */
export function authorizeDecision(call: Call, state: State): Answer {
  const refusal = refuseRequest(call.form, state.settings);
  if (refusal !== null) return refusal;
  const value = (name: string) => call.form.get(name) ?? "";
  const redirectUri = value("redirect_uri");
  if (value("sandbox_decision") !== "allow" || !state.platform.users.has(value("sandbox_user"))) {
    return redirect(redirectUri, { error: "access_denied", state: value("state") });
  }
  const code = state.ringex.issueCode(value("sandbox_user"), redirectUri, value("code_challenge"));
  return withEffect(redirect(redirectUri, { code, state: value("state") }));
}

function isClient(call: Call): boolean {
  const basic = /^Basic (.+)$/i.exec(call.headers.authorization ?? "")?.[1];
  if (basic === undefined) {
    return call.form.get("client_id") === CLIENT_ID && call.form.get("client_secret") === CLIENT_SECRET;
  }
  // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
  const [id, secret] = Buffer.from(basic, "base64").toString("utf8").split(":", 2);
  const decoded = new URLSearchParams(`id=${id ?? ""}&secret=${secret ?? ""}`);
  return decoded.get("id") === CLIENT_ID && decoded.get("secret") === CLIENT_SECRET;
}

/** `POST /restapi/oauth/token`: authorization_code with code_verifier, or refresh_token. Errors as in RFC 6749. */
export function token(call: Call, state: State): Answer {
  const refuse = (status: number, error: string, error_description: string) =>
    json({ error, error_description, errors: [{ errorCode: "OAU-100", message: error_description }] }, status);
  if (!isClient(call)) return refuse(401, "invalid_client", "Client authentication failed");
  const value = (name: string) => call.form.get(name) ?? "";
  const grantType = value("grant_type");
  if (grantType !== "authorization_code" && grantType !== "refresh_token") {
    return refuse(400, "unsupported_grant_type", "Unsupported grant type");
  }
  const issued =
    grantType === "authorization_code"
      ? state.ringex.redeemCode(value("code"), value("redirect_uri"), value("code_verifier"))
      : state.ringex.refresh(value("refresh_token"));
  return issued === null ? refuse(400, "invalid_grant", "Token is invalid") : withEffect(json(issued));
}

/** RingEX's refusal of a missing or dead access token. */
export function tokenNotFound(): Answer {
  const error = { errorCode: "OAU-213", message: "Token not found" };
  return json({ errorCode: "TokenInvalid", message: error.message, errors: [error] }, 401);
}

const ownUri = (call: Call, path: string) => `http://${call.headers.host ?? "localhost"}/restapi/v1.0/account/${path}`;

/** `GET /restapi/v1.0/account/~`. */
export function rcAccount(call: Call, _state: State, { user }: Identity & { user: SandboxUser }): Answer {
  const id = `40${user.mainAccountId}`;
  return json({
    uri: ownUri(call, id),
    id: Number(id),
    mainNumber: "+16505550100",
    operator: { id: 222_222_001_111, extensionNumber: "101" },
    serviceInfo: { brand: { id: "1210", name: "RingCentral" }, billingPlan: { name: "Sandbox" } },
    setupWizardState: "Completed",
    status: "Confirmed",
  });
}

/** `GET /restapi/v1.0/account/~/extension/~`: the signed-in person, with `name` and `contact.email`. */
export function rcExtension(call: Call, _state: State, { user }: Identity & { user: SandboxUser }): Answer {
  const id = 222_222_000_000 + user.userId;
  return json({
    uri: ownUri(call, `40${user.mainAccountId}/extension/${id}`),
    id,
    extensionNumber: String(user.userId),
    contact: {
      firstName: user.firstName,
      lastName: user.lastName,
      company: user.mainAccountName,
      email: user.username,
    },
    name: `${user.firstName} ${user.lastName}`,
    type: "User",
    status: user.enabled ? "Enabled" : "Disabled",
    permissions: { admin: { enabled: true } },
  });
}
