import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Actor, record } from "@/lib/audit/log";
import { write } from "@/lib/db/client";
import { type CaseReader, type CaseToken, noteFindings, openCase } from "@/lib/incidents/cases";
import { scanIncident } from "@/lib/incidents/desk";
import type { Investigator } from "@/lib/incidents/investigator";
import { downloadReport, incidentReport, recentIncidents } from "@/lib/incidents/report";
import { verdictOf } from "@/lib/incidents/report-text";
import { runRevocation } from "@/lib/incidents/run";
import type { IncidentReport } from "@/lib/incidents/schema";
import { keepVendorChanges } from "@/lib/incidents/vendor-changes";
import { TokenClient } from "@/lib/ringcx/client";
import { markToken } from "@/lib/tokens/fingerprint";
import { recordCreated } from "@/lib/tokens/inventory";
import type { JournalEntry } from "@/sandbox/journal";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { freshProcess, until } from "@/test/process";
import { TestSandbox } from "@/test/sandbox";

const tenant = "sandbox|333333";
const id = "7f7f2a52-6d5a-4c39-8f3d-0b7ab0f0a001";
const host = "https://ringcx.ringcentral.com";
const openedAt = Date.UTC(2026, 10, 23, 3, 0, 0);

function actor(name: string): Actor {
  return { tenant, id: name, name: `${name}@example.com`, address: null, userAgent: null, requestId: null };
}

function reader(name: string, role: CaseReader["user"]["role"] = "member", of = tenant) {
  return { tenant: of, user: { id: name, role }, actor: actor(name) } as CaseReader & { actor: Actor };
}

function investigator(name: string): Investigator {
  return {
    tenant,
    actor: actor(name),
    user: { id: name, name: `${name} Lima` },
    origin: "desk",
    keyName: null,
    seal: "session 1",
    holding: () => {
      throw new Error("RingCX is not asked");
    },
    owner: null,
  };
}

const values = Array.from({ length: 4 }, (_, index) => `aws80:c2353445-bc74-af1a-2850-1d55a371000${index}`);
const marks = () => values.map(markToken);

function suspect(index: number, changes: Partial<CaseToken> = {}): CaseToken {
  const { id: tokenId, fingerprint, hint } = markToken(values[index] as string);
  return {
    tokenId,
    fingerprint,
    hint,
    leaked: true,
    places: [{ source: "deploy.log", line: 3 + index, dress: "plain" }],
    foundAt: openedAt + 500 + index,
    status: "live",
    why: "RingCX accepts it.",
    checkedAt: openedAt + 1_500,
    user: { id: "1111", login: "ana@example.com", name: "Ana Lima", enabled: true, roles: ["USER"] },
    accounts: [{ accountId: "333334", accountName: "Sales", mainAccountId: "333333", mainAccountName: "RingForce" }],
    reach: "Can use the API as a plain user in 1 sub-account of RingForce.",
    notChecked: [],
    ...changes,
  };
}

const dead: Partial<CaseToken> = { status: "dead", why: "RingCX refuses it.", user: null, accounts: null, reach: null };

async function open(tokens: CaseToken[], found = tokens.length): Promise<void> {
  expect(await openCase(investigator("ana"), { id, host, openedAt, textBytes: 12 * 1024, files: 1, found })).toBe(true);
  expect(await noteFindings(tenant, id, tokens)).toBe(true);
}

/** As the run leaves it. */
async function settle(index: number, step: string, provenAfterMs: number | null, sentAfterMs = 5_000): Promise<void> {
  const tokenId = markToken(values[index] as string).id;
  await write("test", (trx) =>
    trx
      .updateTable("incident_tokens")
      .set({
        step,
        position: index,
        detail: "As the run says.",
        deleted_at: step === "waiting" ? null : openedAt + sentAfterMs,
        proven_at: provenAfterMs === null ? null : openedAt + provenAfterMs,
        proof: provenAfterMs === null ? null : "token_refused",
      })
      .where("token_id", "=", tokenId)
      .execute(),
  );
}

async function confirm(changes: { finished_at?: number; siblings?: number } = {}): Promise<void> {
  await write("test", (trx) =>
    trx
      .updateTable("incidents")
      .set({ confirmed_at: openedAt + 4_000, confirmed_by_name: "ana Lima", reason: "Leaked | in <a> log", ...changes })
      .execute(),
  );
}

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await useDatabase(kind);
  });
  afterEach(() => database.remove());

  test("the list of the desk counts what could not be checked, and siblings apart from what was found", async () => {
    const unchecked: Partial<CaseToken> = { ...dead, status: "unchecked", why: "RingCX cannot be reached." };
    await open([suspect(0), suspect(1, dead), suspect(2, unchecked), suspect(3, { leaked: false })], 3);
    await settle(3, "revoked", 40_000);
    expect(await recentIncidents(reader("ana"))).toMatchObject([
      { found: 3, live: 1, unchecked: 1, siblings: 1, revoked: 1 },
    ]);
  });

  test("a report has all that is known of the case and of its tokens", async () => {
    const owner = { tenant, ownerId: "ana", ownerName: "Ana Lima", login: "ana@example.com" };
    await recordCreated(
      owner,
      marks()[0] as never,
      { label: "Wallboard", environment: "production" },
      openedAt - 1_000,
    );
    await open([suspect(0), suspect(1), suspect(2, dead)]);
    await confirm({ finished_at: openedAt + 42_000, siblings: 1 });
    await settle(0, "revoked", 40_100);
    await settle(1, "already_dead", 6_000);
    const report = await incidentReport(reader("ana"), id);
    expect(report).toMatchObject({
      incident: { id, state: "contained", openedBy: "ana Lima", reason: "Leaked | in <a> log", found: 3, live: 2 },
      host,
      confirmedAt: new Date(openedAt + 4_000).toISOString(),
      confirmedBy: "ana Lima",
      finishedAt: new Date(openedAt + 42_000).toISOString(),
      siblings: true,
      secondsToContainment: 40.1,
      totals: { found: 3, live: 2, dead: 1, unchecked: 0, revoked: 1, alreadyDead: 1, alive: 0, unknown: 0 },
    } satisfies PartialReport);
    expect(report.tokens[0]).toEqual({
      tokenId: marks()[0]?.id,
      hint: "aws80:…0000",
      fingerprint: marks()[0]?.fingerprint,
      leaked: true,
      places: [{ source: "deploy.log", line: 3, dress: "plain" }],
      label: "Wallboard",
      owner: "Ana Lima",
      environment: "production",
      user: { id: "1111", login: "ana@example.com", name: "Ana Lima", enabled: true, roles: ["USER"] },
      accounts: [{ accountId: "333334", accountName: "Sales", mainAccountId: "333333", mainAccountName: "RingForce" }],
      reach: "Can use the API as a plain user in 1 sub-account of RingForce.",
      status: "live",
      why: "RingCX accepts it.",
      foundAt: new Date(openedAt + 500).toISOString(),
      checkedAt: new Date(openedAt + 1_500).toISOString(),
      outcome: "revoked",
      detail: "As the run says.",
      deletedAt: new Date(openedAt + 5_000).toISOString(),
      provenAt: new Date(openedAt + 40_100).toISOString(),
      proof: "token_refused",
      secondsToProof: 40.1,
      notChecked: [],
    });
    expect(report.tokens[2]).toMatchObject({ outcome: null, label: null, owner: null, user: null, accounts: [] });
    expect(report.timeline.map(({ what }) => what)).toEqual([
      "ana Lima brought in 12 KB of text, 1 file among it.",
      "3 tokens found in it.",
      "RingCX was asked about the last of 3 tokens: 2 live, 1 dead, 0 without an answer that says so.",
      "ana Lima confirmed the revocation, other tokens of these users included. Reason: Leaked | in <a> log",
      "Deletion sent for aws80:…0000 and aws80:…0001.",
      "aws80:…0001 is proven dead.",
      "aws80:…0000 is proven dead.",
      "The revocation ended: 2 of 2 tokens proven dead.",
    ]);
    expect(report.timeline.map(({ at }) => at)).toEqual(report.timeline.map(({ at }) => at).sort());
  });

  type PartialReport = { [K in keyof IncidentReport]?: unknown };

  test("nothing is called contained while a token of it may be alive", async () => {
    await open([suspect(0), suspect(1), suspect(2, { ...dead, status: "unchecked" }), suspect(3)], 5);
    await confirm({ finished_at: openedAt + 42_000 });
    await settle(0, "revoked", 40_000);
    await settle(1, "unknown", null);
    await settle(3, "alive", null);
    const report = await incidentReport(reader("ana"), id);
    expect(report.secondsToContainment).toBeNull();
    expect(report.incident.state).toBe("partial");
    expect(report.tokens.map(({ outcome, secondsToProof }) => [outcome, secondsToProof])).toEqual([
      ["unknown", null],
      [null, null],
      ["alive", null],
      ["revoked", 40],
    ]);
    expect(report.notChecked).toEqual([
      "Whether 1 token is alive: RingCX gave no answer that says so.",
      "1 of the 5 tokens that were found: nothing was written down of them.",
      "Other tokens of the same users: they were not part of the revocation, unless they were found as well.",
      "Other places that the same text, or these tokens, may have been copied to.",
      "Who used a token, when and from where: RingCX does not say when a token is used.",
      "RingCX's own audit log: it was not asked.",
      "What others did with these tokens here: the audit log shows that to operations.",
    ]);
  });

  test("a deletion that nobody saw the end of is not proven when its process is gone", async () => {
    await open([suspect(0), suspect(1)]);
    await confirm();
    await settle(0, "sent", null);
    await settle(1, "waiting", null);
    const report = await incidentReport(reader("ana"), id);
    expect(report.incident.state).toBe("interrupted");
    expect(report.tokens.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ["unknown", "Its deletion may have reached RingCX. Nothing proves it dead."],
      [null, "Its turn never came."],
    ]);
  });

  test("the audit log tells operations who did what with a token before, and members what they did", async () => {
    await open([suspect(0)]);
    const token = { id: marks()[0]?.id as string, hint: "aws80:…0000" };
    await record(actor("ana"), { action: "token.create", outcome: "succeeded", token });
    const reveal = { action: "token.reveal", token, reason: "for the wallboard" } as const;
    await record(actor("nils"), { ...reveal, outcome: "attempted", correlationId: "c1" });
    await record(actor("nils"), { ...reveal, outcome: "succeeded", correlationId: "c1" });
    await record(actor("ana"), { action: "token.revoke", outcome: "unknown", token });
    const own = { action: "token.revoke", outcome: "succeeded", token, details: { incident: id } } as const;
    await record(actor("ana"), own);
    const key = { ...actor("key:k1"), name: "API key Nightly scan" };
    await record(key, { action: "token.revoke", outcome: "succeeded", token, details: { incident: "another" } });
    const told = async (who: CaseReader) =>
      (await incidentReport(who, id)).timeline.map(({ what }) => what).filter((what) => /@example\.com|key/.test(what));
    expect(await told(reader("olga", "ops"))).toEqual([
      "ana@example.com created aws80:…0000.",
      "nils@example.com revealed aws80:…0000. Reason: for the wallboard",
      "ana@example.com revoked aws80:…0000, with no known outcome.",
      "API key nightly scan revoked aws80:…0000.",
    ]);
    expect(await told(reader("ana"))).toEqual([
      "ana@example.com created aws80:…0000.",
      "ana@example.com revoked aws80:…0000, with no known outcome.",
    ]);
  });

  test("who opened a case reads it, and operations of its main account; for all others there is none", async () => {
    await open([suspect(0)]);
    for (const who of [reader("ana"), reader("olga", "ops"), reader("root", "admin")]) {
      expect((await incidentReport(who, id)).incident.id).toBe(id);
      expect((await recentIncidents(who)).map((incident) => incident.id)).toEqual([id]);
    }
    const others = [reader("nils"), reader("olga", "ops", "sandbox|444444"), reader("ana", "admin", "other|333333")];
    for (const who of others) {
      await expect(incidentReport(who, id)).rejects.toMatchObject({ code: "not_found" });
      await expect(downloadReport(who, id, "json")).rejects.toMatchObject({ code: "not_found" });
      expect(await recentIncidents(who)).toEqual([]);
    }
    for (const wrong of ["", "nothing", "../../etc", `${id}0`, "00000000-0000-4000-8000-000000000000"]) {
      await expect(incidentReport(reader("ana"), wrong)).rejects.toMatchObject({ code: "not_found" });
    }
  });

  test("that a report was downloaded is in the audit log, and names the case", async () => {
    await open([suspect(0)]);
    const json = await downloadReport(reader("ana"), id, "json");
    expect(json).toMatchObject({
      type: "application/json; charset=utf-8",
      name: "tokendesk-incident-2026-11-23-7f7f2a52.json",
    });
    expect(JSON.parse(json.text)).toMatchObject({ incident: { id } });
    const markdown = await downloadReport(reader("ana"), id, "md");
    expect(markdown).toMatchObject({
      type: "text/markdown; charset=utf-8",
      name: "tokendesk-incident-2026-11-23-7f7f2a52.md",
    });
    expect(markdown.text).toMatch(/^# Incident report\n/);
    const rows = await write("test", (trx) =>
      trx.selectFrom("audit_events").select(["action", "outcome", "details"]).orderBy("seq").execute(),
    );
    expect(rows.map(({ action, outcome, details }) => [action, outcome, JSON.parse(details)])).toEqual([
      ["incident.report", "attempted", { incident: id, format: "json" }],
      ["incident.report", "succeeded", {}],
      ["incident.report", "attempted", { incident: id, format: "md" }],
      ["incident.report", "succeeded", {}],
    ]);
  });

  test("the minutes that RingCX's own log cannot show yet are named, up to the death of the user's last token", async () => {
    await open([suspect(0), suspect(1)]);
    const changes = {
      user: "Ana Lima (ana@example.com)",
      from: "2026-11-01T00:00:00.000+00:00",
      to: new Date(openedAt + 2_000).toISOString().replace("Z", "+00:00"),
      unavailable: null,
      changes: [],
      truncated: false,
      notChecked: ["Sales: RingCX did not answer in time."],
    };
    await keepVendorChanges(tenant, id, changes);
    const gap = async () => (await incidentReport(reader("ana"), id)).vendorChanges[0]?.notChecked;
    await confirm();
    await settle(0, "revoked", 30_000);
    expect(await gap()).toEqual([
      "What was changed from 2026-11-23 02:55:02 UTC on: RingCX shows a change five minutes after it was made.",
      "Sales: RingCX did not answer in time.",
    ]);
    await settle(1, "revoked", 41_000);
    expect((await gap())?.[0]).toBe(
      "What was changed from 2026-11-23 02:55:02 UTC to 2026-11-23 03:00:41 UTC, when the last token was dead: " +
        "RingCX shows a change five minutes after it was made.",
    );
  });

  test("no value is in it, wherever somebody has put one", async () => {
    const value = values[0] as string;
    await open([suspect(0, { places: [{ source: `${value}.env`, line: 1, dress: "plain" }], why: value })]);
    await confirm();
    await write("test", (trx) =>
      trx
        .updateTable("incidents")
        .set({ reason: `it was ${value}`, opened_by_name: value })
        .execute(),
    );
    for (const format of ["json", "md"] as const) {
      const { text } = await downloadReport(reader("ana"), id, format);
      expect(text).not.toContain(value.slice(6, 40));
    }
  });

  test("what makes no sense in the database counts as not known, and is said", async () => {
    const owner = { tenant, ownerId: "ana", ownerName: "Ana Lima", login: "ana@example.com" };
    await recordCreated(owner, marks()[0] as never, { label: "Wallboard" }, openedAt);
    await open([suspect(0)]);
    await write("test", async (trx) => {
      const nonsense = { places: "{", accounts: "[1]", token_user: '"x"', not_checked: "" };
      await trx.updateTable("incident_tokens").set(nonsense).execute();
      await trx.updateTable("tokens").set({ rotate_by: "one day" }).execute();
    });
    const report = await incidentReport(reader("ana"), id);
    expect(report.tokens[0]).toMatchObject({ places: [], accounts: [], user: null, notChecked: [], label: null });
    expect(report.notChecked).toContain("Labels, owners and environments: the inventory could not be read.");
  });

  test("nothing is told to be dead before its deletion is told to be sent, however close they are", async () => {
    await open([suspect(0), suspect(1), suspect(2)]);
    await confirm({ finished_at: openedAt + 6_500 });
    await settle(0, "revoked", 5_100, 5_000);
    await settle(1, "revoked", 5_300, 5_200);
    await settle(2, "revoked", 6_100, 5_900);
    const { timeline } = await incidentReport(reader("ana"), id);
    expect(timeline.slice(-4)).toEqual([
      {
        at: new Date(openedAt + 5_900).toISOString(),
        what: "Deletion sent for aws80:…0000, aws80:…0001 and aws80:…0002.",
      },
      { at: new Date(openedAt + 5_900).toISOString(), what: "aws80:…0000 and aws80:…0001 are proven dead." },
      { at: new Date(openedAt + 6_100).toISOString(), what: "aws80:…0002 is proven dead." },
      { at: new Date(openedAt + 6_500).toISOString(), what: "The revocation ended: 3 of 3 tokens proven dead." },
    ]);
  });

  test("of 500 tokens the timeline stays one that can be read", async () => {
    const many = Array.from({ length: 500 }, (_, index) => {
      const mark = markToken(`aws80:c2353445-bc74-af1a-2850-1d55a371${String(index).padStart(4, "0")}`);
      return { ...suspect(0), ...mark, tokenId: mark.id };
    });
    await open(many);
    await confirm({ finished_at: openedAt + 600_000 });
    await write("test", async (trx) => {
      for (const [index, { tokenId }] of many.entries()) {
        await trx
          .updateTable("incident_tokens")
          .set({
            step: "revoked",
            position: index,
            deleted_at: openedAt + index * 1_100,
            proven_at: openedAt + index * 1_150,
            proof: "token_refused",
          })
          .where("token_id", "=", tokenId)
          .execute();
      }
    });
    const report = await incidentReport(reader("olga", "ops"), id);
    expect(report.totals.revoked).toBe(500);
    expect(report.timeline.length).toBeLessThan(130);
    expect(report.timeline.at(-1)?.what).toBe("The revocation ended: 500 of 500 tokens proven dead.");
  });
});

test("without the audit log there is a report, which says so; without the database there is none", async () => {
  const database = await useDatabase("postgres");
  await open([suspect(0)]);
  await write("test", (trx) => trx.schema.alterTable("audit_events").renameTo("away").execute());
  const report = await incidentReport(reader("olga", "ops"), id);
  expect(report.tokens).toHaveLength(1);
  expect(report.notChecked).toContain(
    "What was done with these tokens before and since: the audit log could not be read.",
  );
  await write("test", (trx) => trx.schema.alterTable("incidents").renameTo("gone").execute());
  await expect(incidentReport(reader("olga", "ops"), id)).rejects.toMatchObject({ code: "audit_unavailable" });
  await expect(recentIncidents(reader("olga", "ops"))).rejects.toMatchObject({ code: "audit_unavailable" });
  await database.remove();
});

describe.each(databaseKinds)("after a real run on %s", (kind) => {
  let sandbox: TestSandbox;
  let database: TestDatabase;
  beforeEach(async () => {
    sandbox = await TestSandbox.start({ rateLimit: 10_000 });
    await sandbox.control("POST", "config", { auditDelaySeconds: 0 });
    freshProcess();
    database = await useDatabase(kind, { RINGCX_HOSTS: sandbox.url, RINGCX_RATE_LIMIT: "10000" });
  });
  afterEach(async () => {
    await database.remove();
    await sandbox.close();
  });

  test("its numbers and times are those of the sandbox's journal", async () => {
    const who: Investigator = {
      ...investigator("ana"),
      holding: (value, patienceMs) => new TokenClient({ host: sandbox.url, limitKey: kind }, value, patienceMs),
    };
    const [first, second, third] = (await sandbox.tokens()) as [string, string, string];
    const [pia] = (await sandbox.tokens("password@example.com")) as [string];
    const gone = "aws80:00000000-0000-0000-0000-00000000dead";
    const text = [`TOKEN=${first}`, `curl -H "X-Auth-Token: ${gone}"`, "", second, pia].join("\n");
    const before = Date.now();
    const { incident, findings } = await scanIncident(who, [{ name: "deploy.log", content: text }]);
    expect(findings.map(({ status }) => status)).toEqual(["live", "dead", "live", "live"]);
    const order = { incident: incident as string, values: [first, second, pia], siblings: true, reason: "Leaked" };
    const summary = await runRevocation(who, order);
    await until(async () => (await incidentReport(reader("ana"), incident as string)).vendorChanges.length === 2);
    const report = await incidentReport(reader("ana"), incident as string);
    const journal = await sandbox.journal();

    const opened = Date.parse(report.incident.openedAt);
    expect(opened).toBeGreaterThanOrEqual(before);
    expect(opened).toBeLessThanOrEqual((journal[0] as JournalEntry).at);
    expect(verdictOf(report).text).toMatch(
      /^All 4 live tokens are proven dead, \d+(\.\d)? seconds? after the paste\.$/,
    );
    expect(report).toMatchObject({
      totals: { found: 4, live: 4, dead: 1, unchecked: 0, revoked: 4, alreadyDead: 0, alive: 0, unknown: 0 },
      secondsToContainment: summary.secondsToProof,
      incident: { state: "contained", revoked: 4, unproven: 0 },
    });
    expect(report.tokens.map(({ places: [place], leaked }) => [place?.line ?? null, leaked])).toEqual(
      expect.arrayContaining([
        [1, true],
        [2, true],
        [4, true],
        [5, true],
        [null, false],
      ]),
    );

    // One deletion each, answered by the time that is told, and a refusal of the token between that and its proof.
    const deletions = journal.filter(({ operation, effect }) => operation === "token.delete" && effect);
    const refusals = journal.filter(({ operation, status }) => operation === "token.list" && status === 401);
    const revoked = report.tokens.filter(({ outcome }) => outcome === "revoked");
    expect(deletions).toHaveLength(report.totals.revoked);
    const times = (of: "deletedAt" | "provenAt") =>
      revoked.map((token) => Date.parse(token[of] as string)).sort((a, b) => a - b);
    for (const [index, at] of times("deletedAt").entries()) {
      expect(at).toBeGreaterThanOrEqual((deletions[index] as JournalEntry).at);
      expect(at).toBeLessThan((deletions[index] as JournalEntry).at + 2_000);
    }
    for (const { deletedAt, provenAt, secondsToProof } of revoked) {
      const [from, to] = [Date.parse(deletedAt as string), Date.parse(provenAt as string)];
      expect(refusals.some(({ at }) => at >= from && at <= to)).toBe(true);
      expect(secondsToProof).toBe(Math.round((to - opened) / 100) / 10);
    }
    const last = Math.max(...times("provenAt"));
    expect(last).toBeGreaterThanOrEqual((deletions.at(-1) as JournalEntry).at);
    expect(report.secondsToContainment).toBe(Math.round((last - opened) / 100) / 10);
    expect(await sandbox.tokens()).not.toContain(third);

    expect(report.vendorChanges.map(({ user }) => user).sort()).toEqual([
      "Ana Lima (ana@example.com)",
      "Pia Weiß (password@example.com)",
    ]);
    for (const format of ["json", "md"] as const) {
      const file = await downloadReport(reader("ana"), incident as string, format);
      for (const secret of await sandbox.allSecrets()) expect(file.text).not.toContain(secret);
      for (const value of [first, second, third, pia, gone]) expect(file.text).not.toContain(value.slice(6));
    }
  });
});
