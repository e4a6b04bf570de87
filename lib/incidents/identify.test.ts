import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Candidate, type Identified, identify } from "@/lib/incidents/identify";
import type { Investigator } from "@/lib/incidents/investigator";
import type { KnownToken } from "@/lib/incidents/schema";
import { signInAdmin, TokenClient } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { markToken } from "@/lib/tokens/fingerprint";
import type { FaultKind } from "@/sandbox/faults";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

let sandbox: TestSandbox;
const folder = mkdtempSync(join(tmpdir(), "tokendesk-identify-"));

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000 });
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  await sandbox.reset();
  fresh();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

function fresh(variables: Record<string, string> = {}): void {
  freshProcess({ RINGCX_HOSTS: sandbox.url, DATA_DIR: folder, RINGCX_TIMEOUT_MS: "400", ...variables });
}

const holding = (value: string, patienceMs?: number) =>
  new TokenClient({ host: sandbox.url, limitKey: "desk" }, value, patienceMs);

async function signedIn(): Promise<NonNullable<Investigator["owner"]>> {
  const host = sandbox.url;
  const { mainAccountId, accessToken, refreshToken, lifetimeMs } = await signInAdmin(host, ANA);
  const connection = { id: "desk", host, username: ANA.username, platformId: "aws80", mainAccountId };
  const grant = { accessToken, refreshToken, lifetimeMs, issuedAt: Date.now() };
  const { client } = new LiveConnection({ ...connection, ...grant });
  const tenant = `sandbox|${mainAccountId}`;
  const actor = { tenant, id: "1111", name: ANA.username, address: null, userAgent: null, requestId: null };
  return { client, tenant, actor, user: { id: "1111", name: ANA.username } };
}

const active: KnownToken = {
  label: "IVR",
  purpose: null,
  environment: null,
  usedIn: null,
  owner: "Ana Lima",
  status: "active",
  createdHere: true,
  firstSeenAt: "2026-01-01T00:00:00.000Z",
  lastSeenAt: "2026-01-01T00:00:00.000Z",
  endedAt: null,
};

const candidate = (value: string, known: KnownToken | null = null): Candidate => ({
  value,
  tokenId: markToken(value).id,
  known,
});

async function lookUp(
  candidates: readonly Candidate[],
  { owner = null, ...options }: { signal?: AbortSignal; patienceMs?: () => number; owner?: Investigator["owner"] } = {},
): Promise<Identified[]> {
  const answers = new Map<string, Identified>();
  await identify({ holding, owner }, candidates, {
    ...options,
    onIdentified: ({ tokenId }, identified) => answers.set(tokenId, identified),
  });
  return candidates.map(({ tokenId }) => answers.get(tokenId) as Identified);
}

const deadValue = "aws80:00000000-0000-0000-0000-00000000dead";
const requests = async () => (await sandbox.journal()).map(({ operation, auth }) => `${operation} ${auth}`);

describe("a token in somebody's hands", () => {
  test("is alive: whose it is, what it reaches, and its siblings, in one list request and two for the user", async () => {
    const values = await sandbox.tokens();
    const [one] = await lookUp([candidate(values[0] as string)]);
    expect(one).toEqual({
      status: "live",
      why: "RingCX accepts it.",
      checkedAt: expect.any(Number),
      user: {
        id: "1111",
        login: "ana@example.com",
        name: "Ana Lima",
        enabled: true,
        roles: ["SUPER_USER", "MANAGE_USERS", "ACCESS_AUDIT_LOG", "USER"],
      },
      accounts: ["Sales", "Support", "Billing"].map((name, index) => ({
        accountId: String(333334 + index),
        accountName: `RingForce ${name}`,
        mainAccountId: "333333",
        mainAccountName: "RingForce",
      })),
      siblings: values.slice(1).map((value) => ({ tokenId: markToken(value).id, hint: markToken(value).hint })),
      reach: "Can do everything in 3 sub-accounts of RingForce.",
      notChecked: [],
    });
    expect((await requests()).sort()).toEqual([
      "accounts x-auth-token",
      "auth x-auth-token",
      "token.list x-auth-token",
    ]);
  });

  test("several of one user cost one list each, and their user is asked for once", async () => {
    const values = await sandbox.tokens();
    const answers = await lookUp(values.map((value) => candidate(value)));
    expect(answers.map(({ user }) => user?.login)).toEqual(values.map(() => "ana@example.com"));
    expect(answers.map(({ siblings }) => siblings?.length)).toEqual([2, 2, 2]);
    const counted = await requests();
    expect(counted.filter((request) => request === "token.list x-auth-token")).toHaveLength(3);
    expect(counted.filter((request) => request === "auth x-auth-token")).toHaveLength(1);
    expect(counted.filter((request) => request === "accounts x-auth-token")).toHaveLength(1);
  });

  test("several of several users are told apart", async () => {
    const values = [...(await sandbox.tokens("child1@example.com")), ...(await sandbox.tokens("child2@example.com"))];
    const answers = await lookUp(values.map((value) => candidate(value)));
    expect(answers.map(({ user }) => user?.login)).toEqual([
      "child1@example.com",
      "child1@example.com",
      "child2@example.com",
      "child2@example.com",
    ]);
  });

  test("nothing of the credential in RingCX's answer stays", async () => {
    const [value = ""] = await sandbox.tokens();
    const told = JSON.stringify(await lookUp([candidate(value)]));
    const { authTokens = [], accountFields = [] } = await sandbox.control<Record<string, string[]>>("GET", "secrets");
    expect(authTokens.length).toBeGreaterThan(0);
    for (const secret of [...authTokens, ...accountFields, value]) expect(told).not.toContain(secret);
  });

  test("is dead when RingCX refuses it, and one request says so", async () => {
    const [one] = await lookUp([candidate(deadValue)]);
    expect(one).toMatchObject({ status: "dead", user: null, siblings: null });
    expect(await requests()).toEqual(["token.list x-auth-token"]);
  });

  test("is not called dead at the first refusal while the inventory knows it alive", async () => {
    const [value = ""] = await sandbox.tokens();
    await sandbox.fault({ operation: "token.list", kind: "unauthorized", count: 1 });
    expect((await lookUp([candidate(value, active)]))[0]?.status).toBe("live");
  });

  test("is dead when RingCX refuses it twice while it lets another in", async () => {
    const [value = "", other = ""] = await sandbox.tokens();
    await sandbox.control("DELETE", "tokens", { value });
    const owner = await signedIn();
    // An own token that is not in question is asked with; or one that the scan found alive.
    expect((await lookUp([candidate(value, active)], { owner }))[0]?.status).toBe("dead");
    const asked = ["x-auth-token", "bearer", "x-auth-token", "x-auth-token"].map((auth) => `token.list ${auth}`);
    expect((await requests()).slice(-4)).toEqual(asked);
    expect((await lookUp([other, value].map((one) => candidate(one, active))))[1]?.status).toBe("dead");
  });

  test.each([1, 2, 3, 4])("is not called dead when every token was refused until just now: %d times", async (count) => {
    const [value = ""] = await sandbox.tokens();
    const owner = await signedIn();
    await sandbox.fault({ operation: "token.list", kind: "unauthorized", auth: "x-auth-token", count });
    expect((await lookUp([candidate(value, active)], { owner }))[0]?.status).not.toBe("dead");
  });

  test("is not called dead while RingCX refuses every token", async () => {
    const values = await sandbox.tokens();
    await sandbox.fault({ operation: "*", kind: "unauthorized", auth: "x-auth-token", count: -1 });
    for (const owner of [null, await signedIn()]) {
      const answers = await lookUp(values.map((value) => candidate(value, active)).slice(1), { owner });
      for (const one of answers) {
        expect(one).toMatchObject({ status: "unchecked" });
        expect(one.why).toMatch(/^Could not check: RingCX refuses it, though .*nothing shows/);
      }
    }
  });

  test("is not called dead while RingCX refuses the signed-in person's tokens as well, though nobody knows it", async () => {
    const values = [await sandbox.mint("new@example.com"), await sandbox.mint("new@example.com")];
    await sandbox.fault({ operation: "*", kind: "unauthorized", auth: "x-auth-token", count: -1 });
    const owner = await signedIn();
    await sandbox.clearJournal();
    for (const one of await lookUp(
      values.map((value) => candidate(value)),
      { owner },
    )) {
      expect(one).toMatchObject({ status: "unchecked" });
      expect(one.why).toMatch(/^Could not check: .*a token of yours that it lists/);
    }
    const asked = await requests();
    // One own token is asked with for all of them.
    expect(asked.filter((request) => request === "token.list bearer")).toHaveLength(1);
    expect(asked).toHaveLength(4);
    // What was proven dead here before needs no more than the refusal.
    const revoked = candidate(values[0] as string, { ...active, status: "revoked" });
    expect((await lookUp([revoked], { owner }))[0]?.status).toBe("dead");
  });

  test("is dead at its first refusal when the signed-in person's own tokens cannot be asked for", async () => {
    await sandbox.fault({ operation: "token.list", kind: "html502", auth: "bearer", count: -1 });
    expect((await lookUp([candidate(deadValue)], { owner: await signedIn() }))[0]?.status).toBe("dead");
  });

  test("of a user who may not list is alive all the same", async () => {
    const value = await sandbox.mint("denied@example.com");
    const [one] = await lookUp([candidate(value)]);
    expect(one).toMatchObject({ status: "live", why: "RingCX knows it, but its user may not list tokens." });
    expect(one?.notChecked).toHaveLength(1);
  });
});

const unclear: [FaultKind, Record<string, unknown>, RegExp][] = [
  ["hang", {}, /did not answer in time/],
  ["resetBefore", {}, /cannot be reached/],
  ["resetAfter", {}, /cannot be reached/],
  ["cutBody", {}, /cannot be (reached|trusted)/],
  ["html502", {}, /cannot be reached/],
  ["html503", {}, /cannot be reached/],
  ["html504", {}, /cannot be reached/],
  ["http429", { retryAfter: 60 }, /allows per minute are used up/],
  ["false200", {}, /cannot be trusted/],
  ["quotedToken", {}, /cannot be trusted/],
  ["emptyBody", {}, /cannot be trusted/],
  ["hugeBody", { bytes: 17_000_000 }, /cannot be trusted|in time/],
  ["malformedJson", {}, /cannot be trusted/],
  ["status", { status: 500 }, /cannot be reached/],
  ["redirect", { location: "/elsewhere" }, /cannot be trusted/],
  ["jwtExpired", {}, /a credential that this is not/],
  ["slowBody", { ms: 60_000 }, /in time/],
];

describe("what says nothing is told as not checked, with the reason", () => {
  test.each(unclear)("%s %j", async (kind, more, reason) => {
    const [value = ""] = await sandbox.tokens();
    await sandbox.fault({ operation: "token.list", kind, count: -1, ...more });
    const [one] = await lookUp([candidate(value, active)], { patienceMs: () => 50 });
    expect(one).toMatchObject({ status: "unchecked", user: null, siblings: null, reach: null });
    expect(one?.why).toMatch(/^Could not check: /);
    expect(one?.why).toMatch(reason);
  });

  test.each([
    ["wrongContentType", { contentType: "text/html" }],
    ["latency", { ms: 50 }],
  ])("but not what a gateway calls a sound list, or how long it takes: %s", async (kind, more) => {
    const values = await sandbox.tokens();
    await sandbox.fault({ operation: "token.list", kind, count: -1, ...more });
    const [one] = await lookUp([candidate(values[0] as string, active)]);
    expect(one?.status).toBe("live");
    expect(one?.siblings).toHaveLength(values.length - 1);
  });

  test("nor how it writes its tokens", async () => {
    const [value = "", sibling = ""] = await sandbox.tokens();
    const body = JSON.stringify([value.toUpperCase(), `"${sibling}"`]);
    const list = { operation: "token.list", kind: "status", status: 200, contentType: "application/json" };
    await sandbox.fault({ ...list, body });
    const { id: tokenId, hint } = markToken(sibling);
    expect((await lookUp([candidate(value)]))[0]).toMatchObject({ status: "live", siblings: [{ tokenId, hint }] });
  });

  test("a refusal that RingCX did not write itself", async () => {
    const [value = ""] = await sandbox.tokens();
    await sandbox.fault({ operation: "token.list", kind: "status", status: 403, body: "blocked", count: -1 });
    expect((await lookUp([candidate(value)]))[0]).toMatchObject({ status: "unchecked" });
    await sandbox.control("DELETE", "faults");
    await sandbox.fault({
      operation: "token.list",
      kind: "status",
      status: 401,
      body: "<html>captive</html>",
      contentType: "text/html",
      count: -1,
    });
    expect((await lookUp([candidate(value)]))[0]).toMatchObject({ status: "unchecked" });
  });

  test("whose it is and what it reaches can each be missing, and that is said", async () => {
    const [value = ""] = await sandbox.tokens();
    await sandbox.fault({ operation: "auth", kind: "html502", count: -1 });
    const [one] = await lookUp([candidate(value)]);
    expect(one).toMatchObject({ status: "live", user: null, accounts: [{}, {}, {}] });
    expect(one?.reach).toBe("Can do what its user may in 3 sub-accounts of RingForce.");
    expect(one?.notChecked).toEqual(["Whose it is and which roles they have: RingCX cannot be reached."]);
    await sandbox.control("DELETE", "faults");
    await sandbox.fault({ operation: "accounts", kind: "malformedJson", count: -1 });
    const [two] = await lookUp([candidate(value)]);
    expect(two?.notChecked).toEqual(["Which accounts it reaches: RingCX gave an answer that cannot be trusted."]);
  });
});

describe("the vendor's budget", () => {
  test("is never overrun, and what does not fit in the time is told as not checked", async () => {
    fresh({ RINGCX_RATE_LIMIT: "4" });
    const values = await sandbox.tokens();
    const candidates = [...values, deadValue, `${deadValue.slice(0, -1)}0`].map((value) => candidate(value));
    const answers = await lookUp(candidates, { patienceMs: () => 50 });
    expect((await requests()).length).toBeLessThanOrEqual(4);
    const unchecked = answers.filter(({ status }) => status === "unchecked");
    expect(unchecked.length).toBeGreaterThan(0);
    for (const { why } of unchecked) expect(why).toMatch(/allows per minute are used up/);
  });

  test("what was not asked when it was stopped is told as that", async () => {
    const stop = new AbortController();
    stop.abort();
    const [one] = await lookUp([candidate(deadValue)], { signal: stop.signal });
    expect(one).toMatchObject({ status: "unchecked", why: "Not checked yet: RingCX was not asked.", checkedAt: null });
    expect(await requests()).toEqual([]);
  });
});
