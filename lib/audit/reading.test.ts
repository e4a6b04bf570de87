import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { seedAudit, tenants } from "@/bench/audit-events";
import { csvLine, exportEvents } from "@/lib/audit/export";
import { type Actor, record } from "@/lib/audit/log";
import {
  activityByDay,
  boundsOf,
  eventsOfToken,
  type Reader,
  rangesFor,
  readEvents,
  rowsOf,
} from "@/lib/audit/reading";
import { type AuditEvent, type AuditFilter, auditQuerySchema } from "@/lib/audit/schema";
import { verificationStream } from "@/lib/audit/verification";
import { closeDatabase, read, write } from "@/lib/db/client";
import { env } from "@/lib/env";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { until } from "@/test/process";

const here = "h|1";
const there = "h|2";
const actor = (changes: Partial<Actor> = {}): Actor => ({
  tenant: here,
  id: "u1",
  name: "Ana@example.com",
  address: null,
  userAgent: null,
  requestId: null,
  ...changes,
});
const ben = actor({ id: "u2", name: "ben@example.com" });
const readerOf = (role: Reader["user"]["role"], id = "u1", tenant = here) => ({
  tenant,
  user: { id, role },
  actor: actor({ id, tenant, name: `${id}@example.com` }),
});
const query = (changes: Record<string, string | number> = {}) => auditQuerySchema.parse(changes);
const seqs = async (reader: Reader, changes: Record<string, string | number> = {}) =>
  (await readEvents(reader, query(changes))).events.map(({ seq }) => seq);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that something still holds. */
function inUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await useDatabase(kind);
    await record(actor(), { action: "session.create", outcome: "succeeded" }); // 1
    await record(ben, { action: "session.create", outcome: "succeeded" }); // 2
    await record(actor({ tenant: there, id: "u9", name: "carl@example.com" }), {
      action: "session.create",
      outcome: "succeeded",
    }); // 3
    await record(actor({ tenant: null, id: null }), { action: "session.denied", outcome: "failed" }); // 4
    await record(actor(), { action: "token.reveal", outcome: "attempted", token: { id: "t1", hint: "a:…1" } }); // 5
    await record(actor(), { action: "token.reveal", outcome: "succeeded", token: { id: "t1", hint: "a:…1" } }); // 6
    await record(ben, {
      action: "token.order",
      outcome: "succeeded",
      token: { id: "t1", hint: "a:…1" },
      reason: "=1+1",
    }); // 7
    await record(actor(), { action: "token.edit", outcome: "succeeded", token: { id: "t2", hint: "a:…2" } }); // 8
  });
  afterEach(() => database.remove());

  test("members see their own events, ops their main account's, admins also those of nobody", async () => {
    expect(await seqs(readerOf("member"))).toEqual([8, 6, 5, 1]);
    expect(await seqs(readerOf("ops"))).toEqual([8, 7, 6, 5, 2, 1]);
    expect(await seqs(readerOf("admin"))).toEqual([8, 7, 6, 5, 4, 2, 1]);
    expect(await seqs(readerOf("admin", "u9", there))).toEqual([4, 3]);
    expect(await seqs(readerOf("member", "u2", there))).toEqual([]);
  });

  test("filters", async () => {
    const cases: [Record<string, string | number>, number[]][] = [
      [{ actor: "ANA@example.com" }, [8, 6, 5, 4, 1]],
      [{ actor: "u1" }, [8, 6, 5, 1]],
      [{ actor: "ben@example.com" }, [7, 2]],
      [{ actor: "nobody@example.com" }, []],
      [{ actor: "carl@example.com" }, []],
      [{ action: "session.create" }, [2, 1]],
      [{ action: "session.denied" }, [4]],
      [{ outcome: "failed" }, [4]],
      [{ outcome: "attempted" }, [5]],
      [{ action: "token.reveal", outcome: "succeeded" }, [6]],
      [{ actor: "u1", action: "token.reveal" }, [6, 5]],
      [{ actor: "u1", outcome: "succeeded" }, [8, 6, 1]],
      [{ actor: "u2", action: "token.reveal", outcome: "succeeded" }, []],
      [{ token: "t1" }, [7, 6, 5]],
      [{ token: "t1", actor: "u2" }, [7]],
      [{ token: "t1", action: "token.reveal", outcome: "attempted" }, [5]],
      [{ from: "2020-01-01", to: "2020-12-31" }, []],
      [{ from: "2020-01-01", to: "2999-12-31" }, [8, 7, 6, 5, 4, 2, 1]],
      [{ from: "2999-01-01" }, []],
      [{ after: 5 }, [8, 7, 6]],
      [{ after: 8 }, []],
      [{ limit: 2 }, [8, 7]],
    ];
    const answers: typeof cases = [];
    for (const [filter] of cases) answers.push([filter, await seqs(readerOf("admin"), filter)]);
    expect(answers).toEqual(cases);
  });

  test("a token is found by what a person sees of it, in their own main account", async () => {
    const row = (tenant: string, id: string, hint: string) => ({
      ...{ tenant, id, fingerprint: id, hint, owner_id: "u1", owner_name: "Ana", created_here: 0 },
      ...{ first_seen_at: 1, last_seen_at: 1 },
    });
    await write("test", (trx) =>
      trx
        .insertInto("tokens")
        .values([row(here, "t1", "aws80:…c0a9"), row(here, "t2", "na1:…c0a9"), row(there, "t3", "aws80:…c0a9")])
        .execute(),
    );
    expect(await seqs(readerOf("ops"), { token: "c0a9" })).toEqual([8, 7, 6, 5]);
    expect(await seqs(readerOf("ops"), { token: "…c0a9" })).toEqual([8, 7, 6, 5]);
    expect(await seqs(readerOf("ops"), { token: "aws80:…c0a9" })).toEqual([7, 6, 5]);
    expect(await seqs(readerOf("ops"), { token: "beef" })).toEqual([]);
    expect(await seqs(readerOf("admin", "u9", there), { token: "c0a9" })).toEqual([]);
  });

  test("a member who asks for somebody else gets nothing", async () => {
    expect(await seqs(readerOf("member"), { actor: "ben@example.com" })).toEqual([]);
    expect(await seqs(readerOf("member"), { token: "t1" })).toEqual([6, 5]);
    expect(await seqs(readerOf("member"), { actor: "ana@example.com", action: "token.reveal" })).toEqual([6, 5]);
  });

  test("times are cut to the millisecond, both ends included", async () => {
    const all = (await readEvents(readerOf("admin"), query())).events;
    const fifth = all.find(({ seq }) => seq === 5);
    const within = await readEvents(readerOf("admin"), query({ from: fifth?.at ?? "", to: fifth?.at ?? "" }));
    expect(within.events.map(({ at }) => at)).toContain(fifth?.at);
    expect(new Set(within.events.map(({ at }) => at)).size).toBe(1);
    const today = new Date().toISOString().slice(0, 10);
    expect((await seqs(readerOf("admin"), { from: today })).length).toBeGreaterThan(0);
    expect((await seqs(readerOf("admin"), { to: today })).length).toBe(7);
  });

  test("events of nobody are read by an index, and not at all for a token", async () => {
    expect(await rangesFor(readerOf("admin"), { token: "t1" })).toEqual(
      await rangesFor(readerOf("ops"), { token: "t1" }),
    );
    expect(await rangesFor(readerOf("admin"), { outcome: "failed" })).toContainEqual({
      fixed: [
        ["tenant", null],
        ["outcome", "failed"],
      ],
      rest: [],
    });
  });

  test.each(['{"torn', "null", "[1]"])("a damaged event keeps nobody from the others: details %s", async (details) => {
    await write("test", (trx) => trx.updateTable("audit_events").set({ details }).where("seq", "=", 6).execute());
    const { events } = await readEvents(readerOf("member"), query());
    expect(events.map((event) => [event.seq, event.details])).toEqual([
      [8, {}],
      [6, { damaged: true }],
      [5, {}],
      [1, {}],
    ]);
    const lines = (await textOf(await verificationStream(readerOf("ops")))).trimEnd().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "").problems).toMatchObject([{ kind: "edited", seq: 6 }]);
  });

  test("pages lead on to the end, also while events are appended", async () => {
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const page = await readEvents(readerOf("admin"), query({ limit: 3, ...(cursor === null ? {} : { cursor }) }));
      seen.push(...page.events.map(({ seq }) => seq));
      cursor = page.nextCursor;
      await record(ben, { action: "token.edit", outcome: "succeeded" });
    } while (cursor !== null);
    expect(seen).toEqual([8, 7, 6, 5, 4, 2, 1]);
  });

  test("a cursor that was not given out is refused", async () => {
    for (const cursor of ["x", "MQ", "YmVmb3JlOi0x", "YmVmb3JlOjEg", "YmVmb3JlOjE=", "'; drop table audit_events"]) {
      await expect(readEvents(readerOf("admin"), query({ cursor }))).rejects.toMatchObject({ code: "invalid_input" });
    }
  });

  test("a token's history holds what others did to it", async () => {
    expect((await eventsOfToken(readerOf("member"), "t1", 10)).map(({ seq }) => seq)).toEqual([7, 6, 5]);
    expect((await eventsOfToken(readerOf("member"), "t1", 2)).map(({ seq }) => seq)).toEqual([7, 6]);
    expect(await eventsOfToken(readerOf("member", "u1", there), "t1", 10)).toEqual([]);
  });

  test("activity is counted by day and action", async () => {
    const date = new Date().toISOString().slice(0, 10);
    const since = Date.now() - 10 * 24 * 3_600_000;
    expect(await activityByDay(here, null, since)).toEqual([
      { date, action: "session.create", count: 2 },
      { date, action: "token.edit", count: 1 },
      { date, action: "token.order", count: 1 },
      { date, action: "token.reveal", count: 1 },
    ]);
    expect(await activityByDay(here, "u2", since)).toEqual([
      { date, action: "session.create", count: 1 },
      { date, action: "token.order", count: 1 },
    ]);
  });

  test("an export is what a page shows, oldest first, recorded before and after", async () => {
    const reader = readerOf("ops", "u2");
    const { stream, atMost } = await exportEvents(reader, { token: "t1" }, "jsonl");
    expect(atMost).toBe(8);
    expect((await readEvents(reader, query({ action: "audit.export" }))).events).toMatchObject([
      { outcome: "attempted", details: { format: "jsonl", token: "t1", upTo: 8 } },
    ]);
    const lines = (await textOf(stream))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as AuditEvent);
    expect(lines).toEqual([...(await eventsOfToken(reader, "t1", 10))].reverse());
    expect((await readEvents(reader, query({ action: "audit.export" }))).events).toMatchObject([
      { outcome: "succeeded", details: { rows: 3 } },
      { outcome: "attempted" },
    ]);
    expect(await read((db) => db.selectFrom("audit_checkpoints").select("kind").execute())).toEqual([
      { kind: "export" },
    ]);
  });

  test("an export's estimate tells nobody how much others do", async () => {
    const atMost = async (reader: ReturnType<typeof readerOf>, filter: AuditFilter = {}) => {
      const { stream, atMost: said } = await exportEvents(reader, filter, "jsonl");
      await stream.cancel();
      return said;
    };
    // One event at the third place, and none at all, of a main account beside one with six.
    expect(await atMost(readerOf("ops", "u9", there))).toBe(1);
    expect(await atMost(readerOf("ops", "u9", "h|3"))).toBe(0);
    expect(await atMost(readerOf("ops"), { from: "2999-01-01" })).toBe(0);
    expect(await atMost(readerOf("member"))).toBeNull();
    expect(await atMost(readerOf("ops"))).toBeGreaterThanOrEqual(8);
  });

  test("an export as CSV cannot run in a spreadsheet", async () => {
    const { stream } = await exportEvents(readerOf("ops"), {}, "csv");
    const lines = (await textOf(stream)).split("\r\n");
    expect(lines[0]).toMatch(/^seq,id,at,tenant,action,/);
    expect(lines).toHaveLength(6 + 2);
    expect(lines[5]).toContain(",'=1+1,");
    expect(lines.at(-1)).toBe("");
  });

  test("who goes away from an export leaves a failed one", async () => {
    const { stream } = await exportEvents(readerOf("ops"), {}, "jsonl");
    await stream.cancel();
    const page = () => readEvents(readerOf("ops"), query({ action: "audit.export" }));
    await until(async () => (await page()).events.length === 2);
    expect((await page()).events[0]).toMatchObject({ outcome: "failed", details: { stopped: "reader_gone" } });
  });

  test("a verification is a recorded act of ops, and says when it cannot be finished", async () => {
    await expect(verificationStream(readerOf("member"))).rejects.toMatchObject({ code: "forbidden" });
    const lines = (await textOf(await verificationStream(readerOf("ops"))))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ type: "result", ok: true, openIntents: 0 });
    expect((await readEvents(readerOf("ops"), query({ action: "audit.verify" }))).events[0]).toMatchObject({
      outcome: "succeeded",
      details: { intact: true, problems: 0 },
    });
    const stream = await verificationStream(readerOf("ops"));
    await read((db) => sql`drop table audit_checkpoints`.execute(db));
    expect(
      (await textOf(stream))
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).type),
    ).toEqual(["failed"]);
  });

  test("the log that is away is told as such", async () => {
    const { databaseUrl, dataDir } = env();
    await closeDatabase();
    if (kind === "postgres") Object.assign(env(), { databaseUrl: "postgres://x:y@127.0.0.1:1/z" });
    else Object.assign(env(), { dataDir: "/dev/null" });
    await expect(readEvents(readerOf("ops"), query())).rejects.toMatchObject({ code: "audit_unavailable" });
    await expect(exportEvents(readerOf("ops"), {}, "csv")).rejects.toMatchObject({ code: "audit_unavailable" });
    await expect(verificationStream(readerOf("ops"))).rejects.toMatchObject({ code: "audit_unavailable" });
    await closeDatabase();
    Object.assign(env(), { databaseUrl, dataDir });
  });
});

test.each(["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\n@x", "\u00A0=1", "＝1", "＠x", '"=1', "\u3000+1"])(
  "a formula is defused: %j",
  (cell) => {
    expect(csvLine([cell]).replace(/^"/, "")).toMatch(/^'/);
  },
);

test("CSV quotes what needs it, and nothing else", () => {
  expect(csvLine(["a", null, 7, -7, 'say "a,b"', "two\nlines", "a=b", "x@y"])).toBe(
    'a,,7,-7,"say ""a,b""","two\nlines",a=b,x@y\r\n',
  );
});

describe.each(databaseKinds)("a long log on %s", (kind) => {
  const length = kind === "sqlite" ? 40_000 : 20_000;
  let database: TestDatabase;
  beforeAll(async () => {
    database = await useDatabase(kind);
    await seedAudit(length, () => {});
    // SQLite keeps no statistics unless it is told to, and nothing tells it; PostgreSQL does of itself.
    if (kind === "postgres") await read((db) => sql`analyze`.execute(db));
  }, 120_000);
  afterAll(() => database.remove());

  const filters: AuditFilter[] = [
    {},
    { actor: "user1@example.com" },
    { action: "token.rotate" },
    { outcome: "unknown" },
    { action: "token.rotate", outcome: "unknown" },
    { actor: "user1@example.com", action: "token.rotate" },
    { actor: "user1@example.com", outcome: "unknown" },
    { token: "token7" },
    { actor: "user1@example.com", action: "token.rotate", outcome: "failed" },
  ];

  test.each(filters)("a page is found by an index: %j", async (filter) => {
    for (const role of ["member", "ops", "admin"] as const) {
      const reader = { tenant: tenants[0], user: { id: `ringcx:${tenants[0].replace("|", ":")}:1`, role } };
      for (const range of await rangesFor(reader, filter)) {
        for (const direction of ["asc", "desc"] as const) {
          const plan = await read(async (db) => {
            const { sql: text, parameters } = rowsOf(
              db,
              range,
              { above: 10, below: length - 10 },
              direction,
              51,
            ).compile();
            const explain = kind === "sqlite" ? "explain query plan " : "explain (format text) ";
            const pieces = text.split(kind === "sqlite" ? /\?/ : /\$\d+/);
            const query = sql.join(
              pieces.flatMap((piece, index) =>
                index < parameters.length
                  ? [sql.raw(piece), sql.lit(parameters[index] as string | number)]
                  : [sql.raw(piece)],
              ),
              sql.raw(""),
            );
            const { rows } = await sql<Record<string, string>>`${sql.raw(explain)}${query}`.execute(db);
            return rows.map((row) => row.detail ?? row["QUERY PLAN"]).join("\n");
          });
          expect(plan).not.toMatch(/\bSCAN\b|TEMP B-TREE|Seq Scan/);
          // The whole range is one of the index: nothing is read that is thrown away.
          if (kind === "sqlite") for (const [column] of range.fixed) expect(plan).toContain(`${column}=?`);
        }
      }
    }
  });

  test("a whole export is flat in memory and ends where the log ended when it began", async () => {
    const reader = {
      tenant: tenants[0],
      user: { id: "x", role: "admin" as const },
      actor: actor({ tenant: tenants[0] }),
    };
    let before = 0;
    let most = 0;
    let lines = 0;
    let chunks = 0;
    const { stream, atMost } = await exportEvents(reader, {}, "jsonl");
    for await (const chunk of stream) {
      for (const byte of chunk) if (byte === 10) lines += 1;
      chunks += 1;
      if (chunks === 20) before = inUse();
      else if (chunks % 50 === 0) most = Math.max(most, inUse());
    }
    expect(before).toBeGreaterThan(0);
    expect(most).toBeGreaterThan(0);
    const own = await read((db) =>
      db
        .selectFrom("audit_events")
        .select((eb) => eb.fn.countAll<number>().as("count"))
        .where("seq", "<=", length)
        .where((eb) => eb.or([eb("tenant", "=", tenants[0]), eb("tenant", "is", null)]))
        .executeTakeFirstOrThrow(),
    );
    expect(lines).toBe(own.count);
    expect(atMost).toBeGreaterThanOrEqual(lines);
    expect(atMost).toBeLessThanOrEqual(length);
    // The whole is 15 MB of text and more, and several times that as objects.
    expect((most - before) / 2 ** 20).toBeLessThan(5);
  });

  test("times lead to places without reading what lies between", async () => {
    const { above, below } = await boundsOf({ from: "2000-01-01", to: "2999-01-01" });
    expect(above).toBe(0);
    expect(below).toBeGreaterThan(length);
  });
});
