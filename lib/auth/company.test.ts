import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  companyMetadata,
  companyPerson,
  companyProvider,
  companySignOut,
  companyTrouble,
  readDescription,
} from "@/lib/auth/company";
import { newAttempt } from "@/lib/auth/sign-in";
import { freshProcess } from "@/test/process";
import { startUpstream, type Upstream } from "@/test/upstream";

const client = { OIDC_CLIENT_ID: "tokendesk", OIDC_CLIENT_SECRET: "a secret of the client", OIDC_OPS_GROUP: "rcx-ops" };

describe("what the provider says of itself", () => {
  let provider: Upstream;
  let answer: (issuer: string) => { status?: number; body?: string | object; hang?: boolean; location?: string };

  beforeEach(async () => {
    provider = await startUpstream(({ url }, response) => {
      const { status = 200, body = {}, hang = false, location } = answer(`${provider.url}${url}`);
      if (hang) return;
      response.writeHead(status, location === undefined ? {} : { location });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  afterEach(() => provider.close());

  const begin = (path = "") => {
    freshProcess({ ...client, OIDC_ISSUER: `${provider.url}${path}` });
    return `${provider.url}${path}`;
  };
  const described = (issuer: string, more: object = {}) => ({
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    ...more,
  });
  const problemOf = (asked: Promise<unknown>) =>
    asked.then(
      () => null,
      (error: { extensions: { problem: string } }) => error.extensions.problem,
    );

  test.each([
    ["", "/.well-known/openid-configuration"],
    ["/realms/acme", "/realms/acme/.well-known/openid-configuration"],
    ["/realms/acme/", "/realms/acme/.well-known/openid-configuration"],
  ])("is asked for below the issuer %j, and kept for a while", async (path, asked) => {
    const issuer = begin(path);
    answer = () => ({ body: described(issuer) });
    expect((await companyMetadata()).token_endpoint).toBe(`${issuer}/token`);
    await companyMetadata();
    expect(provider.asked.map(({ url }) => url)).toEqual([asked]);
    await companyMetadata({ anew: true });
    expect(provider.asked).toHaveLength(2);
    begin(`${path}/other`);
    await expect(companyMetadata()).rejects.toThrow();
  });

  test.each([
    ["another name by one slash", (issuer: string) => ({ body: described(issuer, { issuer: `${issuer}/` }) })],
    ["another case", (issuer: string) => ({ body: described(issuer, { issuer: issuer.toUpperCase() }) })],
    ["no name", (issuer: string) => ({ body: described(issuer, { issuer: undefined }) })],
    ["no keys", (issuer: string) => ({ body: described(issuer, { jwks_uri: undefined }) })],
    [
      "plain http elsewhere",
      (issuer: string) => ({ body: described(issuer, { token_endpoint: "http://idp.example/t" }) }),
    ],
    [
      "a script",
      (issuer: string) => ({ body: described(issuer, { authorization_endpoint: "javascript:alert(1)//" }) }),
    ],
    ["a page", () => ({ body: "<!doctype html>" })],
    ["nothing there", () => ({ status: 404 })],
    ["a redirect", (issuer: string) => ({ status: 302, location: issuer })],
  ])("is not taken with %s", async (_, say) => {
    const issuer = begin("/realms/acme");
    answer = () => say(issuer);
    expect(await problemOf(companyMetadata())).toBe("provider_error");
  });

  test("leads from https to https alone: a provider elsewhere has no say in what is called on this machine", () => {
    const issuer = "https://idp.acme.example";
    const read = (more: object) => readDescription(issuer, JSON.stringify(described(issuer, more)));
    expect(read({}).token_endpoint).toBe("https://idp.acme.example/token");
    for (const name of ["authorization_endpoint", "token_endpoint", "jwks_uri"]) {
      for (const address of ["http://127.0.0.1:6379/", "http://localhost/", "http://[::1]:9200/_search"]) {
        expect(() => read({ [name]: address }), `${name} ${address}`).toThrow(/makes no sense/);
      }
    }
    const more = read({ userinfo_endpoint: "http://127.0.0.1/", end_session_endpoint: "http://localhost/" });
    expect(more).toMatchObject({ userinfo_endpoint: undefined, end_session_endpoint: undefined });
  });

  test.each([
    ["out of order", () => ({ status: 503 })],
    ["silent", () => ({ hang: true })],
    ["endless", () => ({ body: "x".repeat(300_000) })],
  ])("does not come from one that is %s, in time", async (_, say) => {
    begin();
    answer = say;
    expect(await problemOf(companyMetadata({ timeoutMs: 200 }))).toBe("provider_down");
    expect(await companySignOut()).toBeNull();
  });

  test("says where the sign-in ends, if it does", async () => {
    const issuer = begin();
    answer = () => ({ body: described(issuer, { end_session_endpoint: `${issuer}/end?tenant=acme` }) });
    expect(await companySignOut()).toBe(
      `${issuer}/end?tenant=acme&client_id=tokendesk&post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fsign-in%3Freason%3Dsigned-out`,
    );
    answer = () => ({ body: described(issuer, { end_session_endpoint: "javascript:alert(1)" }) });
    expect(await companySignOut()).toBeNull();
    answer = () => ({ body: described(issuer) });
    expect(await companySignOut()).toBeNull();
    freshProcess();
    expect(await companySignOut()).toBeNull();
    expect(companyProvider(null)).toEqual([]);
  });

  test.each([
    [undefined, "client_secret_basic"],
    [["client_secret_post"], "client_secret_post"],
    [["client_secret_post", "client_secret_basic"], "client_secret_basic"],
    [["private_key_jwt"], "client_secret_basic"],
  ])("of %j the client shows its secret by %s", async (methods, chosen) => {
    const issuer = begin();
    answer = () => ({ body: described(issuer, { token_endpoint_auth_methods_supported: methods }) });
    const [provider] = companyProvider(await companyMetadata());
    expect(provider?.client?.token_endpoint_auth_method).toBe(chosen);
  });
});

describe("the person that it vouches for", () => {
  const olga = { sub: "42", email: "Olga@Acme.example", email_verified: true, name: "Olga" };
  const begin = (more: Record<string, string> = {}) =>
    freshProcess({ ...client, OIDC_ISSUER: "https://idp.acme.example:8443/realms/acme/", ...more });
  const personOf = (profile: Record<string, unknown>) => companyPerson({ account: {}, profile }, newAttempt("1.1.1.1"));
  const isOps = (claims: object) => personOf({ ...olga, ...claims }).person.inOpsGroup;

  test("has an ID of the provider's, a session of the company's, and no connection", () => {
    begin();
    const { person, session } = personOf(olga);
    expect(person).toEqual({
      id: "oidc:idp.acme.example:8443/realms/acme:42",
      name: "Olga",
      email: "olga@acme.example",
      login: "olga@acme.example",
      sid: session.sid,
      provider: "oidc",
      inOpsGroup: false,
    });
    expect(session).toMatchObject({ connections: [], home: "sso|idp.acme.example:8443" });
    expect(session).not.toHaveProperty("authenticatedAt");
    expect(personOf(olga).session.sid).not.toBe(session.sid);
  });

  test("is as freshly signed in as the provider says, and never in the future", () => {
    begin();
    const now = Math.floor(Date.now() / 1000);
    expect(personOf({ ...olga, auth_time: now - 60 }).session.authenticatedAt).toBe((now - 60) * 1000);
    expect(personOf({ ...olga, auth_time: now + 9_999 }).authenticatedAt).toBeLessThanOrEqual(Date.now());
    for (const auth_time of ["1", -1, Number.NaN, null]) {
      expect(personOf({ ...olga, auth_time }).authenticatedAt).toBeNull();
    }
  });

  test("has a name that fits and can be shown", () => {
    begin();
    expect(personOf({ ...olga, name: undefined }).person.name).toBe("olga@acme.example");
    expect(personOf({ ...olga, name: " \n" }).person.name).toBe("olga@acme.example");
    expect(personOf({ ...olga, name: ["Olga"] }).person.name).toBe("olga@acme.example");
    expect(personOf({ ...olga, name: "Ol\u0000\u202ega" }).person.name).toBe("Ol ga");
    expect(personOf({ ...olga, name: `${"x".repeat(79)}😀` }).person.name).toHaveLength(80);
  });

  test.each([
    [{ email_verified: false }],
    [{ email_verified: undefined }],
    [{ email_verified: "true" }],
    [{ email_verified: 1 }],
    [{ email: undefined }],
    [{ email: "olga" }],
    [{ email: ["olga@acme.example"] }],
  ])("is nobody with %j", (claims) => {
    begin();
    const attempt = newAttempt("1.1.1.1");
    expect(() => companyPerson({ account: {}, profile: { ...olga, ...claims } }, attempt)).toThrow(
      expect.objectContaining({ code: "forbidden", extensions: { problem: "unverified_email" } }),
    );
    expect(attempt.tenant).toBe("sso|idp.acme.example:8443");
  });

  test("needs no claim where every address is the company's own", () => {
    begin({ OIDC_TRUST_EMAIL: "1" });
    expect(personOf({ sub: "1", email: "a@b.example" }).person.login).toBe("a@b.example");
    expect(() => personOf({ sub: "1" })).toThrow();
    expect(() => personOf({ sub: "", email: "a@b.example" })).toThrow();
    expect(() => personOf({ sub: 7, email: "a@b.example" })).toThrow();
  });

  test("is in the group that the claim names, letter by letter", () => {
    begin();
    expect(isOps({ groups: ["a", "rcx-ops"] })).toBe(true);
    expect(isOps({ groups: "rcx-ops" })).toBe(true);
    for (const groups of [
      ...[undefined, null, true, 7, "", "a,rcx-ops", "rcx-ops ", "RCX-OPS", [], ["rcx-ops", 7], [["rcx-ops"]]],
      ...[{ "rcx-ops": true }, { 0: "rcx-ops", length: 1 }, [{ name: "rcx-ops" }]],
    ]) {
      expect(isOps({ groups }), JSON.stringify(groups)).toBe(false);
    }
    expect(isOps({ roles: ["rcx-ops"] })).toBe(false);
    begin({ OIDC_OPS_GROUP: "" });
    expect(isOps({ groups: ["rcx-ops", ""] })).toBe(false);
  });

  test.each([
    ["realm_access.roles", { realm_access: { roles: ["rcx-ops"] } }, true],
    ["realm_access.roles", { "realm_access.roles": ["rcx-ops"] }, true],
    ["https://acme.example/groups", { "https://acme.example/groups": ["rcx-ops"] }, true],
    ["realm_access.roles", { realm_access: ["rcx-ops"] }, false],
    ["realm_access.roles", { realm_access: { groups: ["rcx-ops"] }, roles: ["rcx-ops"] }, false],
    ["realm_access.roles.x", { realm_access: { roles: ["rcx-ops"] } }, false],
    ["constructor.name", {}, false],
  ])("by the claim %s of %j: %s", (OIDC_GROUPS_CLAIM, claims, ops) => {
    begin({ OIDC_GROUPS_CLAIM });
    expect(isOps(claims)).toBe(ops);
  });
});

test("why nobody arrived is said by words of ours", () => {
  freshProcess({ ...client, OIDC_ISSUER: "https://idp.acme.example" });
  const wordOf = (query: string) => companyTrouble(new URL(`http://n/${query}`)).extensions.problem;
  expect(wordOf("")).toBe("state");
  expect(wordOf("?code=1&state=2")).toBe("state");
  expect(wordOf("?error=access_denied&error_description=%3Cb%3E")).toBe("denied");
  expect(wordOf("?error=temporarily_unavailable")).toBe("provider_down");
  expect(wordOf("?error=%3Cscript%3E")).toBe("provider_error");
});
