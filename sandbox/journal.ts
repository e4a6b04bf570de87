import type { Identity } from "./http.ts";
import type { Operation } from "./operations.ts";

/**
 * One call as the sandbox saw it. `path` names secrets by their digest. `username` is the credential's user, or the one
 * that a sign-in or refresh is about. `status` is 0 while no status line was sent. `effect` stands only at operations
 * that change state: true when this call did.
 */
export type JournalEntry = {
  n: number;
  at: number;
  operation: Operation;
  method: string;
  path: string;
  username: string | null;
  auth: Identity["auth"];
  status: number;
  fault?: string;
  effect?: boolean;
};

const KEPT = 50_000;

/** The calls since the start or the last clearing; the newest 50,000. `n` counts on through a clearing. */
export class Journal {
  #entries: JournalEntry[] = [];
  #n = 0;

  /** Written when a call arrives, so that a hanging one is seen too; the server fills in the rest. */
  begin(entry: Omit<JournalEntry, "n" | "status">): JournalEntry {
    this.#n += 1;
    const begun = { n: this.#n, ...entry, status: 0 };
    this.#entries.push(begun);
    if (this.#entries.length > KEPT) this.#entries.shift();
    return begun;
  }

  since(n: number): JournalEntry[] {
    return this.#entries.filter((entry) => entry.n > n);
  }

  clear(): void {
    this.#entries = [];
  }

  /** Per operation: calls, effects and how often each status. Status 0: unanswered. */
  counts(): Record<string, { calls: number; effects: number; statuses: Record<string, number> }> {
    const counts: Record<string, { calls: number; effects: number; statuses: Record<string, number> }> = {};
    for (const { operation, effect, status } of this.#entries) {
      const count = counts[operation] ?? { calls: 0, effects: 0, statuses: {} };
      counts[operation] = count;
      count.calls += 1;
      if (effect === true) count.effects += 1;
      count.statuses[status] = (count.statuses[status] ?? 0) + 1;
    }
    return counts;
  }
}
