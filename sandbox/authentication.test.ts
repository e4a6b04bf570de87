import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bearer, type SignedIn, TestClient, TOKENS, xAuth } from "./test-client.ts";

let client: TestClient;
beforeEach(async () => {
  client = await TestClient.start();
});
afterEach(() => client.sandbox.close());

const refresh = (refreshToken: string) => client.form("/api/auth/token/refresh", { refresh_token: refreshToken });
const list = (accessToken: string) => client.call("GET", TOKENS, bearer(accessToken));

describe("sign-in", () => {
  it("answers the documented fields, with agent details full, empty or absent", async () => {
    expect(await client.signIn()).toMatchObject({
      tokenType: "Bearer",
      mainAccountId: "333333",
      platformId: "aws80",
      adminId: 1111,
      ssoLogin: false,
      isAdminPasswordReset: false,
      agentDetails: [{ username: "ana@example.com", agentGroupId: null }],
    });
    expect(await client.signIn("new@example.com")).toHaveProperty("agentDetails", []);
    expect(await client.signIn("other@example.com")).not.toHaveProperty("agentDetails");
  });

  it("refuses a wrong password, an unknown user and an unknown platform with a JSON 401", async () => {
    for (const attempt of [
      client.login("ana@example.com", "wrong"),
      client.login("nobody@example.com"),
      client.login("ana@example.com", "sandbox", "na1"),
    ]) {
      const seen = await attempt;
      expect(seen.status).toBe(401);
      expect(JSON.parse(seen.body)).toHaveProperty("errorCode");
    }
  });

  it("reads the query only", async () => {
    const seen = await client.form("/api/auth/login/admin", {
      username: "ana@example.com",
      password: "sandbox",
      platformId: "aws80",
    });
    expect(seen.status).toBe(401);
  });

  it("decodes a password of reserved characters, and takes a plus for a space", async () => {
    const login = (password: string) =>
      client.call(
        "POST",
        `/api/auth/login/admin?username=password%40example.com&password=${password}&platformId=aws80`,
      );
    const password = 'p+&#é ß"%2B';
    expect((await login(encodeURIComponent(password))).status).toBe(200);
    expect((await login(encodeURIComponent(password).replace("%20", "+"))).status).toBe(200);
    expect((await login(encodeURIComponent(password).replace("%2B", "+"))).status).toBe(401);
  });

  it("forbids one user, and tells another to set a new password", async () => {
    expect((await client.login("forbidden@example.com")).status).toBe(403);
    expect((await client.login("forbidden@example.com", "wrong")).status).toBe(401);
    expect(await client.signIn("reset@example.com")).toMatchObject({
      isAdminPasswordReset: true,
      adminPasswordReset: true,
      accessToken: expect.any(String),
    });
  });

  it("stops with the user's departure, the tokens live on", async () => {
    const [token = ""] = await client.tokens();
    const { refreshToken } = await client.signIn();
    await client.control("POST", "users", { username: "ana@example.com", enabled: false });
    expect((await client.login("ana@example.com")).status).toBe(401);
    expect((await refresh(refreshToken)).status).toBe(401);
    expect((await client.call("GET", TOKENS, xAuth(token))).status).toBe(200);
  });
});

describe("access tokens", () => {
  it("are JWTs of the configured length that do not compress away", async () => {
    for (const accessTokenBytes of [3072, 8000]) {
      await client.control("POST", "config", { accessTokenBytes });
      const { accessToken } = await client.signIn();
      expect(Math.abs(accessToken.length - accessTokenBytes)).toBeLessThanOrEqual(2);
      expect(gzipSync(accessToken).length).toBeGreaterThan(accessTokenBytes / 2);
      const claims: Record<string, unknown> = JSON.parse(
        Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString(),
      );
      expect(Number(claims.exp) - Number(claims.iat)).toBe(300);
      expect(claims.sub).toBe("ana@example.com");
      expect((await list(accessToken)).status).toBe(200);
    }
  });

  it("expire after five minutes", async () => {
    const { accessToken } = await client.signIn();
    await client.control("POST", "clock", { advanceSeconds: 298 });
    expect((await list(accessToken)).status).toBe(200);
    await client.control("POST", "clock", { advanceSeconds: 2 });
    expect(await list(accessToken)).toMatchObject({
      status: 401,
      body: "Jwt is expired",
      contentType: expect.stringMatching(/^text\/plain/),
    });
  });

  it("expire on demand, those issued later do not", async () => {
    const before = await client.signIn();
    await client.control("POST", "expire-access-tokens");
    const after = await client.signIn();
    expect((await list(before.accessToken)).body).toBe("Jwt is expired");
    expect((await list(after.accessToken)).status).toBe(200);
  });

  it("are refused when missing, when garbage and when changed", async () => {
    const { accessToken } = await client.signIn();
    const last = accessToken.at(-5) === "A" ? "B" : "A";
    expect(await client.call("GET", TOKENS)).toMatchObject({ status: 401, body: "Jwt is missing" });
    expect(await client.call("GET", TOKENS, { authorization: "Bearer" })).toMatchObject({ body: "Jwt is missing" });
    for (const garbage of ["x", "a b", `${accessToken.slice(0, -5)}${last}${accessToken.slice(-4)}`]) {
      expect(await list(garbage)).toMatchObject({ status: 401, body: "Jwt verification fails" });
    }
  });

  it("can be asked for their user, their claims and their validity", async () => {
    const { accessToken } = await client.signIn();
    const details = JSON.parse((await client.call("GET", "/api/auth/login", bearer(accessToken))).body) as SignedIn;
    expect(details.accessToken).toBe(accessToken);
    expect(details).not.toHaveProperty("refreshToken");
    expect((await client.call("GET", "/api/auth/token/validate", bearer(accessToken))).status).toBe(200);
    expect((await client.call("GET", "/api/auth/token/validate", bearer("x"))).status).toBe(401);
    const claims = await client.call("GET", "/api/auth/token/claims", bearer(accessToken));
    expect(JSON.parse(claims.body)).toMatchObject({ adminId: 1111 });
  });
});

describe("refresh", () => {
  it("rotates both tokens and takes the token from the form or the query", async () => {
    const first = await client.signIn();
    const second = JSON.parse((await refresh(first.refreshToken)).body) as SignedIn;
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(second.accessToken).not.toBe(first.accessToken);
    expect((await list(second.accessToken)).status).toBe(200);
    const third = await client.call("POST", `/api/auth/token/refresh?refresh_token=${second.refreshToken}`);
    expect(third.status).toBe(200);
    const refreshes = (await client.journal()).filter(({ operation }) => operation === "refresh");
    expect(refreshes).toMatchObject([
      { username: "ana@example.com", effect: true },
      { username: "ana@example.com", effect: true },
    ]);
  });

  it("ends the whole session when an old refresh token comes back, and no other session", async () => {
    const bystander = await client.signIn();
    const first = await client.signIn();
    const second = JSON.parse((await refresh(first.refreshToken)).body) as SignedIn;
    const reuse = await refresh(first.refreshToken);
    expect(reuse.status).toBe(401);
    expect(JSON.parse(reuse.body)).toHaveProperty("errorCode");
    expect((await refresh(second.refreshToken)).status).toBe(401);
    expect((await list(second.accessToken)).status).toBe(401);
    expect((await list(bystander.accessToken)).status).toBe(200);
    expect((await refresh(bystander.refreshToken)).status).toBe(200);
  });

  it("is a final 401 for an unknown token, after logout and after end-sessions", async () => {
    expect((await refresh("unknown")).status).toBe(401);
    const left = await client.signIn();
    expect((await client.call("DELETE", `/api/auth/logout/${left.refreshToken}`)).status).toBe(200);
    expect((await refresh(left.refreshToken)).status).toBe(401);
    expect((await list(left.accessToken)).status).toBe(401);
    expect((await client.call("DELETE", "/api/auth/logout/unknown")).status).toBe(401);
    const ended = await client.signIn();
    const other = await client.signIn("other@example.com");
    await client.control("POST", "end-sessions", { username: "ana@example.com" });
    expect((await refresh(ended.refreshToken)).status).toBe(401);
    expect((await list(ended.accessToken)).status).toBe(200);
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });
});

describe("the legacy portal", () => {
  const portalLogin = async (fields: Record<string, string> = {}) => {
    const seen = await client.form("/v1/auth/login", {
      username: "ana@example.com",
      password: "sandbox",
      ...fields,
    });
    return (JSON.parse(seen.body) as { authToken: string }).authToken;
  };
  const portalList = async (authToken: string) =>
    (await client.call("GET", "/v1/admin/token", xAuth(authToken))).status;
  const pass = (advanceSeconds: number) => client.control("POST", "clock", { advanceSeconds });

  it("signs in with a uuid that lives one hour from its last use", async () => {
    const authToken = await portalLogin();
    expect(authToken).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    for (let use = 0; use < 3; use += 1) {
      await pass(3590);
      expect(await portalList(authToken)).toBe(200);
    }
    await pass(3601);
    expect(await portalList(authToken)).toBe(401);
  });

  it("keeps a stayLoggedIn session for two weeks", async () => {
    const authToken = await portalLogin({ stayLoggedIn: "true" });
    await pass(13 * 86_400);
    expect(await portalList(authToken)).toBe(200);
    await pass(14 * 86_400 + 1);
    expect(await portalList(authToken)).toBe(401);
  });

  it("creates, lists and deletes with X-Auth-Token, and knows no Bearer", async () => {
    const headers = xAuth(await portalLogin());
    const { body: created } = await client.call("POST", "/api/v1/admin/token", headers);
    expect(JSON.parse((await client.call("GET", "/v1/admin/token", headers)).body)).toContain(created);
    const deleted = await client.call("DELETE", `/v1/admin/token/${encodeURIComponent(created)}`, headers);
    expect(deleted.body).toBe("true");
    expect((await client.call("GET", "/v1/admin/token", await client.bearer())).status).toBe(401);
  });

  it("ends at once when a test says so, for one user or for all", async () => {
    const [ana, other] = [await portalLogin(), await portalLogin({ username: "other@example.com" })];
    expect(await client.control("POST", "end-portal-sessions", { username: "ana@example.com" })).toEqual({
      authTokens: 1,
    });
    expect([await portalList(ana), await portalList(other)]).toEqual([401, 200]);
    await client.control("POST", "end-portal-sessions", {});
    expect(await portalList(other)).toBe(401);
  });

  it("has a limit and faults of its own", async () => {
    const authToken = await portalLogin();
    const ringcx = async () => (await client.call("GET", TOKENS, bearer(accessToken))).status;
    const { accessToken } = await client.signIn();
    await client.fault({ operation: "token.list", kind: "html503", surface: "portal" });
    expect([await ringcx(), await portalList(authToken), await portalList(authToken)]).toEqual([200, 503, 200]);
    await client.control("POST", "config", { rateLimit: 1 });
    expect([await portalList(authToken), await ringcx()]).toEqual([429, 429]);
    await client.control("POST", "clock", { advanceSeconds: 60 });
    expect([await portalList(authToken), await portalList(authToken), await ringcx()]).toEqual([200, 429, 200]);
    expect(await portalLogin()).toBeTruthy();
  });

  it("takes the query too, and refuses a wrong password", async () => {
    const query = "username=ana%40example.com&password=sandbox";
    expect((await client.call("POST", `/v1/auth/login?${query}`)).status).toBe(200);
    expect((await client.call("POST", `/v1/auth/login?${query}x`)).status).toBe(401);
  });
});
