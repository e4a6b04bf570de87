import { createHash, randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bearer, type SignedIn, TestClient, TOKENS } from "./test-client.ts";

let client: TestClient;
let verifier: string;
beforeEach(async () => {
  client = await TestClient.start();
  verifier = randomBytes(32).toString("base64url");
});
afterEach(() => client.sandbox.close());

const REDIRECT = "http://localhost:3000/api/auth/callback/ringcentral";
const CLIENT = { client_id: "sandbox-client", client_secret: "sandbox-secret" };

const request = (changes: Record<string, string> = {}) => ({
  client_id: "sandbox-client",
  redirect_uri: REDIRECT,
  response_type: "code",
  state: "a state & more",
  code_challenge: createHash("sha256").update(verifier).digest("base64url"),
  code_challenge_method: "S256",
  ...changes,
});

const authorize = (changes: Record<string, string> = {}) =>
  client.call("GET", `/restapi/oauth/authorize?${new URLSearchParams(request(changes))}`);

async function decide(decision = "allow", username = "ana@example.com"): Promise<URLSearchParams> {
  const fields = { ...request(), sandbox_user: username, sandbox_decision: decision };
  const { headers, status } = await client.form("/restapi/oauth/authorize", fields);
  expect(status).toBe(302);
  const location = headers.get("location") ?? "";
  expect(location.startsWith(REDIRECT)).toBe(true);
  return new URL(location).searchParams;
}

const redeem = (code: string, changes: Record<string, string> = {}, headers: Record<string, string> = {}) => {
  const fields = { grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: verifier };
  return client.form("/restapi/oauth/token", { ...fields, ...CLIENT, ...changes }, headers);
};

type Tokens = { access_token: string; refresh_token: string };

async function signIn(username = "ana@example.com"): Promise<Tokens> {
  const code = (await decide("allow", username)).get("code") ?? "";
  return JSON.parse((await redeem(code)).body) as Tokens;
}

const exchange = (accessToken: string, query = "?includeRefresh=true", rcTokenType = "Bearer") =>
  client.form(`/api/auth/login/rc/accesstoken${query}`, { rcAccessToken: accessToken, rcTokenType });

describe("RingEX authorization", () => {
  it("shows a page whose form carries the request, the users and two buttons", async () => {
    const { status, body, contentType } = await authorize();
    expect(status).toBe(200);
    expect(contentType).toMatch(/^text\/html/);
    expect(body).toContain('name="state" value="a state &#38; more"');
    expect(body).toContain('name="sandbox_user" value="ana@example.com"');
    expect(body).toMatch(/<button[^>]*value="allow">Allow<\/button><button[^>]*value="deny">Deny<\/button>/);
  });

  it("goes back with a code and the state, or with access_denied", async () => {
    const allowed = await decide("allow");
    expect(allowed.get("code")).toBeTruthy();
    expect(allowed.get("state")).toBe("a state & more");
    const denied = await decide("deny");
    expect(denied.get("error")).toBe("access_denied");
    expect(denied.get("state")).toBe("a state & more");
    expect(denied.has("code")).toBe(false);
  });

  it("never redirects for an unknown client or address", async () => {
    expect((await authorize({ client_id: "x" })).status).toBe(400);
    expect((await authorize({ redirect_uri: "https://evil.example.com/cb" })).status).toBe(400);
    expect((await authorize({ redirect_uri: "https://localhost:8443/cb" })).status).toBe(200);
    await client.control("POST", "config", { redirectUris: ["https://tokendesk.example.com/cb"] });
    expect((await authorize({ redirect_uri: "https://tokendesk.example.com/cb" })).status).toBe(200);
    expect((await authorize()).status).toBe(400);
  });

  it.each([
    [{ response_type: "token" }, "unsupported_response_type"],
    [{ state: "" }, "invalid_request"],
    [{ code_challenge: "" }, "invalid_request"],
    [{ code_challenge_method: "plain" }, "invalid_request"],
  ])("sends %o back as %s", async (changes, error) => {
    const { status, headers } = await authorize(changes as Record<string, string>);
    expect(status).toBe(302);
    expect(new URL(headers.get("location") ?? "").searchParams.get("error")).toBe(error);
  });
});

describe("RingEX tokens", () => {
  it("come for a code, its verifier and the client, in the body or as Basic", async () => {
    const inBody = await redeem((await decide()).get("code") ?? "");
    expect(JSON.parse(inBody.body)).toMatchObject({ token_type: "bearer", expires_in: 3600 });
    const basic = Buffer.from("sandbox%2Dclient:sandbox-secret").toString("base64");
    const noClient = { client_id: "", client_secret: "" };
    const code = (await decide()).get("code") ?? "";
    expect((await redeem(code, noClient, { authorization: `Basic ${basic}` })).status).toBe(200);
  });

  it("refuse a wrong client without using up the code", async () => {
    const code = (await decide()).get("code") ?? "";
    const refused = await redeem(code, { client_secret: "wrong" });
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body)).toMatchObject({ error: "invalid_client" });
    expect((await redeem(code)).status).toBe(200);
  });

  it("refuse a wrong verifier, another redirect_uri and a code older than a minute", async () => {
    for (const changes of [{ code_verifier: "wrong" }, { redirect_uri: "http://localhost/other" }]) {
      const refused = await redeem((await decide()).get("code") ?? "", changes);
      expect(refused.status).toBe(400);
      expect(JSON.parse(refused.body)).toMatchObject({ error: "invalid_grant" });
    }
    const late = (await decide()).get("code") ?? "";
    await client.control("POST", "clock", { advanceSeconds: 60 });
    expect((await redeem(late)).status).toBe(400);
    expect((await redeem("x", { grant_type: "password" })).body).toContain("unsupported_grant_type");
  });

  it("come for no code that a test has let expire", async () => {
    const code = (await decide()).get("code") ?? "";
    await client.control("POST", "expire-codes");
    expect((await redeem(code)).status).toBe(400);
    expect((await redeem((await decide()).get("code") ?? "")).status).toBe(200);
  });

  it("die when their code is used a second time", async () => {
    const code = (await decide()).get("code") ?? "";
    const { access_token } = JSON.parse((await redeem(code)).body) as Tokens;
    const account = () => client.call("GET", "/restapi/v1.0/account/~", bearer(access_token));
    expect((await account()).status).toBe(200);
    expect((await redeem(code)).status).toBe(400);
    expect((await account()).status).toBe(401);
  });

  it("rotate, and an old refresh token ends the grant", async () => {
    const first = await signIn();
    const refresh = (refresh_token: string) =>
      client.form("/restapi/oauth/token", { grant_type: "refresh_token", refresh_token, ...CLIENT });
    const second = JSON.parse((await refresh(first.refresh_token)).body) as Tokens;
    expect((await exchange(second.access_token)).status).toBe(200);
    expect((await refresh(first.refresh_token)).status).toBe(400);
    expect((await refresh(second.refresh_token)).status).toBe(400);
    expect((await exchange(second.access_token)).status).toBe(401);
  });

  it("name the person behind them", async () => {
    const { access_token } = await signIn("other@example.com");
    const extension = await client.call("GET", "/restapi/v1.0/account/~/extension/~", bearer(access_token));
    expect(JSON.parse(extension.body)).toMatchObject({
      name: "Olga Theroux",
      contact: { email: "other@example.com", firstName: "Olga" },
    });
    const refused = await client.call("GET", "/restapi/v1.0/account/~/extension/~", bearer("x"));
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body)).toMatchObject({ errorCode: "TokenInvalid" });
  });
});

describe("the exchange for a RingCX token", () => {
  it("signs in, with a refresh token only when asked", async () => {
    const { access_token } = await signIn();
    const full = JSON.parse((await exchange(access_token)).body) as SignedIn;
    expect(full).toMatchObject({ ssoLogin: true, adminId: 1111, refreshToken: expect.any(String) });
    expect((await client.call("GET", TOKENS, bearer(full.accessToken))).status).toBe(200);
    expect(JSON.parse((await exchange(access_token, "")).body)).not.toHaveProperty("refreshToken");
  });

  it("refuses a foreign token, another token type and a forbidden user", async () => {
    const { access_token } = await signIn();
    expect((await exchange("x")).status).toBe(401);
    expect((await exchange(access_token, "", "Basic")).status).toBe(401);
    expect((await exchange((await signIn("forbidden@example.com")).access_token)).status).toBe(403);
  });

  it("allows five in a minute to all together when told so", async () => {
    await client.control("POST", "config", { exchangePerUser: false, retryAfter: true });
    const [ana, other] = [(await signIn()).access_token, (await signIn("other@example.com")).access_token];
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await exchange(ana)).status).toBe(200);
    const refused = await exchange(other);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
  });

  it.each(["oauth.authorize", "oauth.token", "rc.account", "rc.extension", "exchange"])(
    "bends under faults: %s",
    async (operation) => {
      const { access_token } = await signIn();
      await client.fault({ operation, kind: "html502" });
      const call: Record<string, () => Promise<{ status: number }>> = {
        "oauth.authorize": () => authorize(),
        "oauth.token": () => redeem("x"),
        "rc.account": () => client.call("GET", "/restapi/v1.0/account/~", bearer(access_token)),
        "rc.extension": () => client.call("GET", "/restapi/v1.0/account/~/extension/~", bearer(access_token)),
        exchange: () => exchange(access_token),
      };
      expect((await call[operation]?.())?.status).toBe(502);
      expect((await call[operation]?.())?.status).not.toBe(502);
    },
  );

  it("allows five in a minute", async () => {
    const { access_token } = await signIn();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) statuses.push((await exchange(access_token)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect((await exchange((await signIn("other@example.com")).access_token)).status).toBe(200);
    await client.control("POST", "clock", { advanceSeconds: 60 });
    expect((await exchange(access_token)).status).toBe(200);
  });
});
