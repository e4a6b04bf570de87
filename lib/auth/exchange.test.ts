import { renameSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { continueExchange, pendingExchange } from "@/lib/auth/exchange";
import type { SignInIntent } from "@/lib/auth/intent";
import { keepExchange } from "@/lib/auth/ringex";
import { currentSession, type Session } from "@/lib/auth/session";
import { read } from "@/lib/db/client";
import { readSession, writeSession } from "@/lib/session/cookie";
import { Browser } from "@/test/cookies";
import { type TestDatabase, useDatabase } from "@/test/database";
import { captureLog, everythingIn, freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

/** The browser whose request is being answered; Next's own store is bound to its server. */
let browser = new Browser();
vi.mock("next/headers", () => ({
  headers: async () => new Headers(),
  cookies: async () => ({
    get: (name: string) => (browser.read(name) === undefined ? undefined : { name, value: browser.read(name) }),
    getAll: () => [...browser.cookies].map(([name, value]) => ({ name, value })),
    set: (name: string, value: string, options: object) => browser.write(name, value, options),
  }),
}));

let sandbox: TestSandbox;
let database: TestDatabase;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000, exchangeLimit: 1_000 });
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  await sandbox.clear();
  await sandbox.control("POST", "config", { accessTokenBytes: 3_072 });
  database = await useDatabase("sqlite");
  restart();
  browser = new Browser();
});

afterEach(() => database.remove());

const restart = (variables: Record<string, string> = {}) =>
  freshProcess({
    ...database.variables,
    ...sandbox.ringex,
    RINGCX_HOSTS: sandbox.url,
    RINGEX_EXCHANGE_LIMIT: "1000",
    ...variables,
  });

const cookie = "tokendesk.exchange";

/** Comes back from RingCentral, as that user. */
async function arrive(username = ANA.username, intent: Partial<SignInIntent> = {}, token?: string): Promise<void> {
  const access_token = token ?? (await sandbox.ringexToken(username));
  const whole = { purpose: "sign_in", returnTo: "/overview", sid: null, linkConfirmed: false, ...intent } as const;
  const path = await keepExchange({ account: { access_token, token_type: "bearer" }, profile: {} }, whole);
  expect(path).toBe("/sign-in/ringex");
}

const ask = () => continueExchange("1.1.1.1");

async function signIn(username?: string): Promise<Session> {
  await arrive(username);
  expect(await ask()).toEqual({ returnTo: "/overview" });
  const session = await currentSession();
  if (!session) throw new Error("nobody is signed in");
  return session;
}

const actions = () =>
  read((db) => db.selectFrom("audit_events").select(["action", "outcome", "details"]).orderBy("seq").execute());

describe("a sign-in", () => {
  test("is of the user that RingCX names, with the role of that name, and leaves nothing of the way there", async () => {
    restart({ OPS_USERS: ANA.username });
    await arrive(undefined, { returnTo: "/audit?actor=x" });
    expect(await pendingExchange()).toEqual({ purpose: "sign_in", returnTo: "/audit?actor=x" });
    const [sealed] = [...browser.cookies];
    expect(sealed?.[0]).toBe(cookie);
    expect(browser.options.get(cookie)).toMatchObject({ httpOnly: true, sameSite: "lax", path: "/", maxAge: 900 });
    expect(await ask()).toEqual({ returnTo: "/audit?actor=x" });
    expect(browser.cookies.has(cookie)).toBe(false);
    const session = await currentSession();
    expect(session).toMatchObject({
      user: { name: "Ana Lima", email: ANA.username, role: "ops" },
      identity: { login: ANA.username, provider: "ringcentral" },
      connections: [{ username: ANA.username, mainAccountId: "333333", platformId: "aws80", home: true }],
    });
    expect(session?.identity.id).toMatch(/:333333:\d+$/);
    const { data } = await readSession(browser);
    expect(data?.connections[0]?.refreshToken).toEqual(expect.any(String));
    expect(await actions()).toMatchObject([{ action: "session.create", details: expect.stringContaining("ringex") }]);
  });

  test("cannot be had twice with one cookie, and a cookie of another key is none", async () => {
    await arrive();
    const copy = browser.copy();
    await ask();
    browser = copy;
    await expect(ask()).rejects.toMatchObject({ code: "not_found", extensions: { problem: "code" } });
    expect(browser.cookies.size).toBe(0);
    await expect(ask()).rejects.toMatchObject({ extensions: { problem: "state" } });
    await arrive();
    restart({ SESSION_SECRET: "x".repeat(40) });
    await expect(ask()).rejects.toMatchObject({ extensions: { problem: "state" } });
    expect(await sandbox.journal("exchange")).toHaveLength(1);
  });

  test("of an account that is not served here is refused, ended at RingCX and recorded", async () => {
    restart({ ALLOWED_ACCOUNTS: "444444" });
    await arrive();
    await expect(ask()).rejects.toMatchObject({ code: "account_not_allowed" });
    expect(browser.cookies.size).toBe(0);
    expect(await sandbox.journal("logout")).toMatchObject([{ status: 200 }]);
    expect(await actions()).toMatchObject([
      { action: "session.denied", outcome: "failed", details: expect.stringContaining("account_not_allowed") },
    ]);
  });

  test("whose user RingCX does not name has no role, and another ID than everybody else", async () => {
    restart({ ADMIN_USERS: "*@example.com" });
    await sandbox.fault({ operation: "auth", kind: "status", status: 403, count: -1 });
    const session = await signIn();
    expect(session).toMatchObject({ user: { role: "member", name: "Ana Lima", email: null } });
    expect(session.login).toMatch(/^admin \d+$/);
    await sandbox.clear();
    expect((await signIn()).identity.id).toBe(session.identity.id);
  });

  test("takes the name from RingCentral where RingCX says none; of whom it says nothing nobody is signed in", async () => {
    const bare = { accessToken: "x", refreshToken: "r", tokenType: "Bearer", mainAccountId: "333333" };
    const answering = (body: object) =>
      sandbox.fault({
        operation: "exchange",
        kind: "status",
        status: 200,
        contentType: "application/json",
        body: JSON.stringify({ ...bare, ...body }),
      });
    await answering({ adminId: 7 });
    expect(await signIn()).toMatchObject({ user: { name: "Ana Lima", role: "member" }, login: "admin 7" });
    browser = new Browser();
    await answering({});
    await arrive();
    await expect(ask()).rejects.toMatchObject({ code: "upstream_bad_response" });
    expect(browser.cookies.size).toBe(0);
  });

  test("without the right to RingCX starts again at RingCentral, and is recorded as denied", async () => {
    await arrive("forbidden@example.com");
    await expect(ask()).rejects.toMatchObject({ code: "forbidden" });
    expect(browser.cookies.size).toBe(0);
    await arrive(undefined, {}, "no-token-of-theirs");
    const refusal = await ask().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "invalid_credentials" });
    expect(everythingIn(refusal)).not.toContain("no-token-of-theirs");
    expect(browser.cookies.size).toBe(0);
    // Nobody has said yet who it was.
    expect(await read((db) => db.selectFrom("audit_events").selectAll().orderBy("seq").execute())).toMatchObject([
      { action: "session.denied", actor_name: "unknown", details: '{"code":"forbidden"}' },
      { action: "session.denied", actor_name: "unknown", details: '{"code":"invalid_credentials"}' },
    ]);
  });

  test("keeps none of the secrets in the database, the log, or a cookie that can be read", async () => {
    restart({ LOG_LEVEL: "trace" });
    const log = captureLog();
    await arrive();
    const rows = JSON.stringify(await read((db) => db.selectFrom("ringex_exchanges").selectAll().execute()));
    const before = browser.header;
    await ask();
    const seen = [rows, before, browser.header, log.read()].join("\n");
    log.stop();
    for (const secret of await sandbox.allSecrets()) expect(seen).not.toContain(secret);
  });
});

describe("an exchange that RingCX does not make", () => {
  test.each([
    ["html502", "upstream_unavailable"],
    ["resetAfter", "upstream_unavailable"],
    ["emptyBody", "upstream_bad_response"],
    ["hang", "upstream_timeout"],
  ])("because of %s may be tried again", async (kind, code) => {
    restart({ RINGCX_TIMEOUT_MS: "1500" });
    await sandbox.fault({ operation: "exchange", kind });
    await arrive();
    await expect(ask()).rejects.toMatchObject({
      code,
      message: expect.stringContaining("got lost"),
      extensions: { again: true },
    });
    expect(await ask()).toEqual({ returnTo: "/overview" });
    expect(await sandbox.journal("exchange")).toHaveLength(2);
  });

  test("since its limit is used up is made later: nobody asks meanwhile, and the place is kept", async () => {
    await sandbox.fault({ operation: "exchange", kind: "http429", retryAfter: 2 });
    await arrive();
    expect(await ask()).toEqual({ place: 1, waitSeconds: 2 });
    expect(await ask()).toMatchObject({ place: 1, waitSeconds: expect.any(Number) });
    await sandbox.fault({ operation: "exchange", kind: "http429" });
    await vi.waitUntil(async () => {
      const answer = await ask();
      return "waitSeconds" in answer && answer.waitSeconds > 50;
    }, 5_000);
    expect(await sandbox.journal("exchange")).toHaveLength(2);
  });
});

describe("a line", () => {
  test("is told with the place and the time, and moves up", async () => {
    restart({ RINGEX_EXCHANGE_LIMIT: "1" });
    const others = [];
    for (const _ of [1, 2, 3]) {
      browser = new Browser();
      await arrive();
      others.push(browser);
    }
    const [first, second, third] = others as [Browser, Browser, Browser];
    browser = third;
    expect(await ask()).toMatchObject({ place: 3, waitSeconds: expect.any(Number) });
    browser = first;
    expect(await ask()).toEqual({ returnTo: "/overview" });
    browser = third;
    const told = await ask();
    expect(told).toMatchObject({ place: 2 });
    expect("waitSeconds" in told && told.waitSeconds).toBeGreaterThan(110);
    browser = second;
    expect(await ask()).toMatchObject({ place: 1 });
    expect(await sandbox.journal("exchange")).toHaveLength(1);
  });
});

describe("who is signed in", () => {
  test("confirms that it is them, and nobody else does; what it took at RingCX is ended", async () => {
    const { sid } = await signIn();
    const before = (await readSession(browser)).data;
    if (!before) throw new Error("no session");
    await writeSession(browser, { ...before, authenticatedAt: 1 });
    await arrive("other@example.com", { purpose: "confirm", sid });
    await expect(ask()).rejects.toMatchObject({ code: "forbidden", extensions: { problem: "other_person" } });
    expect((await currentSession())?.authenticatedAt).toBe(1);
    await arrive(ANA.username, { purpose: "confirm", sid, returnTo: "/settings" });
    expect(await ask()).toEqual({ returnTo: "/settings" });
    const { data } = await readSession(browser);
    expect(data).toMatchObject({ sid, connections: before.connections });
    expect(data?.authenticatedAt).toBeGreaterThan(1);
    expect((await sandbox.journal("logout")).map(({ status }) => status)).toEqual([200, 200]);
  });

  test("connects another account; in another session, or in none, it is not even exchanged", async () => {
    const { sid } = await signIn();
    await arrive("other@example.com", { purpose: "connect", sid });
    expect(await ask()).toEqual({ returnTo: "/overview" });
    const session = await currentSession();
    expect(session?.sid).toBe(sid);
    expect(session?.connections.map(({ username, active }) => [username, active])).toEqual([
      [ANA.username, false],
      ["other@example.com", true],
    ]);
    for (const purpose of ["connect", "confirm"] as const) {
      await arrive("other@example.com", { purpose, sid: "somebody-else-0123456789" });
      await expect(ask()).rejects.toMatchObject({ code: "session_expired", extensions: { problem: "stale" } });
      expect(browser.cookies.has(cookie)).toBe(false);
    }
    expect(await sandbox.journal("exchange")).toHaveLength(2);
  });

  test("that is refused is recorded as what who is signed in tried", async () => {
    const { sid, identity } = await signIn();
    restart({ ALLOWED_ACCOUNTS: "333333" });
    await arrive("other@example.com", { purpose: "connect", sid });
    await expect(ask()).rejects.toMatchObject({ code: "account_not_allowed" });
    await arrive("forbidden@example.com", { purpose: "connect", sid });
    await expect(ask()).rejects.toMatchObject({ code: "forbidden" });
    const events = await read((db) => db.selectFrom("audit_events").selectAll().orderBy("seq").execute());
    expect(events.slice(-2)).toMatchObject([
      { actor_id: identity.id, details: '{"code":"account_not_allowed","user":"other@example.com"}' },
      { actor_id: identity.id, details: '{"code":"forbidden","user":"unknown"}' },
    ]);
  });

  test("does so with cookies that leave no room for it: the database keeps what it cannot read", async () => {
    const { sid } = await signIn();
    browser.cookies.set("theme", "x".repeat(7_500 - browser.header.length - 300));
    await arrive(undefined, { purpose: "confirm", sid });
    const kept = await read((db) => db.selectFrom("ringex_tokens").selectAll().execute());
    expect(kept).toHaveLength(1);
    expect(browser.read(cookie)?.length).toBeLessThan(80);
    expect(browser.read(cookie)).toContain(kept[0]?.id);
    for (const secret of await sandbox.allSecrets()) expect(JSON.stringify(kept)).not.toContain(secret);
    const copy = browser.copy();
    browser.cookies.set(cookie, `${kept[0]?.id}.${"A".repeat(43)}`);
    await expect(ask()).rejects.toMatchObject({ extensions: { problem: "state" } });
    browser = copy;
    expect(await ask()).toEqual({ returnTo: "/overview" });
    expect(browser.cookies.has(cookie)).toBe(false);
    expect(await read((db) => db.selectFrom("ringex_tokens").selectAll().execute())).toEqual([]);

    renameSync(database.folder, `${database.folder}-away`);
    await expect(arrive(undefined, { purpose: "confirm", sid })).rejects.toMatchObject({ code: "session_too_large" });
    renameSync(`${database.folder}-away`, database.folder);
  });
});
