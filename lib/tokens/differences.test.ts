import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { signInAdmin } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { createToken, rotateToken } from "@/lib/tokens/creation";
import type { TokenOwner } from "@/lib/tokens/held";
import { revokeToken } from "@/lib/tokens/revocation";
import { tokenHint } from "@/lib/tokens/schema";
import { adoptToken, dismissToken, editToken, listTokens } from "@/lib/tokens/tokens";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { ANA, TestSandbox } from "@/test/sandbox";

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 1_000_000, accessTokenBytes: 600 });
});
afterAll(() => sandbox.close());

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  let ana: TokenOwner;
  let owners = 0;
  beforeAll(async () => {
    database = await useDatabase(kind, { RINGCX_HOSTS: sandbox.url, RINGCX_RATE_LIMIT: "100000" });
  });
  afterAll(() => database.remove());
  beforeEach(async () => {
    await sandbox.reset();
    owners += 1;
    const { accessToken, refreshToken, lifetimeMs, mainAccountId } = await signInAdmin(sandbox.url, ANA);
    const issuedAt = Date.now();
    const { client } = new LiveConnection({
      ...{ id: `${kind}-${owners}`, host: sandbox.url, username: ANA.username, platformId: "aws80", mainAccountId },
      ...{ accessToken, refreshToken, issuedAt, lifetimeMs },
    });
    // Of a main account of its own each time: nothing is remembered yet.
    const [id, tenant] = [`user-${owners}`, `sandbox|${owners}`];
    const actor = { tenant, id, name: ANA.username, address: null, userAgent: null, requestId: null };
    ana = { client, user: { id, name: "Ana Lima" }, tenant, actor };
  });

  const differences = async () => (await listTokens(ana)).differences;
  const remove = (value: string) => sandbox.control("DELETE", "tokens", { value });

  test("the first look has none, and neither has one that shows the same", async () => {
    const none = { appeared: [], appearedTotal: 0, vanished: [], vanishedTotal: 0 };
    expect(await differences()).toEqual(none);
    expect(await differences()).toEqual(none);
  });

  test("what is made here has not appeared, whatever became of its answer", async () => {
    await listTokens(ana);
    const { token } = await createToken(ana, { label: "CI" });
    await rotateToken(ana, token.id, {});
    expect((await differences()).appearedTotal).toBe(0);
  });

  test("what appears and what vanishes is told at every look, until its owner has said so", async () => {
    await listTokens(ana);
    const [first = "", second = ""] = await sandbox.tokens();
    const value = await sandbox.mint();
    await remove(first);
    await remove(second);
    for (const _ of [1, 2]) {
      const { appeared, vanished, ...totals } = await differences();
      expect(totals).toEqual({ appearedTotal: 1, vanishedTotal: 2 });
      expect(appeared).toMatchObject([{ hint: tokenHint(value), label: null, createdHere: false }]);
      expect(vanished.map(({ hint }) => hint).sort()).toEqual([first, second].map(tokenHint).sort());
      expect(new Set(vanished.map(({ status }) => status))).toEqual(new Set(["vanished"]));
    }
    const { appeared, vanished } = await differences();
    await adoptToken(ana, appeared[0]?.id ?? "", { label: "Known" });
    await dismissToken(ana, vanished[0]?.id ?? "");
    const rest = await differences();
    expect([rest.appearedTotal, rest.vanishedTotal]).toEqual([0, 1]);
    expect(rest.vanished).toEqual([vanished[1]]);
  });

  test("a label is an answer, other facts are not", async () => {
    await listTokens(ana);
    await sandbox.mint();
    const [{ id } = { id: "" }] = (await differences()).appeared;
    await editToken(ana, id, { environment: "staging" });
    expect((await differences()).appearedTotal).toBe(1);
    await editToken(ana, id, { label: "IVR" });
    expect((await differences()).appearedTotal).toBe(0);
    // It is known now, also when the label goes again.
    await editToken(ana, id, { label: null });
    expect((await differences()).appearedTotal).toBe(0);
  });

  test("what was revoked here is no difference, and what comes back is not missed any more", async () => {
    await listTokens(ana);
    const value = await sandbox.mint();
    const [{ id } = { id: "" }] = (await differences()).appeared;
    await revokeToken(ana, id);
    expect(await differences()).toMatchObject({ appearedTotal: 0, vanishedTotal: 0 });
    expect(await sandbox.tokens()).not.toContain(value);
  });

  test("of many the newest fifty are shown, and all are counted", async () => {
    await listTokens(ana);
    const old = await sandbox.mint();
    await listTokens(ana);
    await Promise.all(Array.from({ length: 54 }, () => sandbox.mint()));
    const { appeared, appearedTotal } = await differences();
    expect([appeared.length, appearedTotal]).toEqual([50, 55]);
    expect(appeared.map(({ hint }) => hint)).not.toContain(tokenHint(old));
  });

  test("without an answer that can be read in full nothing has vanished", async () => {
    await listTokens(ana);
    const [kept = ""] = await sandbox.tokens();
    const body = JSON.stringify([kept, 17]);
    await sandbox.fault({
      operation: "token.list",
      kind: "status",
      status: 200,
      body,
      contentType: "application/json",
    });
    const { unreadable, differences: seen } = await listTokens(ana);
    expect([unreadable, seen.vanishedTotal]).toEqual([1, 0]);
  });
});
