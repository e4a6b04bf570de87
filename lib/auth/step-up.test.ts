import { NextRequest } from "next/server";
import type { encode } from "next-auth/jwt";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { POST as confirm } from "@/app/api/session/confirm/route";
import { readConfiguration } from "@/lib/auth/configuration";
import { authOptions, identityCookieName } from "@/lib/auth/identity";
import { publicIdOf, type Session } from "@/lib/auth/session";
import { newAttempt, signInAttempt, signInWithPassword } from "@/lib/auth/sign-in";
import { read } from "@/lib/db/client";
import { settings } from "@/lib/env";
import { route } from "@/lib/http/route";
import { readSession, writeSession } from "@/lib/session/cookie";
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
const minute = 60_000;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000 });
});
afterAll(() => sandbox.close());

beforeEach(async () => {
  await sandbox.clear();
  database = await useDatabase("sqlite");
  freshProcess({ ...database.variables, RINGCX_HOSTS: sandbox.url });
  browser = new Browser();
});
afterEach(() => database.remove());

/** Signs in as if that had been `ago` milliseconds before; `former`: with a version that kept no user ID. */
async function signIn(ago: number, { former = false } = {}): Promise<void> {
  const attempt = newAttempt("1.1.1.1");
  await signInAttempt.run(attempt, () => signInWithPassword(ANA));
  const { person, session } = attempt;
  if (!person || !session) throw new Error("not signed in");
  const connections = session.connections.map(({ adminId, ...one }) => (former ? one : { ...one, adminId }));
  await writeSession(browser, { ...session, connections, createdAt: Date.now() - ago });
  const { jwt, secret } = authOptions();
  const token = { sub: person.id, name: person.name, email: person.email, login: person.login, sid: person.sid };
  browser.write(identityCookieName(), await (jwt as { encode: typeof encode }).encode({ token, secret: secret ?? "" }));
}

let done = 0;
const context = { params: Promise.resolve({}) };
const act = route({ name: "/api/test", fresh: true }, async () => {
  done += 1;
  return { done };
});
const request = (body: object = {}) =>
  new NextRequest(`${origin}/api/test`, {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const attemptAct = async () => (await act(request(), context)).json();
const confirmWith = async (password: string) => (await confirm(request({ password }), context)).json();

test("a sign-in of the last fifteen minutes is fresh, an older one is not, and nothing is done then", async () => {
  done = 0;
  await signIn(14 * minute);
  expect(await attemptAct()).toEqual({ done: 1 });
  await signIn(16 * minute);
  expect(await attemptAct()).toMatchObject({
    code: "step_up_required",
    status: 403,
    by: "ringcx",
    login: ANA.username,
    maxAgeMinutes: 15,
  });
  expect(done).toBe(1);
  freshProcess({ ...database.variables, RINGCX_HOSTS: sandbox.url, STEP_UP_MINUTES: "30" });
  expect(await attemptAct()).toEqual({ done: 2 });
});

test("the password makes it fresh; the sign-in that this takes is ended at RingCX, the session's own is not", async () => {
  done = 0;
  await signIn(16 * minute);
  const before = (await readSession(browser)).data;
  expect(await confirmWith(ANA.password)).toEqual({ authenticatedAt: expect.any(String) });
  expect(await attemptAct()).toEqual({ done: 1 });
  expect(await sandbox.journal("logout")).toHaveLength(1);
  const after = (await readSession(browser)).data;
  expect(after).toMatchObject({ sid: before?.sid, createdAt: before?.createdAt, connections: before?.connections });
  const events = await read((db) => db.selectFrom("audit_events").select(["action", "outcome"]).execute());
  expect(events).toContainEqual({ action: "session.confirm", outcome: "succeeded" });
});

test("who signed in with a former version confirms like anybody", async () => {
  done = 0;
  await signIn(16 * minute, { former: true });
  expect(await confirmWith(ANA.password)).toEqual({ authenticatedAt: expect.any(String) });
  expect(await attemptAct()).toEqual({ done: 1 });
});

test("another password does not, is recorded, and can be guessed five times only", async () => {
  await signIn(16 * minute);
  expect(await confirmWith("wrong")).toMatchObject({ code: "invalid_credentials" });
  expect(await attemptAct()).toMatchObject({ code: "step_up_required" });
  for (let nth = 0; nth < 4; nth += 1) await confirmWith("wrong");
  expect(await confirmWith(ANA.password)).toMatchObject({ code: "rate_limited" });
  expect(await sandbox.journal("login")).toHaveLength(6);
  const events = await read((db) => db.selectFrom("audit_events").selectAll().execute());
  const denied = events.filter(({ action }) => action === "session.denied");
  expect(denied).toHaveLength(6);
  // Whose session it was is known, whatever was typed.
  for (const { tenant, actor_id } of denied) {
    expect({ tenant, actor_id }).toEqual({
      tenant: `${new URL(sandbox.url).host}|333333`,
      actor_id: expect.stringMatching(/^ringcx:/),
    });
  }
});

test.each(["html502", "resetBefore", "http429"])(
  "while RingCX answers with %s nobody is told they are wrong",
  async (kind) => {
    await signIn(16 * minute);
    await sandbox.fault({ operation: "login", kind, count: 1 });
    expect(await confirmWith(ANA.password)).toMatchObject({ code: expect.stringMatching(/^upstream_/) });
    expect(await confirmWith(ANA.password)).toMatchObject({ authenticatedAt: expect.any(String) });
  },
);

test("what a page is about is done there or not at all", async () => {
  done = 0;
  await signIn(0);
  const about = (workspace: string) => {
    const asked = request();
    asked.headers.set("x-tokendesk-workspace", workspace);
    return act(asked, context);
  };
  const { connections } = (await readSession(browser)).data ?? {};
  const [connection] = connections ?? [];
  if (!connection) throw new Error("not connected");
  expect((await about(publicIdOf(connection))).status).toBe(200);
  const refused = await about(publicIdOf({ ...connection, mainAccountId: "444444" }));
  expect(await refused.json()).toMatchObject({ code: "connection_required", status: 403 });
  expect(done).toBe(1);
});

test("strangers confirm nothing", async () => {
  expect(await confirmWith(ANA.password)).toMatchObject({ code: "not_signed_in" });
  expect(await sandbox.journal("login")).toHaveLength(0);
});

test("the configuration is for administrators, and holds no secret", () => {
  const secrets = {
    SESSION_SECRET: "canary-session-".padEnd(40, "x"),
    FINGERPRINT_KEY: "canary-fingerprint-".padEnd(40, "x"),
    DATABASE_URL: "postgres://app:canary-password@db.example.com/tokendesk?password=canary-query",
    RC_CLIENT_ID: "client",
    RC_CLIENT_SECRET: "canary-ringex",
    OIDC_ISSUER: "https://login.example.com/",
    OIDC_CLIENT_ID: "client",
    OIDC_CLIENT_SECRET: "canary-oidc",
    METRICS_TOKEN: "canary-metrics-token",
    NOTIFY_WEBHOOKS: "https://hooks.example.com/canary-path?key=canary-query",
    NOTIFY_WEBHOOK_SECRET: "canary-webhook-".padEnd(40, "x"),
    NOTIFY_SLACK_WEBHOOKS: "https://hooks.slack.com/services/canary/slack",
  };
  const inForce = {
    ...secrets,
    RINGCX_HOSTS: sandbox.url,
    ADMIN_USERS: "root@example.com",
    AUDIT_RETENTION_DAYS: "30",
  };
  freshProcess(inForce);
  const as = (role: "member" | "ops" | "admin", account = "333333") =>
    readConfiguration({ user: { role }, tenant: `h|${account}`, home: "h|333333", identity: {} } as Session);
  // Any RingCX customer can have a user of that name.
  expect(() => as("admin")).toThrowError(/ALLOWED_ACCOUNTS/);
  freshProcess({ ...inForce, ALLOWED_ACCOUNTS: "333333" });
  expect(() => as("member")).toThrowError(/administrators/);
  expect(() => as("ops")).toThrowError(/administrators/);
  expect(() => as("admin", "444444")).toThrowError(/ALLOWED_ACCOUNTS/);
  const configuration = as("admin");
  expect(JSON.stringify(configuration)).not.toContain("canary");
  expect(configuration).toMatchObject({
    roles: { admins: ["root@example.com"], ops: [], opsGroup: null },
    allowedAccounts: ["333333"],
    retention: { auditDays: 30, sessionDays: 90 },
  });
  const found = Object.fromEntries(configuration.settings.map(({ name, ...rest }) => [name, rest]));
  expect(found).toMatchObject({
    ADMIN_USERS: { source: "environment", value: "root@example.com" },
    DATABASE_URL: { source: "environment", value: "postgres://db.example.com/…" },
    NOTIFY_WEBHOOKS: { source: "environment", value: "https://hooks.example.com/…" },
    OIDC_CLIENT_SECRET: { source: "environment", value: null, secret: true },
    PORT: { source: "default", value: "3000" },
    TOKEN_PREFIX_PATTERN: { source: "default", value: "[A-Za-z]{1,12}[0-9]{1,4}" },
    OPS_USERS: { source: "unset", value: null },
  });
  const comma = settings({ DATABASE_URL: "postgres://app:4711,canary@db.example.com/tokendesk" });
  expect(comma.find(({ name }) => name === "DATABASE_URL")?.value).toBe("postgres://db.example.com/…");
  expect(settings({}).find(({ name }) => name === "SESSION_SECRET")).toMatchObject({
    source: "generated",
    value: null,
  });
});
