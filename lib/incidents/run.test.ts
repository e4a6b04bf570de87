import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { instance } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import { drainSpool } from "@/lib/audit/spool";
import { closeDatabase, read, write } from "@/lib/db/client";
import type { IncidentTokensTable } from "@/lib/db/schema";
import { env } from "@/lib/env";
import { inTime } from "@/lib/in-time";
import { type CaseToken, listCases, noteFindings, openCase, readCase } from "@/lib/incidents/cases";
import { sealFindings } from "@/lib/incidents/handles";
import { type Investigator, investigatorOf } from "@/lib/incidents/investigator";
import { follow, noticeInterrupted, revokeFindings, revokeMany, runRevocation } from "@/lib/incidents/run";
import type { RevocationLine } from "@/lib/incidents/schema";
import { signInAdmin } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { markToken } from "@/lib/tokens/fingerprint";
import type { TokenOwner } from "@/lib/tokens/held";
import { mergeSeen, readTenantRecord } from "@/lib/tokens/inventory";
import { pendingOrders, placeOrder } from "@/lib/tokens/orders";
import { digestOf } from "@/sandbox/platform";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { quick } from "@/test/faults";
import { openHangingGate } from "@/test/hanging-gate";
import { freshProcess, until } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

const leaky = "new@example.com";
const leakyUser = { id: "1112", login: leaky, name: "Nils Ewald", enabled: true, roles: ["USER"] };
const reason = "Leaked in a log";

let sandbox: TestSandbox;
let database: TestDatabase;
let people = 0;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 100_000, accessTokenBytes: 600 });
});
afterAll(() => sandbox.close());

type Person = TokenOwner & { sid: string; user: { role: "member" | "ops" } };

async function person(username = ANA.username, role: "member" | "ops" = "member"): Promise<Person> {
  const host = sandbox.url;
  const { mainAccountId, ...grant } = await signInAdmin(host, { ...ANA, username });
  people += 1;
  const id = `person-${people}`;
  const connection = { id, host, username, platformId: "aws80", mainAccountId, issuedAt: Date.now() };
  const { accessToken, refreshToken, lifetimeMs } = grant;
  const live = new LiveConnection({ ...connection, accessToken, refreshToken, lifetimeMs });
  const tenant = `sandbox|${mainAccountId}`;
  return {
    sid: `sid-${people}`,
    client: live.client,
    user: { id, name: username, role },
    tenant,
    actor: { tenant, id, name: username, address: null, userAgent: null, requestId: null },
  };
}

/** A case in which these were found; its ID and those of the findings. */
async function found(investigator: Investigator, values: readonly string[], openedAt = Date.now()) {
  const incident = randomUUID();
  const host = sandbox.url;
  await openCase(investigator, { id: incident, host, openedAt, textBytes: 100, files: 0, found: values.length });
  const tokens = values.map((value): CaseToken => {
    const { id: tokenId, fingerprint, hint } = markToken(value);
    return {
      tokenId,
      fingerprint,
      hint,
      leaked: true,
      places: [{ source: null, line: 1, dress: "plain" }],
      foundAt: openedAt,
      status: "live",
      why: "RingCX accepts it.",
      checkedAt: openedAt,
      user: leakyUser,
      accounts: [],
      reach: null,
      notChecked: [],
    };
  });
  await noteFindings(investigator.tenant, incident, tokens);
  const findings = await sealFindings(investigator, { incident, openedAt }, values);
  return { incident, findings };
}

const idOf = (value: string) => markToken(value).id;

const mint = (count: number, username = leaky) =>
  Promise.all(Array.from({ length: count }, () => sandbox.mint(username)));

async function linesIn(stream: ReadableStream<Uint8Array>): Promise<RevocationLine[]> {
  const text = await new Response(stream).text();
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RevocationLine);
}

/** Tells each line as it comes; the promise is for all of them. */
function following(stream: ReadableStream<Uint8Array>): { lines: RevocationLine[]; all: Promise<RevocationLine[]> } {
  const lines: RevocationLine[] = [];
  const read = async () => {
    let rest = "";
    for await (const chunk of stream.pipeThrough(
      new TextDecoderStream() as never,
    ) as unknown as AsyncIterable<string>) {
      const parts = `${rest}${chunk}`.split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts.map((part) => JSON.parse(part) as RevocationLine));
    }
    return lines;
  };
  return { lines, all: read() };
}

const steps = (lines: readonly RevocationLine[]) => lines.filter((line) => line.type === "step");

async function deletions(): Promise<string[]> {
  const entries = await sandbox.journal("token.delete");
  return entries.filter(({ effect }) => effect).map(({ path }) => path.split("/").at(-1) ?? "");
}

const tokenOf = async (tenant: string, incident: string, value: string) => {
  const found = await readCase(tenant, incident);
  return found?.tokens.find(({ token_id }) => token_id === markToken(value).id);
};

async function changeToken(incident: string, value: string, changes: Partial<IncidentTokensTable>): Promise<void> {
  await write("test", (trx) =>
    trx
      .updateTable("incident_tokens")
      .set(changes)
      .where("incident_id", "=", incident)
      .where("token_id", "=", markToken(value).id)
      .execute(),
  );
}

/** As a process left it that was in the midst of a run. */
async function left(incident: string, holder: string): Promise<void> {
  const run = { holder, held_until: Date.now() + 15_000, confirmed_at: Date.now() - 5_000, reason: "as confirmed" };
  await write("test", (trx) => trx.updateTable("incidents").set(run).where("id", "=", incident).execute());
}

/** What this process remembers of its runs. */
const forgetRuns = () => void Reflect.deleteProperty(globalThis, Symbol.for("tokendesk.incidents.runs"));

/** Of this machine: one that has ended, and one that runs. */
const processNamed = (pid: number) => instance.split(":").with(1, String(pid)).with(4, "-").join(":");
const gone = () => processNamed(4_194_303);
const alive = () => processNamed(process.ppid);

describe.each(databaseKinds)("on %s", (kind) => {
  beforeAll(async () => {
    freshProcess({ RINGCX_RATE_LIMIT: "100000", RINGCX_HOSTS: sandbox.url });
    database = await useDatabase(kind, {
      RINGCX_HOSTS: sandbox.url,
      RINGCX_RATE_LIMIT: "100000",
      RINGCX_TIMEOUT_MS: "2000",
    });
  });
  afterAll(() => database.remove());
  beforeEach(() => sandbox.reset());

  test("what was found is revoked and proven, and everything about it is written down", async () => {
    const ana = await person();
    const investigator = investigatorOf(ana);
    const [first, second, sibling] = (await mint(3)) as [string, string, string];
    const scope = { tenant: ana.tenant, ownerId: "nils", ownerName: "Nils", login: null };
    await mergeSeen(scope, [first, second, sibling].map(markToken), Date.now() - 1_000);
    await placeOrder(ana, markToken(first).id, null);
    const { incident, findings } = await found(investigator, [first, second]);

    const lines = await linesIn(await revokeFindings(investigator, { findings, siblings: true, reason }));
    expect(new Set(steps(lines).map(({ id }) => id))).toEqual(new Set([markToken(sibling).id, ...findings]));
    expect(steps(lines).map(({ outcome, done, total }) => `${outcome} ${done}/${total}`)).toEqual([
      "revoked 1/3",
      "revoked 2/3",
      "revoked 3/3",
    ]);
    expect(lines.at(-1)).toMatchObject({
      type: "summary",
      incident,
      outcome: "contained",
      total: 3,
      revoked: 3,
      alreadyDead: 0,
      alive: 0,
      unknown: 0,
      logged: true,
    });
    expect(await sandbox.tokens(leaky)).toEqual([]);
    expect(await deletions()).toEqual([sibling, first, second].map(digestOf));

    await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null);
    const found_ = await readCase(ana.tenant, incident);
    expect(found_?.incident).toMatchObject({ reason, siblings: 1, confirmed_by_name: ana.user.name, holder: null });
    for (const value of [first, second, sibling]) {
      const token = await tokenOf(ana.tenant, incident, value);
      expect(token).toMatchObject({ step: "revoked", proof: "token_refused", leaked: value === sibling ? 0 : 1 });
      expect(token?.deleted_at).toBeGreaterThan(0);
      expect(token?.proven_at).toBeGreaterThanOrEqual(token?.deleted_at ?? 0);
      expect(JSON.parse(token?.token_user ?? "null")).toMatchObject({ id: "1112" });
      expect((await readTenantRecord(ana.tenant, markToken(value).id))?.status).toBe("revoked");
    }
    expect((await pendingOrders(ana.tenant)).size).toBe(0);
    expect(await listCases(ana.tenant, { openedBy: ana.user.id })).toMatchObject([
      { id: incident, state: "contained", found: 2, revoked: 3, unproven: 0, reason },
    ]);
    const reader = { tenant: ana.tenant, user: { id: ana.user.id, role: "member" as const } };
    const { events } = await readEvents(reader, { limit: 100 });
    const told = events.filter(({ action }) => action === "token.revoke" || action === "incident.revoke");
    expect(
      told
        .filter(({ action }) => action === "token.revoke")
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(["attempted", "attempted", "attempted", "succeeded", "succeeded", "succeeded"]);
    const [run] = told.filter(({ action, outcome }) => action === "incident.revoke" && outcome === "succeeded");
    expect(run).toMatchObject({ reason, details: { incident, tokens: 3, revoked: 3, outcome: "contained" } });
    const all = JSON.stringify([lines, found_, events]);
    for (const value of [first, second, sibling]) expect(all).not.toContain(value.slice(6));
  });

  test("findings of somebody else are refused; one among others is asked for again", async () => {
    const [ana, eve] = [investigatorOf(await person()), investigatorOf(await person())];
    const values = await mint(2);
    const mine = await found(ana, values);
    const order = { siblings: false, reason };
    for (const findings of [mine.findings, ["nonsense"], [`${mine.findings[0]?.slice(0, -3)}abc`]]) {
      await expect(revokeFindings(eve, { ...order, findings })).rejects.toMatchObject({ code: "token_not_found" });
    }
    expect(await sandbox.journal("token.delete")).toEqual([]);
    const hers = await found(eve, values.slice(0, 1));
    const findings = [mine.findings[1] as string, ...hers.findings, "Bearer of.bad"];
    const lines = await linesIn(await revokeFindings(eve, { ...order, findings }));
    expect(steps(lines)).toMatchObject([
      {
        id: markToken(values[1] as string).id,
        outcome: "unknown",
        proof: null,
        detail: expect.stringContaining("Paste it again"),
      },
      { id: "", tokenId: "", outcome: "unknown" },
      { id: hers.findings[0], outcome: "revoked" },
    ]);
    expect(lines.at(-1)).toMatchObject({ outcome: "partial", total: 3, revoked: 1, unknown: 2 });
    expect(await sandbox.tokens(leaky)).toEqual(values.slice(1));
    const two = [...(await found(eve, values)).findings, ...hers.findings];
    await expect(revokeFindings(eve, { ...order, findings: two })).rejects.toMatchObject({ code: "invalid_input" });
  });

  test("the same request, twice at once and once afterwards, does everything once and tells the same", async () => {
    const ana = investigatorOf(await person());
    const { findings } = await found(ana, await mint(4));
    const ask = async () => linesIn(await revokeFindings(ana, { findings, siblings: false, reason }));
    const [one, two] = await Promise.all([ask(), ask()]);
    expect(two).toEqual(one);
    const before = await sandbox.journal();
    const again = await ask();
    expect(await sandbox.journal(), "RingCX is not asked again").toEqual(before);
    const fates = (lines: RevocationLine[]) =>
      steps(lines)
        .map(({ id, outcome, proof }) => JSON.stringify([id, outcome, proof]))
        .sort();
    expect(fates(again)).toEqual(fates(one));
    expect(again.at(-1)).toMatchObject({ type: "summary", outcome: "contained", revoked: 4 });
    expect(await deletions()).toHaveLength(4);
  });

  test("a living token that the inventory knows is not dead because RingCX refuses everybody just now", async () => {
    const ana = await person();
    const key: Investigator = { ...investigatorOf(ana), owner: null, origin: "key" };
    const [value] = (await mint(1)) as [string];
    const scope = { tenant: ana.tenant, ownerId: "nils", ownerName: "Nils", login: null };
    await mergeSeen(scope, [markToken(value)], Date.now() - 1_000);
    await sandbox.fault({ operation: "*", kind: "unauthorized", auth: "x-auth-token", count: -1 });
    const order = { siblings: false, reason, pace: quick };
    const summary = await runRevocation(key, { ...order, incident: randomUUID(), values: [value] });
    expect(summary).toMatchObject({ outcome: "partial", unknown: 1 });
    expect((await readTenantRecord(ana.tenant, markToken(value).id))?.status).toBe("active");
    // Of one that is not known as active its own refusals are enough, but not for the inventory.
    await write("test", (trx) =>
      trx.updateTable("tokens").set({ vanished_at: Date.now() }).where("id", "=", markToken(value).id).execute(),
    );
    const again = await runRevocation(key, { ...order, incident: randomUUID(), values: [value] });
    expect(again).toMatchObject({ outcome: "contained", alreadyDead: 1 });
    expect((await readTenantRecord(ana.tenant, markToken(value).id))?.status).toBe("vanished");
  });

  test("a case is contained when nothing that leaked is left alive, also by another case", async () => {
    const ana = await person();
    const investigator = investigatorOf(ana);
    const values = (await mint(2)) as [string, string];
    const { incident, findings } = await found(investigator, values);
    const order = { siblings: false, reason };
    const lines = await linesIn(await revokeFindings(investigator, { ...order, findings: findings.slice(0, 1) }));
    expect(lines.at(-1)).toMatchObject({ outcome: "contained", total: 1 });
    const cases = async () => {
      const all = await listCases(ana.tenant, { openedBy: ana.user.id });
      return Object.fromEntries(all.map(({ id, state, unproven }) => [id, `${state} ${unproven}`]));
    };
    await until(async () => (await cases())[incident] === "partial 1");
    // One that was interrupted, and whose text nobody has any more.
    const crashed = await found(investigator, values);
    for (const value of values) await changeToken(crashed.incident, value, { step: "sent", position: 1 });
    await left(crashed.incident, gone());
    expect(await cases()).toMatchObject({ [crashed.incident]: "interrupted 2" });
    const next = await found(investigator, values);
    await linesIn(await revokeFindings(investigator, { ...order, findings: next.findings }));
    await until(async () => (await cases())[crashed.incident] === "contained 0");
    expect(await tokenOf(ana.tenant, crashed.incident, values[0])).toMatchObject({
      step: "revoked",
      detail: "Proven dead in another incident.",
      proof: "token_refused",
    });
  });

  test("of a run whose process is gone is told once, and it can still be taken up", async () => {
    const ana = investigatorOf(await person());
    const values = (await mint(2)) as [string, string];
    const { incident, findings } = await found(ana, values);
    for (const value of values) await changeToken(incident, value, { step: "waiting", position: 1 });
    await left(incident, gone());
    expect(await noticeInterrupted(), "it may still be taken over").toEqual([]);
    await write("test", (trx) =>
      trx
        .updateTable("incidents")
        .set({ held_until: Date.now() - 61_000 })
        .where("id", "=", incident)
        .execute(),
    );
    const told = await Promise.all([noticeInterrupted(), noticeInterrupted()]);
    expect(told.flat()).toEqual([incident]);
    expect(await noticeInterrupted()).toEqual([]);
    const [listed] = await listCases(ana.tenant, { openedBy: ana.user.id });
    expect(listed).toMatchObject({ id: incident, state: "interrupted", unproven: 2 });
    const lines = await linesIn(await revokeFindings(ana, { findings, siblings: false, reason }));
    expect(lines.at(-1)).toMatchObject({ outcome: "contained", revoked: 2 });
    await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null);
  });

  test("a reader that goes away stops nothing", async () => {
    const ana = investigatorOf(await person());
    const { findings } = await found(ana, await mint(3));
    const stream = await revokeFindings(ana, { findings, siblings: false, reason });
    await stream.cancel();
    await until(async () => (await sandbox.tokens(leaky)).length === 0);
  });

  test("after a crash it goes on where it was: what is proven is told, what may be dead is looked at first", async () => {
    const ana = investigatorOf(await person());
    const values = (await mint(4)) as [string, string, string, string];
    const [proven, sent, spared, waiting] = values;
    const { incident, findings } = await found(ana, values);
    for (const value of [proven, sent]) await ana.holding(value).delete();
    await sandbox.clearJournal();
    const at = Date.now() - 1_000;
    const dead = {
      step: "revoked",
      position: 0,
      detail: "dead",
      deleted_at: at,
      proven_at: at,
      proof: "token_refused",
    };
    await changeToken(incident, proven, dead);
    // One whose deletion arrived, and one whose deletion was lost.
    for (const value of [sent, spared]) await changeToken(incident, value, { step: "sent", position: 1 });
    await changeToken(incident, waiting, { step: "waiting", position: 2 });
    await left(incident, gone());

    const lines = await linesIn(await revokeFindings(ana, { findings, siblings: false, reason: "again" }));
    expect(steps(lines)[0]).toMatchObject({ id: findings[0], outcome: "revoked", detail: "dead", done: 1, total: 4 });
    expect(steps(lines).map(({ outcome }) => outcome)).toEqual(Array(4).fill("revoked"));
    expect(lines.at(-1)).toMatchObject({ outcome: "contained", total: 4, revoked: 4 });
    expect(new Set(await deletions())).toEqual(new Set([spared, waiting].map(digestOf)));
    const asked = (await sandbox.journal("token.delete")).map(({ path }) => path.split("/").at(-1));
    expect(asked, "nothing is sent for what is dead").toEqual(expect.not.arrayContaining([proven, sent].map(digestOf)));
    const kept = await readCase(ana.tenant, incident);
    expect(kept?.incident.reason, "it was confirmed once").toBe("as confirmed");
    expect(await tokenOf(ana.tenant, incident, proven)).toMatchObject(dead);
  });

  test("two replicas do not work on one case: the other one tells, and takes over when the first is gone", async () => {
    const ana = investigatorOf(await person());
    const values = (await mint(2)) as [string, string];
    const { incident, findings } = await found(ana, values);
    for (const value of values) await changeToken(incident, value, { step: "waiting", position: 1 });
    await left(incident, alive());
    // The other one settles a token, then it dies.
    await sandbox.control("DELETE", "tokens", { value: values[0] });
    const at = Date.now();
    await changeToken(incident, values[0], { step: "revoked", proven_at: at, proof: "token_refused", detail: "there" });
    const reading = following(await revokeFindings(ana, { findings, siblings: false, reason }));
    await until(() => steps(reading.lines).length > 0);
    expect(await sandbox.journal("token.delete")).toEqual([]);
    await left(incident, gone());
    const lines = await reading.all;
    expect(lines.filter(({ type }) => type === "summary")).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ outcome: "contained", revoked: 2 });
    expect(steps(lines)[0]).toMatchObject({ id: findings[0], detail: "there" });
    expect(steps(lines), "each is told once").toHaveLength(2);
    expect(await deletions()).toEqual([digestOf(values[1])]);
  });

  test("what another replica was not asked for is done when it is over", async () => {
    const ana = investigatorOf(await person());
    const values = (await mint(2)) as [string, string];
    const { incident, findings } = await found(ana, values);
    await sandbox.control("DELETE", "tokens", { value: values[0] });
    const at = Date.now();
    await changeToken(incident, values[0], { step: "revoked", proven_at: at, proof: "token_refused", detail: "there" });
    await left(incident, alive());
    const reading = following(await revokeFindings(ana, { findings, siblings: false, reason }));
    await until(() => steps(reading.lines).length > 0);
    const over = { holder: null, held_until: 0, finished_at: Date.now() };
    await write("test", (trx) => trx.updateTable("incidents").set(over).where("id", "=", incident).execute());
    const lines = await reading.all;
    expect(lines.filter(({ type }) => type === "summary")).toMatchObject([{ outcome: "contained", revoked: 2 }]);
    expect(await deletions()).toEqual([digestOf(values[1])]);
  });

  test("siblings that could not be listed keep a case open, until they can", async () => {
    const ana = await person();
    const investigator = investigatorOf(ana);
    const [leaked, sibling] = (await mint(2)) as [string, string];
    const { incident } = await found(investigator, [leaked]);
    const order = { incident, values: [leaked], siblings: true, reason, pace: { ...quick, rounds: 1 } };
    const state = async () => (await listCases(ana.tenant, { openedBy: ana.user.id }))[0]?.state;
    await sandbox.fault({ operation: "token.list", kind: "status", status: 403, auth: "x-auth-token", count: -1 });
    await sandbox.fault({ operation: "token.delete", kind: "status", status: 403, count: -1 });
    const lines: RevocationLine[] = [];
    expect(await runRevocation(investigator, order, (line) => void lines.push(line))).toMatchObject({
      outcome: "partial",
      total: 2,
      unknown: 2,
    });
    expect(steps(lines)[0]).toMatchObject({
      hint: "…",
      leaked: false,
      outcome: "unknown",
      detail: expect.stringMatching(/^The user's other tokens could not be listed/),
    });
    expect(await state()).toBe("partial");
    await sandbox.control("DELETE", "faults");
    expect(await runRevocation(investigator, order)).toMatchObject({ outcome: "contained", total: 2, revoked: 2 });
    await until(async () => (await state()) === "contained");
    const kept = await readCase(ana.tenant, incident);
    expect(kept?.tokens.map(({ token_id }) => token_id).sort()).toEqual([leaked, sibling].map(idOf).sort());
  });

  test("siblings that could not be listed before the leaked one died stay open, and are told again", async () => {
    const ana = await person();
    const investigator = investigatorOf(ana);
    const [leaked, sibling] = (await mint(2)) as [string, string];
    const { incident } = await found(investigator, [leaked]);
    await sandbox.fault({ operation: "token.list", kind: "html503", auth: "x-auth-token", count: 6 });
    const order = { incident, values: [leaked], siblings: true, reason, pace: { ...quick, rounds: 1 } };
    const partial = { outcome: "partial", total: 2, revoked: 1, unknown: 1 };
    expect(await runRevocation(investigator, order)).toMatchObject(partial);
    expect(await runRevocation(investigator, order), "the list died with it").toMatchObject(partial);
    expect(await sandbox.tokens(leaky)).toEqual([sibling]);
    expect((await listCases(ana.tenant, { openedBy: ana.user.id }))[0]).toMatchObject({
      state: "partial",
      unproven: 1,
    });
  });

  test("siblings that are asked for when the leaked one is dead already are not taken for dead", async () => {
    const investigator = investigatorOf(await person());
    const [leaked, sibling] = (await mint(2)) as [string, string];
    const { incident } = await found(investigator, [leaked]);
    const order = { incident, values: [leaked], siblings: false, reason, pace: quick };
    expect(await runRevocation(investigator, order)).toMatchObject({ outcome: "contained", total: 1 });
    const late = { outcome: "partial", total: 2, revoked: 1, unknown: 1 };
    expect(await runRevocation(investigator, { ...order, siblings: true })).toMatchObject(late);
    expect(await sandbox.tokens(leaky)).toEqual([sibling]);
  });

  test("siblings that could not be listed stay open, though the leaked one dies without them", async () => {
    const ana = await person();
    const investigator = investigatorOf(ana);
    const [leaked, sibling] = (await mint(2)) as [string, string];
    const { incident } = await found(investigator, [leaked]);
    const order = { incident, values: [leaked], reason, pace: { ...quick, rounds: 1 } };
    await sandbox.fault({ operation: "token.list", kind: "status", status: 403, auth: "x-auth-token", count: -1 });
    await sandbox.fault({ operation: "token.delete", kind: "status", status: 403, count: -1 });
    expect(await runRevocation(investigator, { ...order, siblings: true })).toMatchObject({ total: 2, unknown: 2 });
    await sandbox.control("DELETE", "faults");
    expect(await runRevocation(investigator, { ...order, siblings: false })).toMatchObject({ total: 1, revoked: 1 });
    await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null);
    expect(await sandbox.tokens(leaky)).toEqual([sibling]);
    expect((await listCases(ana.tenant, { openedBy: ana.user.id }))[0]).toMatchObject({
      state: "partial",
      unproven: 1,
    });
  });

  test("after a crash siblings are known only if a list was seen, not because they were asked for", async () => {
    const ana = await person();
    const investigator = investigatorOf(ana);
    for (const seen of [true, false]) {
      const [leaked] = (await mint(seen ? 1 : 2)) as [string];
      const { incident } = await found(investigator, [leaked]);
      const order = { incident, values: [leaked], siblings: true, reason, pace: quick };
      if (seen) {
        await sandbox.fault({ operation: "token.delete", kind: "status", status: 403, count: -1 });
        expect(await runRevocation(investigator, order)).toMatchObject({ outcome: "partial", alive: 1 });
        await sandbox.control("DELETE", "faults");
        await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null);
        forgetRuns();
      }
      // As a run that was killed left it, whose deletion had its effect; siblings were asked for before any list came.
      await changeToken(incident, leaked, { step: "sent", position: 0 });
      await left(incident, gone());
      const asked = { siblings: 1, finished_at: null };
      await write("test", (trx) => trx.updateTable("incidents").set(asked).where("id", "=", incident).execute());
      await sandbox.control("DELETE", "tokens", { value: leaked });
      const lines: RevocationLine[] = [];
      const summary = await runRevocation(investigator, order, (line) => void lines.push(line));
      const fates = steps(lines).map(({ tokenId, hint, outcome }) => `${hint === "…" ? hint : tokenId} ${outcome}`);
      expect(fates.sort()).toEqual([`${idOf(leaked)} revoked`, ...(seen ? [] : ["… unknown"])].sort());
      expect(summary).toMatchObject({ outcome: seen ? "contained" : "partial", total: fates.length });
    }
  });

  test("it can be followed by who opened it and by ops, and says when nobody works on it any more", async () => {
    const [ana, eve, ops] = [await person(), await person(), await person(ANA.username, "ops")];
    const stranger = await person("other@example.com", "ops");
    const investigator = investigatorOf(ana);
    const values = await mint(3);
    const { incident, findings } = await found(investigator, values);
    await expect(follow(ana, incident)).rejects.toMatchObject({ code: "not_found" });
    const reading = linesIn(await revokeFindings(investigator, { findings, siblings: false, reason }));
    const [own, overseer] = await Promise.all([ana, ops].map(async (one) => linesIn(await follow(one, incident))));
    for (const other of [eve, stranger]) {
      await expect(follow(other, incident)).rejects.toMatchObject({ code: "not_found" });
    }
    const lines = await reading;
    expect(steps(lines)).toHaveLength(3);
    expect(overseer).toEqual(own);
    expect(
      steps(own ?? [])
        .map(({ id }) => id)
        .sort(),
    ).toEqual(values.map((value) => markToken(value).id).sort());
    expect(own?.at(-1)).toEqual(lines.at(-1));

    await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null);
    expect((await linesIn(await follow(ana, incident))).at(-1)).toMatchObject({ outcome: "contained", revoked: 3 });
    await changeToken(incident, values[0] as string, { step: "sent" });
    await write("test", (trx) =>
      trx.updateTable("incidents").set({ finished_at: null }).where("id", "=", incident).execute(),
    );
    const interrupted = await linesIn(await follow(ana, incident));
    expect(interrupted.at(-1)).toMatchObject({ outcome: "interrupted", total: 3, revoked: 2, unknown: 1 });
    expect(await listCases(ana.tenant, { openedBy: ana.user.id })).toMatchObject([{ state: "interrupted" }]);
  });

  test("of a case that is at work nothing else can be revoked; what is not proven can be tried again", async () => {
    const ana = investigatorOf(await person());
    const values = await mint(3);
    const { findings } = await found(ana, values);
    await sandbox.fault({ operation: "token.delete", kind: "status", status: 403, count: -1 });
    const order = { siblings: false, reason };
    const some = findings.slice(0, 2);
    const incident = (await readAll(ana.tenant))[0] as string;
    const stuck = runRevocation(ana, { incident, values: values.slice(0, 2), ...order, pace: quick });
    await expect(revokeFindings(ana, { findings, ...order })).rejects.toMatchObject({ code: "invalid_input" });
    expect(await stuck).toMatchObject({ outcome: "partial", alive: 2, secondsToProof: null });
    expect((await listCases(ana.tenant, { openedBy: ana.user.id }))[0]).toMatchObject({ unproven: 3 });
    await sandbox.control("DELETE", "faults");
    expect((await linesIn(await revokeFindings(ana, { findings: some, ...order }))).at(-1)).toMatchObject({
      outcome: "contained",
      revoked: 2,
    });
    expect(await sandbox.tokens(leaky)).toEqual(values.slice(2));
  });

  describe("while the database is away", () => {
    let before: ReturnType<typeof env>;
    const lose = async () => {
      await closeDatabase();
      before = { ...env() };
      Object.assign(env(), { databaseUrl: "postgres://nobody@127.0.0.1:1/none" });
    };
    const bringBack = async () => {
      await closeDatabase();
      Object.assign(env(), before);
    };
    afterEach(bringBack);

    test("an incident goes on, and its records follow", async () => {
      const ana = await person();
      const investigator = investigatorOf(ana);
      const values = await mint(3);
      const { incident, findings } = await found(investigator, values);
      await lose();
      const lines = await linesIn(await revokeFindings(investigator, { findings, siblings: false, reason }));
      expect(lines.at(-1)).toMatchObject({ outcome: "contained", revoked: 3, logged: false });
      expect(await sandbox.tokens(leaky)).toEqual([]);
      // Asked again, it knows what it proved, although nothing could be written down.
      const again = await linesIn(await revokeFindings(investigator, { findings, siblings: false, reason }));
      expect(again.at(-1)).toMatchObject({ outcome: "contained", revoked: 3 });
      expect(await deletions()).toHaveLength(3);
      const spooled = readdirSync(env().dataDir).filter((name) => name.startsWith("audit-spool"));
      const spool = spooled.map((name) => readFileSync(join(env().dataDir, name), "utf8")).join("");
      for (const value of values) expect(spool).not.toContain(value.slice(6));

      await bringBack();
      await drainSpool({ sweep: true });
      expect(existsSync(join(env().dataDir, "audit-spool.jsonl"))).toBe(false);
      const reader = { tenant: ana.tenant, user: { id: ana.user.id, role: "member" as const } };
      const { events } = await readEvents(reader, { action: "token.revoke", outcome: "succeeded", limit: 100 });
      expect(events.length).toBe(3);
      await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null, 12_000);
      for (const value of values) expect(await tokenOf(ana.tenant, incident, value)).toMatchObject({ step: "revoked" });
    });

    // It waits for the first one's next attempt: once is enough.
    if (kind === "postgres")
      test("a run that could not write down its end does not end the next one's", async () => {
        const ana = await person();
        const investigator = investigatorOf(ana);
        const [first, second] = (await mint(2)) as [string, string];
        const { incident } = await found(investigator, [first, second]);
        const order = { incident, siblings: false, reason, pace: quick };
        await lose();
        await runRevocation(investigator, { ...order, values: [first] });
        await bringBack();
        await sandbox.fault({ operation: "*", auth: "x-auth-token", kind: "latency", ms: 1_200, count: -1 });
        const running = runRevocation(investigator, { ...order, values: [second] });
        await until(async () => {
          const { incident: row, tokens } = (await readCase(ana.tenant, incident)) ?? { tokens: [] };
          const isProven = tokens.some(({ token_id, step }) => token_id === idOf(second) && step === "revoked");
          if (!isProven) expect(row?.finished_at).toBeNull();
          return isProven;
        }, 10_000);
        expect(await running).toMatchObject({ outcome: "contained", revoked: 1 });
        await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null);
      });

    test("nothing is revoked in the list of tokens", async () => {
      const ana = await person();
      const ids = (await sandbox.tokens()).map((value) => markToken(value).id);
      await lose();
      await expect(revokeMany(ana, { ids })).rejects.toMatchObject({ code: "audit_unavailable" });
      expect(await sandbox.journal("token.delete")).toEqual([]);
    });
  });

  test("a person's own tokens are revoked by their IDs, others are not, and it is a case of its own", async () => {
    const ana = await person();
    const values = await sandbox.tokens();
    const strange = markToken((await mint(1))[0] as string).id;
    const ids = [...values.slice(1).map((value) => markToken(value).id), strange];
    const { incident, stream } = await revokeMany(ana, { ids, reason });
    const lines = await linesIn(stream);
    const outcomes = new Map(steps(lines).map(({ id, outcome }) => [id, outcome]));
    expect(outcomes).toEqual(new Map([[strange, "unknown"], ...ids.slice(0, 2).map((id) => [id, "revoked"] as const)]));
    expect(lines.at(-1)).toMatchObject({ outcome: "partial", total: 3, revoked: 2, unknown: 1 });
    expect(await sandbox.tokens()).toEqual(values.slice(0, 1));
    expect(await sandbox.tokens(leaky)).toHaveLength(1);
    await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null);
    expect((await listCases(ana.tenant, { openedBy: ana.user.id }))[0]).toMatchObject({ origin: "tokens", revoked: 2 });
    await expect(revokeMany(ana, { ids: [strange] })).rejects.toMatchObject({ code: "token_not_found" });
    // What is no ID at all is asked for as well, and not told back.
    const odd = await linesIn((await revokeMany(ana, { ids: [markToken(values[0] as string).id, "../x"] })).stream);
    expect(steps(odd).map(({ id, outcome }) => [id, outcome])).toEqual([
      ["", "unknown"],
      [markToken(values[0] as string).id, "revoked"],
    ]);
    expect(odd.at(-1)).toMatchObject({ outcome: "partial", total: 2 });
  });
});

describe("a PostgreSQL", () => {
  beforeAll(async () => {
    freshProcess({ RINGCX_RATE_LIMIT: "100000", RINGCX_HOSTS: sandbox.url });
    database = await useDatabase("postgres", { RINGCX_HOSTS: sandbox.url, RINGCX_RATE_LIMIT: "100000" });
  });
  afterAll(() => database.remove());
  beforeEach(() => sandbox.reset());

  /** From now on updates of a table are refused with a SQLSTATE. @returns what ends that */
  async function refuseUpdates(table: string, code: string, when = "true"): Promise<() => Promise<void>> {
    const run = (statement: string) => write("test", (trx) => sql.raw(statement).execute(trx));
    await run(
      `create function refuse_${table}() returns trigger language plpgsql as $$ begin raise exception using errcode = '${code}', message = 'refused'; end $$`,
    );
    await run(
      `create trigger refuse before update on ${table} for each row when (${when}) execute function refuse_${table}()`,
    );
    return async () => void (await run(`drop trigger refuse on ${table}`));
  }

  test("that hangs holds no deletion up", async () => {
    const ana = investigatorOf(await person());
    const values = await mint(2);
    const gate = await openHangingGate(env().databaseUrl ?? "");
    const before = env().databaseUrl;
    try {
      await closeDatabase();
      Object.assign(env(), { databaseUrl: gate.url });
      const { findings } = await found(ana, values);
      gate.hang();
      // Sooner than the second that an intent waits for the database.
      const answer = await inTime(revokeFindings(ana, { findings, siblings: false, reason }), 900);
      if (answer === null) throw new Error("the answer does not begin");
      const reading = following(answer);
      const deleting = until(async () => (await deletions()).length > 0).then(() => true);
      // Sooner than the twelve seconds after which a query that hangs is given up: it hangs still.
      expect(await inTime(deleting, 9_000), "the first deletion").toBe(true);
      gate.goOn();
      expect((await reading.all).at(-1)).toMatchObject({ outcome: "contained", revoked: 2 });
    } finally {
      await closeDatabase();
      Object.assign(env(), { databaseUrl: before });
      await gate.close();
    }
  });

  test("that refuses to mark a token in the inventory changes nothing about its proof", async () => {
    const ana = await person();
    const [value] = (await mint(1)) as [string];
    const scope = { tenant: ana.tenant, ownerId: "nils", ownerName: "Nils", login: null };
    await mergeSeen(scope, [markToken(value)], Date.now() - 1_000);
    const { findings } = await found(investigatorOf(ana), [value]);
    const accept = await refuseUpdates("tokens", "P0001");
    const lines = await linesIn(await revokeFindings(investigatorOf(ana), { findings, siblings: false, reason }));
    expect(lines.at(-1)).toMatchObject({ outcome: "contained", revoked: 1 });
    await accept();
  });

  test("that is lost at the very end is told of other cases when it is back", async () => {
    const ana = await person();
    const investigator = investigatorOf(ana);
    const [value] = (await mint(1)) as [string];
    const crashed = await found(investigator, [value]);
    await changeToken(crashed.incident, value, { step: "sent", position: 1 });
    await left(crashed.incident, gone());
    const { incident, findings } = await found(investigator, [value]);
    const accept = await refuseUpdates("incident_tokens", "57P01", "new.detail = 'Proven dead in another incident.'");
    const lines = await linesIn(await revokeFindings(investigator, { findings, siblings: false, reason }));
    expect(lines.at(-1)).toMatchObject({ outcome: "contained", revoked: 1 });
    await until(async () => (await readCase(ana.tenant, incident))?.incident.finished_at !== null);
    expect(await tokenOf(ana.tenant, crashed.incident, value)).toMatchObject({ step: "sent" });
    await accept();
    await until(async () => (await tokenOf(ana.tenant, crashed.incident, value))?.step === "revoked");
  });
});

async function readAll(tenant: string): Promise<string[]> {
  const rows = await read((db) =>
    db.selectFrom("incidents").select("id").where("tenant", "=", tenant).orderBy("opened_at", "desc").execute(),
  );
  return rows.map(({ id }) => id);
}
