import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { Actor } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import { auditQuerySchema } from "@/lib/audit/schema";
import { drainSpool } from "@/lib/audit/spool";
import { closeDatabase, read } from "@/lib/db/client";
import { scanIncident } from "@/lib/incidents/desk";
import type { Investigator } from "@/lib/incidents/investigator";
import { TokenClient } from "@/lib/ringcx/client";
import { type TestDatabase, useDatabase } from "@/test/database";
import { type HangingGate, openHangingGate } from "@/test/hanging-gate";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

const tenant = "sandbox|888888";
let sandbox: TestSandbox;
let database: TestDatabase;
let gate: HangingGate;
afterEach(async () => {
  gate.goOn();
  await database.remove();
  await Promise.all([gate.close(), sandbox.close()]);
});

test("a database that hangs delays a scan by seconds, and its records follow", async () => {
  sandbox = await TestSandbox.start({ rateLimit: 100_000 });
  database = await useDatabase("postgres");
  gate = await openHangingGate(database.variables.DATABASE_URL ?? "");
  await database.remove();
  database = await useDatabase("postgres", { DATABASE_URL: gate.url });
  freshProcess({ ...database.variables, RINGCX_HOSTS: sandbox.url, RINGCX_RATE_LIMIT: "100000" });
  const actor: Actor = { tenant, id: "u1", name: "olga", address: null, userAgent: null, requestId: null };
  const holding = (value: string, patienceMs?: number) =>
    new TokenClient({ host: sandbox.url, limitKey: "u1" }, value, patienceMs);
  const investigator: Investigator = {
    tenant,
    actor,
    user: { id: "u1", name: "Olga Ops" },
    origin: "desk",
    keyName: null,
    seal: "session 1",
    holding,
    owner: null,
  };
  const [[quick], [slow]] = await Promise.all([sandbox.tokens("child1@example.com"), sandbox.tokens(ANA.username)]);
  await sandbox.fault({ operation: "token.list", kind: "latency", ms: 9_000, username: ANA.username });
  await read((db) => db.selectFrom("migrations").select("name").execute());

  gate.hang();
  const scan = (value: string | undefined, options = {}) =>
    scanIncident(investigator, [{ name: null, content: value ?? "" }], options);
  // One wait after the other, as the scan has them: a busy machine is late with each of these, too.
  const after = async (...waits: number[]) => {
    for (const ms of waits) await delay(ms);
    return "too late";
  };
  const [answered, late] = await Promise.all([
    // Its intent, the inventory, the case twice and its outcome.
    Promise.race([scan(quick), after(1_500, 1_500, 1_500, 1_500, 1_500)]),
    Promise.race([scan(slow, { withinMs: 4_000 }), after(4_000, 1_500, 1_500, 1_500)]),
  ]);
  expect(answered).toMatchObject({ recorded: false, findings: [{ status: "live", known: null }] });
  expect(late).toMatchObject({ recorded: false, findings: [{ status: "unchecked" }] });

  gate.goOn();
  // Asked at once, without the wait after a call that was lost.
  await closeDatabase();
  await drainSpool();
  const admin = { tenant, user: { id: "x", role: "admin" as const } };
  const { events } = await readEvents(admin, auditQuerySchema.parse({ limit: 500 }));
  expect(events.map(({ action, outcome }) => `${action} ${outcome}`).sort()).toEqual([
    "incident.scan attempted",
    "incident.scan attempted",
    "incident.scan succeeded",
    "incident.scan succeeded",
  ]);
}, 40_000);
