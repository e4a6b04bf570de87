import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { inTime } from "@/lib/in-time";
import { signInAdmin } from "@/lib/ringcx/client";
import { isSuperseded, newestRefreshToken, type Renewal, renew } from "@/lib/session/refresh";
import type { Connection } from "@/lib/session/schema";
import type { FaultKind } from "@/sandbox/faults";
import { runModule } from "@/test/child";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";
import { jwt, sendJson, startUpstream } from "@/test/upstream";

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000, accessTokenBytes: 600 });
});

afterAll(() => sandbox.close());

let database: TestDatabase;

/** The variables of this process, without what it remembers. */
const restart = (variables: Record<string, string>) => freshProcess({ ...database.variables, ...variables });

afterEach(async () => {
  vi.useRealTimers();
  await database.remove();
});

function connectionOf(host: string, grant: { accessToken: string; refreshToken: string | null; lifetimeMs: number }) {
  const connection: Connection = {
    id: "c",
    host,
    username: ANA.username,
    platformId: "aws80",
    mainAccountId: "333333",
    issuedAt: Date.now(),
    ...grant,
  };
  return connection;
}

async function signedIn(): Promise<Connection> {
  const { accessToken, refreshToken, lifetimeMs } = await signInAdmin(sandbox.url, ANA);
  return connectionOf(sandbox.url, { accessToken, refreshToken, lifetimeMs });
}

/** The state as a cookie has it whose access token has just expired. */
const expired = (connection: Connection): Connection => ({
  ...connection,
  issuedAt: Date.now() - connection.lifetimeMs,
});

function usable(renewal: Renewal): Connection {
  if (renewal.kind !== "usable") throw new Error(`it is ${renewal.kind}`);
  return renewal.connection;
}

const together = (count: number, connection: Connection, refused?: string) =>
  Promise.all(Array.from({ length: count }, () => renew({ ...connection }, refused)));

describe.each(databaseKinds)("on %s", (kind) => {
  beforeEach(async () => {
    await sandbox.clear();
    await sandbox.control("POST", "config", { accessTokenSeconds: 300 });
    database = await useDatabase(kind);
    restart({ RINGCX_HOSTS: sandbox.url });
  });

  describe("a renewal", () => {
    test("is not made while the access token is good", async () => {
      const connection = await signedIn();
      expect(await renew(connection)).toEqual({ kind: "usable", connection });
      expect(await sandbox.journal("refresh")).toHaveLength(0);
    });

    test("of a hundred callers at expiry is one refresh, and all get the same successor; so at the next expiry", async () => {
      let connection = expired(await signedIn());
      for (const generation of [1, 2, 3]) {
        const renewals = (await together(100, connection)).map(usable);
        const [first] = renewals;
        for (const renewed of renewals) expect(renewed).toEqual(first);
        expect(first?.accessToken).not.toBe(connection.accessToken);
        const refreshes = await sandbox.journal("refresh");
        expect(refreshes.map(({ status }) => status)).toEqual(Array(generation).fill(200));
        connection = expired(first as Connection);
      }
    });

    test("of late callers with older states gives the newest, and costs nothing", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const states = [await signedIn()];
      for (let generation = 0; generation < 3; generation += 1) {
        vi.setSystemTime(Date.now() + 290_000);
        states.push(usable(await renew(states.at(-1) as Connection)));
      }
      expect(await sandbox.journal("refresh")).toHaveLength(3);
      const newest = states.at(-1) as Connection;
      for (const state of states) expect(usable(await renew(state))).toEqual(newest);
      for (const state of states) expect(await newestRefreshToken(state)).toBe(newest.refreshToken);
      expect(await sandbox.journal("refresh")).toHaveLength(3);
    });

    test("is known for as long as an idle session lives: a response that was lost 45 minutes ago does not sign out", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const old = await signedIn();
      vi.setSystemTime(Date.now() + 290_000);
      // The browser never got this answer; it comes back with the old cookie before SESSION_IDLE_MINUTES (60) are over.
      usable(await renew(old));
      vi.setSystemTime(Date.now() + 45 * 60_000);
      // Another session's renewal tidies up.
      usable(await renew(expired(await signedIn())));
      expect((await renew(old)).kind).toBe("usable");
    });

    test("is forced by a refusal, whatever the age, once for all who met it", async () => {
      const connection = await signedIn();
      await sandbox.control("POST", "expire-access-tokens");
      const renewals = (await together(50, connection, connection.accessToken)).map(usable);
      expect(new Set(renewals.map(({ accessToken }) => accessToken)).size).toBe(1);
      expect(renewals[0]?.accessToken).not.toBe(connection.accessToken);
      expect(await sandbox.journal("refresh")).toHaveLength(1);
      // Who was refused with the old one and comes later is given the successor.
      expect(usable(await renew(connection, connection.accessToken))).toEqual(renewals[0]);
      expect(await sandbox.journal("refresh")).toHaveLength(1);
    });

    test("of a portal's sign-in is none: it is as good as it was, however old, until the portal refuses it", async () => {
      const legacy: Connection = {
        ...connectionOf(sandbox.portal, { accessToken: "auth-token-1", refreshToken: null, lifetimeMs: 3_600_000 }),
        kind: "legacy",
        issuedAt: Date.now() - 30 * 24 * 3_600_000,
      };
      for (const refused of [undefined, "another token"]) {
        expect(await renew(legacy, refused)).toEqual({ kind: "usable", connection: legacy });
      }
      expect(await isSuperseded(legacy)).toBe(true);
      expect(await newestRefreshToken(legacy)).toBeNull();
      expect((await renew(legacy, legacy.accessToken)).kind).toBe("ended");
      // Every later request of the session knows.
      expect((await renew(legacy)).kind).toBe("ended");
      expect((await renew({ ...legacy, accessToken: "auth-token-2" })).kind).toBe("usable");
      expect(await sandbox.journal()).toEqual([]);
    });

    test("of one session leaves another one alone", async () => {
      const [one, other] = [await signedIn(), await signedIn()];
      const [a, b] = await Promise.all([renew(expired(one)), renew(expired(other))]);
      expect(usable(a).accessToken).not.toBe(usable(b).accessToken);
      expect(await sandbox.journal("refresh")).toHaveLength(2);
    });

    test.each([2, 10, 60, 300, 3_600])(
      "works with a lifetime of %i seconds: due before its end, never at its birth",
      async (seconds) => {
        vi.useFakeTimers({ toFake: ["Date"] });
        await sandbox.control("POST", "config", { accessTokenSeconds: seconds });
        const connection = await signedIn();
        expect(connection.lifetimeMs).toBe(seconds * 1000);
        vi.setSystemTime(connection.issuedAt + seconds * 500);
        expect(usable(await renew(connection)).accessToken).toBe(connection.accessToken);
        vi.setSystemTime(connection.issuedAt + seconds * 1000 - 1);
        const next = usable(await renew(connection));
        expect(next.accessToken).not.toBe(connection.accessToken);
        expect(usable(await renew(next)).accessToken).toBe(next.accessToken);
        expect(await sandbox.journal("refresh")).toHaveLength(1);
      },
    );
  });

  describe("when RingCX cannot renew", () => {
    const faults: [string, { kind: FaultKind } & Record<string, unknown>][] = [
      ["429", { kind: "http429" }],
      ["429 with Retry-After", { kind: "http429", retryAfter: 7 }],
      ["500", { kind: "status", status: 500 }],
      ["408", { kind: "status", status: 408, body: "Request Timeout" }],
      ["HTML 502", { kind: "html502" }],
      ["HTML 503", { kind: "html503" }],
      ["HTML 504", { kind: "html504" }],
      ["an HTML page with 401", { kind: "status", status: 401, body: "<html>log in</html>", contentType: "text/html" }],
      [
        "an HTML page with 403",
        { kind: "status", status: 403, body: "<html>blocked</html>", contentType: "text/html" },
      ],
      ["a reset", { kind: "resetBefore" }],
      ["a cut body", { kind: "cutBody" }],
      ["an answer that does not parse", { kind: "malformedJson" }],
      ["an empty answer", { kind: "emptyBody" }],
      ["false", { kind: "false200" }],
      ["a redirect", { kind: "redirect", location: "/login" }],
      ["a huge answer", { kind: "hugeBody", bytes: 3_000_000 }],
      ["silence", { kind: "hang" }],
    ];

    test.each(faults)("%s keeps the session, and a hundred callers do not storm", async (_, fault) => {
      restart({ RINGCX_HOSTS: sandbox.url, RINGCX_TIMEOUT_MS: "300" });
      const connection = expired(await signedIn());
      await sandbox.fault({ operation: "refresh", count: -1, ...fault });
      const wave = [...(await together(50, connection)), ...(await together(50, connection))];
      for (const renewal of wave) {
        expect(renewal).toMatchObject({ kind: "postponed", connection });
        if (renewal.kind === "postponed")
          expect(renewal.retryAfterMs).toBeGreaterThanOrEqual(fault.retryAfter ? 6_000 : 500);
      }
      expect(await sandbox.journal("refresh")).toHaveLength(1);
    });

    test("it is asked again after the back-off, which grows, and then all is well", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const connection = expired(await signedIn());
      await sandbox.fault({ operation: "refresh", kind: "html503", count: 2 });
      const first = await renew(connection);
      if (first.kind !== "postponed") throw new Error(first.kind);
      vi.setSystemTime(Date.now() + first.retryAfterMs + 1);
      const second = await renew(connection);
      if (second.kind !== "postponed") throw new Error(second.kind);
      expect(second.retryAfterMs).toBeGreaterThan(first.retryAfterMs);
      vi.setSystemTime(Date.now() + second.retryAfterMs + 1);
      expect(usable(await renew(connection)).accessToken).not.toBe(connection.accessToken);
      expect(await sandbox.journal("refresh")).toHaveLength(3);
    });

    test("a slow refresh keeps nobody waiting whose access token still works", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const connection = await signedIn();
      vi.setSystemTime(connection.issuedAt + connection.lifetimeMs - 10_000);
      await sandbox.fault({ operation: "refresh", kind: "latency", ms: 4_000 });
      const renewals = await inTime(together(10, connection), 3_500);
      expect(renewals?.[0]).toMatchObject({ kind: "postponed", connection });
      expect(await sandbox.journal("refresh")).toHaveLength(1);
    });
  });

  describe("when RingCX has ended the session", () => {
    test("that is the end, and RingCX is not asked again", async () => {
      const connection = expired(await signedIn());
      await sandbox.control("POST", "end-sessions");
      for (const renewal of await together(20, connection)) expect(renewal).toEqual({ kind: "ended" });
      expect(await renew(connection)).toEqual({ kind: "ended" });
      expect(await renew(connection, connection.accessToken)).toEqual({ kind: "ended" });
      expect(await newestRefreshToken(connection)).toBeNull();
      expect(await sandbox.journal("refresh")).toHaveLength(1);
    });

    test("older states of it end too", async () => {
      const first = await signedIn();
      const second = usable(await renew(expired(first), first.accessToken));
      await sandbox.control("POST", "end-sessions");
      expect(await renew(second, second.accessToken)).toEqual({ kind: "ended" });
      expect(await renew(first)).toEqual({ kind: "ended" });
      expect(await sandbox.journal("refresh")).toHaveLength(2);
    });

    test("without a refresh token the session lasts as long as its access token", async () => {
      const connection = { ...(await signedIn()), refreshToken: null };
      expect((await renew(connection)).kind).toBe("usable");
      expect((await renew({ ...connection, issuedAt: Date.now() - 290_000 })).kind).toBe("usable");
      expect((await renew(expired(connection))).kind).toBe("ended");
      expect((await renew(connection, connection.accessToken)).kind).toBe("ended");
      expect(await sandbox.journal("refresh")).toHaveLength(0);
    });
  });

  describe("an upstream of another kind", () => {
    test.each([
      ["gives no new refresh token", undefined],
      ["gives the same refresh token again", "refresh-0"],
    ])("that %s can be renewed again and again", async (_, refreshToken) => {
      const upstream = await startUpstream((_asked, response, nth) => {
        sendJson(response, { accessToken: jwt({ iat: 0, exp: 300, nth }), ...(refreshToken ? { refreshToken } : {}) });
      });
      try {
        restart({ RINGCX_HOSTS: upstream.url });
        let connection = connectionOf(upstream.url, {
          accessToken: jwt({ iat: 0, exp: 300, nth: 0 }),
          refreshToken: "refresh-0",
          lifetimeMs: 300_000,
        });
        for (const nth of [1, 2, 3]) {
          const renewals = (await together(10, expired(connection))).map(usable);
          expect(upstream.asked).toHaveLength(nth);
          connection = renewals[9] as Connection;
          expect(connection.accessToken).toBe(jwt({ iat: 0, exp: 300, nth }));
          expect(connection.refreshToken).toBe("refresh-0");
        }
      } finally {
        await upstream.close();
      }
    });

    test("that gives the same access token again has not renewed anything", async () => {
      const accessToken = jwt({ iat: 0, exp: 300 });
      const upstream = await startUpstream((_asked, response) =>
        sendJson(response, { accessToken, refreshToken: "new" }),
      );
      try {
        restart({ RINGCX_HOSTS: upstream.url });
        const connection = connectionOf(upstream.url, { accessToken, refreshToken: "old", lifetimeMs: 300_000 });
        expect((await renew(connection, accessToken)).kind).toBe("postponed");
      } finally {
        await upstream.close();
      }
    });

    test("that gives the same access token with a new refresh token is asked with the new one from then on", async () => {
      const accessToken = jwt({ iat: 0, exp: 300 });
      const upstream = await startUpstream((_asked, response, nth) =>
        sendJson(response, {
          accessToken: nth === 1 ? accessToken : jwt({ iat: 0, exp: 300, nth }),
          refreshToken: `r${nth}`,
        }),
      );
      try {
        restart({ RINGCX_HOSTS: upstream.url });
        const connection = connectionOf(upstream.url, { accessToken, refreshToken: "r0", lifetimeMs: 300_000 });
        const first = await renew(connection, accessToken);
        expect(first).toMatchObject({ kind: "postponed", connection: { accessToken, refreshToken: "r1" } });
        // The old cookie leads there too, and nobody asks again before the pause is over.
        expect(await renew(connection, accessToken)).toMatchObject({ connection: { refreshToken: "r1" } });
        expect(upstream.asked).toHaveLength(1);
        expect(upstream.asked[0]?.body).toContain("refresh_token=r0");
      } finally {
        await upstream.close();
      }
    });

    test.each([
      ["plain words with 403", 403, "Forbidden", "text/plain", 3],
      ["a passing trouble in JSON", 400, '{"error":"temporarily_unavailable"}', "application/json", 3],
      ["its own reason with 403", 403, '{"errorCode":"access.denied.exception"}', "application/json", 1],
      ["401", 401, "no", "text/plain", 1],
    ])("that refuses with %s ends the session when it is sure", async (_, status, body, type, calls) => {
      const upstream = await startUpstream((_asked, response) => {
        response.writeHead(status, { "content-type": type }).end(body);
      });
      try {
        restart({ RINGCX_HOSTS: upstream.url });
        vi.useFakeTimers({ toFake: ["Date"] });
        const connection = connectionOf(upstream.url, {
          accessToken: jwt({ iat: 0, exp: 300 }),
          refreshToken: "r0",
          lifetimeMs: 300_000,
        });
        for (let call = 1; call < calls; call += 1) {
          expect((await renew(connection, connection.accessToken)).kind).toBe("postponed");
          vi.setSystemTime(Date.now() + 60_000);
        }
        expect((await renew(connection, connection.accessToken)).kind).toBe("ended");
        expect(upstream.asked).toHaveLength(calls);
      } finally {
        vi.useRealTimers();
        await upstream.close();
      }
    });

    test("that comes back to an access token of before does not stop the process", async () => {
      const upstream = await startUpstream((_asked, response, nth) => {
        sendJson(response, { accessToken: jwt({ iat: 0, exp: 300, turn: nth % 2 }) });
      });
      try {
        const first = connectionOf(upstream.url, {
          accessToken: jwt({ iat: 0, exp: 300, turn: 0 }),
          refreshToken: "same",
          lifetimeMs: 300_000,
        });
        const ended = await runModule(
          `import { renew } from "@/lib/session/refresh";
        let connection = ${JSON.stringify(first)};
        for (let turn = 0; turn < 4; turn += 1) {
          const renewal = await renew({ ...connection, issuedAt: 0 }, connection.accessToken);
          if (renewal.kind === "usable") connection = renewal.connection;
        }
        console.log("done");
        process.exit(0);`,
          {
            variables: { ...database.variables, RINGCX_HOSTS: upstream.url },
            timeoutMs: 4_000,
          },
        );
        expect(ended).toMatchObject({ timedOut: false, stderr: "", stdout: "done\n" });
      } finally {
        await upstream.close();
      }
    });
  });
});
