/**
 * The audit log at 1,000,000 events against one of 1,000: a page, a filtered page, the rate of an export, and what memory
 * the export takes. `npm run bench -- audit`; AUDIT_BENCH_EVENTS sets another length. Prints the table of docs/benchmarks.md;
 * exit code 1: a page or the export takes more than twice as long.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "../scripts/app-modules.ts";

const { exportEvents } = await import("@/lib/audit/export");
const { activityByDay, readEvents } = await import("@/lib/audit/reading");
const { auditQuerySchema } = await import("@/lib/audit/schema");
const { verifyLog } = await import("@/lib/audit/verify");
const { closeDatabase, read } = await import("@/lib/db/client");
const { busyToken, seedAudit, tenants } = await import("./audit-events.ts");

const [tenant] = tenants;
const reader = {
  tenant,
  user: { id: "bench", role: "admin" as const },
  actor: { tenant, id: "bench", name: "bench", address: null, userAgent: null, requestId: null },
};
const rounds = 200;
const day = 24 * 3_600_000;

type Results = Map<string, number>;

async function measure(events: number): Promise<Results> {
  const dataDir = mkdtempSync(join(tmpdir(), "tokendesk-bench-"));
  Object.assign(process.env, { DATA_DIR: dataDir, LOG_LEVEL: "silent" });
  delete (globalThis as Record<symbol, unknown>)[Symbol.for("tokendesk.env")];
  try {
    let told = 0;
    await seedAudit(events, (made) => {
      if (made - told < 100_000 && made < events) return;
      told = made;
      console.error(`${made} of ${events} events`);
    });
    await closeDatabase();
    const results: Results = new Map();
    const median = async (name: string, work: () => Promise<unknown>, times = rounds) => {
      const took: number[] = [];
      for (let n = 0; n < times; n += 1) {
        const began = performance.now();
        await work();
        took.push(performance.now() - began);
      }
      took.sort((a, b) => a - b);
      results.set(name, took[Math.floor(times / 2)] ?? Number.NaN);
    };
    const page = (filter: Record<string, string>) => () => readEvents(reader, auditQuerySchema.parse(filter));
    const middle = Buffer.from(`before:${Math.floor(events / 2)}`).toString("base64url");
    await page({})();
    await median("newest page, ms", page({}));
    await median("page in the middle, ms", page({ cursor: middle }));
    await median("page of a person, ms", page({ actor: "user1@example.com" }));
    await median("page of an action, ms", page({ action: "token.edit" }));
    await median("page of an action and outcome, ms", page({ action: "token.reveal", outcome: "succeeded" }));
    await median("page of a person and outcome, ms", page({ actor: "user1@example.com", outcome: "succeeded" }));
    await median("page of a token, ms", page({ token: busyToken }));
    await median("page of a token and action, ms", page({ token: busyToken, action: "token.reveal" }));
    await median(
      "page of 40 days, ms",
      page({ from: new Date(Date.now() - 80 * day).toISOString(), to: new Date(Date.now() - 40 * day).toISOString() }),
    );
    await median(
      "activity of 30 days (counts all of them), ms",
      () => activityByDay(tenant, null, Date.now() - 30 * day),
      5,
    );

    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let most = before;
    let rows = 0;
    const began = performance.now();
    const { stream } = await exportEvents(reader, {}, "jsonl");
    for await (const chunk of stream) {
      for (const byte of chunk) if (byte === 10) rows += 1;
      most = Math.max(most, process.memoryUsage().rss);
    }
    results.set("export, ms per 1,000 events", (performance.now() - began) / (rows / 1000));
    results.set("export, memory on top, MB", (most - before) / 2 ** 20);

    const start = performance.now();
    for await (const _ of verifyLog(read, []));
    results.set("verification, ms per 1,000 events", (performance.now() - start) / (events / 1000));
    return results;
  } finally {
    await closeDatabase();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const long = Number(process.env.AUDIT_BENCH_EVENTS) || 1_000_000;
const small = await measure(1000);
const large = await measure(long);
console.log(`\n| SQLite | 1,000 events | ${long.toLocaleString("en")} events | ratio |`);
console.log("| --- | --- | --- | --- |");
for (const [name, value] of large) {
  const base = small.get(name) ?? Number.NaN;
  const ratio = name.includes("memory") ? "" : `${(value / base).toFixed(2)}x`;
  console.log(`| ${name} | ${base.toFixed(2)} | ${value.toFixed(2)} | ${ratio} |`);
  // What has to be read whole takes as long as it is.
  const isBounded = name.includes("page") || name.startsWith("export, ms");
  if (!isBounded || value / base <= 2) continue;
  console.error(`${name}: more than twice as long`);
  process.exitCode = 1;
}
