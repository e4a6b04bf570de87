import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keptCheckpoints } from "@/lib/audit/checkpoints";
import { openIntentsOf, orphanedIntents, settleHopeless, settleIntent } from "@/lib/audit/intents";
import { type Actor, audited, inHand, record, recordOrSpool } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import { type AuditEvent, auditQuerySchema } from "@/lib/audit/schema";
import { drainSpool } from "@/lib/audit/spool";
import { verifyLog } from "@/lib/audit/verify";
import { closeDatabase, read } from "@/lib/db/client";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { inTime } from "@/lib/in-time";
import { runModule } from "@/test/child";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { openHangingGate } from "@/test/hanging-gate";
import { captureLog, until } from "@/test/process";

const actor: Actor = {
  tenant: "h|1",
  id: "u1",
  name: "ana@example.com",
  address: null,
  userAgent: null,
  requestId: null,
};
const admin = { tenant: "h|1", user: { id: "x", role: "admin" as const } };

let database: TestDatabase;
afterEach(() => database.remove());

const spoolPath = () => join(database.folder, "audit-spool.jsonl");
const spooled = () => (existsSync(spoolPath()) ? readFileSync(spoolPath(), "utf8").split("\n").filter(Boolean) : []);
const files = () => readdirSync(database.folder).filter((name) => name.startsWith("audit-spool"));
const events = async (): Promise<AuditEvent[]> =>
  (await readEvents(admin, auditQuerySchema.parse({ limit: 500 }))).events.reverse();
const told = async () => (await events()).map(({ action, outcome }) => `${action} ${outcome}`);
const isWhole = async () => {
  for await (const line of verifyLog(read, keptCheckpoints())) if (line.type === "result") return line.ok;
  return false;
};

describe.each(databaseKinds)("on %s", (kind) => {
  /** Takes the database away from this process, and gives it back. */
  let lose: () => Promise<void>;
  let giveBack: () => Promise<void>;

  beforeEach(async () => {
    database = await useDatabase(kind);
    await record(actor, { action: "session.create", outcome: "succeeded" });
    const { databaseUrl } = env();
    const file = join(database.folder, "tokendesk.db");
    lose = async () => {
      if (kind === "postgres") {
        await closeDatabase();
        const url = new URL(databaseUrl ?? "");
        url.port = "1";
        Object.assign(env(), { databaseUrl: url.href });
      } else for (const ending of ["", "-wal", "-shm"]) renameSync(file + ending, `${file}.away${ending}`);
    };
    giveBack = async () => {
      if (kind === "postgres") {
        await closeDatabase();
        Object.assign(env(), { databaseUrl });
      } else for (const ending of ["", "-wal", "-shm"]) renameSync(`${file}.away${ending}`, file + ending);
    };
  });

  test("an ordinary act is refused while the database is away, and its effect never begins", async () => {
    await lose();
    let ran = false;
    const act = audited(actor, { action: "token.create" }, async () => {
      ran = true;
    });
    await expect(act).rejects.toMatchObject({ code: "audit_unavailable" });
    expect(ran).toBe(false);
    await giveBack();
    await drainSpool();
    expect(await told()).toEqual(["session.create succeeded"]);
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(0);
  });

  test("an urgent one goes on: its records wait in the file and the log stream, and follow in order", async () => {
    Object.assign(env(), { logLevel: "info" });
    const log = captureLog();
    await lose();
    const before = Date.now();
    const act = audited(
      actor,
      { action: "token.revoke", token: { id: "t1", hint: "aws80:…c0a9" }, reason: "leaked" },
      async () => "done",
      { urgent: true },
    );
    expect(await act).toBe("done");
    await recordOrSpool(actor, { action: "session.end", outcome: "succeeded" });
    await until(() => log.read().match(/"audit spooled"/g)?.length === 3);
    log.stop();
    expect(spooled()).toHaveLength(3);
    expect(statSync(spoolPath()).mode & 0o777).toBe(0o600);
    expect(log.read()).toContain('"tokenHint":"aws80:…c0a9"');

    await giveBack();
    await record(actor, { action: "token.edit", outcome: "succeeded" });
    await drainSpool();
    expect((await told()).sort()).toEqual([
      "session.create succeeded",
      "session.end succeeded",
      "token.edit succeeded",
      "token.revoke attempted",
      "token.revoke succeeded",
    ]);
    const revocation = (await events()).filter(({ action }) => action === "token.revoke");
    expect(new Set(revocation.map(({ correlationId }) => correlationId)).size).toBe(1);
    expect(revocation.map(({ outcome }) => outcome)).toEqual(["attempted", "succeeded"]);
    for (const { details } of revocation) expect(Date.parse(String(details.happenedAt))).toBeGreaterThanOrEqual(before);
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(0);
    expect(files()).toEqual([]);
    expect(await isWhole()).toBe(true);
  });

  test("an outcome that cannot be written waits, and ends its intent when it follows", async () => {
    const act = audited(actor, { action: "token.create" }, async () => {
      await lose();
      throw new TokendeskError("creation_unconfirmed", "?");
    });
    await expect(act).rejects.toMatchObject({ code: "creation_unconfirmed" });
    expect(spooled()).toHaveLength(1);
    await giveBack();
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(1);
    await drainSpool();
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(0);
    expect(await told()).toEqual(["session.create succeeded", "token.create attempted", "token.create unknown"]);
  });

  test("a record that was appended before a crash is not appended twice", async () => {
    await lose();
    await recordOrSpool(actor, { action: "session.end", outcome: "succeeded" });
    const content = readFileSync(spoolPath(), "utf8");
    await giveBack();
    await drainSpool();
    // As a process leaves it that dies between the commit and the removal.
    writeFileSync(
      join(database.folder, "audit-spool.1700000000000-11111111-1111-4111-8111-111111111111.jsonl"),
      content,
    );
    writeFileSync(spoolPath(), content + content);
    await drainSpool({ sweep: true });
    expect(await told()).toEqual(["session.create succeeded", "session.end succeeded"]);
    expect(files()).toEqual([]);
  });

  test("a damaged line is set aside and holds up nothing", async () => {
    await lose();
    await recordOrSpool(actor, { action: "session.end", outcome: "succeeded" });
    appendFileSync(spoolPath(), '{"draft":{"id":"torn');
    await recordOrSpool(actor, { action: "session.denied", outcome: "failed" });
    appendFileSync(spoolPath(), '\n{"draft":{}}\nnot JSON\n');
    await giveBack();
    await drainSpool();
    expect(await told()).toEqual(["session.create succeeded", "session.end succeeded", "session.denied failed"]);
    expect(files()).toEqual(["audit-spool.rejected.jsonl"]);
    const rejected = readFileSync(join(database.folder, "audit-spool.rejected.jsonl"), "utf8");
    expect(rejected.split("\n").filter(Boolean)).toEqual(['{"draft":{"id":"torn', '{"draft":{}}', "not JSON"]);
  });

  test("several processes drain one folder: nothing is lost, nothing doubled", async () => {
    await lose();
    for (let n = 0; n < 40; n += 1) {
      await recordOrSpool(actor, { action: "session.end", outcome: "succeeded", details: { n } });
    }
    await giveBack();
    await closeDatabase();
    const script = `
      const { recordOrSpool } = await import("@/lib/audit/log");
      const { drainSpool, spool } = await import("@/lib/audit/spool");
      const { closeDatabase } = await import("@/lib/db/client");
      const { randomUUID } = await import("node:crypto");
      const line = (n) => ({ draft: { id: randomUUID(), tenant: "h|1", action: "session.denied", outcome: "failed", actorId: null,
        actorName: "x", address: null, userAgent: null, requestId: null, correlationId: "c", tokenId: null, tokenHint: null,
        reason: null, details: { n } }, happenedAt: Date.now(), opens: null, settles: null, ifOpen: false });
      for (let n = 0; n < 20; n += 1) { spool(line(n)); await drainSpool({ sweep: true }); }
      await closeDatabase();`;
    const ended = await Promise.all(
      [1, 2, 3].map(() => runModule(script, { variables: database.variables, timeoutMs: 40_000 })),
    );
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(Array(3).fill([0, ""]));
    await drainSpool({ sweep: true });
    const all = await events();
    expect(
      all
        .filter(({ action }) => action === "session.end")
        .map(({ details }) => Number(details.n))
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 40 }, (_, n) => n));
    expect(all.filter(({ action }) => action === "session.denied")).toHaveLength(60);
    expect(files()).toEqual([]);
    expect(await isWhole()).toBe(true);
  }, 60_000);

  test("what its own process says of an act follows what somebody else said of it, unless it is the same", async () => {
    /** What another process would record that takes this one for dead. */
    const settle = async (outcome: "succeeded" | "failed", details = {}) => {
      const { intents } = inHand();
      const mine = [...intents];
      intents.clear();
      const [orphan] = await orphanedIntents("h|1", "u1");
      for (const id of mine) intents.add(id);
      if (!orphan) throw new Error("there is no orphan");
      expect(await settleIntent(actor, orphan, outcome, { reconciled: true, ...details })).toBe(true);
    };
    await audited(actor, { action: "token.create" }, async (intent) => {
      intent.details = { proof: "x" };
      await settle("failed");
    });
    await audited(actor, { action: "token.revoke" }, async (intent) => {
      intent.details = { proof: "absent_from_list" };
      await settle("succeeded", { proof: "absent_from_list" });
    });
    // The same when it comes late, and once only when it comes twice.
    await audited(actor, { action: "token.edit" }, async () => {
      await settle("failed");
      await lose();
    });
    const kept = readFileSync(spoolPath(), "utf8");
    await giveBack();
    await drainSpool();
    writeFileSync(spoolPath(), kept);
    await drainSpool();
    const all = (await events()).slice(1);
    expect(all.map(({ action, outcome, details }) => [action, outcome, details.corrects === true])).toEqual([
      ["token.create", "attempted", false],
      ["token.create", "failed", false],
      ["token.create", "succeeded", true],
      ["token.revoke", "attempted", false],
      ["token.revoke", "succeeded", false],
      ["token.edit", "attempted", false],
      ["token.edit", "failed", false],
      ["token.edit", "succeeded", true],
    ]);
    expect(all[2]).toMatchObject({ correlationId: all[0]?.correlationId, details: { proof: "x" } });
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(0);
    expect(await isWhole()).toBe(true);
  });

  test("an intent that comes after its outcome is not open", async () => {
    await lose();
    await audited(
      actor,
      { action: "token.revoke" },
      async () => {
        renameSync(spoolPath(), join(database.folder, "kept"));
        await giveBack();
      },
      { urgent: true },
    );
    expect((await told()).slice(1)).toEqual(["token.revoke succeeded"]);
    renameSync(join(database.folder, "kept"), spoolPath());
    await drainSpool();
    expect((await told()).slice(1)).toEqual(["token.revoke succeeded", "token.revoke attempted"]);
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(0);
  });

  test("files that cannot be read hold up no record while the database is well", async () => {
    mkdirSync(spoolPath());
    await recordOrSpool(actor, { action: "session.end", outcome: "succeeded" });
    await audited(actor, { action: "token.edit" }, async () => {});
    expect((await told()).slice(1)).toEqual(["session.end succeeded", "token.edit attempted", "token.edit succeeded"]);
    // Who has to know all records is told that they cannot.
    await expect(drainSpool()).rejects.toMatchObject({ name: "DatabaseUnavailable", problem: "unusable" });
  });

  test("a process that dies in an urgent act leaves an intent that is settled later", async () => {
    await lose();
    await audited(
      actor,
      { action: "token.reveal" },
      async () => {
        // What the file holds when the process dies here.
        const kept = readFileSync(spoolPath(), "utf8").replace(/"opens":"[^"]*"/, '"opens":"gone:1:ff"');
        writeFileSync(join(database.folder, "kept"), kept);
      },
      { urgent: true },
    );
    await giveBack();
    renameSync(join(database.folder, "kept"), spoolPath());
    await drainSpool();
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(1);
    await read((db) => db.updateTable("audit_intents").set({ at: 1 }).execute());
    expect(await settleHopeless()).toBe(1);
    expect((await told()).slice(1)).toEqual(["token.reveal attempted", "token.reveal unknown"]);
  });
});

test("a database that hangs holds an urgent act up by a second, and each record stands in the log once", async () => {
  database = await useDatabase("postgres");
  const gate = await openHangingGate(database.variables.DATABASE_URL ?? "");
  await database.remove();
  database = await useDatabase("postgres", { DATABASE_URL: gate.url });
  try {
    await record(actor, { action: "session.create", outcome: "succeeded" });
    gate.hang();
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
    }, 2_000);
    const act = audited(
      actor,
      { action: "token.revoke", token: { id: "t1", hint: "aws80:…c0a9" } },
      async () => ({ isLate }),
      { urgent: true },
    );
    expect(await inTime(act, 4_500)).toEqual({ isLate: false });
    clearTimeout(late);
    expect(spooled()).toHaveLength(2);
    // What was begun arrives now, while another one appends what was put aside.
    gate.goOn();
    await drainSpool();
    await until(async () => (await told()).length >= 3);
    await record(actor, { action: "session.end", outcome: "succeeded" });
    expect((await told()).sort()).toEqual([
      "session.create succeeded",
      "session.end succeeded",
      "token.revoke attempted",
      "token.revoke succeeded",
    ]);
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(0);
    expect(files()).toEqual([]);
    expect(await isWhole()).toBe(true);
  } finally {
    gate.goOn();
    await closeDatabase();
    await gate.close();
  }
}, 30_000);

test("an intent that is written after its outcome is not open, and what another one appended is not doubled", async () => {
  database = await useDatabase("postgres");
  const gate = await openHangingGate(database.variables.DATABASE_URL ?? "");
  await database.remove();
  database = await useDatabase("postgres", { DATABASE_URL: gate.url });
  const revoke = (reason: string) =>
    audited(actor, { action: "token.revoke", reason }, async () => {}, { urgent: true });
  const intents = async () =>
    (await events()).filter(({ outcome }) => outcome === "attempted").map((one) => one.reason);
  try {
    await record(actor, { action: "session.create", outcome: "succeeded" });
    // The intent hangs, the others go by another connection.
    gate.hang({ letNewThrough: true });
    await revoke("appended by another one");
    expect(await intents()).toEqual(["appended by another one"]);
    gate.goOn();
    await closeDatabase();
    await record(actor, { action: "token.edit", outcome: "succeeded" });

    // Nobody can append what is put aside.
    mkdirSync(spoolPath());
    gate.hang({ letNewThrough: true });
    await revoke("late");
    expect(await intents()).toHaveLength(1);
    gate.goOn();
    await until(async () => (await intents()).length === 2);
    for (const name of files()) rmdirSync(join(database.folder, name));
    await drainSpool();
    expect(await told()).toEqual([
      "session.create succeeded",
      "token.revoke attempted",
      "token.revoke succeeded",
      "token.edit succeeded",
      "token.revoke succeeded",
      "token.revoke attempted",
    ]);
    expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(0);
    expect(await isWhole()).toBe(true);
  } finally {
    gate.goOn();
    await closeDatabase();
    await gate.close();
  }
});

test("a full disk: an act is refused whole, an urgent one goes on, and all is well when there is room", async () => {
  database = await useDatabase("sqlite");
  await record(actor, { action: "session.create", outcome: "succeeded" });
  await read((db) => sql`pragma max_page_count = 1`.execute(db));
  const refused: unknown[] = [];
  // Until the pages that the file has are full.
  for (let n = 0; n < 200 && refused.length === 0; n += 1) {
    await audited(actor, { action: "token.edit", reason: "x".repeat(500) }, async () => {}).catch((error: unknown) =>
      refused.push(error),
    );
  }
  expect(refused).toMatchObject([{ code: "audit_unavailable" }]);
  await audited(
    actor,
    { action: "token.revoke", reason: "x".repeat(500), details: { note: "y".repeat(500) } },
    async () => {},
    { urgent: true },
  );
  expect(spooled().length).toBeGreaterThanOrEqual(1);
  await read((db) => sql`pragma max_page_count = 100000`.execute(db));
  await recordOrSpool(actor, { action: "session.end", outcome: "succeeded" });
  expect((await told()).slice(-3)).toEqual([
    "token.revoke attempted",
    "token.revoke succeeded",
    "session.end succeeded",
  ]);
  expect(await openIntentsOf(actor.tenant ?? "", null)).toHaveLength(0);
  expect(await isWhole()).toBe(true);
});

test("what not even the file takes is held in memory", async () => {
  database = await useDatabase("sqlite");
  await record(actor, { action: "session.create", outcome: "succeeded" });
  const { dataDir } = env();
  await closeDatabase();
  writeFileSync(join(database.folder, "a-file"), "");
  Object.assign(env(), { dataDir: join(database.folder, "a-file") });
  await recordOrSpool(actor, { action: "session.end", outcome: "succeeded" });
  Object.assign(env(), { dataDir });
  await drainSpool();
  expect(await told()).toEqual(["session.create succeeded", "session.end succeeded"]);
});
