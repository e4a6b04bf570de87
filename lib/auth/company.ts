import "server-only";
import type { OAuthConfig } from "next-auth/providers/oauth";
import { Agent, request } from "undici";
import { z } from "zod";
import { boundedAgent } from "@/lib/auth/bounded-agent";
import { type Arrival, newSessionId, type SignedIn, type SignInAttempt, signInAttempt } from "@/lib/auth/sign-in";
import { env, type OidcSettings } from "@/lib/env";
import { isTokendeskError, TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import type { SessionData } from "@/lib/session/schema";

/**
 * The company's own identity provider (OpenID Connect). It says who somebody is, and nothing of RingCX. What it says of
 * itself (discovery) is read and judged here; signatures, nonces and times are checked by openid-client, inside next-auth.
 */

const deadlineMs = 5_000;
/** For what a sign-out would stand still for. */
const patienceMs = 1_500;
const freshForMs = 10 * 60_000;
const maxBytes = 256 * 1024;
/** With which a provider may sign, in the order of wish: no shared secret, and never nothing. */
const signatures: readonly unknown[] = ["ES256", "RS256"];

/** What the provider says of itself. */
export type CompanyMetadata = z.infer<ReturnType<typeof metadataOf>>;

function metadataOf(issuer: string) {
  const own = protocolOf(issuer);
  // The browser is sent there, or our secret is: https, or http on this machine of a provider that is on it itself.
  const endpoint = z.url({ protocol: /^https?$/ }).refine((value) => {
    const { protocol, hostname } = new URL(value);
    return protocol === own && (own === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname));
  });
  return z.object({
    issuer: z.string(),
    authorization_endpoint: endpoint,
    token_endpoint: endpoint,
    jwks_uri: endpoint,
    userinfo_endpoint: endpoint.optional().catch(undefined),
    end_session_endpoint: endpoint.optional().catch(undefined),
    token_endpoint_auth_methods_supported: z.array(z.string()).default(["client_secret_basic"]),
    authorization_response_iss_parameter_supported: z.boolean().default(false),
  });
}

function protocolOf(issuer: string): "http:" | "https:" {
  return new URL(issuer).protocol === "https:" ? "https:" : "http:";
}

type Shared = {
  agent: Agent;
  known: { of: string; metadata: CompanyMetadata; at: number } | null;
  /** The question that is under way: however many want to go there, the provider is asked by one. */
  asking: Promise<CompanyMetadata> | null;
};
const slot = Symbol.for("tokendesk.oidc");
type Slot = { [slot]?: Shared };

function shared(): Shared {
  const holder = globalThis as Slot;
  holder[slot] ??= { agent: new Agent({ connections: 4, connectTimeout: deadlineMs }), known: null, asking: null };
  return holder[slot];
}

/**
 * Asks the provider about itself.
 * @param options.anew also when the last answer is a few minutes old: whoever is sent there should find somebody
 * @throws {TokendeskError} it is down, or is not the issuer that OIDC_ISSUER names
 */
export async function companyMetadata({ anew = false, timeoutMs = deadlineMs } = {}): Promise<CompanyMetadata> {
  const { issuer } = settings();
  const current = shared();
  const { known } = current;
  if (!anew && known?.of === issuer && Date.now() - known.at < freshForMs) return known.metadata;
  current.asking ??= askCompany(issuer, timeoutMs).finally(() => {
    current.asking = null;
  });
  return current.asking;
}

async function askCompany(issuer: string, timeoutMs: number): Promise<CompanyMetadata> {
  const { agent } = shared();
  let body: string;
  try {
    const response = await request(`${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`, {
      dispatcher: agent,
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.statusCode >= 500 || response.statusCode === 429) throw new Error(`status ${response.statusCode}`);
    body = await readCapped(response.body);
    if (response.statusCode !== 200) body = "";
  } catch (error) {
    throw down(error);
  }
  const metadata = readDescription(issuer, body);
  shared().known = { of: issuer, metadata, at: Date.now() };
  return metadata;
}

/** @throws {TokendeskError} it cannot be believed */
export function readDescription(issuer: string, body: string): CompanyMetadata {
  const metadata = metadataOf(issuer).safeParse(parseJson(body));
  if (!metadata.success) throw wrong("its description of itself cannot be read");
  // Letter by letter: an ID token is compared with what stands here.
  if (metadata.data.issuer !== issuer) throw wrong("it calls itself by another name than OIDC_ISSUER");
  return metadata.data;
}

async function readCapped(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function settings(): OidcSettings {
  const { oidc } = env();
  if (oidc === null) throw new TokendeskError("not_found", "Company sign-in is not set up here.");
  return oidc;
}

/**
 * The provider as next-auth takes it; none when there is none.
 * @param metadata null: for a list of the doors, not to go through one
 * @param options.fresh the person has to sign in there once more
 */
export function companyProvider(
  metadata: CompanyMetadata | null,
  { fresh = false } = {},
): OAuthConfig<Record<string, unknown>>[] {
  const { oidc } = env();
  if (oidc === null) return [];
  const common = { id: "oidc", name: oidc.name, type: "oauth" as const };
  const profile = ({ sub }: Record<string, unknown>) => ({ id: String(sub) });
  if (metadata === null) return [{ ...common, profile }];
  const methods = metadata.token_endpoint_auth_methods_supported;
  const posts = !methods.includes("client_secret_basic") && methods.includes("client_secret_post");
  return [
    {
      ...common,
      profile,
      issuer: metadata.issuer,
      jwks_endpoint: metadata.jwks_uri,
      clientId: oidc.clientId,
      clientSecret: oidc.clientSecret,
      client: { token_endpoint_auth_method: posts ? "client_secret_post" : "client_secret_basic" },
      // The agent's deadline comes first: after its own, openid-client would leave an error of the connection uncaught.
      httpOptions: {
        timeout: 2 * deadlineMs,
        agent: boundedAgent(protocolOf(metadata.issuer), { deadlineMs, maxBytes }),
      },
      idToken: true,
      checks: ["pkce", "state", "nonce"],
      authorization: {
        url: metadata.authorization_endpoint,
        params: { scope: oidc.scopes, ...(fresh ? { prompt: "login", max_age: 0 } : {}) },
      },
      token: { url: metadata.token_endpoint, request: (asked) => telling(() => exchange(metadata, asked)) },
      userinfo: {
        ...(metadata.userinfo_endpoint === undefined ? {} : { url: metadata.userinfo_endpoint }),
        request: (asked) => telling(() => allClaims(metadata, asked)),
      },
    },
  ];
}

type Provider = OAuthConfig<Record<string, unknown>>;
type Handler<Endpoint> = NonNullable<Exclude<Endpoint, string | undefined> extends { request?: infer R } ? R : never>;
type TokenAsked = Parameters<Handler<Provider["token"]>>[0];
type ClaimsAsked = Parameters<Handler<Provider["userinfo"]>>[0];

/** The code for tokens, and the ID token checked, whichever of the two signatures the provider uses. */
async function exchange(metadata: CompanyMetadata, { client, provider, params, checks }: TokenAsked) {
  // Before the code is spent.
  if (!params.state || params.state !== checks.state) throw lostState();
  if (metadata.authorization_response_iss_parameter_supported && params.iss !== metadata.issuer) {
    throw wrong("somebody else answered in its place");
  }
  if (!params.code) throw wrong("it sent nobody");
  const tokens = await client.grant({
    grant_type: "authorization_code",
    code: params.code,
    redirect_uri: provider.callbackUrl,
    code_verifier: checks.code_verifier,
  });
  const alg = signatureOf(tokens.id_token);
  if (!signatures.includes(alg)) throw wrong("its ID token is not signed with RS256 or ES256");
  // openid-client takes one signature for each client, and next-auth makes the client before the token is here.
  const judge = new client.issuer.Client({ ...client.metadata, id_token_signed_response_alg: String(alg) });
  // What next-auth has set on its client besides: clocks may differ by ten seconds.
  for (const setting of Object.getOwnPropertySymbols(client)) Reflect.set(judge, setting, Reflect.get(client, setting));
  judge.grant = async () => tokens;
  return { tokens: await judge.callback(provider.callbackUrl, params, checks) };
}

/** `alg` of a JWT's header, unchecked. */
function signatureOf(token: string | undefined): unknown {
  const header = parseJson(Buffer.from(token?.split(".")[0] ?? "", "base64url").toString("utf8"));
  return header !== null && typeof header === "object" && "alg" in header ? header.alg : null;
}

/** The claims of the ID token; those that it lacks from the userinfo endpoint, which must speak of the same person. */
async function allClaims(metadata: CompanyMetadata, { client, ...asked }: ClaimsAsked) {
  // What `exchange` gave: next-auth types it as less.
  const tokens = asked.tokens as Awaited<ReturnType<typeof client.callback>>;
  const { opsGroup, groupsClaim, trustEmail } = settings();
  const signed: Record<string, unknown> = tokens.claims();
  const hasEmail = signed.email !== undefined && (trustEmail || signed.email_verified !== undefined);
  const hasGroups = opsGroup === null || claimAt(signed, groupsClaim) !== undefined;
  if ((hasEmail && hasGroups) || metadata.userinfo_endpoint === undefined) return signed;
  const said: Record<string, unknown> = await client.userinfo(tokens);
  if (said.sub !== signed.sub) throw wrong("it speaks of two people at once");
  const merged = { ...said, ...signed };
  // An address and whether it is verified belong together.
  if (hasEmail || said.email === undefined)
    return { ...merged, email: signed.email, email_verified: signed.email_verified };
  return { ...merged, email: said.email, email_verified: said.email_verified };
}

const personSchema = z.object({
  sub: z.string().min(1).max(255),
  name: z.string().trim().min(1).optional().catch(undefined),
  email: z.email().max(254).optional().catch(undefined),
  email_verified: z.unknown().optional(),
  /** Seconds. */
  auth_time: z.number().nonnegative().optional().catch(undefined),
});

/**
 * The person that the provider vouches for, and a session without any connection. It is as old as the sign-in at the
 * provider, where that is told.
 * @throws {TokendeskError} `forbidden`: without a verified e-mail address nobody is signed in
 */
export function companyPerson(
  { profile }: Arrival,
  attempt: Pick<SignInAttempt, "username" | "tenant">,
): { person: SignedIn; session: SessionData; authenticatedAt: number | null } {
  const { issuer, trustEmail, groupsClaim, opsGroup } = settings();
  const { host } = new URL(issuer);
  const home = `sso|${host}`;
  attempt.tenant = home;
  const parsed = personSchema.safeParse(profile);
  if (!parsed.success) throw wrong("it does not say who this is");
  const { sub, name, email, email_verified, auth_time } = parsed.data;
  const login = email?.toLowerCase() ?? "";
  attempt.username = login;
  if (login === "" || (email_verified !== true && !trustEmail)) {
    throw new TokendeskError("forbidden", "The identity provider does not vouch for the e-mail address.", {
      extensions: { problem: "unverified_email" },
    });
  }
  const now = Date.now();
  const authenticatedAt = auth_time === undefined ? null : Math.min(now, Math.trunc(auth_time * 1000));
  const sid = newSessionId();
  return {
    person: {
      id: `${idsOf(issuer)}${sub}`,
      // All cookies together have little room.
      name: (name?.replace(/\p{C}+/gu, " ").trim() || login).slice(0, 80).toWellFormed(),
      email: login,
      login,
      sid,
      provider: "oidc",
      inOpsGroup: opsGroup !== null && groupsIn(claimAt(profile, groupsClaim)).includes(opsGroup),
    },
    session: {
      sid,
      createdAt: now,
      seenAt: now,
      connections: [],
      home,
      ...(authenticatedAt === null ? {} : { authenticatedAt }),
    },
    authenticatedAt,
  };
}

/** A `sub` means something at its issuer only, and one host may be several of them. */
function idsOf(issuer: string): string {
  const { host, pathname } = new URL(issuer);
  return `oidc:${host}${pathname.replace(/\/+$/, "")}:`;
}

/** Whether the provider that vouched for this identity is still the company's. */
export function isOfCompany(identity: string): boolean {
  const { oidc } = env();
  return oidc !== null && identity.startsWith(idsOf(oidc.issuer));
}

/** One group, or a list of them. Anything else is no group: nothing is taken for a word that it is not. */
function groupsIn(claim: unknown): string[] {
  const parsed = z.union([z.string().transform((group) => [group]), z.array(z.string())]).safeParse(claim);
  return parsed.success ? parsed.data : [];
}

/** A claim by its name, which may hold dots, or by a path of names: `realm_access.roles`. */
function claimAt(claims: unknown, path: string): unknown {
  if (claims === null || typeof claims !== "object" || Array.isArray(claims)) return undefined;
  const own = (name: string) => (Object.hasOwn(claims, name) ? (claims as Record<string, unknown>)[name] : undefined);
  const whole = own(path);
  if (whole !== undefined) return whole;
  const dot = path.indexOf(".");
  return dot === -1 ? undefined : claimAt(own(path.slice(0, dot)), path.slice(dot + 1));
}

/** Why nobody arrived, where the provider was not asked for anything yet. */
export function companyTrouble(url: URL): TokendeskError {
  const error = url.searchParams.get("error");
  if (error === null) return lostState();
  if (error === "access_denied") {
    return new TokendeskError("forbidden", "The sign-in was declined at the identity provider.", {
      extensions: { problem: "denied" },
    });
  }
  return error === "temporarily_unavailable" ? down(null) : wrong("it refused", error);
}

/**
 * Where the browser ends the sign-in at the provider and comes back from; null: it offers no such thing, or is not there
 * just now. No ID token is kept to show there, so that it may ask the person.
 */
export async function companySignOut(): Promise<string | null> {
  const { oidc, appUrl } = env();
  if (oidc === null) return null;
  const metadata = await companyMetadata({ anew: true, timeoutMs: patienceMs }).catch((error: unknown) => {
    if (!isTokendeskError(error)) throw error;
    return null;
  });
  if (metadata?.end_session_endpoint === undefined) return null;
  const url = new URL(metadata.end_session_endpoint);
  url.searchParams.set("client_id", oidc.clientId);
  url.searchParams.set("post_logout_redirect_uri", `${appUrl}/sign-in?reason=signed-out`);
  return url.href;
}

/** next-auth would tell no more than that something failed. */
async function telling<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const attempt = signInAttempt.getStore();
    if (attempt) attempt.error = troubleOf(error);
    throw error;
  }
}

/** What openid-client throws: `error` is the provider's own code, `response` what it was in. */
const thrownSchema = z.object({
  name: z.string().catch(""),
  message: z.string().catch(""),
  error: z.string().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  response: z.object({ statusCode: z.number() }).optional().catch(undefined),
});

function troubleOf(thrown: unknown): TokendeskError {
  if (isTokendeskError(thrown)) return thrown;
  const { name, message, error, code, response } = thrownSchema.parse(thrown);
  if (error === "invalid_grant") {
    return new TokendeskError("invalid_input", "This sign-in was used already, or took too long.", {
      extensions: { problem: "code" },
    });
  }
  const status = response?.statusCode ?? 0;
  // ECONNRESET: the answer was cut off, by it or by us.
  const unreachable =
    code === "ECONNRESET" ||
    (response === undefined && (code !== undefined || message.startsWith("outgoing request timed out")));
  if (status >= 500 || status === 429 || unreachable) return down(thrown);
  // The first words only: behind them stands what the provider sent.
  return wrong(name === "RPError" ? (/^[\w' -]*/.exec(message)?.[0] ?? "").slice(0, 80) : "it refused", error);
}

function lostState(): TokendeskError {
  return new TokendeskError("invalid_input", "This sign-in was not begun in this browser, or took too long.", {
    extensions: { problem: "state" },
  });
}

function down(cause: unknown): TokendeskError {
  return new TokendeskError("upstream_unavailable", "The identity provider cannot be reached right now.", {
    cause,
    extensions: { problem: "provider_down" },
  });
}

/** @param said a code of the provider's: no more of it than a code is written down */
function wrong(why: string, said?: string): TokendeskError {
  const code = said !== undefined && /^[a-z_]{1,40}$/.test(said) ? said : undefined;
  logger().warn({ why, code }, "the identity provider gave an answer that is not accepted");
  return new TokendeskError("upstream_bad_response", "The identity provider gave an answer that makes no sense.", {
    extensions: { problem: "provider_error" },
  });
}
