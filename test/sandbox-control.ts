/** The sandbox's control API as calls (sandbox/main.ts describes it). */
import type { JournalEntry } from "../sandbox/journal.ts";
import type { Operation } from "../sandbox/operations.ts";
import type { Settings } from "../sandbox/platform.ts";
import { SEED_USERS } from "../sandbox/seed.ts";

/** The seeded password of a user. */
export function passwordOf(username: string): string {
  const user = SEED_USERS.find((seeded) => seeded.username === username);
  if (!user) throw new Error(`the sandbox has no user ${username}`);
  return user.password;
}

export class Sandbox {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async control<T>(method: string, path: string, input?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/__sandbox/${path}`, {
      method,
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Back to the seed: users, tokens, sessions, faults, journal, settings, clock. */
  async reset(): Promise<void> {
    await this.control("POST", "reset");
  }

  async configure(settings: Partial<Settings>): Promise<void> {
    await this.control("POST", "config", settings);
  }

  /** `operation`, `kind` and what that kind takes; `count` -1 is for ever. What makes no sense is refused. */
  async fault(fault: Record<string, unknown>): Promise<void> {
    await this.control("POST", "faults", fault);
  }

  /** Calls of an operation wait for `clearFaults`: a state that lasts until it has been looked at, however long that takes. */
  async hold(operation: Operation, more: { skip?: number; count?: number } = {}): Promise<void> {
    await this.fault({ operation, kind: "latency", ms: 600_000, count: -1, ...more });
  }

  /** Ends the latencies that calls wait in, too. */
  async clearFaults(): Promise<void> {
    await this.control("DELETE", "faults");
  }

  /** The calls so far, or those of one operation. */
  async journal(operation?: Operation): Promise<JournalEntry[]> {
    const { entries } = await this.control<{ entries: JournalEntry[] }>("GET", "journal");
    return operation === undefined ? entries : entries.filter((entry) => entry.operation === operation);
  }

  async clearJournal(): Promise<void> {
    await this.control("DELETE", "journal");
  }

  /** The values of a user's tokens. */
  async tokens(username: string): Promise<string[]> {
    return (await this.control<{ tokens: string[] }>("GET", `tokens?username=${encodeURIComponent(username)}`)).tokens;
  }

  /** A token appears outside the dashboard. */
  async addToken(username: string): Promise<string> {
    return (await this.control<{ value: string }>("POST", "tokens", { username })).value;
  }

  /** Every access token that was issued so far is refused from now on. */
  async expireAccessTokens(): Promise<void> {
    await this.control("POST", "expire-access-tokens");
  }

  /** The next refresh is refused for good. */
  async endSessions(username?: string): Promise<void> {
    await this.control("POST", "end-sessions", username === undefined ? {} : { username });
  }

  /** Every secret that this sandbox ever issued or holds, by kind. */
  secrets(): Promise<Record<string, string[]>> {
    return this.control("GET", "secrets");
  }

  /** The same, of whatever kind. */
  async allSecrets(): Promise<string[]> {
    return Object.values(await this.secrets()).flat();
  }
}
