import { once } from "node:events";
import { get } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bearer, TestClient, TOKENS, tokenPath, xAuth } from "./test-client.ts";

let client: TestClient;
let ana: Record<string, string>;
beforeEach(async () => {
  client = await TestClient.start();
  ana = await client.bearer();
});
afterEach(() => client.sandbox.close());

const list = () => client.call("GET", TOKENS, ana);
const create = () => client.call("POST", TOKENS, ana);
const count = async () => (await client.tokens()).length;
const lastCall = async () => (await client.journal()).at(-1);

/** The error code of the connection, as undici reports it. */
const broken = (call: Promise<unknown>) =>
  call.then(
    () => "answered",
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.message,
  );

describe("faults before the effect", () => {
  it.each([
    ["html502", 502, "502 Bad Gateway"],
    ["html503", 503, "503 Service Temporarily Unavailable"],
    ["html504", 504, "504 Gateway Time-out"],
  ])("%s is a gateway's page, with the effect only on request", async (kind, status, title) => {
    await client.fault({ operation: "token.create", kind });
    const seen = await create();
    expect(seen).toMatchObject({ status, contentType: expect.stringMatching(/^text\/html/) });
    expect(seen.body).toContain(title);
    expect(await count()).toBe(3);
    expect(await lastCall()).toMatchObject({ operation: "token.create", status, fault: kind, effect: false });
    await client.fault({ operation: "token.create", kind, effect: true });
    expect((await create()).status).toBe(status);
    expect(await count()).toBe(4);
    expect(await lastCall()).toMatchObject({ status, fault: kind, effect: true });
    expect((await create()).status).toBe(200);
  });

  it("resetBefore breaks the connection and nothing has happened", async () => {
    await client.fault({ operation: "token.create", kind: "resetBefore" });
    expect(await broken(create())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(await count()).toBe(3);
    expect(await lastCall()).toMatchObject({ status: 0, fault: "resetBefore", effect: false });
  });

  it("hang never answers", async () => {
    await client.fault({ operation: "token.create", kind: "hang" });
    const patience = new AbortController();
    const call = client.fetch("POST", TOKENS, ana, { signal: patience.signal });
    const outcome = call.then(
      () => "answered",
      () => "gave up",
    );
    while ((await lastCall())?.operation !== "token.create") await new Promise(setImmediate);
    patience.abort();
    expect(await outcome).toBe("gave up");
    expect(await lastCall()).toMatchObject({ status: 0, fault: "hang", effect: false });
    expect(await count()).toBe(3);
  });

  it("http429 has no Retry-After unless given, in seconds or as a date", async () => {
    const date = "Mon, 23 Nov 2026 12:00:00 GMT";
    await client.fault({ operation: "token.list", kind: "http429" });
    await client.fault({ operation: "token.list", kind: "http429", retryAfter: 7 });
    await client.fault({ operation: "token.list", kind: "http429", retryAfter: date });
    for (const expected of [null, "7", date]) {
      const seen = await list();
      expect(seen).toMatchObject({ status: 429, body: "Too Many Requests" });
      expect(seen.headers.get("retry-after")).toBe(expected);
    }
  });

  it("false200 says false and deletes nothing", async () => {
    const [token = ""] = await client.tokens();
    await client.fault({ operation: "token.delete", kind: "false200" });
    expect(await client.call("DELETE", tokenPath(token), ana)).toMatchObject({ status: 200, body: "false" });
    expect(await client.tokens()).toContain(token);
  });

  it("jwtExpired and unauthorized are two kinds of 401", async () => {
    await client.fault({ operation: "token.list", kind: "jwtExpired" });
    await client.fault({ operation: "token.list", kind: "unauthorized" });
    expect(await list()).toMatchObject({ status: 401, body: "Jwt is expired" });
    const refused = await list();
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body)).toMatchObject({ errorCode: "unauthorized.exception", requestUri: TOKENS });
  });

  it("redirect leads elsewhere", async () => {
    await client.fault({ operation: "accounts", kind: "redirect", location: "http://127.0.0.1:1/elsewhere" });
    const seen = await client.call("GET", "/voice/api/v1/admin/accounts", ana);
    expect(seen.status).toBe(302);
    expect(seen.headers.get("location")).toBe("http://127.0.0.1:1/elsewhere");
  });

  it("status is any status and body, or the real body when it takes effect", async () => {
    await client.fault({ operation: "auth", kind: "status", status: 418, body: "{}", contentType: "application/json" });
    const seen = await client.call("GET", "/voice/api/v1/admin/auth", ana);
    expect(seen).toMatchObject({ status: 418, body: "{}", contentType: "application/json" });
    await client.fault({ operation: "token.create", kind: "status", status: 201, effect: true });
    expect(await create()).toMatchObject({ status: 201, body: expect.stringMatching(/^aws80:/) });
    const [token = ""] = await client.tokens();
    await client.fault({ operation: "token.delete", kind: "status", status: 204, effect: true });
    expect(await client.call("DELETE", tokenPath(token), ana)).toMatchObject({ status: 204, body: "" });
    expect(await client.tokens()).not.toContain(token);
  });
});

describe("faults after the effect", () => {
  it("resetAfter breaks the connection, and the token exists", async () => {
    await client.fault({ operation: "token.create", kind: "resetAfter" });
    expect(await broken(create())).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(await count()).toBe(4);
    expect(await lastCall()).toMatchObject({ status: 0, fault: "resetAfter", effect: true });
  });

  it("cutBody promises more than it sends", async () => {
    await client.fault({ operation: "token.create", kind: "cutBody" });
    const request = get(client.sandbox.url + TOKENS, {
      method: "POST",
      headers: { ...ana, "user-agent": "sandbox-test/1.0" },
    });
    const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
    let received = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      received += chunk;
    });
    await expect(once(response, "end")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(Number(response.headers["content-length"])).toBe(42);
    expect(received).toMatch(/^aws80:.{15}$/);
    expect(await count()).toBe(4);
  });

  it("emptyBody is 200 with nothing in it", async () => {
    await client.fault({ operation: "token.create", kind: "emptyBody" });
    expect(await create()).toMatchObject({ status: 200, body: "" });
    expect(await count()).toBe(4);
  });

  it("quotedToken is a JSON string", async () => {
    await client.fault({ operation: "token.create", kind: "quotedToken" });
    const { body } = await create();
    expect(await client.tokens()).toContain(JSON.parse(body));
  });

  it("wrongContentType is the real body under another name", async () => {
    await client.fault({ operation: "token.list", kind: "wrongContentType" });
    const seen = await list();
    expect(seen.contentType).toMatch(/^text\/html/);
    expect(JSON.parse(seen.body)).toEqual(await client.tokens());
  });

  it("malformedJson does not parse", async () => {
    await client.fault({ operation: "token.list", kind: "malformedJson" });
    const seen = await list();
    expect(seen.status).toBe(200);
    expect(() => JSON.parse(seen.body)).toThrow(SyntaxError);
  });

  it("hugeBody streams as much valid JSON as asked for", async () => {
    await client.fault({ operation: "token.list", kind: "hugeBody", bytes: 3_000_000 });
    const { body } = await list();
    expect(body.length).toBeGreaterThan(3_000_000);
    expect(Array.isArray(JSON.parse(body))).toBe(true);
  });

  it("hugeBody stops when the client goes away", async () => {
    await client.fault({ operation: "token.list", kind: "hugeBody", bytes: 1e12 });
    const response = await client.fetch("GET", TOKENS, ana);
    await response.body?.getReader().cancel();
    expect((await list()).status).toBe(200);
  });

  it("slowBody drips, a byte at a time", async () => {
    const [token = ""] = await client.tokens();
    await client.fault({ operation: "token.delete", kind: "slowBody", ms: 5 });
    const response = await client.fetch("DELETE", tokenPath(token), ana);
    const chunks: string[] = [];
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      chunks.push(Buffer.from(chunk).toString());
    }
    expect(chunks.join("")).toBe("true");
    expect(chunks.length).toBeGreaterThan(1);
    expect(await client.tokens()).not.toContain(token);
  });

  it("latency delays, and goes together with another fault", async () => {
    await client.fault({ operation: "token.create", kind: "latency", ms: 80 });
    await client.fault({ operation: "token.create", kind: "html503" });
    const start = performance.now();
    expect((await create()).status).toBe(503);
    expect(performance.now() - start).toBeGreaterThanOrEqual(75);
    expect(await lastCall()).toMatchObject({ fault: "latency+html503" });
  });

  it("a latency ends when the faults are cleared, and its call goes on", async () => {
    const [token = ""] = await client.tokens();
    await client.fault({ operation: "token.delete", kind: "latency", ms: 3_600_000 });
    const call = client.call("DELETE", tokenPath(token), ana);
    while ((await lastCall())?.operation !== "token.delete") await new Promise(setImmediate);
    expect(await client.tokens()).toContain(token);
    await client.control("DELETE", "faults");
    expect(await call).toMatchObject({ status: 200, body: "true" });
    expect(await client.tokens()).not.toContain(token);
  });

  it("a call that waits in a latency while all goes back to the seed has no effect there", async () => {
    const [token = ""] = await client.tokens();
    await client.fault({ operation: "token.delete", kind: "latency", ms: 3_600_000 });
    const call = broken(client.call("DELETE", tokenPath(token), ana));
    while ((await lastCall())?.operation !== "token.delete") await new Promise(setImmediate);
    await client.control("POST", "reset");
    expect(await call).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
    expect(await client.tokens()).toContain(token);
  });
});

describe("which calls a fault bends", () => {
  it("skips, counts, and is then gone", async () => {
    await client.fault({ operation: "token.list", kind: "html502", skip: 1, count: 2 });
    const statuses: number[] = [];
    for (let call = 0; call < 4; call += 1) statuses.push((await list()).status);
    expect(statuses).toEqual([200, 502, 502, 200]);
    expect(await client.control("GET", "faults")).toEqual({ faults: [] });
  });

  it("-1 is for ever, until the faults are deleted", async () => {
    await client.fault({ operation: "*", kind: "unauthorized", count: -1 });
    for (let call = 0; call < 3; call += 1) expect((await list()).status).toBe(401);
    expect((await client.login("ana@example.com")).status).toBe(401);
    await client.control("DELETE", "faults");
    expect((await list()).status).toBe(200);
  });

  it("can be only those with one kind of credential", async () => {
    const [token = ""] = await client.tokens();
    await client.fault({ operation: "token.list", kind: "html504", auth: "x-auth-token" });
    expect((await list()).status).toBe(200);
    expect((await client.call("GET", TOKENS, xAuth(token))).status).toBe(504);
    expect((await client.call("GET", TOKENS, xAuth(token))).status).toBe(200);
  });

  it("can be only those of one user, also before that user is signed in", async () => {
    const other = await client.signIn("other@example.com");
    for (const operation of ["token.list", "login", "refresh"]) {
      await client.fault({ operation, kind: "html502", username: "other@example.com" });
    }
    const refresh = (refresh_token: string) => client.form("/api/auth/token/refresh", { refresh_token });
    expect((await list()).status).toBe(200);
    expect((await client.login("ana@example.com")).status).toBe(200);
    expect((await refresh((await client.signIn()).refreshToken)).status).toBe(200);
    expect((await client.call("GET", TOKENS, bearer(other.accessToken))).status).toBe(502);
    expect((await client.login("other@example.com")).status).toBe(502);
    expect((await refresh(other.refreshToken)).status).toBe(502);
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  it.each([
    [{ operation: "token.lits", kind: "hang" }, /operation/],
    [{ operation: "token.list", kind: "hnag" }, /kind/],
    [{ operation: "token.list" }, /kind/],
    [{ operation: "token.list", kind: "toString" }, /kind/],
    [{ operation: "token.list", kind: "hang", cuont: 2 }, /cuont/],
    [{ operation: "token.list", kind: "hang", count: 0 }, /count/],
    [{ operation: "token.list", kind: "hang", count: "2" }, /count/],
    [{ operation: "token.list", kind: "resetBefore", effect: true }, /effect/],
    [{ operation: "token.list", kind: "redirect" }, /location/],
    [{ operation: "token.list", kind: "latency" }, /ms/],
    [{ operation: "token.list", kind: "hang", auth: "basic" }, /auth/],
  ])("%o is refused", async (fault, reason) => {
    expect(await client.fault(fault)).toMatchObject({ error: expect.stringMatching(reason) });
    expect(await client.control("GET", "faults")).toEqual({ faults: [] });
  });
});
