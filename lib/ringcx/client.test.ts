import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { TokendeskError } from "@/lib/errors";
import { endSession, RingcxClient, refreshSession, signInAdmin } from "@/lib/ringcx/client";
import { type FailureClass, type FailureReason, UpstreamError } from "@/lib/ringcx/errors";
import type { FaultKind } from "@/sandbox/faults";
import { captureLog, everythingIn, freshProcess, until } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";
import { sendJson, startUpstream } from "@/test/upstream";

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000 });
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  await sandbox.clear();
  fresh();
});

function fresh(variables: Record<string, string> = {}): void {
  freshProcess({ RINGCX_HOSTS: sandbox.url, ...variables });
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
    });
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

type Expected = { failure: FailureClass; reason: FailureReason } | { answer: unknown };
type Operation =
  | "login"
  | "refresh"
  | "logout"
  | "token.create"
  | "token.delete"
  | "token.list"
  | "isAlive"
  | "accounts";
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
];
const reads: readonly Operation[] = ["token.list", "isAlive", "accounts"];
const kinds = Object.keys(usual) as FaultKind[];

describe("every fault at every operation", () => {
  const matrix = operations.flatMap((operation) => kinds.map((kind) => [operation, kind] as const));

  test.each(matrix)("%s under %s fails, or not, as what it is", async (operation, kind) => {
    // No jitter: the deadlines below then decide nothing but what hangs.
    vi.spyOn(Math, "random").mockReturnValue(0);
    const slow = kind === "hang" || kind === "slowBody";
    fresh(slow ? { RINGCX_TIMEOUT_MS: "150" } : {});
    const { client, grant } = await signedIn();
    const token = await sandbox.mint();
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
    fresh({ LOG_LEVEL: "trace", ...(kind === "hang" || kind === "slowBody" ? { RINGCX_TIMEOUT_MS: "150" } : {}) });
    const log = captureLog();
    try {
      const { logger } = await import("@/lib/logger");
      const { client, grant } = await signedIn();
      const token = await sandbox.mint();
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
      ]);
      const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      for (const error of errors) logger().error({ err: error }, "seen");
      logger().flush();
      if (errors.length > 0) await until(() => log.read().includes("seen"));
      const seen = errors.map((error) => everythingIn(error)).join("\n") + log.read();
      const secrets = [...(await sandbox.secrets()), password, encodeURIComponent(password), encodeURIComponent(token)];
      const long = secrets.filter((secret) => secret.length >= 8 && secret !== ANA.password);
      expect(long.filter((secret) => seen.includes(secret))).toEqual([]);
      expect(seen).not.toMatch(/\/api\/(auth|v1)|\/admin\/token|http:\/\/127\.0\.0\.1/);
    } finally {
      log.stop();
    }
  });
});
