import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sql, type Transaction } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededEvent } from "@/bench/audit-events";
import { append, type EventRow, eventOf, hashOf } from "@/lib/audit/chain";
import {
  checkpoint,
  checkpointsIn,
  keptCheckpoints,
  openCheckpoint,
  publicKey,
  type Signed,
} from "@/lib/audit/checkpoints";
import { type Actor, audited, record } from "@/lib/audit/log";
import { eventsOfToken, readEvents } from "@/lib/audit/reading";
import { pruneAudit } from "@/lib/audit/retention";
import { auditQuerySchema, type VerificationLine } from "@/lib/audit/schema";
import { verifyLog } from "@/lib/audit/verify";
import { read, write } from "@/lib/db/client";
import type { Database } from "@/lib/db/schema";
import { env } from "@/lib/env";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { captureLog, until } from "@/test/process";

const actor: Actor = {
  tenant: "h|1",
  id: "u1",
  name: "ana@example.com",
  address: null,
  userAgent: null,
  requestId: null,
};
const day = 24 * 3_600_000;

let database: TestDatabase;
afterEach(() => database.remove());

async function verify(kept: Signed[] = keptCheckpoints()) {
  let last: VerificationLine | undefined;
  for await (const line of verifyLog(read, kept)) last = line;
  if (last?.type !== "result") throw new Error("there is no result");
  return last;
}

const found = async (kept?: Signed[]) => (await verify(kept)).problems.map(({ kind, seq }) => `${kind} ${seq}`);
const tamper = (change: (trx: Transaction<Database>) => Promise<unknown>) => write("test", change);
const rowAt = (trx: Transaction<Database>, seq: number): Promise<EventRow> =>
  trx.selectFrom("audit_events").selectAll().where("seq", "=", seq).executeTakeFirstOrThrow();

/** What somebody who knows the code would do: change an event and compute its hash anew. */
async function rewrite(trx: Transaction<Database>, seq: number, changes: Partial<EventRow>): Promise<string> {
  const { chain } = await trx.selectFrom("audit_chain").select("chain").executeTakeFirstOrThrow();
  const row = { ...(await rowAt(trx, seq)), ...changes };
  const hash = hashOf(chain, eventOf(row));
  await trx
    .updateTable("audit_events")
    .set({ ...changes, hash })
    .where("seq", "=", seq)
    .execute();
  return hash;
}

/** Changes an event and computes all hashes from there on anew, the head's included: only a checkpoint can tell. */
async function rewriteFrom(trx: Transaction<Database>, first: number, changes: Partial<EventRow>): Promise<void> {
  const head = await trx.selectFrom("audit_chain").selectAll().executeTakeFirstOrThrow();
  let hash = await rewrite(trx, first, changes);
  for (let seq = first + 1; seq <= head.seq; seq += 1) hash = await rewrite(trx, seq, { previous_hash: hash });
  await trx.updateTable("audit_chain").set({ hash }).execute();
}

async function renumber(trx: Transaction<Database>, from: number, by: number): Promise<void> {
  const rows = await trx
    .selectFrom("audit_events")
    .select("seq")
    .where("seq", ">=", from)
    .orderBy("seq", by > 0 ? "desc" : "asc")
    .execute();
  for (const { seq } of rows)
    await trx
      .updateTable("audit_events")
      .set({ seq: seq + by })
      .where("seq", "=", seq)
      .execute();
  await trx
    .updateTable("audit_chain")
    .set((eb) => ({ seq: eb("seq", "+", by) }))
    .execute();
}

describe.each(databaseKinds)("on %s", (kind) => {
  beforeEach(async () => {
    database = await useDatabase(kind);
  });

  const fill = (count = 20) =>
    write("audit", (trx) =>
      append(
        trx,
        Array.from({ length: count }, (_, nth) => seededEvent(nth)),
        Date.now() - day,
      ),
    );

  test("an empty log, a whole one, and one with an open intent are whole", async () => {
    expect(await verify()).toMatchObject({ ok: true, verified: 0, firstSeq: null, lastSeq: null, headHash: null });
    await fill(600);
    await checkpoint("hourly");
    await audited(actor, { action: "token.reveal" }, async () => {
      expect(await verify()).toMatchObject({
        ok: true,
        verified: 601,
        firstSeq: 1,
        lastSeq: 601,
        checkpoints: 1,
        openIntents: 1,
      });
    });
  });

  test("tells its progress, lets others work, and is not confused by events that are appended meanwhile", async () => {
    await fill(3000);
    // Processor time between two beats: what other processes have of the machine is not held up by this one.
    let longest = 0;
    let last = process.cpuUsage();
    const heartbeat = setInterval(() => {
      const { user, system } = process.cpuUsage(last);
      longest = Math.max(longest, (user + system) / 1_000);
      last = process.cpuUsage();
    }, 1);
    const lines: VerificationLine[] = [];
    for await (const line of verifyLog(read, [])) {
      lines.push(line);
      await record(actor, { action: "token.edit", outcome: "succeeded" });
      await checkpoint("hourly");
    }
    clearInterval(heartbeat);
    expect(lines.filter(({ type }) => type === "progress").length).toBeGreaterThan(1);
    expect(lines.at(-1)).toMatchObject({ type: "result", ok: true, verified: 3000 });
    expect(longest).toBeLessThan(500);
  });

  const values: Partial<Record<keyof EventRow, string | number | null>> = {
    id: "00000000-0000-4000-8000-000000000000",
    at: 1,
    tenant: "other|1",
    action: "token.edit",
    outcome: "attempted",
    actor_id: "somebody",
    actor_name: "somebody",
    address: "10.0.0.1",
    user_agent: null,
    request_id: "r",
    correlation_id: "c",
    token_id: "t",
    token_hint: "aws80:…zzzz",
    reason: "another",
    details: '{"a":1}',
    previous_hash: "0".repeat(64),
    hash: "f".repeat(64),
  };
  test("an edit is found, whichever column it is of", async () => {
    await fill();
    const before = await read((db) =>
      db.selectFrom("audit_events").selectAll().where("seq", "=", 7).executeTakeFirstOrThrow(),
    );
    expect(Object.keys(values).sort()).toEqual(
      Object.keys(before)
        .filter((column) => column !== "seq")
        .sort(),
    );
    for (const [column, value] of Object.entries(values)) {
      await tamper((trx) =>
        trx
          .updateTable("audit_events")
          .set({ [column]: value })
          .where("seq", "=", 7)
          .execute(),
      );
      expect([column, await found()]).toEqual([column, ["edited 7"]]);
      await tamper((trx) => trx.updateTable("audit_events").set(before).where("seq", "=", 7).execute());
    }
    expect(await found()).toEqual([]);
  });

  test("an edit is found: white space in the details, and an edit of the newest event", async () => {
    await fill();
    await tamper((trx) => trx.updateTable("audit_events").set({ details: "{ }" }).where("seq", "=", 3).execute());
    await tamper((trx) => trx.updateTable("audit_events").set({ reason: "x" }).where("seq", "=", 20).execute());
    expect(await found()).toEqual(["edited 3", "edited 20"]);
  });

  test("an edit whose hash was computed anew is found at the next event", async () => {
    await fill();
    await tamper((trx) => rewrite(trx, 7, { reason: "nothing to see" }));
    expect(await found()).toEqual(["edited 7"]);
  });

  test("an edit with all later hashes computed anew is found by a checkpoint", async () => {
    await fill();
    await checkpoint("hourly");
    await fill(0);
    await tamper((trx) => rewriteFrom(trx, 7, { reason: "nothing to see" }));
    expect(await found()).toEqual(["forked 20"]);
    // The copy outside finds it when the one inside is gone.
    await tamper((trx) => trx.deleteFrom("audit_checkpoints").execute());
    expect(await found()).toEqual(["forked 20"]);
    expect(await found([])).toEqual([]);
  });

  test("a deletion is found: of one, of several, of the first", async () => {
    await fill();
    await tamper((trx) => trx.deleteFrom("audit_events").where("seq", "in", [1, 7, 11, 12, 13]).execute());
    expect(await found()).toEqual(["missing 1", "missing 7", "missing 11"]);
  });

  test("a deletion is found when the later events were numbered anew", async () => {
    await fill();
    await tamper(async (trx) => {
      await trx.deleteFrom("audit_events").where("seq", "=", 7).execute();
      await renumber(trx, 8, -1);
    });
    expect(await found()).toEqual(["missing 7"]);
  });

  test("an insertion is found: between, before, and behind the head", async () => {
    await fill();
    await tamper(async (trx) => {
      await renumber(trx, 7, 1);
      const row = await rowAt(trx, 6);
      await trx
        .insertInto("audit_events")
        .values({ ...row, seq: 7, id: crypto.randomUUID(), previous_hash: row.hash, hash: "" })
        .execute();
      await rewrite(trx, 7, {});
    });
    expect(await found()).toEqual(["inserted 7"]);
  });

  test("an insertion is found: before the first and behind the head", async () => {
    await fill();
    await tamper(async (trx) => {
      const row = await rowAt(trx, 20);
      await trx
        .insertInto("audit_events")
        .values({ ...row, seq: 0, id: crypto.randomUUID() })
        .execute();
      await trx
        .insertInto("audit_events")
        .values({ ...row, seq: 21, id: crypto.randomUUID() })
        .execute();
    });
    expect(await found()).toEqual(["inserted 0", "inserted 21"]);
  });

  test("another order is found", async () => {
    await fill();
    await tamper(async (trx) => {
      for (const [from, to] of [
        [7, 99],
        [12, 7],
        [99, 12],
      ] as const) {
        await trx.updateTable("audit_events").set({ seq: to }).where("seq", "=", from).execute();
      }
    });
    expect(await found()).toEqual(["reordered 7", "reordered 12"]);
  });

  test("two neighbours that changed places are found", async () => {
    await fill();
    await tamper(async (trx) => {
      for (const [from, to] of [
        [7, 99],
        [8, 7],
        [99, 8],
      ] as const) {
        await trx.updateTable("audit_events").set({ seq: to }).where("seq", "=", from).execute();
      }
    });
    expect(await found()).toEqual(["reordered 7", "reordered 8"]);
  });

  test("a fork is found: two events that follow the same one", async () => {
    await fill();
    await tamper(async (trx) => {
      const { chain } = await trx.selectFrom("audit_chain").select("chain").executeTakeFirstOrThrow();
      const row = { ...(await rowAt(trx, 20)), seq: 21, id: crypto.randomUUID(), reason: "the other branch" };
      const hash = hashOf(chain, eventOf(row));
      await trx
        .insertInto("audit_events")
        .values({ ...row, hash })
        .execute();
      await trx.updateTable("audit_chain").set({ seq: 21, hash }).execute();
    });
    expect(await found()).toEqual(["forked 21"]);
  });

  test("a part of the log that stands there twice is found", async () => {
    await fill();
    await tamper(async (trx) => {
      for (let seq = 18; seq <= 20; seq += 1) {
        const row = await rowAt(trx, seq);
        await trx
          .insertInto("audit_events")
          .values({ ...row, seq: seq + 3, id: crypto.randomUUID() })
          .execute();
      }
      await trx.updateTable("audit_chain").set({ seq: 23 }).execute();
    });
    const problems = await found();
    expect(problems[0]).toBe("forked 21");
    expect(problems.length).toBeGreaterThanOrEqual(3);
  });

  test("missing newest events are found by the head; by a checkpoint where the head was put back too", async () => {
    await fill();
    await checkpoint("hourly");
    await tamper((trx) => trx.deleteFrom("audit_events").where("seq", ">", 15).execute());
    expect(await found()).toEqual(["truncated 16"]);
    await tamper(async (trx) => {
      const { seq, hash, at } = await rowAt(trx, 15);
      await trx.updateTable("audit_chain").set({ seq, hash, at }).execute();
    });
    expect(await found()).toEqual(["truncated 16"]);
    await tamper((trx) => trx.deleteFrom("audit_checkpoints").execute());
    expect(await found()).toEqual(["truncated 16"]);
    expect(await found([])).toEqual([]);
  });

  test("a wiped log is found: with its head, without it, and when a new one has begun in its place", async () => {
    await fill();
    await checkpoint("hourly");
    await tamper((trx) => trx.deleteFrom("audit_events").execute());
    expect(await found()).toEqual(["truncated 1"]);
    await tamper((trx) => trx.deleteFrom("audit_chain").execute());
    await tamper((trx) => trx.deleteFrom("audit_checkpoints").execute());
    expect(await found()).toEqual(["truncated 1"]);
    await fill();
    expect(await found()).toEqual(["replaced 20"]);
  });

  test("another database in its place is found", async () => {
    await fill();
    await checkpoint("hourly");
    const file = readFileSync(join(database.folder, "audit-checkpoints.jsonl"), "utf8");
    await database.remove();
    database = await useDatabase(kind);
    await fill(30);
    expect(await found(checkpointsIn(file))).toEqual(["replaced 20"]);
  });

  test.each([
    ["hash", { hash: "f".repeat(64) }, ["head_mismatch 20"]],
    ["time", { at: 1 }, ["head_mismatch 20"]],
    ["number, too small", { seq: 19 }, ["head_mismatch 19", "inserted 20"]],
    ["number, too large", { seq: 25 }, ["truncated 21"]],
    ["chain", { chain: "another" }, ["replaced 20", "head_mismatch null"]],
    ["removed part", { pruned_seq: 5, pruned_hash: "f".repeat(64) }, ["truncated 5", "edited 5"]],
  ])("a changed head is found: its %s", async (_, changes, problems) => {
    await fill();
    if ("chain" in changes) await checkpoint("hourly");
    await tamper((trx) => trx.updateTable("audit_chain").set(changes).execute());
    expect((await found()).slice(0, 2)).toEqual(problems);
  });

  test("a head that is gone is found", async () => {
    await fill();
    await tamper((trx) => trx.deleteFrom("audit_chain").execute());
    expect(await found()).toContain("head_mismatch null");
  });

  test("a forged and a changed checkpoint are found", async () => {
    await fill();
    await checkpoint("hourly");
    const [kept] = keptCheckpoints();
    if (!kept) throw new Error("there is no checkpoint");
    const forged = { ...kept, statement: kept.statement.replace('"seq":20', '"seq":19') };
    expect(forged).not.toEqual(kept);
    expect(await found([forged])).toEqual(["bad_checkpoint null"]);
    await tamper((trx) => trx.updateTable("audit_checkpoints").set({ statement: forged.statement }).execute());
    expect(await found()).toEqual(["bad_checkpoint 20"]);
    await tamper((trx) => trx.updateTable("audit_checkpoints").set({ statement: kept.statement, seq: 18 }).execute());
    expect(await found()).toEqual(["bad_checkpoint 18"]);
    expect(
      openCheckpoint({ ...kept, signature: kept.signature.replace(/^./, (c) => (c === "A" ? "B" : "A")) }),
    ).toBeNull();
  });

  test("many problems are told, a hundred of them at most", async () => {
    await fill(300);
    await tamper((trx) => trx.updateTable("audit_events").set({ reason: "x" }).execute());
    expect(await verify()).toMatchObject({ ok: false, verified: 300, problems: { length: 100 } });
  });

  test("checkpoints: one per event and replica set, in the table, the file and the log stream", async () => {
    await checkpoint("start");
    expect(keptCheckpoints()).toEqual([]);
    const log = captureLog();
    try {
      Object.assign(env(), { logLevel: "info" });
      await fill();
      await Promise.all([checkpoint("start"), checkpoint("hourly"), checkpoint("export")]);
      await record(actor, { action: "token.edit", outcome: "succeeded" });
      await checkpoint("hourly");
      await until(() => log.read().match(/"audit checkpoint"/g)?.length === 2);
    } finally {
      log.stop();
    }
    const kept = keptCheckpoints();
    expect(kept.map((signed) => openCheckpoint(signed)?.seq)).toEqual([20, 21]);
    const path = join(database.folder, "audit-checkpoints.jsonl");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    // A saved log stream serves as well as the file, whatever stands around it.
    const saved = log
      .read()
      .split("\n")
      .map((line) => `tokendesk-1 | ${line}`)
      .join("\n");
    expect(saved).toContain(publicKey());
    expect(checkpointsIn(saved)).toEqual(kept);
    expect(await verify(checkpointsIn(saved))).toMatchObject({ ok: true, checkpoints: 2 });
  });

  describe("retention", () => {
    const withRetention = (days: number) => Object.assign(env(), { auditRetentionMs: days * day });
    const fillDays = async (days: number, perDay = 10) => {
      for (let ago = days; ago >= 1; ago -= 1) {
        await write("audit", (trx) =>
          append(
            trx,
            Array.from({ length: perDay }, (_, nth) => seededEvent(ago * 1000 + nth)),
            Date.now() - ago * day + 60_000,
          ),
        );
      }
    };

    test("removes the oldest part, records and signs that, and the log verifies", async () => {
      await fillDays(10);
      await checkpoint("hourly");
      expect(await pruneAudit()).toBe(0);
      withRetention(4);
      expect(await pruneAudit()).toBe(60);
      expect(await verify()).toMatchObject({ ok: true, firstSeq: 61, lastSeq: 101, verified: 41, checkpoints: 2 });
      expect(await pruneAudit()).toBe(0);
      withRetention(2);
      expect(await pruneAudit()).toBe(20);
      expect(await verify()).toMatchObject({ ok: true, firstSeq: 81, lastSeq: 102 });
    });

    test("keeps an intent that is open, and what came after it", async () => {
      await fillDays(3);
      await audited(actor, { action: "token.reveal" }, async () => {
        await tamper((trx) => trx.updateTable("audit_intents").set({ seq: 5 }).execute());
        withRetention(1);
        expect(await pruneAudit()).toBe(4);
      });
      expect(await verify()).toMatchObject({ ok: true, firstSeq: 5 });
    });

    test("a removal that was cut off verifies, and goes on the next time", async () => {
      await fillDays(5);
      withRetention(1);
      const rows = await read((db) =>
        db.selectFrom("audit_events").selectAll().where("seq", ">", 33).where("seq", "<=", 50).execute(),
      );
      expect(await pruneAudit()).toBe(40);
      await tamper((trx) =>
        trx
          .insertInto("audit_events")
          .values(rows.filter(({ seq }) => seq <= 40))
          .execute(),
      );
      expect(await verify()).toMatchObject({ ok: true, firstSeq: 34 });
      expect(await pruneAudit()).toBe(7);
      expect(await verify()).toMatchObject({ ok: true, firstSeq: 41 });
    });

    test("is not a cover for other removals", async () => {
      await fillDays(5);
      withRetention(1);
      await pruneAudit();
      await tamper((trx) => trx.deleteFrom("audit_events").where("seq", "=", 41).execute());
      expect(await found()).toEqual(["missing 41"]);
      await tamper(async (trx) => {
        const { seq, hash } = await rowAt(trx, 42);
        await trx.deleteFrom("audit_events").where("seq", "=", 42).execute();
        await trx.updateTable("audit_chain").set({ pruned_seq: seq, pruned_hash: hash }).execute();
      });
      expect(await found()).toEqual(["truncated 42"]);
    });

    test("what is put where it has removed everything is found, and not shown", async () => {
      await fillDays(5);
      withRetention(1);
      const rows = await read((db) =>
        db.selectFrom("audit_events").selectAll().where("seq", ">", 33).where("seq", "<=", 38).execute(),
      );
      const [row] = rows;
      if (!row) throw new Error("there are no events");
      const { chain } = await read((db) => db.selectFrom("audit_chain").select("chain").executeTakeFirstOrThrow());
      await pruneAudit();
      const forged = { ...row, seq: 10, tenant: "h|1", token_id: "t1", reason: "never happened" };
      const put = (events: EventRow[]) => tamper((trx) => trx.insertInto("audit_events").values(events).execute());
      await put([{ ...forged, hash: hashOf(chain, eventOf(forged)) }]);
      expect(await found()).toEqual(["inserted 10"]);
      const reader = { tenant: "h|1", user: { id: "x", role: "admin" as const } };
      const shown = (await readEvents(reader, auditQuerySchema.parse({ limit: 500 }))).events.map(({ seq }) => seq);
      expect(Math.min(...shown)).toBe(51);
      expect(await eventsOfToken(reader, "t1", 10)).toEqual([]);
      await tamper((trx) => trx.deleteFrom("audit_events").where("seq", "=", 10).execute());
      // True events, but not the rest of a removal: that would end where it was to end.
      await put(rows);
      expect(await found()).toEqual(["inserted 38"]);
      await pruneAudit();
      expect(await found()).toEqual([]);
    });

    test("that begins between two looks of a verification is no problem", async () => {
      await fillDays(5);
      await checkpoint("hourly");
      withRetention(1);
      let looks = 0;
      const source: typeof read = async (queries) => {
        const answer = await read(queries);
        looks += 1;
        if (looks === 1) expect(await pruneAudit()).toBe(40);
        return answer;
      };
      const lines = await Array.fromAsync(verifyLog(source, keptCheckpoints()));
      expect(lines.at(-1)).toMatchObject({ type: "result", ok: true, firstSeq: 41 });
    });

    test("that removes all that a verification was to look at is no problem", async () => {
      await fillDays(5);
      withRetention(0.5);
      const lines: VerificationLine[] = [];
      for await (const line of verifyLog(read, keptCheckpoints())) {
        if (lines.length === 0) expect(await pruneAudit()).toBe(50);
        lines.push(line);
      }
      expect(lines.at(-1)).toMatchObject({ type: "result", ok: true, problems: [] });
    });

    test("while it goes on, a verification is not confused", async () => {
      await fillDays(6, 500);
      withRetention(2);
      let pruned = false;
      let last: VerificationLine | undefined;
      for await (const line of verifyLog(read, keptCheckpoints())) {
        if (!pruned && line.type === "progress" && line.verified >= 250) {
          pruned = true;
          expect(await pruneAudit()).toBe(2000);
        }
        last = line;
      }
      expect(pruned).toBe(true);
      expect(last).toMatchObject({ type: "result", ok: true });
    });
  });
});

test("a checkpoint file with other lines in it is read for its checkpoints", async () => {
  database = await useDatabase("sqlite");
  await write("audit", (trx) => append(trx, [seededEvent(1)]));
  await checkpoint("hourly");
  const path = join(database.folder, "audit-checkpoints.jsonl");
  writeFileSync(path, `${readFileSync(path, "utf8")}{"signature": torn\nnothing\n`);
  expect(keptCheckpoints()).toHaveLength(1);
  rmSync(path);
  expect(keptCheckpoints()).toEqual([]);
  await read((db) => sql`select 1`.execute(db));
});
