import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { inTime } from "@/lib/in-time";
import {
  finishCase,
  nameRun,
  type Spent,
  type StepRow,
  saveSteps,
  settleElsewhere,
  type takeCase,
} from "@/lib/incidents/cases";
import type { StepProof } from "@/lib/incidents/schema";
import { logger } from "@/lib/logger";
import { ifReachable } from "@/lib/tokens/held";
import { type InventoryRecord, recordRevokedOfTenant } from "@/lib/tokens/inventory";

/**
 * What a run writes down, and when: it holds the case, records the steps and marks the dead in the inventory, and never
 * stands in the way of a deletion (docs/decisions/0014-incident-run.md).
 */

/** It is written down before each deletion: what is at work at one time goes out in between. */
const unnotedCalls = 30;

/** What stands in the way of writing down does not hold up a deletion for longer. */
const noteWithinMs = 1_000;
/** The same, for what is known of the case. */
const takeWithinMs = 1_500;
/** After the database was away it is not asked again at once; after it hung, not before the first deletions are out. */
const quietMs = 2_000;
const quietAfterHangMs = 5_000;
/** After the end, what could not be written down is tried again, the last time after half an hour. */
const lastAttempts = 360;
const betweenAttemptsMs = 5_000;

/** What it says, or null when it takes longer than a deletion is held up for. */
export function soon<T>(work: Promise<T>, ms = noteWithinMs): Promise<T | null> {
  return inTime(work, ms);
}

/** What it says; whatever is wrong with it, the run goes on without. */
export async function sound<T, U>(work: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) logger().error({ err: error }, "a revocation run goes on without its database");
    return otherwise;
  }
}

export type Taken = Awaited<ReturnType<typeof takeCase>>;
const isTaken = (taken: Taken | null) => taken !== null && typeof taken === "object";

/**
 * Writes down how a run goes, many rows in one transaction. While the database is away, or takes its time, the run goes
 * on, and what is to be written waits.
 */
export class Notes {
  /** False: something could not be written when it should have been. */
  complete = true;
  /** Dead beyond doubt: other cases in which they stand are settled when this one is over. */
  readonly proven = new Set<string>();
  readonly #case: { tenant: string; incident: string; holder: string };
  readonly #run: NotesOf;
  readonly #waiting = new Map<string, StepRow>();
  readonly #forgotten = new Set<string>();
  /** Proven dead, and not marked so in the inventory yet. */
  readonly #unmarked = new Map<string, { method: StepProof["method"]; at: number }>();
  /** `elsewhere`: somebody else works on the case. */
  #taken: "no" | "ours" | "elsewhere" = "no";
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #quietUntil = 0;
  #hangs = false;

  constructor(of: { tenant: string; incident: string }, run: NotesOf) {
    this.#case = { ...of, holder: nameRun() };
    this.#run = run;
  }

  get #away(): boolean {
    return this.#hangs || Date.now() < this.#quietUntil;
  }

  /** null: the database is away, or does not answer in time. */
  async take(): Promise<Taken | null> {
    const begun = Date.now();
    const taken = await soon(ifReachable(this.#take()), takeWithinMs);
    if (taken === null) this.#lose(Date.now() - begun < takeWithinMs ? quietMs : quietAfterHangMs);
    return taken;
  }

  async #take(): Promise<Taken> {
    const taken = await this.#run.take(this.#case.holder);
    this.#taken = isTaken(taken) ? "ours" : "elsewhere";
    return taken;
  }

  #lose(forMs = quietMs): void {
    this.complete = false;
    this.#quietUntil = Date.now() + forMs;
  }

  /** Marks a token that is proven dead in the inventory, now or later. @returns what is remembered of it */
  async mark(tokenId: string, method: StepProof["method"], at: number): Promise<InventoryRecord | null> {
    this.#unmarked.set(tokenId, { method, at });
    return this.#away ? null : soon(sound(this.#mark(tokenId), null));
  }

  async #mark(tokenId: string): Promise<InventoryRecord | null> {
    const dead = this.#unmarked.get(tokenId);
    if (dead === undefined) return null;
    try {
      const record = await recordRevokedOfTenant(this.#case.tenant, tokenId, dead.method, dead.at);
      this.#unmarked.delete(tokenId);
      return record;
    } catch (error) {
      // What is wrong with the record itself would be wrong again.
      if (isDatabaseUnavailable(error)) this.#lose();
      else this.#unmarked.delete(tokenId);
      throw error;
    }
  }

  /** Resolves when it is written, or cannot be. */
  note(rows: readonly StepRow[]): Promise<void> {
    for (const row of rows) this.#waiting.set(row.tokenId, row);
    return this.#away ? Promise.resolve() : this.write();
  }

  /** These rows are not needed any more. */
  forget(tokenIds: readonly string[]): void {
    for (const id of tokenIds) this.#forgotten.add(id);
  }

  write(): Promise<void> {
    // What comes in while one is written goes with the next one, together.
    this.#next ??= this.#writing.then(async () => {
      this.#next = null;
      this.#writing = this.#flush();
      await this.#writing;
    });
    return this.#next;
  }

  async #flush(): Promise<void> {
    if (this.#away) return;
    const rows = [...this.#waiting.values()].map((row) => ({ ...row }));
    const forgotten = [...this.#forgotten];
    this.#waiting.clear();
    const timer = setTimeout(() => {
      this.#hangs = true;
    }, noteWithinMs);
    try {
      // Of two runs of this process the later one has the case.
      if (this.#taken !== "ours" && this.#run.isLatest()) await this.#take();
      const by = this.#run.isLatest() ? this.#case : { ...this.#case, holder: null };
      const isOurs = await saveSteps(by, { rows, forgotten, spent: bySecond(this.#run.spent()) });
      if (isOurs) for (const id of forgotten) this.#forgotten.delete(id);
      else if (this.#taken === "ours" && this.#run.isLatest()) {
        // It was given away meanwhile: to another process, or to an earlier run that was slow to ask.
        this.#taken = "no";
        this.#keep(rows);
      }
      for (const id of [...this.#unmarked.keys()]) await sound(this.#mark(id), null);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) logger().error({ err: error }, "an incident's steps were not written");
      this.#lose();
      this.#keep(rows);
    } finally {
      clearTimeout(timer);
      this.#hangs = false;
    }
  }

  /** To be written with the next, unless there is news of them. */
  #keep(rows: readonly StepRow[]): void {
    for (const row of rows) if (!this.#waiting.has(row.tokenId)) this.#waiting.set(row.tokenId, row);
  }

  /** The case is over. It is written down when it can be, which is soon or not waited for. */
  async finish(): Promise<void> {
    const endedAt = Date.now();
    const settled = this.#settle(endedAt).catch((error: unknown) => {
      logger().error({ err: error }, "an incident's end was not written");
    });
    const inTime = await soon(settled.then(() => true));
    if (!inTime) this.complete = false;
  }

  async #settle(endedAt: number): Promise<void> {
    for (let attempt = 0; attempt < lastAttempts; attempt += 1) {
      await this.write();
      const isOver = this.#taken !== "no" || !this.#run.isLatest();
      if (isOver && this.#waiting.size + this.#unmarked.size === 0) {
        if (await ifReachable(this.#close(endedAt).then(() => true))) return;
      }
      await delay(Math.min(betweenAttemptsMs, 500 * 2 ** attempt), undefined, { ref: false });
    }
  }

  async #close(endedAt: number): Promise<void> {
    if (this.#run.isLatest()) await finishCase(this.#case, endedAt);
    await settleElsewhere(this.#case.tenant, this.#case.incident, [...this.proven]);
  }
}

/** What notes have to know of their run. `isLatest`: no other run of this process has begun since. */
type NotesOf = { take(holder: string): Promise<Taken>; spent(): number[]; isLatest(): boolean };

function bySecond(ended: readonly number[]): Spent {
  const seconds = new Map<number, number>();
  for (const at of ended) {
    const second = Math.floor(at / 1_000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  return [...seconds];
}

/** When those calls ended at the latest, and those that may have gone out since they were written down. */
export function endsOf(spent: Spent): number[] {
  const now = Date.now();
  const known = spent.flatMap(([second, calls]) => Array<number>(calls).fill(Math.min(now, (second + 1) * 1_000)));
  return [...known, ...Array<number>(unnotedCalls).fill(now)];
}
