import { NextRequest } from "next/server";
import type { encode } from "next-auth/jwt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { authOptions, identityCookieName } from "@/lib/auth/identity";
import { newAttempt, signInAttempt, signInWithPassword } from "@/lib/auth/sign-in";
import type { TokendeskError } from "@/lib/errors";
import { route } from "@/lib/http/route";
import { writeSession } from "@/lib/session/cookie";
import type { SessionData } from "@/lib/session/schema";
import { Browser } from "@/test/cookies";
import { type TestDatabase, useDatabase } from "@/test/database";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

/** The browser whose request is being answered; Next's own store is bound to its server. */
let browser = new Browser();
vi.mock("next/headers", () => ({
  headers: async () => new Headers(),
  cookies: async () => ({
    get: (name: string) => (browser.read(name) === undefined ? undefined : { name, value: browser.read(name) }),
    set: (name: string, value: string, options: object) => browser.write(name, value, options),
  }),
}));

let sandbox: TestSandbox;
let database: TestDatabase;
const origin = "http://localhost:3000";

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000 });
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
  freshProcess({ ...database.variables, RINGCX_HOSTS: sandbox.url, ...variables });

async function attempt(input: unknown, address = "1.1.1.1") {
  const outcome = newAttempt(address);
  const person = await signInAttempt.run(outcome, () => signInWithPassword(input));
  expect(outcome.person).toBe(person);
  return outcome;
}

/** Signs in, and gives the browser both cookies. */
async function signIn(credentials = ANA): Promise<SessionData> {
  const { person, session } = await attempt(credentials);
  if (!person || !session) throw new Error("not signed in");
  await writeSession(browser, session);
  const { jwt, secret } = authOptions();
  const token = { sub: person.id, name: person.name, email: person.email, login: person.login, sid: person.sid };
  browser.write(identityCookieName(), await (jwt as { encode: typeof encode }).encode({ token, secret: secret ?? "" }));
  return session;
}

const context = { params: Promise.resolve({}) };
const create = route({ name: "/api/test" }, async ({ session }) => {
  await session.client.listTokenValues();
  return { ...(await session.client.createTokenValue()), role: session.user.role };
});
const post = () => create(new NextRequest(`${origin}/api/test`, { method: "POST", headers: { origin } }), context);

describe("a sign-in", () => {
  test("makes a person and a session that are bound to each other, and the person holds no token", async () => {
    const { person, session, error } = await attempt(ANA);
    expect(error).toBeNull();
    expect(person).toMatchObject({ name: "Ana Lima", email: ANA.username, login: ANA.username, sid: session?.sid });
    expect(session?.sid.length).toBeGreaterThanOrEqual(16);
    expect(session?.connections).toMatchObject([{ host: sandbox.url, platformId: "aws80", mainAccountId: "333333" }]);
    const known = JSON.stringify(person);
    for (const secret of [session?.connections[0]?.accessToken, session?.connections[0]?.refreshToken, ANA.password]) {
      expect(known).not.toContain(secret);
    }
    expect((await attempt(ANA)).session?.sid).not.toBe(session?.sid);
  });

  test.each([
    [{ ...ANA, password: "wrong" }, "invalid_credentials"],
    [{ ...ANA, platformId: "na1" }, "invalid_credentials"],
    [{ ...ANA, username: "forbidden@example.com" }, "forbidden"],
    [{ ...ANA, username: "reset@example.com" }, "password_reset_required"],
    [{ ...ANA, host: "https://evil.example" }, "invalid_input"],
    [{ ...ANA, password: "" }, "invalid_input"],
    [{ ...ANA, platformId: " " }, "invalid_input"],
    [{}, "invalid_input"],
    [null, "invalid_input"],
  ])("with %j ends as %s", async (input, code) => {
    const { person, session, error } = await attempt(input);
    expect({ person, session }).toEqual({ person: null, session: null });
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain("wrong");
  });

  test("with an empty form names all that is missing; an empty host is the first", async () => {
    const { error } = await attempt({ username: "", password: "", platformId: "", host: "" });
    expect((error as TokendeskError).extensions.errors).toMatchObject([
      { path: "username" },
      { path: "password" },
      { path: "platformId" },
    ]);
    expect((await attempt({ ...ANA, host: "" })).error).toBeNull();
  });

  test("of an account that is not served is refused, and ended upstream", async () => {
    restart({ ALLOWED_ACCOUNTS: "444444" });
    expect((await attempt(ANA)).error).toMatchObject({ code: "account_not_allowed" });
    expect((await sandbox.journal("logout")).map(({ status }) => status)).toEqual([200]);
    expect((await attempt({ ...ANA, username: "other@example.com" })).session).not.toBeNull();
  });

  test.each(["html502", "resetBefore", "cutBody", "http429"])("under %s is no wrong guess", async (kind) => {
    await sandbox.fault({ operation: "login", kind, count: 8 });
    for (let nth = 0; nth < 8; nth += 1) {
      expect((await attempt(ANA)).error).toMatchObject({ code: expect.stringMatching(/^upstream_/) });
    }
    expect((await attempt(ANA)).error).toBeNull();
  });

  test.each([
    ["a page with 401", { kind: "status", status: 401, body: "<!doctype html>no", contentType: "text/html" }],
    ["an error at 200", { kind: "status", status: 200, body: '{"error":"no"}', contentType: "application/json" }],
    ["a redirect to a login page", { kind: "redirect", location: "/login" }],
    ["a 500", { kind: "status", status: 500, body: "Bad credentials", contentType: "text/plain" }],
  ])("that RingCX answers with %s counts as a guess", async (_, fault) => {
    await sandbox.fault({ operation: "login", count: 8, ...fault });
    for (let nth = 0; nth < 8; nth += 1) await attempt(ANA);
    expect(await sandbox.journal("login")).toHaveLength(5);
    expect((await attempt(ANA)).error).toMatchObject({ code: "rate_limited" });
  });

  test("is refused here after five wrong guesses, without asking RingCX", async () => {
    for (let nth = 0; nth < 5; nth += 1) await attempt({ ...ANA, password: "wrong" });
    expect((await attempt(ANA)).error).toMatchObject({ code: "rate_limited" });
    expect(await sandbox.journal("login")).toHaveLength(5);
    expect((await attempt(ANA, "2.2.2.2")).error).toBeNull();
  });
});

describe("a route for signed-in people", () => {
  test("refuses strangers, and those whose two cookies are not of one sign-in", async () => {
    expect((await post()).status).toBe(401);
    await signIn();
    const identity = browser.read(identityCookieName()) ?? "";
    await signIn();
    browser.write(identityCookieName(), identity);
    const response = await post();
    expect(await response.json()).toMatchObject({ code: "not_signed_in", status: 401 });
    browser.cookies.delete(identityCookieName());
    expect((await post()).status).toBe(401);
    expect(await sandbox.journal("token.create")).toHaveLength(0);
  });

  test("knows the role of the name that was proven", async () => {
    restart({ OPS_USERS: "*@example.com" });
    await signIn();
    expect(await (await post()).json()).toMatchObject({ role: "ops" });
  });

  test("writes the renewed session that came up while it worked", async () => {
    await signIn();
    const before = browser.header;
    await sandbox.control("POST", "expire-access-tokens");
    expect((await post()).status).toBe(200);
    expect(browser.header).not.toBe(before);
    expect((await post()).status).toBe(200);
    expect(await sandbox.journal("refresh")).toHaveLength(1);
  });

  test("gives the value of a token that was made, also when the renewed session does not fit into the cookie", async () => {
    await signIn();
    await sandbox.control("POST", "config", { accessTokenBytes: 12_000 });
    await sandbox.control("POST", "expire-access-tokens");
    const response = await post();
    expect(await sandbox.journal("token.create")).toHaveLength(1);
    expect(await response.json()).toMatchObject({ value: expect.stringMatching(/^aws80:/) });
  });
});
