/** A RingCX sandbox of its own for a test file, and the control API as typed calls. */
import type { JournalEntry } from "../sandbox/journal.ts";
import { type RunningSandbox, type SandboxOptions, startSandbox } from "../sandbox/server.ts";

export const PLATFORM = "aws80";
export const ANA = { username: "ana@example.com", password: "sandbox", platformId: PLATFORM };

export class TestSandbox {
  readonly url: string;
  readonly #running: RunningSandbox;

  private constructor(running: RunningSandbox) {
    this.#running = running;
    this.url = running.url;
  }

  static async start(options: SandboxOptions = {}): Promise<TestSandbox> {
    return new TestSandbox(await startSandbox(options));
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  async control<T>(method: string, path: string, input?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/__sandbox/${path}`, {
      method,
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  async fault(fault: Record<string, unknown>): Promise<void> {
    await this.control("POST", "faults", fault);
  }

  /** Back to the seed: users, tokens, sessions, faults, journal, settings, clock. */
  async reset(): Promise<void> {
    await this.control("POST", "reset");
  }

  async journal(operation?: string): Promise<JournalEntry[]> {
    const { entries } = await this.control<{ entries: JournalEntry[] }>("GET", "journal");
    return operation === undefined ? entries : entries.filter((entry) => entry.operation === operation);
  }

  /** No faults, an empty journal. Cheaper than a reset; tokens and sessions stay. */
  async clear(): Promise<void> {
    await Promise.all([this.control("DELETE", "faults"), this.control("DELETE", "journal")]);
  }

  /** A new token of a user, made outside the dashboard. */
  async mint(username = ANA.username): Promise<string> {
    return (await this.control<{ value: string }>("POST", "tokens", { username })).value;
  }

  async clearJournal(): Promise<void> {
    await this.control("DELETE", "journal");
  }

  async tokens(username = ANA.username): Promise<string[]> {
    return (await this.control<{ tokens: string[] }>("GET", `tokens?username=${encodeURIComponent(username)}`)).tokens;
  }

  /** Every secret that this sandbox ever issued or holds. */
  async secrets(): Promise<string[]> {
    const byKind = await this.control<Record<string, string[]>>("GET", "secrets");
    return Object.values(byKind).flat();
  }
}
