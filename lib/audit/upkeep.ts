import "server-only";
import { checkpoint } from "@/lib/audit/checkpoints";
import { settleHopeless } from "@/lib/audit/intents";
import { pruneAudit } from "@/lib/audit/retention";
import { drainSpool } from "@/lib/audit/spool";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { logger } from "@/lib/logger";

const second = 1000;
export const minuteMs = 60 * second;
export const hourMs = 60 * minuteMs;

/** Runs a job now and then again and again, never twice at once. What fails is tried again at the next time. */
export function repeat(name: string, everyMs: number, job: () => Promise<unknown>): void {
  let busy = false;
  const run = async () => {
    if (busy) return;
    busy = true;
    try {
      await job();
    } catch (error) {
      // That the database is away is said elsewhere, once.
      if (!isDatabaseUnavailable(error)) logger().error({ err: error, job: name }, "upkeep failed");
    } finally {
      busy = false;
    }
  };
  setInterval(() => void run(), everyMs).unref();
  void run();
}

const slot = Symbol.for("tokendesk.audit.upkeep");
type Slot = { [slot]?: true };

/** Starts what the log needs while the process runs: spooled records, checkpoints, abandoned intents, retention. */
export function startAuditUpkeep(): void {
  const holder = globalThis as Slot;
  if (holder[slot]) return;
  holder[slot] = true;
  repeat("spool", 30 * second, () => drainSpool({ sweep: true }));
  repeat("intents", hourMs, settleHopeless);
  let first = true;
  repeat("checkpoint", hourMs, async () => {
    const kind = first ? "start" : "hourly";
    first = false;
    await checkpoint(kind);
  });
  repeat("retention", 24 * hourMs, pruneAudit);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    // As far as it gets before Next ends the process; else the next start makes it.
    process.once(signal, () => void checkpoint("stop").catch(() => {}));
  }
}
