import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { signInLegacy } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { tellUpstream } from "@/lib/session/end";
import { renew } from "@/lib/session/refresh";
import { type Connection, connectionSchema, tenantOf } from "@/lib/session/schema";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await TestSandbox.start();
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  await sandbox.reset();
  freshProcess({ RINGCX_HOSTS: sandbox.url, RINGCX_LEGACY_HOSTS: sandbox.portal });
});

async function atPortal(stayLoggedIn = false): Promise<Connection> {
  const answer = await signInLegacy(sandbox.portal, { ...ANA, stayLoggedIn });
  return connectionSchema.parse({
    id: "portal",
    kind: "legacy",
    host: sandbox.portal,
    username: ANA.username,
    platformId: answer.platformId ?? "",
    mainAccountId: answer.mainAccountId,
    accessToken: answer.authToken,
    refreshToken: null,
    issuedAt: Date.now(),
    lifetimeMs: answer.lifetimeMs,
  });
}

describe("a connection to a legacy portal", () => {
  test("lives as long as it is used, and ends with the portal's 401", async () => {
    const connection = await atPortal();
    const pass = (advanceSeconds: number) => sandbox.control("POST", "clock", { advanceSeconds });
    for (let use = 0; use < 3; use += 1) {
      await pass(3_590);
      const live = new LiveConnection({ ...connection, issuedAt: connection.issuedAt - use * 3_590_000 });
      expect((await live.client.listTokenValues()).items).toHaveLength(3);
      expect(live.connection.accessToken).toBe(connection.accessToken);
    }
    await pass(3_601);
    const live = new LiveConnection(connection);
    await expect(live.client.listTokenValues()).rejects.toMatchObject({ code: "session_expired" });
    expect((await renew(connection)).kind).toBe("ended");
    const operations = new Set((await sandbox.journal()).map(({ operation }) => operation));
    expect([...operations]).toEqual(["legacy.login", "token.list"]);
  });

  test("stays through what is no refusal", async () => {
    const { client } = new LiveConnection(await atPortal(true));
    for (const kind of ["jwtExpired", "redirect"]) {
      await sandbox.fault({ operation: "token.list", kind, location: "/", surface: "portal" });
      await expect(client.listTokenValues()).rejects.toMatchObject({ code: "upstream_bad_response" });
    }
    expect((await client.listTokenValues()).items).toHaveLength(3);
  });

  test("belongs to the portal's host and the main account", async () => {
    const connection = await atPortal();
    expect(tenantOf(connection)).toBe(`${new URL(sandbox.url).host}|333333`);
    expect(tenantOf({ ...connection, host: "https://portal.vacd.biz/api" })).toBe("portal.vacd.biz|333333");
  });

  test("is left without a word: the portal knows no sign-out", async () => {
    const connection = await atPortal();
    await sandbox.clearJournal();
    const now = Date.now();
    await tellUpstream({ sid: "s".repeat(24), createdAt: now, seenAt: now, connections: [connection] });
    expect(await sandbox.journal()).toEqual([]);
  });
});
