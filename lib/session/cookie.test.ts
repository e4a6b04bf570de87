import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { encode } from "next-auth/jwt";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { authOptions, identityCookieName, readIdentity } from "@/lib/auth/identity";
import { clearSession, deriveKey, readSession, sessionCookieName, writeSession } from "@/lib/session/cookie";
import type { SessionData } from "@/lib/session/schema";
import { Browser } from "@/test/cookies";
import { freshProcess, TEST_SECRET } from "@/test/process";

const OTHER_SECRET = "another-session-secret-0123456789abcdef";
const THIRD_SECRET = "a-third-session-secret-0123456789abcdef";

beforeEach(() => {
  freshProcess();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A JWT of this length whose payload is JSON with base64 data in it that does not compress further. */
function bigJwt(length: number): string {
  const claims = { iss: "engage-auth", aud: "engage-voice", sub: "ana@example.com", iat: 1, exp: 301, permissions: "" };
  const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");
  const signature = randomBytes(32).toString("base64url");
  const room = length - header.length - signature.length - 2;
  const filler = Math.floor((room * 3) / 4) - JSON.stringify(claims).length;
  claims.permissions = randomBytes(filler).toString("base64url").slice(0, filler);
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
}

function session(accessToken = "a.b.c", overrides: Partial<SessionData> = {}): SessionData {
  const now = Date.now();
  return {
    sid: randomBytes(18).toString("base64url"),
    createdAt: now,
    seenAt: now,
    connections: [
      {
        id: randomBytes(9).toString("base64url"),
        host: "https://engage.ringcentral.com",
        username: "ana@example.com",
        platformId: "aws80",
        mainAccountId: "333333",
        accessToken,
        refreshToken: randomBytes(48).toString("base64url"),
        issuedAt: now,
        lifetimeMs: 300_000,
      },
    ],
    ...overrides,
  };
}

async function written(data: SessionData, browser = new Browser()): Promise<Browser> {
  await writeSession(browser, data);
  return browser;
}

describe("the session cookie", () => {
  test("gives back what was written, over many sizes of token", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 400, max: 5_900 }), async (length) => {
        const data = session(bigJwt(length));
        expect(await readSession(await written(data))).toEqual({ data, stale: false });
      }),
      { numRuns: 25 },
    );
  });

  test("is nothing when there is none, and says so", async () => {
    expect(await readSession(new Browser())).toEqual({ data: null, stale: false });
  });

  test("is HttpOnly, SameSite=Lax, for the whole site, and lives no longer than the session may", async () => {
    freshProcess({ SESSION_MAX_HOURS: "2" });
    const browser = await written(session("a.b.c", { createdAt: Date.now() - 3_600_000 }));
    const options = browser.options.get(sessionCookieName());
    expect(options).toMatchObject({ httpOnly: true, sameSite: "lax", path: "/", secure: false });
    expect(options?.maxAge).toBeLessThanOrEqual(3_600);
    expect(options?.maxAge).toBeGreaterThan(3_500);
    expect(options).not.toHaveProperty("domain");
  });

  test("is Secure and bound to its host on https, every part of it", async () => {
    freshProcess({ APP_URL: "https://tokendesk.example.com" });
    const browser = await written(session(bigJwt(6_000)));
    expect(browser.cookies.size).toBeGreaterThan(1);
    for (const name of browser.cookies.keys()) {
      expect(name).toMatch(/^__Host-tokendesk(\.\d)?$/);
      expect(browser.options.get(name)).toMatchObject({ secure: true, path: "/", httpOnly: true });
    }
  });

  test("holds no token that can be read in it", async () => {
    const data = session(bigJwt(1_000));
    const { header } = await written(data);
    const decoded = header + Buffer.from(header, "base64url").toString("latin1");
    expect(decoded).not.toContain(data.connections[0]?.refreshToken);
    expect(decoded).not.toContain("ana@example.com");
  });

  test("that was tampered with anywhere is nothing, and is known as something to clear", async () => {
    const whole = await written(session(bigJwt(5_000)));
    for (const [name, value] of whole.cookies) {
      // The last character of a part may hold bits that nobody reads.
      for (const place of [0, 10, Math.floor(value.length / 2), value.length - 5]) {
        const browser = whole.copy();
        const other = value[place] === "A" ? "B" : "A";
        browser.cookies.set(name, value.slice(0, place) + other + value.slice(place + 1));
        expect(await readSession(browser)).toEqual({ data: null, stale: true });
      }
    }
  });

  test("is nothing when a part is missing, swapped, or of another session", async () => {
    const one = await written(session(bigJwt(5_500)));
    const other = await written(session(bigJwt(5_500)));
    const [first = "", second = ""] = [...one.cookies.keys()];
    expect(second).not.toBe("");
    const missing = one.copy();
    missing.cookies.delete(second);
    const swapped = one.copy();
    swapped.cookies.set(first, one.cookies.get(second) ?? "");
    swapped.cookies.set(second, one.cookies.get(first) ?? "");
    const mixed = one.copy();
    mixed.cookies.set(second, other.cookies.get(second) ?? "");
    for (const browser of [missing, swapped, mixed]) expect((await readSession(browser)).data).toBeNull();
  });

  test("shrinks and grows in one browser without leaving parts behind", async () => {
    const browser = new Browser();
    for (const length of [5_900, 500, 3_500, 5_800, 400]) {
      const data = session(bigJwt(length));
      await written(data, browser);
      expect((await readSession(browser)).data).toEqual(data);
    }
    expect(browser.cookies.size).toBe(1);
  });

  test("is cleared whole, parts of all sizes", async () => {
    for (const length of [500, 6_000]) {
      const browser = await written(session(bigJwt(length)));
      await clearSession(browser);
      expect(browser.cookies.size).toBe(0);
    }
  });

  test("that is in no state to be read can be cleared and replaced", async () => {
    const browser = new Browser();
    browser.cookies.set(`${sessionCookieName()}.0`, "garbage");
    browser.cookies.set(`${sessionCookieName()}.1`, "more");
    const data = session();
    await written(data, browser);
    expect((await readSession(browser)).data).toEqual(data);
  });

  test("dies with its seal: a copy does not outlive the session's limit", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    freshProcess({ SESSION_MAX_HOURS: "1" });
    const browser = await written(session());
    vi.setSystemTime(Date.now() + 3_500_000);
    expect((await readSession(browser)).data).not.toBeNull();
    // A minute of grace for clocks that disagree.
    vi.setSystemTime(Date.now() + 100_000 + 61_000);
    expect(await readSession(browser)).toEqual({ data: null, stale: true });
  });
});

describe("secrets", () => {
  test("the first seals, all open, and dropping one ends what it sealed", async () => {
    const data = session(bigJwt(3_000));
    freshProcess({ SESSION_SECRET: OTHER_SECRET });
    const browser = await written(data);
    freshProcess({ SESSION_SECRET: `${TEST_SECRET},${OTHER_SECRET}` });
    expect((await readSession(browser)).data).toEqual(data);
    await written(data, browser);
    freshProcess({ SESSION_SECRET: OTHER_SECRET });
    expect(await readSession(browser)).toEqual({ data: null, stale: true });
    freshProcess({ SESSION_SECRET: `${THIRD_SECRET},${TEST_SECRET}` });
    expect((await readSession(browser)).data).toEqual(data);
    freshProcess({ SESSION_SECRET: THIRD_SECRET });
    expect((await readSession(browser)).data).toBeNull();
  });

  test("one purpose's key is not another's, nor the secret itself", () => {
    const keys = [deriveKey(TEST_SECRET, "a"), deriveKey(TEST_SECRET, "b"), deriveKey(OTHER_SECRET, "a")];
    expect(new Set([...keys, TEST_SECRET]).size).toBe(4);
    for (const key of keys) expect(key.length).toBeGreaterThanOrEqual(32);
  });

  test("the identity cookie follows the same rotation", async () => {
    const identity = { sub: "u", name: "Ana", email: null, login: "ana@example.com", sid: "0123456789abcdef" };
    const opened = { ...identity, provider: "ringcx", inOpsGroup: false };
    freshProcess({ SESSION_SECRET: OTHER_SECRET });
    const sealed = await sealIdentity(identity);
    expect(await readIdentity(sealed)).toEqual(opened);
    freshProcess({ SESSION_SECRET: `${TEST_SECRET},${OTHER_SECRET}` });
    expect(await readIdentity(sealed)).toEqual(opened);
    freshProcess();
    expect(await readIdentity(sealed)).toBeNull();
    for (const value of [undefined, "", "x", `${sealed}x`]) expect(await readIdentity(value)).toBeNull();
  });

  test("an identity without a session ID is none", async () => {
    const sealed = await encode({
      token: { sub: "u", name: "Ana" },
      secret: deriveKey(TEST_SECRET, "identity cookie"),
    });
    expect(await readIdentity(sealed)).toBeNull();
  });
});

function sealIdentity(identity: Record<string, unknown>): Promise<string> {
  const { jwt, secret } = authOptions();
  return (jwt as { encode: typeof encode }).encode({ token: identity, secret: secret ?? "" });
}

/** All cookies as a signed-in browser sends them. */
async function headerOf(data: SessionData, login: string, displayName: string): Promise<number> {
  const browser = await written(data);
  const sealed = await sealIdentity({
    sub: `ringcx:engage.ringcentral.com:333333:${login}`,
    name: displayName,
    email: login,
    login,
    sid: data.sid,
  });
  browser.cookies.set(identityCookieName(), sealed);
  const csrf = randomBytes(32).toString("hex");
  const name = data.connections[0]?.host.startsWith("https") ? "__Host-next-auth.csrf-token" : "next-auth.csrf-token";
  browser.cookies.set(name, encodeURIComponent(`${csrf}|${createHash("sha256").update(csrf).digest("hex")}`));
  return Buffer.byteLength(browser.header);
}

describe("the budget", () => {
  test("an access token of 6 KB fits, and all cookies together stay below 7,500 bytes", async () => {
    freshProcess({ APP_URL: "https://tokendesk.example.com" });
    for (let run = 0; run < 5; run += 1) {
      const accessToken = bigJwt(6_144);
      expect(accessToken.length).toBeGreaterThan(6_140);
      const bytes = await headerOf(session(accessToken), "ana@example.com", "Ana Lima");
      expect(bytes).toBeLessThan(7_500);
    }
  });

  test("a long name does not break it: what is written stays below 7,500 bytes, or nothing is", async () => {
    freshProcess({ APP_URL: "https://tokendesk.example.com" });
    const login = `${"a".repeat(308)}@example.com`;
    const data = session(bigJwt(6_144));
    const [connection] = data.connections;
    if (connection) connection.username = login;
    const bytes = await headerOf(data, login, "N".repeat(100)).catch((error: { code?: string }) => {
      expect(error.code).toBe("session_too_large");
      return 0;
    });
    expect(bytes).toBeLessThan(7_500);
  });

  test.each([8_000, 12_000, 60_000])("a token of %i characters is refused, and nothing is written", async (length) => {
    const browser = await written(session(bigJwt(2_000)));
    const before = browser.header;
    const { writes } = browser;
    await expect(writeSession(browser, session(bigJwt(length)))).rejects.toMatchObject({ code: "session_too_large" });
    expect(browser.writes).toBe(writes);
    expect(browser.header).toBe(before);
    expect((await readSession(browser)).data).not.toBeNull();
  });
});
