/**
 * A company's identity provider for tests, as a process of its own: oidc-provider, with a page to sign in at and a way to
 * tell it how to behave. `node test/oidc-provider.ts` prints "listening on {issuer}". `POST /__control` takes a part of
 * {@link Behaviour}; it starts anew then, without its sessions, and with new keys when `rotate` is given.
 */
import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { Provider } from "oidc-provider";
import { CLIENT } from "./oidc-client.ts";

/** What goes wrong with the next answers of the token or userinfo endpoint. */
export type Flaw =
  | "alg-none"
  | "alg-hs256"
  | "alg-rs512"
  | "audience"
  | "clock-ahead"
  | "endless"
  | "expired"
  | "foreign-key"
  | "issuer"
  | "keys-stall"
  | "long-ago"
  | "no-auth-time"
  | "no-nonce"
  | "nonce"
  | "not-json"
  | "other-subject"
  | "server-error"
  | "stalls";

export type Behaviour = {
  alg: "RS256" | "ES256";
  /** By the name that is typed at its page. `sub` is that name unless it is given. */
  accounts: Record<string, Record<string, unknown>>;
  claimsIn: "id_token" | "userinfo";
  endSession: boolean;
  flaw: Flaw | null;
};

const initial: Behaviour = { alg: "RS256", accounts: {}, claimsIn: "id_token", endSession: true, flaw: null };

/** Providers often live below a path. */
const mount = "/realms/acme";

type Keys = Record<Behaviour["alg"], { privateKey: KeyObject; jwk: object; kid: string }>;

function newKeys(): Keys {
  const keyOf = (alg: Behaviour["alg"]) => {
    const { privateKey } =
      alg === "ES256"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("rsa", { modulusLength: 2048 });
    const kid = randomUUID();
    return { privateKey, kid, jwk: { ...privateKey.export({ format: "jwk" }), use: "sig", alg, kid } };
  };
  return { RS256: keyOf("RS256"), ES256: keyOf("ES256") };
}

let behaviour = initial;
let keys = newKeys();
let issuer = "";
let provider: Provider;
let handle: ReturnType<Provider["callback"]>;

/** Any dashboard of the tests, directly or behind a proxy with TLS. */
const app = /^https?:\/\/127\.0\.0\.1:\d+$/;

const callbackPath = "/api/auth/callback/oidc";
const signedOutPath = "/sign-in?reason=signed-out";

function begin(): void {
  const { alg, accounts, claimsIn, endSession } = behaviour;
  provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        application_type: "native",
        token_endpoint_auth_method: "client_secret_basic",
        redirect_uris: [`http://127.0.0.1${callbackPath}`],
        post_logout_redirect_uris: [`http://127.0.0.1${signedOutPath}`],
        id_token_signed_response_alg: alg,
      },
    ],
    jwks: { keys: [keys.RS256.jwk, keys.ES256.jwk] },
    cookies: { keys: ["a key of the cookies at the identity provider"] },
    pkce: { required: () => true },
    conformIdTokenClaims: claimsIn === "userinfo",
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "groups", "roles", "realm_access", "https://example.com/groups"],
    },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: endSession, logoutSource } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `${mount}/interaction/${uid}` },
    findAccount: (_: unknown, accountId: string) => {
      const claims = accounts[accountId];
      const sub = String(claims?.sub ?? accountId);
      return claims && { accountId, claims: () => ({ ...claims, sub }) };
    },
  });
  const isAt = (path: string) => (uri: string) => uri.endsWith(path) && app.test(uri.slice(0, -path.length));
  provider.Client.prototype.redirectUriAllowed = isAt(callbackPath);
  provider.Client.prototype.postLogoutRedirectUriAllowed = isAt(signedOutPath);
  provider.use(async (context, next) => {
    await next();
    if (behaviour.flaw !== null) spoil(context, behaviour.flaw);
  });
  handle = provider.callback();
}

/** Its own page, without fonts of other sites. */
function logoutSource(context: { body: unknown }, form: string): void {
  context.body = `<!doctype html><html lang="en"><title>Acme sign-out</title><link rel="icon" href="data:,">${form}
<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out of Acme</button>`;
}

function spoil(context: { path: string; body: unknown; status?: number }, flaw: Flaw): void {
  const answer = context.body as Record<string, unknown>;
  if (context.path === "/me" && flaw === "other-subject") context.body = { ...answer, sub: "somebody-else" };
  if (context.path === "/jwks" && flaw === "keys-stall") context.body = begun();
  if (context.path !== "/token") return;
  if (flaw === "server-error") {
    context.body = "out of order";
    context.status = 503;
  } else if (flaw === "not-json") context.body = "<!doctype html><title>Welcome</title>";
  else if (flaw === "stalls") context.body = begun();
  else if (flaw === "endless") context.body = Readable.from(withoutEnd());
  else if (typeof answer.id_token === "string") context.body = { ...answer, id_token: forged(answer.id_token, flaw) };
}

/** The head of an answer and its first byte; nothing more comes. */
function begun(): Readable {
  const answer = new Readable({ read() {} });
  answer.push("{");
  return answer;
}

function* withoutEnd(): Generator<string> {
  for (;;) yield " ".repeat(65_536);
}

function forged(token: string, flaw: Flaw): string {
  const [head = "", body = ""] = token.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  const write = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const header = read(head);
  const claims = read(body);
  const { privateKey } = keys[behaviour.alg];
  const signed = (changed: object, key = privateKey) => {
    const input = `${head}.${write({ ...claims, ...changed })}`;
    return `${input}.${sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  };
  switch (flaw) {
    case "alg-none":
      return `${write({ ...header, alg: "none" })}.${body}.`;
    case "alg-hs256": {
      const input = `${write({ alg: "HS256" })}.${body}`;
      return `${input}.${createHmac("sha256", CLIENT.secret).update(input).digest("base64url")}`;
    }
    case "alg-rs512": {
      const input = `${write({ ...header, alg: "RS512" })}.${body}`;
      return `${input}.${sign("sha512", Buffer.from(input), keys.RS256.privateKey).toString("base64url")}`;
    }
    case "foreign-key":
      return signed({}, newKeys()[behaviour.alg].privateKey);
    case "audience":
      return signed({ aud: "another-client" });
    case "issuer":
      return signed({ iss: `${String(claims.iss)}/` });
    case "nonce":
      return signed({ nonce: "of another sign-in" });
    case "no-nonce":
      return signed({ nonce: undefined });
    case "no-auth-time":
      return signed({ auth_time: undefined });
    case "long-ago":
      return signed({ auth_time: Number(claims.iat) - 3_600 });
    case "clock-ahead":
      return signed({ nbf: Number(claims.iat) + 5 });
    case "expired":
      return signed({ iat: 1_000, exp: 2_000 });
    default:
      return token;
  }
}

/** The page that people sign in at: a name is enough. */
async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params, prompt } = await provider.interactionDetails(request, response);
  if (request.method !== "POST") {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><html lang="en"><title>Acme sign-in</title><link rel="icon" href="data:,"><h1>Acme sign-in</h1><p>${prompt.name}</p>
<form method="post"><label>Acme account <input name="name"></label>
<button name="answer" value="allow">Sign in at Acme</button><button name="answer" value="deny">Decline</button></form>`);
    return;
  }
  const form = new URLSearchParams(await text(request));
  const accountId = form.get("name") ?? "";
  if (form.get("answer") === "deny" || !(accountId in behaviour.accounts)) {
    const error = { error: "access_denied", error_description: "The person said no <script>alert(1)</script>" };
    return provider.interactionFinished(request, response, error);
  }
  const grant = new provider.Grant({ accountId, clientId: params.client_id ?? "" });
  grant.addOIDCScope(params.scope ?? "");
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { login: { accountId }, consent });
}

const server = createServer(async (request, response) => {
  try {
    const path = request.url ?? "/";
    if (path === "/__control" && request.method === "POST") {
      const { rotate = false, ...change } = JSON.parse(await text(request)) as Partial<Behaviour> & {
        rotate?: boolean;
      };
      behaviour = { ...behaviour, ...change };
      if (rotate) keys = newKeys();
      begin();
      response.end();
    } else if (path.startsWith(`${mount}/interaction/`)) {
      await interact(request, response);
    } else if (path.startsWith(mount)) {
      Object.assign(request, { originalUrl: path });
      request.url = path.slice(mount.length);
      handle(request, response);
    } else {
      response.writeHead(404).end();
    }
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});

// By name: what the browser keeps for it is apart from the dashboard's, which the tests reach by its address.
server.listen(0, "localhost", () => {
  issuer = `http://localhost:${(server.address() as AddressInfo).port}${mount}`;
  begin();
  process.stdout.write(`listening on ${issuer}\n`);
});
