import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormatsModule from "ajv-formats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer, type Seen, TestClient, TOKENS, tokenPath, xAuth } from "./test-client.ts";

type Schema = Record<string, unknown>;
type Documented = { responses: Record<string, { content?: Record<string, unknown> }> };

const excerpt = JSON.parse(
  readFileSync(new URL("../test/data/openapi-excerpt.json", import.meta.url), "utf8"),
) as Schema & {
  paths: Record<string, Record<string, Documented>>;
  components: { schemas: Record<string, { properties: Record<string, unknown> }> };
};

/** Refuses every property that the vendor does not document. */
function close(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const schema = value as Schema;
  if (schema.type === "object" && "properties" in schema) schema.additionalProperties = false;
  for (const child of Object.values(schema)) close(child);
}

const closed = structuredClone(excerpt);
close(closed.components.schemas);
// The OpenAPI file says integer, every example of the guide says null.
(closed.components.schemas.AgentV2?.properties.agentGroupId as Schema).nullable = true;

const ajv = new Ajv({ strict: false, allErrors: true });
(addFormatsModule as unknown as (ajv: Ajv) => void)(ajv);
ajv.addSchema(closed, "openapi");

/** Checks status, content type and body of an answer against the documented operation. */
function expectDocumented(path: string, method: string, { status, contentType, body }: Seen): void {
  const documented = excerpt.paths[path]?.[method]?.responses[status];
  expect(documented, `${method} ${path} documents ${status}`).toBeDefined();
  const type = contentType.split(";")[0] ?? "";
  expect(Object.keys(documented?.content ?? {})).toEqual([type]);
  const pointer = ["paths", path, method, "responses", String(status), "content", type, "schema"]
    .map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")))
    .join("/");
  const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
  const isString = type === "text/plain" && body !== "true" && body !== "false";
  validate(isString ? body : JSON.parse(body));
  expect(validate.errors ?? []).toEqual([]);
}

let client: TestClient;
let ana: Awaited<ReturnType<TestClient["signIn"]>>;

beforeAll(async () => {
  client = await TestClient.start({ auditDelaySeconds: 0, rateLimit: 10_000 });
  ana = await client.signIn();
});
afterAll(() => client.sandbox.close());

const signed = () => bearer(ana.accessToken);

async function exchange(): Promise<Seen> {
  const verifier = "v".repeat(43);
  const { createHash } = await import("node:crypto");
  const authorization = {
    client_id: "sandbox-client",
    redirect_uri: "http://localhost/cb",
    response_type: "code",
    state: "s",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  };
  const decided = await client.form("/restapi/oauth/authorize", {
    ...authorization,
    sandbox_user: "ana@example.com",
    sandbox_decision: "allow",
  });
  const code = new URL(decided.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const answer = await client.form("/restapi/oauth/token", {
    grant_type: "authorization_code",
    code,
    redirect_uri: "http://localhost/cb",
    code_verifier: verifier,
    client_id: "sandbox-client",
    client_secret: "sandbox-secret",
  });
  const { access_token } = JSON.parse(answer.body) as { access_token: string };
  return client.form("/api/auth/login/rc/accesstoken?includeRefresh=true", {
    rcAccessToken: access_token,
    rcTokenType: "Bearer",
  });
}

/** Every operation of the excerpt but the creation of users, which this project never calls. */
const ANSWERS: Record<string, () => Promise<Seen>> = {
  "post /api/auth/login/admin": () => client.login("reset@example.com"),
  "post /api/auth/login/rc/accesstoken": exchange,
  "get /api/auth/login": () => client.call("GET", "/api/auth/login", signed()),
  "get /api/auth/token/claims": () => client.call("GET", "/api/auth/token/claims", signed()),
  "get /api/auth/token/validate": () => client.call("GET", "/api/auth/token/validate", signed()),
  "post /api/auth/token/refresh": async () => {
    const { refreshToken } = await client.signIn();
    return client.form("/api/auth/token/refresh", { refresh_token: refreshToken });
  },
  "delete /api/auth/logout/{refreshToken}": async () => {
    const { refreshToken } = await client.signIn();
    return client.call("DELETE", `/api/auth/logout/${refreshToken}`);
  },
  "get /voice/api/v1/admin/token": () => client.call("GET", TOKENS, signed()),
  "post /voice/api/v1/admin/token": () => client.call("POST", TOKENS, signed()),
  "delete /voice/api/v1/admin/token/{token}": async () => {
    const { value } = await client.control<{ value: string }>("POST", "tokens", { username: "ana@example.com" });
    return client.call("DELETE", tokenPath(value), signed());
  },
  "get /voice/api/v1/admin/accounts": () => client.call("GET", "/voice/api/v1/admin/accounts", signed()),
  "get /voice/api/v1/admin/auth": () => client.call("GET", "/voice/api/v1/admin/auth", signed()),
  "get /voice/api/v1/auth/isTokenValid": () => client.call("GET", "/voice/api/v1/auth/isTokenValid?token=nonsense"),
  "get /voice/api/v1/admin/users": async () =>
    client.call("GET", "/voice/api/v1/admin/users", await client.bearer("parent@example.com")),
  "get /voice/api/v1/admin/users/{userId}/children": async () =>
    client.call("GET", "/voice/api/v1/admin/users/1117/children", await client.bearer("parent@example.com")),
  "get /voice/api/v1/admin/auditLogs/auditable": () =>
    client.call("GET", "/voice/api/v1/admin/auditLogs/auditable", signed()),
  "put /voice/api/v1/admin/auditLogs/search": async () => {
    await client.call("POST", TOKENS, signed());
    const answer = await client.call(
      "PUT",
      "/voice/api/v1/admin/auditLogs/search",
      { ...signed(), "content-type": "application/json" },
      {
        body: JSON.stringify({
          accountId: "333333",
          startDateTime: "2020-01-01T00:00:00.000+0000",
          endDateTime: "2099-01-01T00:00:00.000+00:00",
        }),
      },
    );
    expect(JSON.parse(answer.body)).not.toEqual([]);
    return answer;
  },
  "post /voice/api/v1/auth/login": () =>
    client.form("/voice/api/v1/auth/login", { username: "ana@example.com", password: "sandbox" }),
};

describe("the vendor's OpenAPI file", () => {
  it.each(Object.entries(ANSWERS))("%s answers as documented, and nothing more", async (operation, answer) => {
    const [method = "", path = ""] = operation.split(" ");
    const seen = await answer();
    expect(seen.status).toBe(200);
    expectDocumented(path, method, seen);
  });

  it("has no operation that these tests leave out", () => {
    const documented = Object.entries(excerpt.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(Object.keys(ANSWERS).sort()).toEqual(
      documented.filter((operation) => operation !== "post /voice/api/v1/admin/users").sort(),
    );
  });

  it("documents no field of Account that the sandbox leaves out", async () => {
    const { body } = await client.call("GET", "/voice/api/v1/admin/accounts", signed());
    const [account] = JSON.parse(body) as Schema[];
    expect(Object.keys(account ?? {}).sort()).toEqual(
      Object.keys(excerpt.components.schemas.Account?.properties ?? {}).sort(),
    );
  });

  it("holds for the legacy portal too", async () => {
    const login = await client.form("/api/v1/auth/login", { username: "ana@example.com", password: "sandbox" });
    expectDocumented("/voice/api/v1/auth/login", "post", login);
    const { authToken } = JSON.parse(login.body) as { authToken: string };
    for (const [name, documented] of [
      ["token", TOKENS],
      ["accounts", "/voice/api/v1/admin/accounts"],
      ["auth", "/voice/api/v1/admin/auth"],
    ] as const) {
      expectDocumented(documented, "get", await client.call("GET", `/v1/admin/${name}`, xAuth(authToken)));
    }
  });

  it("would notice an undocumented property", () => {
    const seen = { status: 200, contentType: "application/json", headers: new Headers(), body: '[{"surprise":1}]' };
    expect(() => expectDocumented("/voice/api/v1/admin/accounts", "get", seen)).toThrow();
  });
});

describe("the shape of errors", () => {
  const denied = {
    errorCode: "access.denied.exception",
    generalMessage: "You do not have permission to access this resource",
    details: "",
    requestUri: "/voice/api/v1/admin/accounts",
    timestamp: expect.any(Number),
  };

  it("is the documented one for a missing permission", async () => {
    const headers = await client.bearer("denied@example.com");
    const accounts = await client.call("GET", "/voice/api/v1/admin/accounts", headers);
    expect(accounts.status).toBe(403);
    expect(JSON.parse(accounts.body)).toEqual(denied);
    for (const [method, path] of [
      ["GET", TOKENS],
      ["POST", TOKENS],
      ["DELETE", tokenPath("aws80:x")],
    ] as const) {
      expect((await client.call(method, path, headers)).status).toBe(403);
    }
  });

  it("is the same for an unknown path and for an unknown method", async () => {
    const unknown = await client.call("GET", "/voice/api/v1/admin/nothing", signed());
    expect(unknown.status).toBe(404);
    expect(Object.keys(JSON.parse(unknown.body) as object)).toEqual(Object.keys(denied));
    expect((await client.call("PATCH", TOKENS, signed())).status).toBe(405);
  });

  it("asks for a User-Agent of the form name/version", async () => {
    for (const agent of ["", "node"]) {
      const seen = await client.call("GET", TOKENS, { ...signed(), "user-agent": agent });
      expect(seen.status).toBe(400);
      expect(seen.contentType).toMatch(/^text\/plain/);
    }
  });
});
