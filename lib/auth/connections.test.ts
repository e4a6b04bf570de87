import { AsyncLocalStorage } from "node:async_hooks";
import { NextRequest } from "next/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import * as activeRoute from "@/app/api/connections/[id]/activate/route";
import * as connectionRoute from "@/app/api/connections/[id]/route";
import * as connectionsRoute from "@/app/api/connections/route";
import * as sessionRoute from "@/app/api/session/route";
import * as revealRoute from "@/app/api/tokens/[id]/reveal/route";
import * as tokensRoute from "@/app/api/tokens/route";
import { readEvents } from "@/lib/audit/reading";
import { auditQuerySchema } from "@/lib/audit/schema";
import { issueIdentity } from "@/lib/auth/identity";
import { type ConnectionView, openRouteSession, publicIdOf } from "@/lib/auth/session";
import { type SignedIn, signedInWith } from "@/lib/auth/sign-in";
import { closeDatabase } from "@/lib/db/client";
import { inTime } from "@/lib/in-time";
import { signInAdmin } from "@/lib/ringcx/client";
import { readSession, writeSession } from "@/lib/session/cookie";
import type { Connection, ListedConnection, SessionData } from "@/lib/session/schema";
import { rowKey, type Token } from "@/lib/tokens/schema";
import { Browser } from "@/test/cookies";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

/** Whose request is being answered: each brings the cookies that it was sent with. */
const jars = new AsyncLocalStorage<Browser>();
const jar = () => jars.getStore() ?? new Browser();
vi.mock("next/headers", () => ({
  headers: async () => new Headers(),
  cookies: async () => ({
    get: (name: string) => (jar().read(name) === undefined ? undefined : { name, value: jar().read(name) }),
    set: (name: string, value: string, options: object) => jar().write(name, value, options),
  }),
}));

let here: TestSandbox;
let there: TestSandbox;
let database: TestDatabase;
const origin = "http://localhost:3000";
const OTHER = { ...ANA, username: "other@example.com" };
const PETRA = { ...ANA, username: "parent@example.com" };

beforeAll(async () => {
  [here, there] = await Promise.all([
    TestSandbox.start({ rateLimit: 10_000 }),
    TestSandbox.start({ rateLimit: 10_000 }),
  ]);
});

afterAll(() => Promise.all([here.close(), there.close()]));

async function begin(empty: TestDatabase) {
  for (const sandbox of [here, there]) {
    await sandbox.reset();
    await sandbox.control("POST", "config", { accessTokenBytes: 1_200 });
  }
  database = empty;
  restart();
}

const company = { OIDC_ISSUER: "https://idp.example", OIDC_CLIENT_ID: "tokendesk", OIDC_CLIENT_SECRET: "a secret" };

function restart(variables: Record<string, string> = {}): void {
  freshProcess({ ...database.variables, ...company, RINGCX_HOSTS: `${here.url},${there.url}`, ...variables });
}

afterEach(() => database.remove());

type Handler = (request: NextRequest, context: { params: Promise<Record<string, string>> }) => Promise<Response>;
type Options = { method?: string; body?: unknown; params?: Record<string, string>; query?: string };

async function send(browser: Browser, handler: Handler, options: Options = {}) {
  const { method = "GET", body, params = {}, query = "" } = options;
  const request = new NextRequest(`${origin}/api/test${query}`, {
    method,
    headers: { origin, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await jars.run(browser, () => handler(request, { params: Promise.resolve(params) }));
  const text = await response.text();
  return { status: response.status, json: text === "" ? null : JSON.parse(text), text };
}

async function connectionAt(sandbox: TestSandbox, credentials = ANA): Promise<Connection> {
  const answer = await signInAdmin(sandbox.url, credentials);
  return {
    ...{ id: "first", host: sandbox.url, username: credentials.username, platformId: "aws80" },
    ...{ mainAccountId: answer.mainAccountId, accessToken: answer.accessToken, refreshToken: answer.refreshToken },
    ...{ issuedAt: Date.now(), lifetimeMs: answer.lifetimeMs },
    ...(answer.adminId === null ? {} : { adminId: answer.adminId }),
  };
}

/** The connection of whoever signed in last, as others know it. */
let home = "";

/** Ana of the first host, in a browser of her own. */
async function signIn(): Promise<Browser> {
  const browser = new Browser();
  const connection = await connectionAt(here);
  home = publicIdOf(connection);
  const { person, session } = signedInWith(connection, "ringcx");
  await writeSession(browser, session);
  await issueIdentity(browser, person);
  return browser;
}

/** Somebody whom the company's identity provider vouches for. */
async function signInAtCompany(email: string, inOpsGroup = false): Promise<Browser> {
  const browser = new Browser();
  const sid = `company-session-${email}`;
  const person: SignedIn = {
    ...{ id: `oidc:idp.example:${email}`, name: "Cora", email, login: email, sid, provider: "oidc", inOpsGroup },
  };
  const now = Date.now();
  const session: SessionData = { sid, createdAt: now, seenAt: now, connections: [], home: "sso|idp.example" };
  await writeSession(browser, session);
  await issueIdentity(browser, person);
  return browser;
}

const connect = (browser: Browser, sandbox: TestSandbox, credentials = OTHER, more = {}) =>
  send(browser, connectionsRoute.POST, { method: "POST", body: { ...credentials, host: sandbox.url, ...more } });
const disconnect = (browser: Browser, id: string) =>
  send(browser, connectionRoute.DELETE, { method: "DELETE", params: { id } });
const activate = (browser: Browser, id: string) =>
  send(browser, activeRoute.POST, { method: "POST", params: { id }, body: {} });
const list = (browser: Browser) => send(browser, tokensRoute.GET);

async function connections(browser: Browser): Promise<ConnectionView[]> {
  const { json, status, text } = await send(browser, sessionRoute.GET);
  expect(status, text).toBe(200);
  return json.connections;
}
const names = async (browser: Browser) => (await connections(browser)).map(({ username }) => username);

describe("a second account", () => {
  beforeEach(async () => begin(await useDatabase("sqlite")));

  test("is connected beside the first and becomes the active one; both lists are one", async () => {
    const browser = await signIn();
    const answer = await connect(browser, there);
    expect(answer.status, answer.text).toBe(201);
    const { connection } = answer.json;
    expect(connection).toMatchObject({ username: OTHER.username, host: there.url, mainAccountId: "444444" });
    expect(answer.text).not.toMatch(/accessToken|refreshToken/);
    expect(await connections(browser)).toMatchObject([
      { id: home, active: false, home: true, state: "live" },
      { id: connection.id, active: true, home: false, state: "live" },
    ]);

    const { json } = await list(browser);
    const tokens: Token[] = json.tokens;
    const of = (id: string) => tokens.filter((token) => token.connection === id).length;
    expect([of(home), of(connection.id), tokens.length]).toEqual([3, 2, 5]);
    expect(json.connections.map(({ id, problem }: ListedConnection) => [id, problem])).toEqual([
      [connection.id, null],
      [home, null],
    ]);
    await activate(browser, home);
    expect((await connections(browser)).find(({ active }) => active)?.id).toBe(home);
    expect((await activate(browser, "nothing")).json).toMatchObject({ code: "not_found" });
  });

  test("whose RingCX is down is named, and hides nothing of the other; of one alone the failure is the answer", async () => {
    const browser = await signIn();
    const { id } = (await connect(browser, there)).json.connection;
    await there.fault({ operation: "token.list", kind: "html502", count: -1 });
    const { json, status } = await list(browser);
    expect(status).toBe(200);
    expect(json.tokens).toHaveLength(3);
    expect(json.connections).toMatchObject([
      { id, username: OTHER.username, problem: { code: "upstream_unavailable" } },
      { id: home, problem: null },
    ]);
    await disconnect(browser, id);
    await here.fault({ operation: "token.list", kind: "html502", count: -1 });
    expect((await list(browser)).status).toBe(503);
  });

  test("is ended at RingCX and in every copy of the cookie when it is disconnected; the home cannot be", async () => {
    const browser = await signIn();
    const { id } = (await connect(browser, there)).json.connection;
    const copy = browser.copy();
    expect((await disconnect(browser, home)).status).toBe(400);
    expect((await disconnect(browser, id)).status).toBe(204);
    expect((await there.journal("logout")).map(({ status, effect }) => [status, effect])).toEqual([[200, true]]);
    expect(await here.journal("logout")).toEqual([]);
    expect(await names(browser)).toEqual([ANA.username]);
    expect((await disconnect(browser, id)).status).toBe(404);
    expect(await names(copy)).toEqual([ANA.username]);
    expect(
      (await send(copy, tokensRoute.POST, { method: "POST", body: { label: "x" }, query: `?connection=${id}` })).status,
    ).toBe(404);
    expect(await there.journal("token.create")).toEqual([]);
    const events = await jars.run(browser, async () => (await openRouteSession()).session);
    const seen = await readEvents(
      { ...events, tenant: `${new URL(there.url).host}|444444`, user: { ...events.user, role: "admin" } },
      auditQuerySchema.parse({}),
    );
    expect(seen.events.map(({ action }) => action)).toEqual(["connection.remove", "connection.add"]);
  });

  test("that is connected already stays as it is, and the new sign-in is ended", async () => {
    const browser = await signIn();
    const { id } = (await connect(browser, there)).json.connection;
    expect((await connect(browser, there)).json.connection.id).toBe(id);
    expect((await connect(browser, here, ANA)).json.connection).toMatchObject({ id: home, home: true });
    for (const sandbox of [here, there]) expect(await sandbox.journal("logout")).toHaveLength(1);
    expect((await list(browser)).json.tokens).toHaveLength(5);
  });

  test("a token is reached through its own connection alone", async () => {
    const browser = await signIn();
    const { id } = (await connect(browser, there)).json.connection;
    const token = (await list(browser)).json.tokens.find(({ connection }: Token) => connection === home);
    const reveal = (query: string) =>
      send(browser, revealRoute.POST, { method: "POST", params: { id: token.id }, query, body: {} });
    expect((await reveal(`?connection=${id}`)).json).toMatchObject({ code: "token_not_found" });
    expect((await reveal("")).json).toMatchObject({ code: "token_not_found" });
    expect((await reveal("?connection=elsewhere")).json).toMatchObject({ code: "not_found" });
    expect((await reveal(`?connection=${home}&connection=${id}`)).status).toBe(400);
    expect((await reveal(`?connection=${home}`)).status).toBe(200);
  });

  test("of the same user at another host lists the same tokens once for each, and each through its own", async () => {
    const browser = await signIn();
    const { id } = (await connect(browser, there, ANA)).json.connection;
    const tokens: Token[] = (await list(browser)).json.tokens;
    expect([tokens.length, new Set(tokens.map((token) => token.id)).size, new Set(tokens.map(rowKey)).size]).toEqual([
      6, 3, 6,
    ]);
    const [token] = tokens;
    const query = `?connection=${id}`;
    await send(browser, revealRoute.POST, { method: "POST", params: { id: token?.id ?? "" }, query, body: {} });
    const asked = async (sandbox: TestSandbox) => (await sandbox.journal("token.list")).length;
    expect(await asked(there)).toBeGreaterThan(await asked(here));
  });

  test("has the role that its own name has, and its audit log stays in its main account", async () => {
    restart({ OPS_USERS: OTHER.username });
    const browser = await signIn();
    const { id } = (await connect(browser, there)).json.connection;
    const at = (which: string) => jars.run(browser, async () => (await openRouteSession()).session.through(which));
    expect([(await at(home)).user.role, (await at(id)).user.role]).toEqual(["member", "ops"]);
    await send(browser, tokensRoute.POST, { method: "POST", body: { label: "There" }, query: `?connection=${id}` });
    const actions = async (which: string) =>
      (await readEvents(await at(which), auditQuerySchema.parse({}))).events.map(({ action }) => action);
    expect(await actions(id)).toContain("token.create");
    expect(await actions(home)).not.toContain("token.create");
    expect((await at(id)).actor).toMatchObject({
      tenant: (await at(id)).tenant,
      name: `${ANA.username} as ${OTHER.username}`,
    });
  });

  test("that RingCX ends is lost, and the rest goes on; when the home ends, so does the sign-in", async () => {
    const browser = await signIn();
    await connect(browser, there);
    await there.control("POST", "end-sessions");
    await there.control("POST", "expire-access-tokens");
    const { json, status } = await list(browser);
    expect(status).toBe(200);
    expect(json.tokens).toHaveLength(3);
    expect(json.connections[0]).toMatchObject({ username: OTHER.username, problem: { code: "connection_required" } });
    const lost = (await connections(browser)).find(({ state }) => state === "lost");
    expect(lost).toMatchObject({ username: OTHER.username, active: false });
    expect((await list(browser)).json.connections).toMatchObject([{ id: home }, { id: lost?.id, problem: {} }]);

    expect((await connect(browser, there)).status).toBe(201);
    expect((await connections(browser)).map(({ state }) => state)).toEqual(["live", "live"]);

    await here.control("POST", "end-sessions");
    await here.control("POST", "expire-access-tokens");
    expect((await list(browser)).json).toMatchObject({ code: "session_expired" });
    expect((await send(browser, sessionRoute.GET)).status).toBe(401);
  });

  test("of which RingCX cannot renew one just now is replaced by a new sign-in of the same user", async () => {
    const browser = await signIn();
    await there.control("POST", "config", { accessTokenSeconds: 1 });
    const { id } = (await connect(browser, there)).json.connection;
    await there.control("POST", "config", { accessTokenSeconds: 300 });
    await there.control("POST", "clock", { advanceSeconds: 2 });
    await there.fault({ operation: "refresh", kind: "html503", count: -1 });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2_000 });
    try {
      expect((await connections(browser)).map(({ state }) => state)).toEqual(["live", "postponed"]);
      const again = (await connect(browser, there)).json.connection;
      expect(again.id).toBe(id);
      expect((await connections(browser)).map(({ state }) => state)).toEqual(["live", "live"]);
      expect(await there.journal("logout")).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("one of two that RingCX is slow to renew", () => {
  beforeEach(async () => begin(await useDatabase("sqlite")));

  test("does not hold up the other", async () => {
    await there.control("POST", "config", { accessTokenSeconds: 1 });
    const browser = await signIn();
    await connect(browser, there);
    await activate(browser, home);
    await there.fault({ operation: "refresh", kind: "latency", ms: 6_000 });
    await vi.waitFor(async () => {
      expect(await inTime(connections(browser), 4_000)).toMatchObject([{ state: "live" }, { state: "postponed" }]);
    }, 10_000);
  });
});

describe("a legacy portal", () => {
  beforeEach(async () => begin(await useDatabase("sqlite")));

  test("is connected without a platform ID, and dead here once it is disconnected: it offers no way to end it", async () => {
    restart({ RINGCX_LEGACY_HOSTS: there.portal });
    const browser = await signIn();
    const { username, password } = OTHER;
    const body = { username, password, host: there.portal, staySignedIn: true };
    const answer = await send(browser, connectionsRoute.POST, { method: "POST", body });
    expect(answer.status, answer.text).toBe(201);
    const { id } = answer.json.connection;
    expect((await list(browser)).json).toMatchObject({
      connections: [
        { id, legacy: true, problem: null },
        { id: home, legacy: false },
      ],
    });
    const older = browser.copy();
    expect((await disconnect(browser, id)).status).toBe(204);
    await there.clearJournal();
    expect((await list(older)).json.connections).toMatchObject([{ id: home }]);
    expect(await there.journal()).toEqual([]);
  });
});

describe("an account of another name than the company's", () => {
  beforeEach(async () => begin(await useDatabase("sqlite")));

  test("is connected after a yes alone, and without one RingCX keeps nothing", async () => {
    const browser = await signInAtCompany("cora@company.example");
    const refused = await connect(browser, there);
    expect(refused.status).toBe(409);
    expect(refused.json).toMatchObject({
      ...{ code: "link_unconfirmed", identity: "cora@company.example", username: OTHER.username },
    });
    expect(await there.journal("logout")).toHaveLength(1);
    expect(await connections(browser)).toEqual([]);
    expect((await list(browser)).json).toMatchObject({ code: "connection_required" });
    expect((await connect(browser, there, OTHER, { linkConfirmed: true })).status).toBe(201);
    expect(await connections(browser)).toMatchObject([{ username: OTHER.username, home: false }]);
  });

  test("needs no yes when the verified address is the RingCX name; none of them is the home", async () => {
    const browser = await signInAtCompany(OTHER.username);
    const { id } = (await connect(browser, there)).json.connection;
    await there.control("POST", "end-sessions");
    await there.control("POST", "expire-access-tokens");
    await list(browser);
    expect(await connections(browser)).toMatchObject([{ id, state: "lost" }]);
    expect((await disconnect(browser, id)).status).toBe(204);
    expect(await connections(browser)).toEqual([]);
  });

  test("in an account that the company does not serve has no role by the company's group", async () => {
    restart({ ALLOWED_ACCOUNTS: "333333,444444" });
    const browser = await signInAtCompany("cora@company.example", true);
    const { id } = (await connect(browser, there, OTHER, { linkConfirmed: true })).json.connection;
    const role = () => jars.run(browser, async () => (await openRouteSession()).session.through(id).user.role);
    expect(await role()).toBe("ops");
    restart();
    expect(await role()).toBe("member");
  });

  test("is lost when its account is taken out of the list", async () => {
    restart({ ALLOWED_ACCOUNTS: "333333,444444" });
    const browser = await signInAtCompany("cora@company.example", true);
    await connect(browser, there, OTHER, { linkConfirmed: true });
    restart({ ALLOWED_ACCOUNTS: "333333" });
    expect(await connections(browser)).toMatchObject([{ mainAccountId: "444444", state: "lost" }]);
  });

  test.each([
    ["taken away", { OIDC_ISSUER: "", OIDC_CLIENT_ID: "", OIDC_CLIENT_SECRET: "" }],
    ["another one", { OIDC_ISSUER: "https://idp.example/realms/other" }],
  ])("is ended with the sign-in when the company's provider is %s, for good", async (_, variables) => {
    const browser = await signInAtCompany("cora@company.example", true);
    await connect(browser, there, OTHER, { linkConfirmed: true });
    restart(variables);
    expect((await list(browser)).json).toMatchObject({ status: 401, code: "session_expired" });
    expect(await there.journal("logout")).toHaveLength(1);
    expect(await there.journal("token.list")).toEqual([]);
    restart();
    expect((await list(browser)).json).toMatchObject({ status: 401, code: "session_expired" });
  });
});

describe("an account at a host that is taken out of the list", () => {
  beforeEach(async () => begin(await useDatabase("sqlite")));

  test("is lost; who is signed in through it is signed out, and it is not called again", async () => {
    const browser = await signIn();
    expect((await connect(browser, there)).status).toBe(201);
    const before = { here: await here.journal(), there: await there.journal() };
    restart({ RINGCX_HOSTS: here.url });
    expect(await connections(browser)).toMatchObject([{ host: here.url }, { host: there.url, state: "lost" }]);
    restart({ RINGCX_HOSTS: there.url });
    expect((await list(browser)).json).toMatchObject({ status: 401, code: "session_expired" });
    expect(await here.journal()).toEqual(before.here);
    expect(await there.journal()).toEqual(before.there);
  });
});

describe("the cookie", () => {
  beforeEach(async () => begin(await useDatabase("sqlite")));

  test("holds three accounts with tokens of 2 KB", async () => {
    for (const sandbox of [here, there]) await sandbox.control("POST", "config", { accessTokenBytes: 2_048 });
    const browser = await signIn();
    expect((await connect(browser, there)).status).toBe(201);
    const third = await connect(browser, here, PETRA);
    expect(third.status, third.text).toBe(201);
    expect((await list(browser)).json.tokens).toHaveLength(6);
    expect(Buffer.byteLength(browser.header)).toBeLessThan(7_500);
  });

  test("of three with 3 KB refuses the third before anything is lost, and ends it", async () => {
    for (const sandbox of [here, there]) await sandbox.control("POST", "config", { accessTokenBytes: 3_072 });
    const browser = await signIn();
    expect((await connect(browser, there)).status).toBe(201);
    const before = await connections(browser);
    const third = await connect(browser, here, PETRA);
    expect(third.status).toBe(502);
    expect(third.json).toMatchObject({
      code: "session_too_large",
      detail: expect.stringContaining("nothing was changed"),
    });
    expect((await here.journal("logout")).map(({ username, status }) => [username, status])).toEqual([
      [PETRA.username, 200],
    ]);
    expect(await connections(browser)).toEqual(before);
    expect((await list(browser)).json.tokens).toHaveLength(5);
  });

  test("that has no room for what a renewal brought keeps leading to it", async () => {
    for (const sandbox of [here, there]) await sandbox.control("POST", "config", { accessTokenBytes: 3_072 });
    const browser = await signIn();
    await connect(browser, there);
    await there.control("POST", "config", { accessTokenBytes: 6_000 });
    await there.control("POST", "expire-access-tokens");
    for (let nth = 0; nth < 3; nth += 1) expect((await list(browser)).json.tokens).toHaveLength(5);
    expect(await there.journal("refresh")).toHaveLength(1);
    expect((await activate(browser, home)).status).toBe(200);
    expect((await connections(browser)).map(({ state, active }) => [state, active])).toEqual([
      ["live", true],
      ["live", false],
    ]);
  });
});

describe.each(databaseKinds)("answers that come late, on %s", (kind) => {
  beforeEach(async () => begin(await useDatabase(kind)));

  /** Another replica, or this one after a restart. */
  async function elsewhere() {
    await closeDatabase();
    restart();
  }

  test("do not take a new account away", async () => {
    const browser = await signIn();
    const older = browser.copy();
    await connect(browser, there);
    // The answer of a request from before: the browser has its cookie now.
    expect(await names(older)).toEqual([ANA.username, OTHER.username]);
    expect((await list(older)).json.tokens).toHaveLength(5);
    const oldest = new Browser();
    for (const [name, value] of (await signedInBefore(browser)).cookies) oldest.cookies.set(name, value);
    await elsewhere();
    expect(await names(oldest)).toEqual([ANA.username, OTHER.username]);
    expect(await there.journal("logout")).toEqual([]);
  });

  test("do not bring back what was disconnected, nor the account that was left", async () => {
    const browser = await signIn();
    const { id } = (await connect(browser, there)).json.connection;
    const [older, old, oldest] = [browser.copy(), browser.copy(), browser.copy()];
    await disconnect(browser, id);
    expect(await connections(older)).toMatchObject([{ id: home, active: true }]);
    await elsewhere();
    expect(await names(old)).toEqual([ANA.username]);
    expect((await list(old)).json.tokens).toHaveLength(3);
    // Long after the change, when nothing but its ID is known.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 12 * 60_000 });
    try {
      await elsewhere();
      expect(await names(oldest)).toEqual([ANA.username]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("that are all on their way at the same time lose none of the accounts", async () => {
    const browser = await signIn();
    const [one, two] = [browser.copy(), browser.copy()];
    const answers = await Promise.all([connect(one, there), connect(two, here, PETRA)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    for (const last of [one, two, browser]) {
      expect((await names(last)).sort()).toEqual([ANA.username, OTHER.username, PETRA.username]);
    }
  });

  test("do not write what somebody has changed meanwhile", async () => {
    const browser = await signIn();
    const slow = browser.copy();
    await here.control("POST", "expire-access-tokens");
    await here.fault({ operation: "token.list", kind: "latency", ms: 500 });
    const answer = list(slow);
    await vi.waitFor(async () => expect(await here.journal("token.list")).not.toEqual([]));
    await connect(browser, there);
    const { writes } = slow;
    expect((await answer).status).toBe(200);
    expect(await here.journal("refresh")).toHaveLength(1);
    expect(slow.writes).toBe(writes);
    expect(await names(slow)).toEqual([ANA.username, OTHER.username]);
  });

  /** The cookies of this session as they were at its sign-in. */
  async function signedInBefore(browser: Browser): Promise<Browser> {
    const { data } = await readSession(browser);
    const copy = browser.copy();
    if (!data) throw new Error("no session");
    const { version: _, active: __, ...rest } = data;
    await writeSession(copy, { ...rest, connections: data.connections.slice(0, 1) });
    return copy;
  }
});
