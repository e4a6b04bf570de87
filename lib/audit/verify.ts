import "server-only";
import { setImmediate as otherWork } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import { canonical, type EventRow, eventOf, genesisHash, type Head, hashOf } from "@/lib/audit/chain";
import { openCheckpoint, type Signed, type Statement } from "@/lib/audit/checkpoints";
import type { AuditEvent, ChainProblem, VerificationLine } from "@/lib/audit/schema";
import type { Database } from "@/lib/db/schema";

/** A database to look at: the app's own, or one that was opened to be checked. */
type Source = <T>(queries: (db: Kysely<Database>) => Promise<T>) => Promise<T>;

const maxProblems = 100;
const batchSize = 250;
/** How far from its place an event is looked for, and how many hashes are remembered. */
const reach = 50;
const remembered = 2000;
const progressEvery = { rows: 2000, ms: 100 };

/**
 * Verifies the log against itself and against the signed checkpoints: first some `progress`, then one `result`. Events
 * that are appended meanwhile are left for the next time; what retention removes meanwhile is no problem.
 * @param kept checkpoints that stood outside of the database
 * @throws whatever the source throws
 */
export async function* verifyLog(source: Source, kept: readonly Signed[]): AsyncGenerator<VerificationLine> {
  const problems: ChainProblem[] = [];
  const report = (kind: ChainProblem["kind"], seq: number | null, detail: string) => {
    if (problems.length < maxProblems) problems.push({ kind, seq, detail });
  };

  // Before the head: a checkpoint that is made meanwhile would be ahead of it.
  const stored = await source((db) => db.selectFrom("audit_checkpoints").selectAll().execute());
  const statements = await openAll(stored, kept, report);
  const head = await source((db) => db.selectFrom("audit_chain").selectAll().executeTakeFirst());
  const openIntents = await source((db) =>
    db
      .selectFrom("audit_intents")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow(),
  );

  const walk = new Walk(source, report, statements, head);
  const total = Math.max(0, (await walk.lastToVerify()) - walk.pruned.seq);
  yield { type: "progress", verified: 0, total };
  let told = { rows: 0, at: performance.now() };
  for await (const verified of walk.steps()) {
    const now = performance.now();
    if (verified - told.rows >= progressEvery.rows || now - told.at >= progressEvery.ms) {
      told = { rows: verified, at: now };
      yield { type: "progress", verified, total: Math.max(total, verified) };
    }
  }
  await walk.judgeEnd();

  yield {
    type: "result",
    ok: problems.length === 0,
    verified: walk.verified,
    firstSeq: walk.firstSeq,
    lastSeq: walk.previous?.seq ?? null,
    headHash: head && head.seq > 0 ? head.hash : null,
    checkpoints: walk.confirmed,
    openIntents: openIntents.count,
    problems,
  };
}

type Report = (kind: ChainProblem["kind"], seq: number | null, detail: string) => void;

/** What the checkpoints state, each once. */
async function openAll(
  stored: readonly (Signed & { chain: string; seq: number; kind: string })[],
  kept: readonly Signed[],
  report: Report,
): Promise<Statement[]> {
  const statements = new Map<string, Statement>();
  // Most of them stand in two places or more; opening one is the expensive part.
  const good = new Set<string>();
  let opened = 0;
  for (const [signed, column] of [
    ...stored.map((row) => [row, row] as const),
    ...kept.map((one) => [one, null] as const),
  ]) {
    const text = `${signed.signature} ${signed.statement}`;
    if (column === null && good.has(text)) continue;
    opened += 1;
    if (opened % batchSize === 0) await otherWork();
    const statement = openCheckpoint(signed);
    if (statement === null) {
      const where = column === null ? "outside of the database" : "in the database";
      report(
        "bad_checkpoint",
        column?.seq ?? null,
        `A checkpoint ${where} is not signed with this installation's key: it was changed, or FINGERPRINT_KEY was.`,
      );
    } else if (
      column &&
      (column.chain !== statement.chain || column.seq !== statement.seq || column.kind !== statement.kind)
    ) {
      report(
        "bad_checkpoint",
        column.seq,
        `A checkpoint in the database stands in the place of another: it is of event ${statement.seq}.`,
      );
    } else {
      good.add(text);
      statements.set(signed.statement, statement);
    }
  }
  return [...statements.values()].sort((a, b) => a.seq - b.seq);
}

/** `disturbed`: its content is not what its hash says; that the next one does not follow it is no further problem. */
type Place = { seq: number; hash: string; computed: string; at: number; disturbed: boolean };

/** Goes through the log once, from its oldest event to the one that was the newest at the beginning. */
class Walk {
  verified = 0;
  confirmed = 0;
  firstSeq: number | null = null;
  previous: Place | null = null;
  pruned: { seq: number; hash: string };

  readonly #source: Source;
  readonly #report: Report;
  readonly #head: Head | undefined;
  readonly #expected = new Map<number, Statement[]>();
  readonly #statements: readonly Statement[];
  /** What retention has signed, as far as it was looked for since the beginning. */
  #prunes: readonly Statement[] = [];
  readonly #recent = new Map<string, number>();
  #chain: string | null;
  /** By how much events stand away from where they were written. */
  #shift = 0;
  #moved: { seq: number; by: number } | null = null;

  constructor(source: Source, report: Report, statements: Statement[], head: Head | undefined) {
    this.#source = source;
    this.#report = report;
    this.#statements = statements;
    this.#head = head;
    this.#chain = head?.chain ?? statements.at(-1)?.chain ?? null;
    this.pruned = { seq: head?.pruned_seq ?? 0, hash: head?.pruned_hash ?? genesisHash };
  }

  async lastToVerify(): Promise<number> {
    if (this.#head) return this.#head.seq;
    return (await this.#ends()).last ?? 0;
  }

  /** The newest event, and what the head says it is, at one moment. */
  async #ends(): Promise<{ last: number | null; head: number | null }> {
    const { rows } = await this.#source((db) =>
      sql<{ last: number | null; head: number | null }>`
        select (select max(seq) from audit_events) as last, (select max(seq) from audit_chain) as head`.execute(db),
    );
    return rows[0] ?? { last: null, head: null };
  }

  async *steps(): AsyncGenerator<number> {
    await this.#judgeCheckpoints();
    const last = await this.lastToVerify();
    let after = -Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = await this.#source((db) =>
        db
          .selectFrom("audit_events")
          .selectAll()
          .where("seq", ">", after)
          .where("seq", "<=", last)
          .orderBy("seq")
          .limit(batchSize)
          .execute(),
      );
      for (const row of rows) await this.#step(row);
      const end = rows.at(-1);
      if (!end) return;
      after = end.seq;
      yield this.verified;
      await otherWork();
    }
  }

  /** What the checkpoints say about the log as a whole. */
  async #judgeCheckpoints(): Promise<void> {
    const head = this.#head;
    const foreign = new Set<string>();
    for (const statement of this.#statements) {
      if (head && statement.chain !== head.chain) {
        if (!foreign.has(statement.chain)) {
          this.#report(
            "replaced",
            statement.seq,
            `A signed checkpoint is of another log (${statement.chain}), with ${statement.seq} events. This log is ${head.chain}: it stands in that one's place.`,
          );
        }
        foreign.add(statement.chain);
        continue;
      }
      if (statement.seq > (head?.seq ?? 0)) {
        const gone = head === undefined || head.seq === 0 ? "The log was wiped" : "The newest events are missing";
        this.#report(
          "truncated",
          (head?.seq ?? 0) + 1,
          `${gone}: a signed checkpoint says that there were events up to ${statement.seq}.`,
        );
        continue;
      }
      this.#expected.set(statement.seq, [...(this.#expected.get(statement.seq) ?? []), statement]);
    }
    if (head && head.pruned_seq > 0 && !(await this.#isSignedPrune(head.pruned_seq, head.pruned_hash))) {
      this.#report(
        "truncated",
        head.pruned_seq,
        `The events up to ${head.pruned_seq} were removed, and no signed checkpoint says that retention did it.`,
      );
    }
  }

  async #isSignedPrune(seq: number, hash: string | null): Promise<boolean> {
    const isKnown = () =>
      [...this.#statements, ...this.#prunes].some(
        (one) => one.kind === "prune" && one.chain === this.#chain && one.prunedSeq === seq && one.prunedHash === hash,
      );
    if (isKnown()) return true;
    // Retention may have signed it since the checkpoints were read.
    const now = await this.#source((db) =>
      db.selectFrom("audit_checkpoints").selectAll().where("kind", "=", "prune").execute(),
    );
    this.#prunes = now.flatMap((one) => openCheckpoint(one) ?? []);
    return isKnown();
  }

  /** What retention has decided to remove since this walk began, where it has signed that. */
  async #prunedMeanwhile(): Promise<{ seq: number; hash: string } | null> {
    const now = await this.#source((db) => db.selectFrom("audit_chain").selectAll().executeTakeFirst());
    if (!now || now.pruned_seq <= this.pruned.seq) return null;
    if (!(await this.#isSignedPrune(now.pruned_seq, now.pruned_hash))) return null;
    return { seq: now.pruned_seq, hash: now.pruned_hash ?? genesisHash };
  }

  async #step(row: EventRow): Promise<void> {
    const { seq } = row;
    if (seq < 1) {
      this.#report("inserted", seq, `There is an event with the number ${seq}: the first one is 1.`);
      return;
    }
    this.firstSeq ??= seq;
    const follows = await this.#followsInNumber(row);
    const { computed, at } = this.#compute(row);
    const linked = !follows || this.#isLinked(row);
    if (computed !== row.hash) this.#judgeContent(row, linked);
    else if (!linked && !this.previous?.disturbed) this.#judgeLink(row);
    else if (this.previous && at < this.previous.at) {
      this.#report("reordered", seq, `Event ${seq} says that it is older than the one before it.`);
    }
    if (computed === row.hash) this.#settleMoved(null);
    if (seq === this.pruned.seq && row.hash !== this.pruned.hash) {
      this.#report("edited", seq, `Event ${seq} is not the one that retention recorded as the newest it removes.`);
    }
    for (const { hash } of this.#expected.get(seq) ?? []) {
      if (hash === row.hash) this.confirmed += 1;
      else
        this.#report(
          "forked",
          seq,
          `A signed checkpoint says that event ${seq} was another one: the log was written anew from there or earlier.`,
        );
    }
    this.previous = { seq, hash: row.hash, computed, at, disturbed: computed !== row.hash };
    this.#recent.set(row.hash, seq);
    if (this.#recent.size > remembered) this.#recent.delete(this.#recent.keys().next().value as string);
    this.verified += 1;
  }

  /** Whether there is no gap before this event. */
  async #followsInNumber({ seq }: EventRow): Promise<boolean> {
    const expected = this.previous === null ? this.pruned.seq + 1 : this.previous.seq + 1;
    // What retention is about to remove, or was when it was cut off, may begin anywhere.
    if (this.previous === null && seq < expected) return false;
    if (seq === expected) return true;
    if (seq <= this.pruned.seq + 1) {
      await this.#judgeLeftovers(seq);
      return seq === this.pruned.seq + 1;
    }
    const pruned = await this.#prunedMeanwhile();
    if (pruned && pruned.seq >= expected) {
      this.pruned = pruned;
      this.firstSeq = seq;
      await this.#judgeLeftovers(Math.min(seq, pruned.seq + 1));
      if (seq <= pruned.seq + 1) return seq === pruned.seq + 1;
    }
    const from = this.previous === null ? this.pruned.seq + 1 : expected;
    const which = from === seq - 1 ? `Event ${from} is` : `The events ${from} to ${seq - 1} are`;
    this.#report("missing", from, `${which} missing.`);
    return false;
  }

  /**
   * Before this event there is a gap within what retention removes, which takes the oldest first: it has come as far as
   * here, or what stands before the gap was put there.
   */
  async #judgeLeftovers(seq: number): Promise<void> {
    const { previous } = this;
    this.previous = null;
    if (previous === null) return;
    const left = await this.#source((db) =>
      db
        .selectFrom("audit_events")
        .select("seq")
        .where("seq", ">", 0)
        .where("seq", "<", seq)
        .orderBy("seq", "desc")
        .limit(1)
        .executeTakeFirst(),
    );
    if (!left) return;
    this.#report("inserted", left.seq, `Event ${left.seq} stands where retention has removed all events.`);
  }

  #isLinked(row: EventRow): boolean {
    if (this.previous === null) return row.previous_hash === this.pruned.hash;
    return row.previous_hash === this.previous.hash || row.previous_hash === this.previous.computed;
  }

  #compute(row: EventRow): { computed: string; at: number } {
    try {
      const event = eventOf(row);
      if (typeof row.at !== "number" || canonical(event.details) !== row.details) return { computed: "", at: 0 };
      const computed = hashOf(this.#chain ?? "", event);
      if (computed === row.hash || this.verified > 0) return { computed, at: row.at };
      return { computed: this.#tryOtherChains(event) ?? computed, at: row.at };
    } catch {
      return { computed: "", at: 0 };
    }
  }

  /** The head may name another chain than the one that the events and their checkpoints are of. */
  #tryOtherChains(event: AuditEvent): string | null {
    for (const chain of new Set(this.#statements.map((statement) => statement.chain))) {
      if (hashOf(chain, event) !== event.hash) continue;
      this.#report(
        "head_mismatch",
        null,
        `The head of the log names another chain than the one that its events are of (${chain}).`,
      );
      this.#chain = chain;
      return event.hash;
    }
    return null;
  }

  /** The hash is not that of the content: was the event changed, or is it another one's place? */
  #judgeContent(row: EventRow, linked: boolean): void {
    const by = this.#shiftOf(row);
    if (by !== null) {
      if (by !== this.#shift) this.#settleMoved({ seq: row.seq, by });
      return;
    }
    this.#settleMoved(null);
    const named = linked ? undefined : this.#recent.get(row.previous_hash);
    if (named !== undefined) {
      this.#report(
        "forked",
        row.seq,
        `Event ${row.seq} is a copy: it claims to follow event ${named}, which another one follows already.`,
      );
    } else this.#report("edited", row.seq, `Event ${row.seq} was changed: its content does not have its hash.`);
  }

  /** How far from the place where it was written an event stands; null: it was not written near here. */
  #shiftOf(row: EventRow): number | null {
    let event: AuditEvent;
    try {
      event = eventOf(row);
      if (canonical(event.details) !== row.details) return null;
    } catch {
      return null;
    }
    const fits = (by: number) => hashOf(this.#chain ?? "", { ...event, seq: event.seq + by }) === row.hash;
    if (this.#shift !== 0 && fits(this.#shift)) return this.#shift;
    if (this.#moved && fits(this.#moved.by)) return this.#moved.by;
    for (let distance = 1; distance <= reach; distance += 1) {
      if (fits(distance)) return distance;
      if (fits(-distance)) return -distance;
    }
    return null;
  }

  /** One event in another's place was swapped; when those after it are moved just as far, some were put in or taken out. */
  #settleMoved(next: { seq: number; by: number } | null): void {
    const moved = this.#moved;
    if (moved && next && next.by === moved.by) {
      const many = Math.abs(moved.by) === 1 ? "An event was" : `${Math.abs(moved.by)} events were`;
      const [kind, done] = moved.by > 0 ? (["missing", "taken out"] as const) : (["inserted", "put in"] as const);
      this.#report(
        kind,
        moved.by > 0 ? moved.seq : moved.seq + moved.by,
        `${many} ${done} before event ${moved.seq}, and those after were numbered anew.`,
      );
      this.#shift = moved.by;
      this.#moved = null;
      return;
    }
    if (moved) {
      this.#report(
        "reordered",
        moved.seq,
        `Event ${moved.seq} was written as event ${moved.seq + moved.by}: events were put in another order.`,
      );
    }
    this.#moved = next;
    if (next === null) this.#shift = 0;
  }

  /** The event is unharmed, but does not follow the one before it. */
  #judgeLink({ seq, previous_hash }: EventRow): void {
    const named = this.#recent.get(previous_hash);
    if (this.previous === null) {
      this.#report("edited", seq, `Event ${seq} does not follow what was before the log's first event.`);
    } else if (named !== undefined) {
      this.#report("forked", seq, `Event ${seq} claims to follow event ${named}, which another one follows already.`);
    } else {
      this.#report(
        "edited",
        this.previous.seq,
        `Event ${seq} does not follow event ${this.previous.seq} as it is: that one was changed, and its hash computed anew.`,
      );
    }
  }

  async judgeEnd(): Promise<void> {
    this.#settleMoved(null);
    const head = this.#head;
    const ends = await this.#ends();
    if (!head) {
      if (ends.last !== null)
        this.#report("head_mismatch", null, "The head of the log is gone, and its events are not.");
      return;
    }
    const last = this.previous;
    let reached = last?.seq ?? this.pruned.seq;
    // What was the newest at the beginning may be old enough to be removed by now.
    if (head.seq > reached) reached = Math.max(reached, (await this.#prunedMeanwhile())?.seq ?? 0);
    if (head.seq > reached) {
      this.#report(
        "truncated",
        reached + 1,
        `The head of the log says that there are events up to ${head.seq}: the newest are missing.`,
      );
    } else if (last?.seq === head.seq && (last.hash !== head.hash || last.at !== head.at)) {
      this.#report("head_mismatch", head.seq, "The head of the log does not fit its newest event.");
    } else if (!last && head.seq === 0 && head.hash !== genesisHash) {
      this.#report("head_mismatch", 0, "The head of the log names an event, and there is none.");
    }
    if (ends.last !== null && ends.last > (ends.head ?? 0)) {
      this.#report(
        "inserted",
        (ends.head ?? 0) + 1,
        `There are events behind the head of the log, up to ${ends.last}.`,
      );
    }
  }
}
