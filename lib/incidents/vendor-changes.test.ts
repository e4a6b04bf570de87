import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SubAccount } from "@/lib/accounts/schema";
import { openCase, readCase } from "@/lib/incidents/cases";
import type { Investigator } from "@/lib/incidents/investigator";
import type { TokenUser, VendorChanges } from "@/lib/incidents/schema";
import {
  collectVendorChanges,
  keepVendorChanges,
  noteVendorChanges,
  parseVendorChanges,
} from "@/lib/incidents/vendor-changes";
import { TokenClient } from "@/lib/ringcx/client";
import type { FaultKind } from "@/sandbox/faults";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { freshProcess } from "@/test/process";
import { TestSandbox } from "@/test/sandbox";

let sandbox: TestSandbox;
let limitKey = 0;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000 });
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  await sandbox.reset();
  await sandbox.control("POST", "config", { auditDelaySeconds: 0 });
  limitKey += 1;
  freshProcess({ RINGCX_HOSTS: sandbox.url, RINGCX_TIMEOUT_MS: "400" });
});

const holding: Investigator["holding"] = (value, patienceMs) =>
  new TokenClient({ host: sandbox.url, limitKey: `changes-${limitKey}` }, value, patienceMs);

const ana: TokenUser = { id: "1111", login: "ana@example.com", name: "Ana Lima", enabled: true, roles: [] };
const nils: TokenUser = { id: "1112", login: "new@example.com", name: "Nils Ewald", enabled: true, roles: [] };
const subAccount = (accountId: string): SubAccount => ({
  accountId,
  accountName: `Sub ${accountId}`,
  mainAccountId: "333333",
  mainAccountName: "RingForce",
});
const three = ["333334", "333335", "333336"].map(subAccount);

async function one(username?: string): Promise<string> {
  return (await sandbox.tokens(username))[0] ?? (await sandbox.mint(username));
}

/** The user deletes another of their tokens. */
async function deleteAnother(value: string): Promise<void> {
  const other = (await sandbox.tokens()).find((candidate) => candidate !== value) as string;
  expect(await holding(other).delete()).toBe("accepted");
}

const searches = async () => (await sandbox.journal()).filter(({ operation }) => operation === "auditLogs.search");

describe("what RingCX says that a user changed", () => {
  test("is their own changes, each once, since the token was first seen", async () => {
    const value = await one();
    await deleteAnother(value);
    // In the log of the same sub-account, by somebody else.
    await sandbox.mint("password@example.com");
    const from = Date.now() - 60_000;
    const answer = await collectVendorChanges({ holding }, { value, user: ana, accounts: three, from });
    expect(answer).toEqual({
      user: "Ana Lima (ana@example.com)",
      from: new Date(from).toISOString().replace("Z", "+00:00"),
      to: expect.stringMatching(/\+00:00$/),
      unavailable: null,
      changes: [
        {
          at: expect.any(String),
          account: "Sub 333334, Sub 333335, Sub 333336",
          action: "DELETE",
          what: "Deleted ApiToken of ana@example.com",
        },
      ],
      truncated: false,
      notChecked: [],
    });
    expect((await searches()).map(({ auth, status }) => [auth, status])).toEqual([
      ["x-auth-token", 200],
      ["x-auth-token", 200],
      ["x-auth-token", 200],
    ]);
  });

  test("goes back 30 days for a token that is not known here", async () => {
    const answer = await collectVendorChanges(
      { holding },
      { value: await one(), user: ana, accounts: three.slice(0, 1), from: null },
    );
    expect(Date.parse(answer.to) - Date.parse(answer.from)).toBe(30 * 24 * 3_600_000);
  });

  test("is asked of five sub-accounts at most, and says so", async () => {
    const many = Array.from({ length: 8 }, (_, index) => subAccount(["333334", "333335"][index % 2] as string));
    const answer = await collectVendorChanges(
      { holding },
      { value: await one(), user: ana, accounts: many, from: null },
    );
    expect(answer.notChecked).toEqual(["3 sub-accounts of 8: only the first 5 were asked for."]);
    expect(await searches()).toHaveLength(5);
  });

  test("may be refused: then it is asked once", async () => {
    const value = await one("new@example.com");
    const accounts = three.map(({ accountId }) => subAccount(accountId));
    const answer = await collectVendorChanges({ holding }, { value, user: nils, accounts, from: null });
    expect(answer).toMatchObject({
      unavailable: "RingCX does not let this token's user read the audit log.",
      changes: [],
    });
    expect(await searches()).toHaveLength(1);
  });

  test("may be refused for one sub-account of several", async () => {
    const accounts = [...three.slice(0, 1), subAccount("999999")];
    const answer = await collectVendorChanges({ holding }, { value: await one(), user: ana, accounts, from: null });
    expect(answer).toMatchObject({
      unavailable: null,
      notChecked: ["Sub 999999: RingCX does not let this token's user read the audit log."],
    });
  });

  test.each<[FaultKind, string]>([
    ["hang", "RingCX did not answer in time."],
    ["html502", "RingCX could not be reached."],
    ["malformedJson", "RingCX gave an answer that cannot be trusted."],
  ])("is not known when RingCX answers with %s", async (kind, unavailable) => {
    const value = await one();
    await sandbox.fault({ operation: "auditLogs.search", kind, count: -1 });
    const answer = await collectVendorChanges({ holding }, { value, user: ana, accounts: three, from: null });
    expect(answer).toMatchObject({ unavailable, changes: [] });
  });

  test("is not known of a dead token, nor of one without sub-accounts, which is not asked for", async () => {
    const value = "aws80:00000000-0000-0000-0000-00000000dead";
    const dead = await collectVendorChanges({ holding }, { value, user: ana, accounts: three, from: null });
    expect(dead.unavailable).toBe("RingCX refused the token before it could be asked.");
    for (const accounts of [null, []]) {
      const answer = await collectVendorChanges({ holding }, { value, user: ana, accounts, from: null });
      expect(answer.unavailable).toBe("RingCX named no sub-account of this user whose audit log could be asked for.");
    }
    expect(await searches()).toHaveLength(1);
  });

  test("is not asked when the budget is needed for the tokens", async () => {
    freshProcess({ RINGCX_HOSTS: sandbox.url, RINGCX_RATE_LIMIT: "2" });
    const token = holding(await one());
    await Promise.all([token.listTokenValues(), token.listTokenValues()]);
    const answer = await collectVendorChanges(
      { holding },
      { value: await one(), user: ana, accounts: three, from: null },
    );
    expect(answer.unavailable).toBe("It was not asked: RingCX's requests per minute were needed for the tokens.");
    expect(await searches()).toEqual([]);
  });
});

describe.each(databaseKinds)("kept with its case on %s", (kind) => {
  let database: TestDatabase;
  const incident = "7f7f2a52-6d5a-4c39-8f3d-0b7ab0f0a001";
  const tenant = "sandbox|333333";

  beforeEach(async () => {
    database = await useDatabase(kind, { RINGCX_HOSTS: sandbox.url, RINGCX_RATE_LIMIT: "10000" });
    const nobody = { address: null, userAgent: null, requestId: null };
    const investigator: Investigator = {
      tenant,
      actor: { tenant, id: "ops", name: "ops@example.com", ...nobody },
      user: { id: "ops", name: "Ops" },
      origin: "desk",
      keyName: null,
      seal: "session 1",
      holding,
      owner: null,
    };
    expect(await openCase(investigator, { id: incident, host: sandbox.url, textBytes: 1, files: 0, found: 1 })).toBe(
      true,
    );
  });
  afterEach(() => database.remove());

  const kept = async (): Promise<VendorChanges[]> =>
    parseVendorChanges((await readCase(tenant, incident))?.incident.vendor_changes ?? null);

  test("the answers for its users, each once, and none that says less than the one before", async () => {
    const live = { status: "live", accounts: three, known: null } as const;
    const users = [
      { ...live, value: await one(), user: ana, known: { firstSeenAt: "2026-11-20T00:00:00.000Z" } },
      { ...live, value: await one(), user: ana, known: { firstSeenAt: "2026-11-10T00:00:00.000Z" } },
      { ...live, value: await one("new@example.com"), user: nils },
      { ...live, value: await one("password@example.com"), user: null },
      { ...live, value: "aws80:00000000-0000-0000-0000-00000000dead", status: "dead", user: null } as const,
    ];
    await noteVendorChanges({ holding, tenant }, incident, users);
    await noteVendorChanges({ holding, tenant }, incident, users);
    const first = await kept();
    expect(first.map(({ user, unavailable }) => [user, unavailable])).toEqual([
      ["Ana Lima (ana@example.com)", null],
      ["Nils Ewald (new@example.com)", "RingCX does not let this token's user read the audit log."],
    ]);
    expect(first[0]?.from).toBe("2026-11-10T00:00:00.000+00:00");
    await keepVendorChanges(tenant, incident, { ...(first[0] as VendorChanges), unavailable: "It was too late." });
    expect(await kept()).toEqual(first);
  });

  test("nothing by another tenant", async () => {
    const user = { value: await one(), status: "live", user: ana, accounts: three, known: null } as const;
    await noteVendorChanges({ holding, tenant: "sandbox|444444" }, incident, [user]);
    expect(await kept()).toEqual([]);
  });

  test("what makes no sense there counts as nothing", () => {
    expect(parseVendorChanges("{")).toEqual([]);
    expect(parseVendorChanges('[{"user":1}]')).toEqual([]);
  });
});
