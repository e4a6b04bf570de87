/** What must not happen silently: errors in the browser's console and in the application's log. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext } from "@playwright/test";
import type { App } from "./servers.ts";

export class Problems {
  readonly #seen: string[] = [];
  readonly #expected: RegExp[] = [];
  readonly #apps = new Map<App, { stdout: number; stderr: number }>();
  readonly #contexts: BrowserContext[] = [];

  /** Says that a problem of this kind will be seen in this test: it must, and is then none. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Every console.error, uncaught error and violated policy of the context's pages. */
  async watchBrowser(context: BrowserContext): Promise<void> {
    this.#contexts.push(context);
    context.on("console", (message) => {
      if (message.type() === "error") this.#seen.push(`console.error: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.#seen.push(`uncaught in the page: ${error.error().message}`));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        // biome-ignore lint/suspicious/noConsole: it goes where the browser's own complaints go
        console.error(`Content Security Policy: ${event.effectiveDirective} blocked ${event.blockedURI}`);
      });
    });
  }

  /** Every log line of level error and everything on stderr, from now on; for a new process, from its start. */
  watchApp(app: App, from: "now" | "start"): void {
    for (const replica of app.replicas) {
      const { stdout, stderr } = replica.output;
      const said = { stdout: stdout.length, stderr: stderr.length };
      this.#apps.set(replica, from === "now" ? said : { stdout: 0, stderr: 0 });
    }
  }

  /** Takes over what its log says, and watches it no more. */
  async settle(app: App): Promise<void> {
    for (const replica of app.replicas) await this.#settleReplica(replica);
  }

  async #settleReplica(app: App): Promise<void> {
    const since = this.#apps.get(app);
    if (since === undefined) return;
    this.#apps.delete(app);
    if (app.running()) await flush(app);
    this.#seen.push(...errorsIn(app.output.stdout.slice(since.stdout)));
    const text = app.output.stderr.slice(since.stderr).trim();
    if (text !== "") this.#seen.push(`stderr of the dashboard: ${text}`);
  }

  /** Takes over what its log says, and stops it: not while a page still asks it for something, which would fail then. */
  async end(app: App): Promise<void> {
    try {
      const pages = this.#contexts.flatMap((context) => context.pages());
      await Promise.all(pages.filter((page) => page.url().startsWith(`${app.url}/`)).map((page) => page.close()));
      await this.settle(app);
    } finally {
      await app.stop();
    }
  }

  /** Throws when something was seen that was not expected, or not seen that was. */
  async judge(): Promise<void> {
    for (const app of [...this.#apps.keys()]) await this.settle(app);
    const unexpected = this.#seen.filter((problem) => !this.#expected.some((pattern) => pattern.test(problem)));
    const missing = this.#expected.filter((pattern) => !this.#seen.some((problem) => pattern.test(problem)));
    const lines = [
      ...unexpected.map((problem) => `Unexpected ${problem}`),
      ...missing.map((pattern) => `Expected but not seen: ${pattern}`),
    ];
    if (lines.length > 0) throw new Error(lines.join("\n"));
  }
}

/** Lines of a log that say `error` or worse. Next's own lines are not JSON: the crossed circle marks its errors. */
function errorsIn(log: string): string[] {
  return log.split("\n").flatMap((line) => {
    if (line.includes("⨯")) return [`log line: ${line}`];
    if (!line.startsWith("{")) return [];
    const { level } = JSON.parse(line) as { level: string };
    return level === "error" || level === "fatal" ? [`log line: ${line}`] : [];
  });
}

/** Waits until the log of a request that is made now has arrived, and with it all that was written before. */
async function flush(app: App): Promise<void> {
  const answer = await fetch(`${app.url}/api/health`);
  await answer.body?.cancel();
  const id = answer.headers.get("x-request-id");
  if (id === null) throw new Error("the dashboard answered without a request ID");
  for (const deadline = Date.now() + 5_000; !app.output.stdout.includes(id); await sleep(5)) {
    if (Date.now() > deadline) throw new Error("the dashboard's log does not arrive");
  }
}
