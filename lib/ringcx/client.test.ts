import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { TokendeskError } from "@/lib/errors";
import {
  endSession,
  exchangeRingexToken,
  RingcxClient,
  refreshSession,
  ringexPerson,
  signInAdmin,
  signInLegacy,
  TokenClient,
} from "@/lib/ringcx/client";
import { type FailureClass, type FailureReason, UpstreamError } from "@/lib/ringcx/errors";
import type { FaultKind } from "@/sandbox/faults";
import { captureLog, everythingIn, freshProcess, until } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";
import { sendJson, startUpstream } from "@/test/upstream";

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000, exchangeLimit: 10_000 });
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  await sandbox.clear();
  fresh();
});

function fresh(variables: Record<string, string> = {}): void {
  freshProcess({
    RINGCX_HOSTS: sandbox.url,
    RINGCX_LEGACY_HOSTS: sandbox.portal,
    ...sandbox.ringex,
    ...variables,
  });
}

/** A client whose tokens come from a sign-in of its own; a refused one is renewed once more by a refresh. */
async function signedIn(credentials = ANA, connectionId = "connection-1") {
  const grant = await signInAdmin(sandbox.url, credentials);
  let { accessToken, refreshToken } = grant;
  const state = { renewals: 0 };
  const client = new RingcxClient(
    { host: sandbox.url, connectionId, limitKey: credentials.username },
    {
      current: () => accessToken,
      renew: async () => {
        state.renewals += 1;
        const next = await refreshSession(sandbox.url, refreshToken ?? "");
        accessToken = next.accessToken;
        refreshToken = next.refreshToken;
        return accessToken;
      },
    },
  );
  return { client, grant, state, refreshToken: () => refreshToken ?? "" };
}

/** Ana at the legacy portal. `refused`: the tokens that nobody renews. */
async function atPortal(credentials = { ...ANA, stayLoggedIn: false }) {
  const answer = await signInLegacy(sandbox.portal, credentials);
  const refused: string[] = [];
  const client = new RingcxClient(
    { kind: "legacy", host: sandbox.portal, connectionId: "portal-1", limitKey: "portal" },
    {
      current: () => answer.authToken,
      renew: async (token) => {
        refused.push(token);
        throw new TokendeskError("session_expired", "over");
      },
    },
  );
  return { client, answer, refused };
}

async function caught(promise: Promise<unknown>): Promise<UpstreamError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(UpstreamError);
    return error as UpstreamError;
  }
  throw new Error("it did not fail");
}

describe("each operation, when RingCX works", () => {
  test("a sign-in gives both tokens, their lifetime and who it is", async () => {
    const answer = await signInAdmin(sandbox.url, ANA);
    expect(answer).toEqual({
      accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refreshToken: expect.any(String),
      lifetimeMs: 300_000,
      mainAccountId: "333333",
      platformId: "aws80",
      adminId: "1111",
      displayName: "Ana Lima",
      passwordResetRequired: false,
      ssoLogin: false,
    });
  });

  test("a sign-in knows its user, and keeps nothing of the credential that RingCX adds", async () => {
    const { client } = await signedIn();
    const holder = await client.whoami();
    expect(holder).toEqual({
      userId: "1111",
      login: "ana@example.com",
      name: "Ana Lima",
      enabled: true,
      roles: ["SUPER_USER", "MANAGE_USERS", "ACCESS_AUDIT_LOG", "USER"],
    });
    expect(await sandbox.journal("auth")).toMatchObject([{ auth: "bearer", path: "/voice/api/v1/admin/auth" }]);
  });

  test("a user who must set a new password is known as one", async () => {
    const answer = await signInAdmin(sandbox.url, { ...ANA, username: "reset@example.com" });
    expect(answer.passwordResetRequired).toBe(true);
  });

  test.each(["new@example.com", "other@example.com", "noaccounts@example.com"])(
    "%s, who is no agent, can sign in",
    async (username) => {
      expect((await signInAdmin(sandbox.url, { ...ANA, username })).displayName).toBeNull();
    },
  );

  test("a password full of special characters arrives as it was typed", async () => {
    const answer = await signInAdmin(sandbox.url, {
      ...ANA,
      username: "password@example.com",
      password: 'p+&#é ß"%2B',
    });
    expect(answer.mainAccountId).toBe("333333");
    const failed = await caught(
      signInAdmin(sandbox.url, { ...ANA, username: "password@example.com", password: 'p &#é ß"+' }),
    );
    expect(failed.failure).toBe("credentials");
  });

  test.each([
    ["a wrong password", { ...ANA, password: "wrong" }, "credentials", "unauthorized"],
    ["a wrong platform ID", { ...ANA, platformId: "aws81" }, "credentials", "unauthorized"],
    ["an unknown user", { ...ANA, username: "nobody@example.com" }, "credentials", "unauthorized"],
    ["a user who may not sign in", { ...ANA, username: "forbidden@example.com" }, "terminal", "forbidden"],
  ] as const)("%s is refused as such", async (_, credentials, failure, reason) => {
    expect(await caught(signInAdmin(sandbox.url, credentials))).toMatchObject({ failure, reason });
    expect(await sandbox.journal("login")).toHaveLength(1);
  });

  test("text that cannot be encoded is refused by RingCX, and no exception at the call", async () => {
    let promise: Promise<unknown> = Promise.resolve();
    expect(() => {
      promise = signInAdmin(sandbox.url, { ...ANA, password: "half a pair: \ud83d" });
      promise.catch(() => {});
    }).not.toThrow();
    expect(await caught(promise)).toMatchObject({ failure: "credentials", reason: "unauthorized" });
  });

  test("a refresh gives a new pair, and the old refresh token is used up", async () => {
    const { grant } = await signedIn();
    const next = await refreshSession(sandbox.url, grant.refreshToken ?? "");
    expect(next.lifetimeMs).toBe(300_000);
    expect(next.accessToken).not.toBe(grant.accessToken);
    expect(next.refreshToken).not.toBe(grant.refreshToken);
    expect(await caught(refreshSession(sandbox.url, grant.refreshToken ?? ""))).toMatchObject({
      failure: "credentials",
      reason: "unauthorized",
    });
  });

  test("a sign-out ends the session: its refresh token is refused", async () => {
    const { grant } = await signedIn();
    await endSession(sandbox.url, grant.refreshToken ?? "");
    expect((await caught(refreshSession(sandbox.url, grant.refreshToken ?? ""))).failure).toBe("credentials");
  });

  test("the list holds the user's own tokens", async () => {
    const { client } = await signedIn();
    expect((await client.listTokenValues()).items.sort()).toEqual((await sandbox.tokens()).sort());
  });

  test("a list of ten thousand is read whole", async () => {
    const { client } = await signedIn({ ...ANA, username: "many@example.com" });
    expect((await client.listTokenValues()).items).toHaveLength(10_000);
  });

  test("a creation gives the value that is then listed", async () => {
    const { client } = await signedIn();
    const { value } = await client.createTokenValue();
    expect(await sandbox.tokens()).toContain(value);
    expect((await client.listTokenValues()).items).toContain(value);
  });

  test("a quoted token loses its quotes", async () => {
    await sandbox.fault({ operation: "token.create", kind: "quotedToken" });
    const { client } = await signedIn();
    const { value } = await client.createTokenValue();
    expect(value).not.toContain('"');
    expect(await sandbox.tokens()).toContain(value);
  });

  test("a deletion takes the token with its colon encoded, and it is gone", async () => {
    const { client } = await signedIn();
    const rest = await sandbox.tokens();
    const first = await sandbox.mint();
    expect(await client.deleteTokenValue(first)).toBe("accepted");
    expect(await sandbox.tokens()).toEqual(rest);
    expect(await client.deleteTokenValue(first)).toBe("refused");
  });

  test("204 is a deletion too", async () => {
    const { client } = await signedIn();
    await sandbox.fault({ operation: "token.delete", kind: "status", status: 204 });
    expect(await client.deleteTokenValue(await sandbox.mint())).toBe("accepted");
  });

  test("a live token is alive, a deleted one is not", async () => {
    const { client } = await signedIn();
    const first = await sandbox.mint();
    expect(await client.isAlive(first)).toBe(true);
    await client.deleteTokenValue(first);
    expect(await client.isAlive(first)).toBe(false);
    const checks = (await sandbox.journal("token.list")).filter(({ auth }) => auth === "x-auth-token");
    expect(checks.map(({ path }) => path)).toEqual(Array(checks.length).fill("/voice/api/v1/admin/token"));
  });

  test("a token whose owner has no access is not called dead", async () => {
    const { client } = await signedIn();
    const { value } = await sandbox.control<{ value: string }>("POST", "tokens", { username: "denied@example.com" });
    expect(await caught(client.isAlive(value))).toMatchObject({ failure: "terminal", reason: "forbidden" });
  });

  test("an account is four fields, whatever else RingCX sends", async () => {
    const { client } = await signedIn();
    expect((await client.listAccounts()).items).toEqual(
      ["Sales", "Support", "Billing"].map((name, index) => ({
        accountId: String(333334 + index),
        accountName: `RingForce ${name}`,
        mainAccountId: "333333",
        mainAccountName: "RingForce",
      })),
    );
  });

  test("a user without permission is told so at each operation", async () => {
    const { client } = await signedIn({ ...ANA, username: "denied@example.com" });
    for (const call of [client.listTokenValues(), client.createTokenValue(), client.listAccounts()]) {
      expect(await caught(call)).toMatchObject({ failure: "terminal", reason: "forbidden", code: "forbidden" });
    }
  });
});

describe("a legacy portal", () => {
  test("signs in with who it is and nothing else of the answer", async () => {
    const { authToken, ...rest } = await signInLegacy(sandbox.portal, { ...ANA, stayLoggedIn: false });
    expect(authToken).toMatch(/^[0-9a-f-]{36}$/);
    expect(rest).toEqual({
      userId: "1111",
      login: "ana@example.com",
      displayName: "Ana Lima",
      mainAccountId: "333333",
      platformId: null,
      lifetimeMs: 3_600_000,
    });
    expect(await sandbox.journal()).toMatchObject([{ operation: "legacy.login", path: "/api/v1/auth/login" }]);
  });

  test("keeps who stays signed in for two weeks, from the last use", async () => {
    const { client, answer } = await atPortal({ ...ANA, stayLoggedIn: true });
    expect(answer.lifetimeMs).toBe(14 * 24 * 3_600_000);
    await sandbox.control("POST", "clock", { advanceSeconds: 13 * 24 * 3_600 });
    expect((await client.listAccounts()).items).toHaveLength(3);
  });

  test("lists, creates, checks and deletes with X-Auth-Token alone, below its path", async () => {
    const { client, answer } = await atPortal();
    await sandbox.clearJournal();
    const { value, documented } = await client.createTokenValue();
    expect(documented).toBe(true);
    expect((await client.listTokenValues()).items).toContain(value);
    expect(await client.isAlive(value)).toBe(true);
    expect(await client.deleteTokenValue(value)).toBe("accepted");
    expect(await client.isAlive(value)).toBe(false);
    expect((await client.listAccounts()).items).toHaveLength(3);
    expect((await client.listUsers()).items).toEqual([]);
    expect(await client.whoami()).toMatchObject({ userId: "1111", login: "ana@example.com" });
    const calls = await sandbox.journal();
    expect(calls).toHaveLength(8);
    expect(calls.filter(({ auth, path }) => auth !== "x-auth-token" || !path.startsWith("/api/v1/admin/"))).toEqual([]);
    expect(JSON.stringify(calls)).not.toContain(answer.authToken);
  });

  test.each(["legacy", undefined] as const)("takes a token that is at hand (kind %s)", async (kind) => {
    const value = await sandbox.mint();
    const token = new TokenClient({ kind, host: sandbox.portal, limitKey: "keys" }, value);
    expect(await token.whose()).toMatchObject({ login: "ana@example.com" });
    expect((await token.listTokenValues()).items).toContain(value);
    expect(await token.delete()).toBe("accepted");
    expect(await token.isAlive()).toBe(false);
    const paths = (await sandbox.journal()).map(({ path }) => path);
    expect(paths.filter((path) => !path.startsWith("/api/v1/admin/"))).toEqual([]);
    expect(paths).toHaveLength(4);
  });

  test("refuses a wrong password and a user who may not sign in, as such", async () => {
    const as = (changes: object) => signInLegacy(sandbox.portal, { ...ANA, stayLoggedIn: false, ...changes });
    expect(await caught(as({ password: "wrong" }))).toMatchObject({ failure: "credentials", reason: "unauthorized" });
    expect(await caught(as({ username: "forbidden@example.com" }))).toMatchObject({ reason: "forbidden" });
    expect((await as({ username: "password@example.com", password: 'p+&#é ß"%2B' })).mainAccountId).toBe("333333");
  });

  test("ends a sign-in with its 401, and is asked once", async () => {
    const { client, answer, refused } = await atPortal();
    await sandbox.control("POST", "end-portal-sessions", { username: ANA.username });
    await sandbox.clearJournal();
    await expect(client.listTokenValues()).rejects.toMatchObject({ code: "session_expired", message: "over" });
    expect(refused).toEqual([answer.authToken]);
    expect(await sandbox.journal()).toHaveLength(1);
  });

  test("never had the word of a gateway that misses a JWT: the sign-in is as good as before", async () => {
    const { client, refused } = await atPortal();
    await sandbox.fault({ operation: "*", surface: "portal", kind: "jwtExpired", count: 2 });
    expect(await caught(client.listTokenValues())).toMatchObject({
      failure: "transient",
      code: "upstream_bad_response",
    });
    expect(await caught(client.createTokenValue())).toMatchObject({ failure: "transient" });
    expect(refused).toEqual([]);
    expect((await client.listTokenValues()).items).toEqual(await sandbox.tokens());
  });

  test("fails on its own: the same user's other connection works on", async () => {
    const [portal, ringcx] = [await atPortal(), await signedIn()];
    await sandbox.fault({ operation: "*", surface: "portal", kind: "redirect", location: "/", count: -1 });
    expect(await caught(portal.client.listTokenValues())).toMatchObject({ reason: "bad_response" });
    expect((await ringcx.client.listTokenValues()).items).toEqual(await sandbox.tokens());
  });

  test("and RingCX never see each other's credentials, whatever a session says", async () => {
    const { answer } = await atPortal();
    await sandbox.clearJournal();
    const source = { current: () => answer.authToken, renew: () => Promise.reject(new Error("no")) };
    for (const address of [
      { kind: "ringcx", host: sandbox.portal },
      { kind: "legacy", host: sandbox.url },
      { kind: "legacy", host: `${sandbox.portal}/other` },
    ] as const) {
      const client = new RingcxClient({ ...address, connectionId: "c", limitKey: "c" }, source);
      expect(await caught(client.listTokenValues())).toMatchObject({ failure: "terminal", reason: "rejected" });
    }
    for (const call of [
      signInAdmin(sandbox.portal, ANA),
      signInLegacy(sandbox.url, { ...ANA, stayLoggedIn: false }),
      exchangeRingexToken(sandbox.portal, { accessToken: "a", tokenType: "bearer" }),
      ringexPerson(sandbox.portal, "a"),
    ]) {
      expect(await caught(call)).toMatchObject({ failure: "terminal", reason: "rejected" });
    }
    expect(await sandbox.journal()).toEqual([]);
  });

  const rcUser = { userId: 7, userName: "Ana@Example.com", rcAccountId: "r2" };
  test.each<[string, unknown, unknown, string | null]>([
    ["by the sub-accounts of the answer", { accounts: [{ mainAccountId: "20" }, { mainAccountId: 20 }] }, null, "20"],
    ["inside their main account", { accounts: [{ mainAccount: { mainAccountId: "20" } }, {}, 3] }, null, "20"],
    [
      "of several by the user's RingCentral account",
      {
        user: rcUser,
        accounts: [
          { mainAccountId: "10", rcAccountId: "r1" },
          { mainAccountId: "20", rcAccountId: "r2" },
        ],
      },
      null,
      "20",
    ],
    ["of several the first by ID", { accounts: [{ mainAccountId: "100" }, { mainAccountId: "20" }] }, null, "20"],
    ["by the list of accounts", { user: rcUser }, [{ accountId: "1", mainAccountId: "20" }], "20"],
    ["by none of them", { user: null, accounts: [] }, [{ accountId: "1" }], null],
    ["by nobody who may not see them", { accounts: "?" }, 403, null],
    ["by no list where there is none", {}, 404, null],
  ])("says the main account %s", async (_, answer, accounts, expected) => {
    const upstream = await startUpstream((asked, response) => {
      if (asked.url === "/x/y/v1/auth/login") sendJson(response, { authToken: "t0ken", ...(answer as object) });
      else if (typeof accounts === "number") sendJson(response, { errorCode: "some.exception" }, accounts);
      else sendJson(response, accounts);
    });
    try {
      fresh({ RINGCX_LEGACY_HOSTS: `${upstream.url}/x/y/` });
      const portal = `${upstream.url}/x/y`;
      const signIn = await signInLegacy(portal, { username: "a+b@x.y", password: "p&q=#%2B é+", stayLoggedIn: true });
      expect(signIn).toMatchObject({ authToken: "t0ken", mainAccountId: expected });
      const [login, list] = upstream.asked;
      expect(Object.fromEntries(new URLSearchParams(login?.body))).toEqual({
        username: "a+b@x.y",
        password: "p&q=#%2B é+",
        stayLoggedIn: "true",
      });
      if (accounts === null) expect(list).toBeUndefined();
      else expect([list?.url, list?.headers["x-auth-token"]]).toEqual(["/x/y/v1/admin/accounts", "t0ken"]);
    } finally {
      await upstream.close();
    }
  });

  test.each([{}, { authToken: "" }, { authToken: "two words" }, { authToken: 7 }, null, "t0ken"])(
    "that answers %j has signed nobody in",
    async (answer) => {
      const upstream = await startUpstream((_, response) => sendJson(response, answer));
      try {
        fresh({ RINGCX_LEGACY_HOSTS: upstream.url });
        const failed = await caught(signInLegacy(upstream.url, { ...ANA, stayLoggedIn: false }));
        expect(failed).toMatchObject({ failure: "unknown", reason: "bad_response" });
      } finally {
        await upstream.close();
      }
    },
  );
});

describe("RingEX", () => {
  const exchange = (accessToken: string) => exchangeRingexToken(sandbox.url, { accessToken, tokenType: "bearer" });

  test("gives a RingCX sign-in that can be renewed", async () => {
    const answer = await exchange(await sandbox.ringexToken("other@example.com"));
    expect(answer).toMatchObject({
      ssoLogin: true,
      adminId: "1122",
      mainAccountId: "444444",
      displayName: "Olga Theroux",
    });
    expect((await refreshSession(sandbox.url, answer.refreshToken ?? "")).accessToken).not.toBe(answer.accessToken);
  });

  test("may give none to renew it with", async () => {
    const upstream = await startUpstream((_, response) => sendJson(response, { accessToken: "a", mainAccountId: 1 }));
    try {
      fresh({ RINGCX_HOSTS: upstream.url });
      const answer = await exchangeRingexToken(upstream.url, { accessToken: "r+c&", tokenType: "BEARER" });
      expect(answer).toMatchObject({ accessToken: "a", refreshToken: null, ssoLogin: false });
      const [asked] = upstream.asked;
      expect(asked?.url).toBe("/api/auth/login/rc/accesstoken?includeRefresh=true");
      expect(asked?.body).toBe("rcAccessToken=r%2Bc%26&rcTokenType=Bearer");
    } finally {
      await upstream.close();
    }
  });

  test("refuses a foreign token and a user who may not sign in", async () => {
    expect(await caught(exchange("foreign"))).toMatchObject({ failure: "credentials", reason: "unauthorized" });
    expect(await caught(exchange(await sandbox.ringexToken("forbidden@example.com")))).toMatchObject({
      failure: "terminal",
      reason: "forbidden",
    });
  });

  test("limits exchanges, with or without saying for how long", async () => {
    const token = await sandbox.ringexToken();
    await sandbox.control("POST", "config", { exchangeLimit: 0 });
    try {
      const silent = await caught(exchange(token));
      expect(silent).toMatchObject({ failure: "transient", reason: "rate_limited", retryAfterMs: undefined });
      await sandbox.control("POST", "config", { retryAfter: true });
      expect((await caught(exchange(token))).retryAfterMs).toBe(60_000);
      expect(await sandbox.journal("exchange")).toHaveLength(2);
    } finally {
      await sandbox.control("POST", "config", { exchangeLimit: 10_000, retryAfter: false });
    }
  });

  test("names the person", async () => {
    expect(await ringexPerson(sandbox.url, await sandbox.ringexToken())).toEqual({
      accountId: "40333333",
      extensionId: "222222001111",
      name: "Ana Lima",
      email: "ana@example.com",
    });
    expect(await caught(ringexPerson(sandbox.url, "dead"))).toMatchObject({ failure: "credentials" });
  });

  test.each([
    [
      { id: 5, name: " ", contact: { firstName: "Ana", email: "" } },
      { name: "Ana", email: null },
    ],
    [{ id: 5 }, { name: null, email: null }],
  ])("that says %j leaves the rest open", async (extension, expected) => {
    const upstream = await startUpstream(({ url }, response) =>
      sendJson(response, url.endsWith("/extension/~") ? extension : { id: "9" }),
    );
    try {
      fresh({ RC_SERVER_URL: upstream.url });
      expect(await ringexPerson(upstream.url, "a")).toEqual({ accountId: "9", extensionId: "5", ...expected });
    } finally {
      await upstream.close();
    }
  });
});

type Expected = { failure: FailureClass; reason: FailureReason } | { answer: unknown };
type Operation =
  | "login"
  | "refresh"
  | "logout"
  | "token.create"
  | "token.delete"
  | "token.list"
  | "isAlive"
  | "accounts"
  | "legacy.login"
  | "exchange"
  | "rc.extension";
const ok = (answer: unknown): Expected => ({ answer });
const something: Expected = ok(expect.anything());
const fails = (failure: FailureClass, reason: FailureReason): Expected => ({ failure, reason });

/** What reads and effects come to when nothing is particular about the operation. */
const usual: Record<FaultKind, { read: Expected; effect: Expected }> = {
  latency: { read: something, effect: something },
  hang: { read: fails("transient", "timeout"), effect: fails("unknown", "timeout") },
  slowBody: { read: fails("transient", "timeout"), effect: fails("unknown", "timeout") },
  resetBefore: { read: fails("transient", "unavailable"), effect: fails("unknown", "unavailable") },
  resetAfter: { read: fails("transient", "unavailable"), effect: fails("unknown", "unavailable") },
  cutBody: { read: fails("transient", "unavailable"), effect: fails("unknown", "unavailable") },
  html502: { read: fails("transient", "unavailable"), effect: fails("unknown", "unavailable") },
  html503: { read: fails("transient", "unavailable"), effect: fails("unknown", "unavailable") },
  html504: { read: fails("transient", "unavailable"), effect: fails("unknown", "unavailable") },
  status: { read: fails("transient", "unavailable"), effect: fails("unknown", "unavailable") },
  http429: { read: fails("transient", "rate_limited"), effect: fails("transient", "rate_limited") },
  redirect: { read: fails("terminal", "bad_response"), effect: fails("unknown", "bad_response") },
  hugeBody: { read: fails("terminal", "bad_response"), effect: fails("unknown", "bad_response") },
  false200: { read: fails("transient", "bad_response"), effect: fails("unknown", "bad_response") },
  quotedToken: { read: fails("transient", "bad_response"), effect: fails("unknown", "bad_response") },
  emptyBody: { read: fails("transient", "bad_response"), effect: fails("unknown", "bad_response") },
  malformedJson: { read: fails("transient", "bad_response"), effect: fails("unknown", "bad_response") },
  wrongContentType: { read: something, effect: something },
  jwtExpired: { read: fails("credentials", "jwt_refused"), effect: fails("credentials", "jwt_refused") },
  unauthorized: { read: fails("credentials", "unauthorized"), effect: fails("credentials", "unauthorized") },
};

const particular: Partial<Record<Operation, Partial<Record<FaultKind, Expected>>>> = {
  // Its answer has no content that matters.
  logout: {
    latency: ok(undefined),
    wrongContentType: ok(undefined),
    false200: ok(undefined),
    quotedToken: ok(undefined),
    emptyBody: ok(undefined),
    malformedJson: ok(undefined),
  },
  "token.create": {
    quotedToken: something,
    false200: ok({ value: "false", documented: false }),
    malformedJson: ok({ value: expect.any(String), documented: false }),
  },
  "token.delete": {
    latency: ok("accepted"),
    wrongContentType: ok("accepted"),
    false200: ok("refused"),
    quotedToken: ok("unclear"),
    emptyBody: ok("unclear"),
    malformedJson: ok("unclear"),
  },
  isAlive: { latency: ok(true), wrongContentType: ok(true), unauthorized: ok(false) },
};

const codes: Record<FailureReason, string> = {
  unauthorized: "session_expired",
  jwt_refused: "session_expired",
  forbidden: "forbidden",
  not_found: "upstream_bad_response",
  rejected: "upstream_bad_response",
  rate_limited: "upstream_rate_limited",
  unavailable: "upstream_unavailable",
  timeout: "upstream_timeout",
  bad_response: "upstream_bad_response",
};

const details: Partial<Record<FaultKind, Record<string, unknown>>> = {
  latency: { ms: 1 },
  // Without Retry-After the client waits for seconds: http.test.ts.
  http429: { retryAfter: 0 },
  hugeBody: { bytes: 17_000_000 },
  slowBody: { ms: 60_000 },
  redirect: { location: "https://elsewhere.example/" },
};

const operations: Operation[] = [
  "login",
  "refresh",
  "logout",
  "token.create",
  "token.delete",
  "token.list",
  "isAlive",
  "accounts",
  "legacy.login",
  "exchange",
  "rc.extension",
];
const reads: readonly Operation[] = ["token.list", "isAlive", "accounts", "rc.extension"];
const kinds = Object.keys(usual) as FaultKind[];

describe("every fault at every operation", () => {
  // A read like the others, of another system: one kind of each sort.
  const some: readonly FaultKind[] = ["latency", "hang", "hugeBody", "redirect", "emptyBody", "unauthorized"];
  const matrix = operations.flatMap((operation) =>
    (operation === "rc.extension" ? some : kinds).map((kind) => [operation, kind] as const),
  );

  test.each(matrix)("%s under %s fails, or not, as what it is", async (operation, kind) => {
    // No jitter: the deadlines below then decide nothing but what hangs.
    vi.spyOn(Math, "random").mockReturnValue(0);
    const slow = kind === "hang" || kind === "slowBody";
    const { client, grant } = await signedIn();
    const token = await sandbox.mint();
    const ringexToken = await sandbox.ringexToken();
    fresh(slow ? { RINGCX_TIMEOUT_MS: "150" } : {});
    await sandbox.clearJournal();
    const name = operation === "isAlive" ? "token.list" : operation;
    await sandbox.fault({ operation: name, kind, count: -1, ...details[kind] });

    const run: Record<Operation, () => Promise<unknown>> = {
      login: () => signInAdmin(sandbox.url, ANA),
      refresh: () => refreshSession(sandbox.url, grant.refreshToken ?? ""),
      logout: () => endSession(sandbox.url, grant.refreshToken ?? ""),
      "token.create": () => client.createTokenValue(),
      "token.delete": () => client.deleteTokenValue(token),
      "token.list": () => client.listTokenValues(),
      isAlive: () => client.isAlive(token),
      accounts: () => client.listAccounts(),
      "legacy.login": () => signInLegacy(sandbox.portal, { ...ANA, stayLoggedIn: false }),
      exchange: () => exchangeRingexToken(sandbox.url, { accessToken: ringexToken, tokenType: "bearer" }),
      "rc.extension": () => ringexPerson(sandbox.url, ringexToken),
    };
    const isRead = reads.includes(operation);
    const expected = particular[operation]?.[kind] ?? usual[kind][isRead ? "read" : "effect"];
    if ("answer" in expected) {
      expect(await run[operation]()).toEqual(expected.answer);
    } else {
      const error = await caught(run[operation]());
      expect(error).toMatchObject({ ...expected, code: codes[expected.reason] });
      expect(error.operation).toBe(operation === "isAlive" ? "token.check" : operation);
    }

    const calls = await sandbox.journal(name);
    const refused = kind === "jwtExpired" || kind === "unauthorized";
    const retried = isRead && "failure" in expected && expected.failure === "transient" && !slow;
    const renewed = refused && ["token.list", "token.delete", "accounts"].includes(operation);
    expect(calls).toHaveLength(retried ? 3 : renewed ? 2 : 1);
    expect(calls.filter(({ effect }) => effect).length).toBeLessThanOrEqual(1);
  });
});

describe("a wrong answer to a creation", () => {
  test.each(["Maintenance", "Unauthorized", "undefined", "https://login.example.com/"])(
    "%s is not taken for a token of the documented form",
    async (body) => {
      const { client } = await signedIn();
      await sandbox.fault({ operation: "token.create", kind: "status", status: 200, body, contentType: "text/plain" });
      expect(await client.createTokenValue()).toEqual({ value: body, documented: false });
    },
  );

  test.each([400, 404, 405, 409, 415, 422])("a plain %i at a creation says that nothing happened", async (status) => {
    const { client } = await signedIn();
    await sandbox.fault({
      operation: "token.create",
      kind: "status",
      status,
      body: "{}",
      contentType: "application/json",
    });
    expect((await caught(client.createTokenValue())).failure).toBe("terminal");
  });

  test("408 says that RingCX gave up waiting, not that it refuses", async () => {
    const { client } = await signedIn();
    await sandbox.fault({ operation: "accounts", kind: "status", status: 408, body: "Request Timeout", count: -1 });
    expect((await caught(client.listAccounts())).failure).toBe("transient");
  });

  test.each([401, 403, 404])("an HTML page with %i comes from a gateway and settles nothing", async (status) => {
    const { client } = await signedIn();
    const page = { kind: "status", status, body: "<!doctype html><p>no</p>", contentType: "text/html", count: -1 };
    await sandbox.fault({ operation: "token.create", ...page });
    await sandbox.fault({ operation: "token.list", ...page });
    expect(await caught(client.createTokenValue())).toMatchObject({ failure: "unknown", reason: "bad_response" });
    expect(await caught(client.isAlive("aws80:00000000"))).toMatchObject({ failure: "transient" });
  });
});

describe("a refused access token", () => {
  test("is renewed once, and the read goes on with its successor", async () => {
    const { client, state } = await signedIn();
    await sandbox.control("POST", "expire-access-tokens");
    expect((await client.listTokenValues()).items).toEqual(await sandbox.tokens());
    expect(state.renewals).toBe(1);
    expect((await sandbox.journal("token.list")).map(({ status }) => status)).toEqual([401, 200]);
  });

  test("is renewed for a deletion, which RingCX had not begun", async () => {
    const { client } = await signedIn();
    const first = await sandbox.mint();
    await sandbox.control("POST", "expire-access-tokens");
    expect(await client.deleteTokenValue(first)).toBe("accepted");
    expect((await sandbox.journal("token.delete")).map(({ status }) => status)).toEqual([401, 200]);
  });

  test("is not renewed for a creation: that one is never sent twice", async () => {
    const { client, state } = await signedIn();
    await sandbox.control("POST", "expire-access-tokens");
    expect(await caught(client.createTokenValue())).toMatchObject({ failure: "credentials" });
    expect(await sandbox.journal("token.create")).toHaveLength(1);
    expect(state.renewals).toBe(0);
  });

  test("never comes from a check: its 401 is about the token that is checked", async () => {
    const { client, state } = await signedIn();
    expect(await client.isAlive("aws80:00000000-0000-0000-0000-000000000000")).toBe(false);
    expect(state.renewals).toBe(0);
  });

  test("that cannot be renewed gives the reason of that", async () => {
    const client = new RingcxClient(
      { host: sandbox.url, connectionId: "c", limitKey: "c" },
      {
        current: () => "dead",
        renew: () => Promise.reject(new TokendeskError("session_expired", "over")),
      },
    );
    await expect(client.listTokenValues()).rejects.toMatchObject({ code: "session_expired", message: "over" });
  });
});

describe("reads at the same moment", () => {
  test("are one call for one connection", async () => {
    const { client, grant } = await signedIn();
    const twin = new RingcxClient(
      { host: sandbox.url, connectionId: "connection-1", limitKey: ANA.username },
      { current: () => grant.accessToken, renew: () => Promise.reject(new Error("no")) },
    );
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 50, count: -1 });
    const lists = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? client : twin).listTokenValues()),
    );
    const values = await sandbox.tokens();
    for (const { items } of lists) expect(items).toEqual(values);
    expect(await sandbox.journal("token.list")).toHaveLength(1);
    await client.listTokenValues();
    expect(await sandbox.journal("token.list")).toHaveLength(2);
  });

  test("say when it was asked for what they share", async () => {
    const { client } = await signedIn();
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 300 });
    const first = client.listTokenValues();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const joinedAt = Date.now();
    const [{ askedAt }, joined] = await Promise.all([first, client.listTokenValues()]);
    expect(joined.askedAt).toBe(askedAt);
    expect(askedAt).toBeLessThan(joinedAt);
    expect((await client.listTokenValues({ fresh: true })).askedAt).toBeGreaterThanOrEqual(joinedAt);
  });

  test("are never shared between two connections", async () => {
    const one = await signedIn(ANA, "connection-1");
    const other = await signedIn({ ...ANA, username: "other@example.com" }, "connection-2");
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 50, count: -1 });
    const [mine, theirs] = await Promise.all([one.client.listTokenValues(), other.client.listTokenValues()]);
    expect(mine.items).toEqual(await sandbox.tokens());
    expect(theirs.items).toEqual(await sandbox.tokens("other@example.com"));
  });

  test("share a failure too, and the next one asks again", async () => {
    const { client } = await signedIn();
    await sandbox.fault({ operation: "accounts", kind: "redirect", location: "/" });
    const results = await Promise.allSettled([client.listAccounts(), client.listAccounts()]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect((await client.listAccounts()).items).toHaveLength(3);
  });

  test("a list that began before a creation does not answer after it", async () => {
    const { client } = await signedIn();
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 400 });
    // The sandbox answers late with the list as it will be then; what counts is that nobody is given this read.
    const before = client.listTokenValues();
    await until(async () => (await sandbox.journal("token.list")).length === 1);
    const { value } = await client.createTokenValue();
    expect((await client.listTokenValues()).items).toContain(value);
    expect(await sandbox.journal("token.list")).toHaveLength(2);
    await before;
  });

  test("a list that began before a deletion does not answer after it, even when the deletion's answer is lost", async () => {
    const { client } = await signedIn();
    const first = await sandbox.mint();
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 400 });
    const before = client.listTokenValues();
    await until(async () => (await sandbox.journal("token.list")).length === 1);
    await sandbox.fault({ operation: "token.delete", kind: "resetAfter" });
    await caught(client.deleteTokenValue(first));
    expect((await client.listTokenValues()).items).not.toContain(first);
    expect(await sandbox.journal("token.list")).toHaveLength(2);
    await before;
  });

  test("a fresh list asks on its own", async () => {
    const { client } = await signedIn();
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 50, count: -1 });
    await Promise.all([client.listTokenValues(), client.listTokenValues({ fresh: true })]);
    expect(await sandbox.journal("token.list")).toHaveLength(2);
  });
});

describe("what is sent", () => {
  test("names the application and its version, and is encoded so that nothing is misread", async () => {
    const upstream = await startUpstream((_, response) => sendJson(response, true));
    try {
      fresh({ RINGCX_HOSTS: upstream.url });
      const client = new RingcxClient(
        { host: upstream.url, connectionId: "c", limitKey: "c" },
        { current: () => "access", renew: () => Promise.reject(new Error("no")) },
      );
      await client.deleteTokenValue("aws80:a/../b+c=~x");
      await caught(signInAdmin(upstream.url, { username: "a+b@x.y", password: "p&q=#%2B é+", platformId: "a b" }));
      await endSession(upstream.url, "x/y+z==");
      const [deletion, login, logout] = upstream.asked;
      expect(deletion?.url).toBe("/voice/api/v1/admin/token/aws80%3Aa%2F..%2Fb%2Bc%3D~x");
      expect(deletion?.headers.authorization).toBe("Bearer access");
      expect(login?.url).not.toContain("+");
      expect(Object.fromEntries(new URL(login?.url ?? "", upstream.url).searchParams)).toEqual({
        username: "a+b@x.y",
        password: "p&q=#%2B é+",
        platformId: "a b",
      });
      expect(login?.body).toBe("");
      expect(logout?.url).toBe("/api/auth/logout/x%2Fy%2Bz%3D%3D");
      for (const { headers } of upstream.asked) expect(headers["user-agent"]).toMatch(/^Tokendesk\/\d+\.\d+\.\d+$/);
    } finally {
      await upstream.close();
    }
  });

  test("a refresh sends its token in the body", async () => {
    const upstream = await startUpstream((_, response) => sendJson(response, { accessToken: "a", refreshToken: "r" }));
    try {
      fresh({ RINGCX_HOSTS: upstream.url });
      await refreshSession(upstream.url, "old+&=token");
      const [asked] = upstream.asked;
      expect(asked?.url).toBe("/api/auth/token/refresh");
      expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
        refresh_token: "old+&=token",
        rcTokenType: "Bearer",
      });
    } finally {
      await upstream.close();
    }
  });
});

describe("secrets", () => {
  test.each(kinds)("no error and no log line under %s holds a URL, a token or a password", async (kind) => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const deadline = kind === "hang" || kind === "slowBody" ? { RINGCX_TIMEOUT_MS: "150" } : {};
    fresh({ LOG_LEVEL: "trace" });
    const log = captureLog();
    try {
      const { logger } = await import("@/lib/logger");
      const { client, grant } = await signedIn();
      const portal = await atPortal();
      const ringexToken = await sandbox.ringexToken();
      const token = await sandbox.mint();
      fresh({ LOG_LEVEL: "trace", ...deadline });
      await sandbox.fault({ operation: "*", kind, count: -1, ...details[kind] });
      const password = 'CANARY p+&#é ß"%2B';
      const results = await Promise.allSettled([
        signInAdmin(sandbox.url, { ...ANA, password }),
        refreshSession(sandbox.url, grant.refreshToken ?? ""),
        client.createTokenValue(),
        client.deleteTokenValue(token),
        client.isAlive(token),
        client.listTokenValues(),
        client.listAccounts(),
        client.whoami(),
        signInLegacy(sandbox.portal, { ...ANA, password, stayLoggedIn: false }),
        portal.client.listTokenValues(),
        exchangeRingexToken(sandbox.url, { accessToken: ringexToken, tokenType: "bearer" }),
        ringexPerson(sandbox.url, ringexToken),
      ]);
      const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      for (const error of errors) logger().error({ err: error }, "seen");
      logger().flush();
      if (errors.length > 0) await until(() => log.read().includes("seen"));
      const seen = errors.map((error) => everythingIn(error)).join("\n") + log.read();
      const secrets = [
        ...(await sandbox.allSecrets()),
        password,
        encodeURIComponent(password),
        encodeURIComponent(token),
      ];
      const long = secrets.filter((secret) => secret.length >= 8 && secret !== ANA.password);
      expect(long.filter((secret) => seen.includes(secret))).toEqual([]);
      expect(seen).not.toMatch(/\/api\/(auth|v1)|\/restapi|\/admin\/token|http:\/\/127\.0\.0\.1/);
    } finally {
      log.stop();
    }
  });
});
