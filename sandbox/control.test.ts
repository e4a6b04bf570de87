import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "./platform.ts";
import { TestClient, TOKENS, tokenPath } from "./test-client.ts";

let client: TestClient;
beforeEach(async () => {
  client = await TestClient.start();
});
afterEach(() => client.sandbox.close());

describe("the journal", () => {
  it("tells each call with its user, credential and effect, and no secret", async () => {
    const { accessToken, refreshToken } = await client.signIn();
    const headers = { authorization: `Bearer ${accessToken}` };
    const [token = ""] = await client.tokens();
    await client.call("DELETE", tokenPath(token), headers);
    await client.call("DELETE", tokenPath(token), headers);
    await client.call("GET", `/voice/api/v1/nothing/${token}`, headers);
    await client.call("DELETE", `/api/auth/logout/${refreshToken}`);
    const entries = await client.journal();
    const path = `${TOKENS}/${digestOf(token)}`;
    const ana = { username: "ana@example.com" };
    expect(entries).toMatchObject([
      { n: 1, operation: "login", method: "POST", auth: "none", status: 200, effect: true, ...ana },
      { n: 2, operation: "token.delete", method: "DELETE", auth: "bearer", status: 200, effect: true, path, ...ana },
      { n: 3, operation: "token.delete", status: 200, effect: false, path },
      { n: 4, operation: "unknown", status: 404 },
      { n: 5, operation: "logout", path: `/api/auth/logout/${digestOf(refreshToken)}`, effect: true, ...ana },
    ]);
    const written = JSON.stringify(entries);
    for (const secret of [token, encodeURIComponent(token), refreshToken, accessToken, "password="]) {
      expect(written).not.toContain(secret);
    }
  });

  it("continues from a number and can be cleared", async () => {
    await client.signIn();
    await client.login("ana@example.com", "wrong");
    expect(await client.control("GET", "journal?since=1")).toMatchObject({ entries: [{ n: 2, status: 401 }] });
    await client.control("DELETE", "journal");
    await client.signIn();
    expect(await client.journal()).toMatchObject([{ n: 3 }]);
  });

  it("does not see the control API, nor does the limit", async () => {
    await client.control("POST", "config", { rateLimit: 1 });
    for (let call = 0; call < 5; call += 1) await client.control("GET", "stats");
    expect(await client.journal()).toEqual([]);
  });
});

describe("the control API", () => {
  it("counts calls and tokens", async () => {
    const headers = await client.bearer();
    await client.call("POST", TOKENS, headers);
    await client.call("POST", TOKENS);
    expect(await client.control("GET", "stats")).toMatchObject({
      operations: { "token.create": { calls: 2, effects: 1, statuses: { 200: 1, 401: 1 } }, login: { calls: 1 } },
      tokens: { "ana@example.com": 4, "many@example.com": 10_000 },
    });
  });

  it("lets tokens appear and vanish", async () => {
    const { value } = await client.control<{ value: string }>("POST", "tokens", { username: "new@example.com" });
    expect(await client.tokens("new@example.com")).toEqual([value]);
    expect(await client.control("DELETE", "tokens", { value })).toEqual({ deleted: true });
    expect(await client.control("DELETE", "tokens", { value })).toEqual({ deleted: false });
    expect(await client.tokens("new@example.com")).toEqual([]);
  });

  it("knows every secret, also those of before a reset", async () => {
    const { accessToken, refreshToken } = await client.signIn();
    const { body: token } = await client.call("POST", TOKENS, await client.bearer());
    await client.control("POST", "reset");
    const secrets = await client.control<Record<string, string[]>>("GET", "secrets");
    expect(secrets.accessTokens).toContain(accessToken);
    expect(secrets.refreshTokens).toContain(refreshToken);
    expect(secrets.apiTokens).toContain(token);
    expect(secrets.passwords).toContain('p+&#é ß"%2B');
    expect(secrets.oauth).toContain("sandbox-secret");
  });

  it("resets tokens, users, faults, journal, settings, sessions and the clock", async () => {
    const before = await client.tokens();
    const headers = await client.bearer();
    await client.call("POST", TOKENS, headers);
    await client.fault({ operation: "*", kind: "hang", count: -1 });
    await client.control("POST", "users", { username: "other@example.com", enabled: false });
    await client.control("POST", "config", { rateLimit: 7 });
    await client.control("POST", "clock", { advanceSeconds: 86_400 });
    await client.control("POST", "reset");
    expect(await client.tokens()).toEqual(before);
    expect(await client.journal()).toEqual([]);
    expect(await client.control("GET", "config")).toMatchObject({ rateLimit: 120 });
    const { now } = await client.control<{ now: number }>("POST", "clock", { advanceSeconds: 0 });
    expect(Math.abs(now - Date.now())).toBeLessThan(5000);
    expect((await client.call("GET", TOKENS, headers)).status).toBe(401);
    expect((await client.login("other@example.com")).status).toBe(200);
  });

  it("refuses what it does not understand", async () => {
    for (const [method, path, input] of [
      ["POST", "config", { rateLimt: 1 }],
      ["POST", "config", { rateLimit: "1" }],
      ["POST", "tokens", { username: "nobody@example.com" }],
      ["GET", "tokens?username=nobody@example.com", undefined],
      ["DELETE", "tokens", {}],
      ["POST", "clock", { advanceSeconds: -1 }],
      ["POST", "users", { username: "ana@example.com" }],
      ["POST", "faults", []],
      ["POST", "faults", { operation: "*", kind: "hang", surface: "voices" }],
      ["GET", "constructor", undefined],
    ] as const) {
      expect(await client.control(method, path, input)).toEqual({ error: expect.any(String) });
    }
    expect(await client.control("GET", "config")).toMatchObject({ rateLimit: 120 });
  });

  it("lists the users with what each is for", async () => {
    const { users } = await client.control<{ users: Record<string, unknown>[] }>("GET", "users");
    expect(users).toHaveLength(13);
    expect(users[0]).toMatchObject({ username: "ana@example.com", note: expect.any(String), tokens: 3 });
  });
});

describe("node sandbox/main.ts", () => {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const run = (environment: Record<string, string>) => {
    const child = spawn(process.execPath, [main], { env: { ...process.env, ...environment } });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
    return { child, output: () => output };
  };

  it.each(["SIGTERM", "SIGINT"] as const)(
    "says where it listens and who may sign in, and ends on %s",
    async (signal) => {
      const { child, output } = run({ SANDBOX_PORT: "0", SANDBOX_RATE_LIMIT: "3" });
      const exit = once(child, "exit");
      while (!output().includes("noaccounts@example.com")) await once(child.stdout, "data");
      const url = /^RingCX sandbox listening on (http:\/\/127\.0\.0\.1:\d+)\n/.exec(output())?.[1] ?? "";
      expect(await (await fetch(`${url}/__sandbox/config`)).json()).toMatchObject({ rateLimit: 3 });
      await fetch(`${url}/api/auth/login/admin?password=very-secret`, { method: "POST" });
      child.kill(signal);
      expect(await exit).toEqual([0, null]);
      expect(output()).not.toContain("very-secret");
    },
  );

  it("does not start with a wrong number or on a taken port", async () => {
    for (const environment of [{ SANDBOX_PORT: "four" }, { SANDBOX_PORT: String(client.sandbox.port) }]) {
      const { child } = run(environment);
      expect(await once(child, "exit")).toEqual([1, null]);
    }
  });
});
