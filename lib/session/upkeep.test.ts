import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Actor } from "@/lib/audit/log";
import { signInAdmin } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { readSession, sessionCookieName, writeSession } from "@/lib/session/cookie";
import { noteEnd } from "@/lib/session/registry";
import type { SessionData } from "@/lib/session/schema";
import { openSession } from "@/lib/session/upkeep";
import { Browser } from "@/test/cookies";
import { type TestDatabase, useDatabase } from "@/test/database";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

const minute = 60_000;
let sandbox: TestSandbox;
let database: TestDatabase;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000 });
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  await sandbox.clear();
  // A token that outlives these tests' clock, unless one of them says otherwise.
  await sandbox.control("POST", "config", { accessTokenSeconds: 80_000, accessTokenBytes: 3_072 });
  database = await useDatabase("sqlite");
  restart();
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(async () => {
  vi.useRealTimers();
  await database.remove();
});

/** Forgets what the process remembers, as a restart does. */
function restart(variables: Record<string, string> = {}): void {
  const limits = { SESSION_IDLE_MINUTES: "60", SESSION_MAX_HOURS: "12" };
  freshProcess({ ...database.variables, RINGCX_HOSTS: sandbox.url, ...limits, ...variables });
}

const nobody: Actor = { tenant: null, id: null, name: "x", address: null, userAgent: null, requestId: null };

const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

async function signIn(browser = new Browser()): Promise<{ browser: Browser; data: SessionData }> {
  const { accessToken, refreshToken, lifetimeMs } = await signInAdmin(sandbox.url, ANA);
  const now = Date.now();
  const data: SessionData = {
    sid: `session-${Math.random()}-0123456789`,
    createdAt: now,
    seenAt: now,
    connections: [
      {
        id: "c",
        host: sandbox.url,
        username: ANA.username,
        platformId: "aws80",
        mainAccountId: "333333",
        accessToken,
        refreshToken,
        issuedAt: now,
        lifetimeMs,
      },
    ],
  };
  await writeSession(browser, data);
  return { browser, data };
}

describe("the limits", () => {
  test("a stranger has no session", async () => {
    expect(await openSession(new Browser(), true)).toEqual({ kind: "none" });
  });

  test("an unused session ends when the idle time is over, not before", async () => {
    const { browser } = await signIn();
    later(60 * minute - 1);
    expect((await openSession(browser.copy(), false)).kind).toBe("active");
    later(1);
    expect(await openSession(browser, true)).toEqual({ kind: "ended", reason: "idle" });
    expect(browser.cookies.size).toBe(0);
  });

  test("use keeps a session alive past the idle time", async () => {
    const { browser } = await signIn();
    for (let hour = 0; hour < 3; hour += 1) {
      later(50 * minute);
      expect((await openSession(browser, true)).kind).toBe("active");
    }
  });

  test("use is noted once a minute at most, and not where nothing can be written", async () => {
    const { browser, data } = await signIn();
    const { writes } = browser;
    later(59_000);
    await openSession(browser, true);
    expect(browser.writes).toBe(writes);
    later(10 * minute);
    await openSession(browser, false);
    expect(browser.writes).toBe(writes);
    await openSession(browser, true);
    expect(browser.writes).toBeGreaterThan(writes);
    expect((await readSession(browser)).data).toMatchObject({ seenAt: Date.now(), createdAt: data.createdAt });
  });

  test("a short idle time is kept as well", async () => {
    restart({ SESSION_IDLE_MINUTES: "1" });
    const { browser } = await signIn();
    for (let step = 0; step < 5; step += 1) {
      later(40_000);
      expect((await openSession(browser, true)).kind).toBe("active");
    }
    later(minute);
    expect(await openSession(browser, true)).toEqual({ kind: "ended", reason: "idle" });
  });

  test("no use carries a session past its absolute limit", async () => {
    const { browser } = await signIn();
    for (let step = 1; step < 24; step += 1) {
      later(30 * minute);
      expect((await openSession(browser, true)).kind).toBe("active");
    }
    later(30 * minute);
    expect(await openSession(browser, true)).toEqual({ kind: "ended", reason: "expired" });
    expect(browser.cookies.size).toBe(0);
  });

  test("what cannot be read is an ended session, and is cleared", async () => {
    const browser = new Browser();
    browser.cookies.set(sessionCookieName(), "nonsense");
    expect(await openSession(browser, false)).toEqual({ kind: "ended", reason: "expired" });
    expect(browser.cookies.size).toBe(1);
    expect(await openSession(browser, true)).toEqual({ kind: "ended", reason: "expired" });
    expect(browser.cookies.size).toBe(0);
  });

  test("a session that was signed out is dead in every copy of its cookie", async () => {
    const { browser, data } = await signIn();
    const copy = browser.copy();
    const other = await signIn();
    await noteEnd(data, "signed_out", nobody);
    expect(await openSession(copy, true)).toEqual({ kind: "ended", reason: "expired" });
    expect((await openSession(other.browser, true)).kind).toBe("active");
  });
});

describe("renewal", () => {
  beforeEach(() => sandbox.control("POST", "config", { accessTokenSeconds: 300 }));

  test("is written to the cookie, once for a hundred requests, and the next one finds it", async () => {
    const { browser, data } = await signIn();
    later(290_000);
    const copies = Array.from({ length: 100 }, () => browser.copy());
    const states = await Promise.all(copies.map((copy) => openSession(copy, true)));
    const tokens = new Set(
      states.map((state) => (state.kind === "active" ? state.data.connections[0]?.accessToken : "")),
    );
    expect(tokens.size).toBe(1);
    expect(tokens.has(data.connections[0]?.accessToken)).toBe(false);
    expect(await sandbox.journal("refresh")).toHaveLength(1);
    for (const copy of copies) {
      expect((await readSession(copy)).data?.connections[0]?.accessToken).toBe([...tokens][0]);
    }
  });

  test("that cannot be had leaves the session as it is, and says so", async () => {
    const { browser } = await signIn();
    later(301_000);
    await sandbox.fault({ operation: "refresh", kind: "html503", count: -1 });
    expect(await openSession(browser, true)).toMatchObject({ kind: "active", postponed: ["c"] });
    expect((await readSession(browser)).data).not.toBeNull();
  });

  test("that RingCX refuses for good ends the session and clears the cookie", async () => {
    const { browser } = await signIn();
    later(301_000);
    await sandbox.control("POST", "end-sessions");
    expect(await openSession(browser, true)).toEqual({ kind: "ended", reason: "expired" });
    expect(browser.cookies.size).toBe(0);
  });

  test("that brings a token too large for the cookie does not end what works", async () => {
    const { browser, data } = await signIn();
    later(290_000);
    await sandbox.control("POST", "config", { accessTokenBytes: 12_000 });
    const state = await openSession(browser, true);
    expect(state).toMatchObject({ kind: "active", postponed: [] });
    if (state.kind === "active") expect(state.data.connections[0]?.accessToken.length).toBeGreaterThan(10_000);
    expect((await readSession(browser)).data?.connections).toEqual(data.connections);
    expect((await openSession(browser, true)).kind).toBe("active");
    expect(await sandbox.journal("refresh")).toHaveLength(1);
  });

  test("is seen by the connection at work: a refused token is renewed in the middle, and the newest state is known", async () => {
    const { data } = await signIn();
    const [connection] = data.connections;
    if (!connection) throw new Error("no connection");
    await sandbox.control("POST", "expire-access-tokens");
    const live = new LiveConnection(connection);
    expect((await live.client.listTokenValues()).items).toEqual(await sandbox.tokens());
    expect(live.connection.accessToken).not.toBe(connection.accessToken);
    await sandbox.control("POST", "end-sessions");
    await sandbox.control("POST", "expire-access-tokens");
    await expect(live.client.listTokenValues()).rejects.toMatchObject({ code: "session_expired" });
    const again = new LiveConnection(connection);
    await expect(again.client.listTokenValues()).rejects.toMatchObject({ code: "session_expired" });
  });

  test("that is postponed in the middle of a call says that the session stays", async () => {
    const { data } = await signIn();
    const [connection] = data.connections;
    if (!connection) throw new Error("no connection");
    await sandbox.control("POST", "expire-access-tokens");
    await sandbox.fault({ operation: "refresh", kind: "html503", count: -1 });
    await expect(new LiveConnection(connection).client.listTokenValues()).rejects.toMatchObject({
      code: "upstream_unavailable",
      retryAfter: expect.any(Number),
      message: expect.stringContaining("still signed in"),
    });
  });
});
