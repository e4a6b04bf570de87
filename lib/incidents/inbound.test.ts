import { NextRequest } from "next/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { POST as reportRoute } from "@/app/api/incidents/report/route";
import { POST as verifyRoute } from "@/app/api/incidents/verify/route";
import type { Session } from "@/lib/auth/session";
import { read } from "@/lib/db/client";
import { inTime } from "@/lib/in-time";
import { mayRead, readCase } from "@/lib/incidents/cases";
import { scanIncident } from "@/lib/incidents/desk";
import { investigatorOfKey, type Reported, verifyMatches } from "@/lib/incidents/inbound";
import type { RevocationLine, ScanLine } from "@/lib/incidents/schema";
import { createKey } from "@/lib/keys/keys";
import { newKeySchema } from "@/lib/keys/schema";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { captureLog, freshProcess, until } from "@/test/process";
import { TestSandbox } from "@/test/sandbox";
import { startUpstream } from "@/test/upstream";

const owner = "child1@example.com";
const dead = "aws80:11112222-3333-4444-8555-666677778888";

let sandbox: TestSandbox;
let database: TestDatabase;
let live: string[];

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 100_000 });
});
afterAll(() => sandbox.close());

const start = async (kind: (typeof databaseKinds)[number]) => {
  await sandbox.reset();
  database = await useDatabase(kind);
  freshProcess({
    ...database.variables,
    RINGCX_HOSTS: sandbox.url,
    RINGCX_RATE_LIMIT: "100000",
    RINGCX_TIMEOUT_MS: "2000",
  });
  live = await sandbox.tokens(owner);
};
afterEach(() => database.remove());

const tenant = "sandbox|888888";

/** A key as ops make it. */
async function key(revoke: boolean): Promise<string> {
  const actor = { tenant, id: "u1", name: "ops@example.com", address: null, userAgent: null, requestId: null };
  const keeper = {
    tenant,
    actor,
    user: { id: "u1", name: "Olga Ops", email: null, role: "ops" },
    host: sandbox.url,
  } satisfies Pick<Session, "tenant" | "user" | "actor" | "host">;
  return (await createKey(keeper, newKeySchema.parse({ name: "CI", revoke }))).value;
}

function send(
  to: typeof reportRoute,
  value: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const request = new NextRequest("http://localhost:3000/api/incidents/report", {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", authorization: `Bearer ${value}`, ...headers },
  });
  return to(request, { params: Promise.resolve({}) });
}

async function report(value: string, body: unknown): Promise<Reported> {
  const response = await send(reportRoute, value, body);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  for (const secret of [...live, dead, value]) expect(text).not.toContain(secret.slice(6));
  return JSON.parse(text) as Reported;
}

const deletions = async () => (await sandbox.journal("token.delete")).length;
const text = () => `first line\nexport TOKEN="${live[0]}"\n${dead} and again ${live[0]}`;

describe.each(databaseKinds)("a report on %s", (kind) => {
  beforeEach(() => start(kind));

  test("is looked up and changes nothing, whatever the key may", async () => {
    for (const revoke of [false, true]) {
      const answer = await report(await key(revoke), { text: text(), source: "nightly job" });
      expect(answer).toMatchObject({ dryRun: true, revocation: null, truncated: false });
      expect(answer.findings).toMatchObject([
        {
          status: "live",
          line: 2,
          count: 2,
          places: [{ source: "nightly job", line: 2 }, { line: 3 }],
          user: { login: owner },
          siblingCount: live.length - 1,
        },
        { status: "dead" },
      ]);
    }
    expect(await deletions()).toBe(0);
    expect(await sandbox.tokens(owner)).toEqual(live);
  });

  test("revokes when both the key and the report say so, with proof, and says the same the next time", async () => {
    const log = captureLog();
    const value = await key(true);
    const body = { text: text(), revoke: true, reason: "leaked in a build log" };
    const first = await report(value, body);
    expect(first).toMatchObject({
      dryRun: false,
      revocation: { outcome: "contained", total: 2, revoked: 1, alreadyDead: 1, logged: true },
    });
    expect(await sandbox.tokens(owner)).toEqual(live.slice(1));
    const again = await report(value, body);
    expect(again.findings.map(({ status }) => status)).toEqual(["dead", "dead"]);
    expect(again.revocation).toMatchObject({ outcome: "contained", revoked: 0, alreadyDead: 2 });
    expect((await sandbox.journal("token.delete")).filter(({ effect }) => effect)).toHaveLength(1);

    const found = await readCase(tenant, first.incident ?? "");
    expect(found?.incident).toMatchObject({ origin: "key", key_name: "CI", reason: "leaked in a build log" });
    const events = await read((db) => db.selectFrom("audit_events").selectAll().orderBy("seq").execute());
    const done = events.filter(({ outcome }) => outcome === "succeeded").map(({ action }) => action);
    expect(done).toEqual(expect.arrayContaining(["key.create", "incident.scan", "incident.revoke", "token.revoke"]));
    const actors = new Set(events.filter(({ action }) => action !== "key.create").map(({ actor_name }) => actor_name));
    expect([...actors]).toEqual(["api key ci"]);
    const rows = await read(async (db) => [
      await db.selectFrom("incidents").selectAll().execute(),
      await db.selectFrom("incident_tokens").selectAll().execute(),
      await db.selectFrom("tokens").selectAll().execute(),
    ]);
    log.stop();
    const kept = JSON.stringify([events, rows]) + log.read();
    for (const secret of [...live, dead, value]) expect(kept).not.toContain(secret.slice(6));
  });
});

describe("a report", () => {
  beforeEach(() => start("sqlite"));

  test("that asks for a revocation the key may not do does nothing at all", async () => {
    const answer = await send(reportRoute, await key(false), { text: text(), revoke: true });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: "forbidden" });
    expect(await sandbox.journal()).toEqual([]);
  });

  test("answers with no more than what any log may hold: a finding's ID is its token's", async () => {
    const { findings } = await report(await key(true), { text: text() });
    expect(findings.map(({ id, tokenId }) => id === tokenId)).toEqual([true, true]);
  });

  test("is heard of when something in it lives, and only then", async () => {
    const value = await key(false);
    freshProcess({
      ...database.variables,
      RINGCX_HOSTS: sandbox.url,
      RINGCX_RATE_LIMIT: "100000",
      NOTIFY_WEBHOOKS: `${sandbox.url}/hook`,
      NOTIFY_WEBHOOK_SECRET: "w".repeat(32),
    });
    const told = async () => {
      const rows = await read((db) => db.selectFrom("notifications").select("type").execute());
      return rows.filter(({ type }) => type === "incident.opened").length;
    };
    await report(value, { text: dead });
    expect(await told()).toBe(0);
    await report(value, { text: text() });
    await until(async () => (await told()) === 1, 5_000);
  });

  test("is answered in time with what is known, although RingCX hangs; lines tell that it waits", async () => {
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 4_000, count: -1 });
    freshProcess({ ...database.variables, RINGCX_HOSTS: sandbox.url, RINGCX_RATE_LIMIT: "100000" });
    const value = await key(false);
    const lines = send(reportRoute, value, { text: live[0] }, { accept: "application/x-ndjson" });
    const [holder] = await read((db) => db.selectFrom("api_keys").select("id").execute());
    const id = holder?.id ?? "";
    const actor = { tenant, id: `key:${id}`, name: "k", address: null, userAgent: null, requestId: null };
    const investigator = investigatorOfKey({ id, name: "k", tenant, host: sandbox.url, actor });
    const work: Promise<unknown>[] = [];
    const scan = scanIncident(investigator, [{ name: null, content: live[0] ?? "" }], {
      withinMs: 300,
      onWork: (one) => work.push(one),
    });
    const result = await inTime(scan, 3_000);
    if (result === null) throw new Error("not answered in time");
    const late = { status: "unchecked", why: "Could not check: RingCX did not answer within 0.3 seconds." };
    expect(result).toMatchObject({ unchecked: 1, findings: [late] });
    await Promise.all(work);
    expect(result.findings).toMatchObject([late]);
    const told = (await (await lines).text()).trimEnd().split("\n");
    expect(told.map((line) => JSON.parse(line) as ScanLine)).toContainEqual(
      expect.objectContaining({ type: "waiting", checked: 0, total: 1 }),
    );
  }, 30_000);

  test("names the first hundred accounts, and counts all", async () => {
    const accounts = Array.from({ length: 150 }, (_, nth) => ({
      accountId: `${nth}`,
      accountName: `Sub ${nth}`,
      mainAccountId: "888888",
      mainAccountName: "Main",
    }));
    const upstream = await startUpstream(({ url }, response) => {
      const body = url.endsWith("/token") ? [live[0]] : url.endsWith("/accounts") ? accounts : {};
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    freshProcess({ ...database.variables, RINGCX_HOSTS: upstream.url });
    const actor = { tenant, id: "key:k", name: "k", address: null, userAgent: null, requestId: null };
    const investigator = investigatorOfKey({ id: "k", name: "k", tenant, host: upstream.url, actor });
    const { findings, incident } = await scanIncident(investigator, [{ name: null, content: live[0] ?? "" }]);
    await upstream.close();
    expect(findings).toMatchObject([
      { accountCount: 150, reach: expect.stringContaining("in 150 sub-accounts of Main") },
    ]);
    expect(findings[0]?.accounts).toHaveLength(100);
    const [kept] = (await readCase(tenant, incident ?? ""))?.tokens ?? [];
    expect(JSON.parse(kept?.accounts ?? "")).toHaveLength(100);
    expect(kept?.not_checked).toContain("Only the first 100 of 150 sub-accounts are named.");
  });

  test("has company of one more of the same key, and leaves its place when it is done", async () => {
    const value = await key(false);
    const other = await key(false);
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 1_500, count: -1 });
    const ndjson = { accept: "application/x-ndjson" };
    const streamed = await send(reportRoute, value, { text: text() }, ndjson);
    const waiting = send(reportRoute, value, { text: text() });
    await until(async () => (await sandbox.journal("token.list")).length >= 4, 5_000);
    const third = await send(reportRoute, value, { text: "nothing" });
    expect(third.status).toBe(429);
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await third.json()).toMatchObject({ code: "rate_limited" });
    expect((await send(reportRoute, other, { text: "nothing" })).status).toBe(200);
    // Who goes away keeps the place until what was begun is over.
    await streamed.body?.cancel();
    expect((await send(reportRoute, value, { text: "nothing" })).status).toBe(429);
    expect((await waiting).status).toBe(200);
    await until(async () => (await send(reportRoute, value, { text: "nothing" })).status === 200, 5_000);
  }, 30_000);

  test("names where each finding stands, and takes the siblings along if told to", async () => {
    const value = await key(true);
    const answer = await report(value, {
      findings: [
        { value: live[0], source: "config/app.env", line: 12 },
        { value: `token=${live[0]}`, source: `logs/${live[1]}` },
        { value: live[0], source: "C:\\build.log:77" },
      ],
      source: "gitleaks",
      revoke: true,
      siblings: true,
    });
    expect(answer.findings).toMatchObject([
      {
        places: [
          { source: "config/app.env", line: 12 },
          { source: "gitleaks", line: 1 },
          { source: "C:\\build.log", line: 77 },
        ],
      },
    ]);
    expect(answer.revocation).toMatchObject({ outcome: "contained", total: live.length, revoked: live.length });
    expect(await sandbox.tokens(owner)).toEqual([]);
  });

  test("is told as lines to those who ask for lines", async () => {
    const value = await key(true);
    const ndjson = { accept: "application/x-ndjson" };
    const lines = async (body: object) => {
      const answer = await send(reportRoute, value, body, ndjson);
      expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
      const text = await answer.text();
      for (const secret of [...live, dead, value]) expect(text).not.toContain(secret.slice(6));
      return text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as ScanLine | RevocationLine);
    };
    const kinds = (all: { type: string }[]) =>
      all.map(({ type }) => type).filter((type) => type !== "matching" && type !== "waiting");
    expect(kinds(await lines({ text: text() }))).toEqual(["found", "finding", "finding", "result"]);
    expect(await deletions()).toBe(0);
    const revoked = await lines({ text: text(), revoke: true });
    expect(kinds(revoked)).toEqual(["found", "finding", "finding", "result", "step", "step", "summary"]);
    expect(revoked.at(-1)).toMatchObject({ type: "summary", outcome: "contained", revoked: 1 });
    expect(kinds(await lines({ text: "nothing here", revoke: true }))).toEqual(["found", "result"]);
  });

  test.each([
    ["neither text nor findings", {}],
    ["both", { text: "x", findings: [{ value: "x" }] }],
    ["an unknown member", { text: "x", revok: true }],
    ["a secret as the reason", { text: "x", reason: `it is ${dead}` }],
    ["no findings", { findings: [] }],
    ["no JSON", "{"],
  ])("with %s is refused, and repeats nothing", async (_, body) => {
    const answer = await send(reportRoute, await key(true), body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain(dead);
  });

  test("that is too large is refused", async () => {
    const answer = await send(reportRoute, await key(false), { text: "x".repeat(20 * 1024 * 1024 + 1) });
    expect(answer.status).toBe(413);
  });

  test("may be read by the key that made it, and by no other", async () => {
    const value = await key(false);
    const { incident } = await report(value, { text: live[0] });
    const found = await readCase(tenant, incident ?? "");
    const keys = await read((db) => db.selectFrom("api_keys").selectAll().execute());
    const as = (id: string) => {
      const actor = { tenant, id: `key:${id}`, name: "k", address: null, userAgent: null, requestId: null };
      return investigatorOfKey({ id, name: "k", tenant, host: sandbox.url, actor });
    };
    if (!found) throw new Error("no case");
    expect(mayRead(as(keys[0]?.id ?? ""), found.incident)).toBe(true);
    expect(mayRead(as("another"), found.incident)).toBe(false);
  });
});

describe("the question of a scanner", () => {
  beforeEach(() => start("sqlite"));

  const ask = async (matches: string[]) => {
    const answer = await send(verifyRoute, await key(false), { "RingCX API token": { token: matches } });
    return [answer.status, await answer.json()];
  };

  test("is answered by the status: alive, dead, no token, not known", async () => {
    const [one = "", two = ""] = live;
    expect(await ask([`"${one}"`, one])).toEqual([200, { live: 1, dead: 0, unchecked: 0 }]);
    expect(await ask([dead, two])).toEqual([200, { live: 1, dead: 1, unchecked: 0 }]);
    expect(await ask([dead])).toEqual([404, { live: 0, dead: 1, unchecked: 0 }]);
    expect(await ask(["sha256:abc", "nothing"])).toEqual([404, { live: 0, dead: 0, unchecked: 0 }]);
    await sandbox.fault({ operation: "token.list", kind: "html502", count: -1 });
    expect(await ask([one])).toEqual([503, { live: 0, dead: 0, unchecked: 1 }]);
    expect(await deletions()).toBe(0);
    expect(await read((db) => db.selectFrom("incidents").selectAll().execute())).toEqual([]);
    const events = await read((db) => db.selectFrom("audit_events").select(["action", "outcome"]).execute());
    expect(events.filter(({ action, outcome }) => action === "incident.scan" && outcome === "succeeded")).toHaveLength(
      4,
    );
  }, 30_000);

  test("is answered in time although RingCX hangs", async () => {
    await sandbox.fault({ operation: "token.list", kind: "latency", ms: 1_500, count: -1 });
    const actor = { tenant, id: "key:k", name: "k", address: null, userAgent: null, requestId: null };
    const investigator = investigatorOfKey({ id: "k", name: "k", tenant, host: sandbox.url, actor });
    const verified = inTime(verifyMatches(investigator, [live[0]], 200), 1_400);
    expect(await verified).toEqual({ live: 0, dead: 0, unchecked: 1 });
  });

  test("needs a key, and has a form", async () => {
    expect((await send(verifyRoute, "tdk_no", { a: { b: [live[0]] } })).status).toBe(401);
    const value = await key(false);
    expect((await send(verifyRoute, value, {})).status).toBe(400);
    expect((await send(verifyRoute, value, { a: { b: Array(201).fill(dead) } })).status).toBe(400);
    expect(await sandbox.journal()).toEqual([]);
  });
});
