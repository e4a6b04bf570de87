/**
 * The state that one process keeps on `globalThis`, made new for a test: the environment, the log, the connections
 * and budgets, the refreshes, the throttle.
 */
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const state = [
  "tokendesk.env",
  "tokendesk.logger",
  "tokendesk.ringcx",
  "tokendesk.ringcx.reads",
  "tokendesk.refresh",
  "tokendesk.throttle",
  "tokendesk.keys",
  "tokendesk.endedSessions",
  "tokendesk.toldEnds",
  "tokendesk.sessionChanges",
  "tokendesk.denials",
  "tokendesk.denials.bursts",
  "tokendesk.incidents.volume",
  "tokendesk.notify.delivery",
  "tokendesk.notify.held",
  "tokendesk.oidc",
  "tokendesk.exchanges",
].map((name) => Symbol.for(name));

/** Secrets of 32 characters and more, for tests alone. */
export const TEST_SECRET = "test-session-secret-0123456789abcdef";
const TEST_FINGERPRINT_KEY = "test-fingerprint-key-0123456789abcdef";

const ours = new Set<string>();

/** For a process that says nothing of its own: ./data may be somebody's. */
const folder = mkdtempSync(join(tmpdir(), "tokendesk-process-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** What the process before this one would still have written (lib/session/registry.ts): it would meet another database. */
function endRetries(): void {
  const name = Symbol.for("tokendesk.endedSessions");
  const holder = globalThis as { [name]?: { pending: Map<string, unknown>; retry: NodeJS.Timeout | null } };
  holder[name]?.pending.clear();
  clearTimeout(holder[name]?.retry ?? undefined);
}

/** Forgets everything that this process keeps, then starts anew with these variables. */
export function freshProcess(variables: Record<string, string> = {}): void {
  endRetries();
  for (const symbol of state) delete (globalThis as Record<symbol, unknown>)[symbol];
  for (const name of ours) delete process.env[name];
  const all = {
    SESSION_SECRET: TEST_SECRET,
    FINGERPRINT_KEY: TEST_FINGERPRINT_KEY,
    LOG_LEVEL: "silent",
    APP_URL: "http://localhost:3000",
    DATA_DIR: folder,
    ...variables,
  };
  for (const [name, value] of Object.entries(all)) {
    ours.add(name);
    process.env[name] = value;
  }
}

/**
 * Sends the log lines of this process to a file instead of stdout. Call it after {@link freshProcess}, before
 * anything is logged. `read` gives what was written; `stop` gives stdout back.
 */
export function captureLog(): { read(): string; stop(): void } {
  delete (globalThis as Record<symbol, unknown>)[Symbol.for("tokendesk.logger")];
  const path = join(mkdtempSync(join(tmpdir(), "tokendesk-log-")), "stdout");
  const file = openSync(path, "a");
  const before = process.stdout.fd;
  const point = (fd: number) => Object.defineProperty(process.stdout, "fd", { value: fd, configurable: true });
  point(file);
  return {
    read: () => readFileSync(path, "utf8"),
    stop: () => {
      point(before as number);
      delete (globalThis as Record<symbol, unknown>)[Symbol.for("tokendesk.logger")];
      // Open to the end: a line may still be on its way.
    },
  };
}

/** Waits until `condition` holds, looking every few milliseconds. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("the condition did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The processor time that `work` takes in this process, ms. Other work of the machine makes it no longer. */
export async function processorMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Everything that an error holds, its cause chain and hidden members included, as one text. */
export function everythingIn(error: unknown, depth = 0): string {
  if (depth > 6 || error === null || (typeof error !== "object" && typeof error !== "function")) return String(error);
  return Reflect.ownKeys(error)
    .map((key) => `${String(key)}=${everythingIn((error as Record<PropertyKey, unknown>)[key], depth + 1)}`)
    .concat(error instanceof Error ? [error.message, error.stack ?? ""] : [])
    .join("\n");
}
