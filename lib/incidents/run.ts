import "server-only";
import { randomUUID } from "node:crypto";
import { audited, type Intent, type Subject } from "@/lib/audit/log";
import { isTokendeskError, TokendeskError, toProblem } from "@/lib/errors";
import { plural } from "@/lib/format";
import {
  type CaseReader,
  type CaseTokenRow,
  isDone,
  isOpen,
  isProven,
  lapsedCases,
  mayRead,
  readCase,
  releaseLapsed,
  rememberedStep,
  type StepRow,
  takeCase,
  userIn,
} from "@/lib/incidents/cases";
import { openFindings } from "@/lib/incidents/handles";
import { type Investigator, investigatorOf } from "@/lib/incidents/investigator";
import { knownTokens } from "@/lib/incidents/known";
import {
  lineOf,
  linesOf,
  named,
  ndjson,
  polled,
  type StepLine,
  stepLine,
  summaryOfSteps,
  type Telling,
  type Told,
  unnamed,
} from "@/lib/incidents/lines";
import { endsOf, Notes, soon, sound, type Taken } from "@/lib/incidents/notes";
import { type Pace, revokeAll, type Settled, type Target, usualPace } from "@/lib/incidents/revocation";
import {
  type IncidentOrigin,
  maxFindings,
  type RevocationLine,
  type RevokeFindings,
  type RevokeMany,
  type RunSummary,
  type StepOutcome,
  type TokenUser,
} from "@/lib/incidents/schema";
import { warnOfVolume } from "@/lib/incidents/volume";
import { logger } from "@/lib/logger";
import { notify } from "@/lib/notify/notify";
import type { TokenClient } from "@/lib/ringcx/client";
import { markToken } from "@/lib/tokens/fingerprint";
import { ifReachable, listHeld, needDatabase, raiseNotFound } from "@/lib/tokens/held";

/**
 * The second half of an incident: the run that revokes. It belongs to the process and not to the request that began it:
 * whoever asks again, or follows, is told what has happened so far and what happens next. What it does is written down
 * as it goes, so that after a crash the same request goes on where it was (docs/decisions/0014-incident-run.md).
 */

/** What to revoke, of one case. */
export type RevocationOrder = {
  incident: string;
  /** Token values. Secrets. */
  values: readonly string[];
  siblings: boolean;
  reason: string | null;
  /** When the text came in, epoch milliseconds; default: what the case says, else now. */
  openedAt?: number;
  /** Default: the investigator's. */
  origin?: IncidentOrigin;
  /** False: nothing is done while the audit log cannot be written. Default: true. */
  urgent?: boolean;
  pace?: Pace;
};

/** A run of this process. The bundles of the server share it, so it is plain data. */
type Run = Telling & {
  tenant: string;
  openedById: string;
  /** What it was asked for. */
  tokenIds: Set<string>;
  siblings: boolean;
  over: boolean;
  endedAt: number;
  /** How the tokens stand, by ID; and what to tell of those that are at rest. */
  steps: Map<string, StepRow>;
  /** `held`: another process works on this case, or there is nothing left to do. */
  started: Promise<"runs" | "held">;
};

const slot = Symbol.for("tokendesk.incidents.runs");
type Slot = { [slot]?: Map<string, Run> };

/** By tenant and case: those at work, and those that ended lately, which have no values any more. */
function runs(): Map<string, Run> {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  return holder[slot];
}

const keyOf = (tenant: string, incident: string) => `${tenant} ${incident}`;
const keptRuns = 100;
const keptForMs = 60 * 60_000;

const heartbeatMs = 5_000;

/**
 * Revokes what was found, and tells of it as NDJSON. The same request sent again while it is at work joins it; sent again
 * afterwards it goes on with what is not proven yet.
 * @throws {TokendeskError} `token_not_found`: none of the IDs can be opened; `invalid_input`
 */
export async function revokeFindings(
  investigator: Investigator,
  { findings, siblings, reason }: RevokeFindings,
): Promise<ReadableStream<Uint8Array>> {
  const opened = await openFindings(investigator, findings);
  const ids = new Map<string, string>();
  const lost: StepLine[] = [];
  for (const [index, id] of findings.entries()) {
    const finding = opened[index] ?? null;
    if (finding === null) lost.push(unopened(id));
    else if (!ids.has(finding.tokenId)) ids.set(finding.tokenId, id);
  }
  const known = opened.filter((finding) => finding !== null);
  const [first] = known;
  if (first === undefined) {
    throw new TokendeskError(
      "token_not_found",
      "These findings are too old, or somebody else's. Paste the text again, and scan it.",
    );
  }
  const { incident, openedAt } = first;
  if (known.some((finding) => finding.incident !== incident)) {
    throw new TokendeskError("invalid_input", "These findings come from several scans. Revoke those of one at a time.");
  }
  const values = [...new Map(known.map(({ tokenId, value }) => [tokenId, value])).values()];
  const lines = await revocationLines(investigator, { incident, openedAt, values, siblings, reason });
  return ndjson(named(lines, ids, lost));
}

/** What the caller sent is not told back: only a token ID, if it begins with one. */
function unopened(id: string): StepLine {
  const detail = "This finding is too old, or somebody else's. Paste it again.";
  return notTaken({ id: id.split(".")[0] ?? "", leaked: true, detail });
}

function notTaken({ id, leaked, detail }: { id: string; leaked: boolean; detail: string }): StepLine {
  const tokenId = /^[\w-]{22}$/.test(id) ? id : "";
  return stepLine({ tokenId, hint: unnamed, leaked }, { outcome: "unknown", proof: null, detail });
}

/** Revokes and waits for the end. `onLine` is told of what happens meanwhile. @throws {TokendeskError} */
export async function runRevocation(
  investigator: Investigator,
  order: RevocationOrder,
  onLine?: (line: RevocationLine) => void,
): Promise<RunSummary> {
  for await (const line of await revocationLines(investigator, order)) {
    onLine?.(line);
    if (line.type === "failed") throw new TokendeskError("internal_error", line.detail);
    if (line.type === "summary") {
      const { type: _, ...summary } = line;
      return summary;
    }
  }
  throw new TokendeskError("internal_error", "The revocation ended without a summary.");
}

/**
 * Revokes several of a person's own tokens by the same means, as a case of its own.
 * @throws {TokendeskError} `token_not_found`: none of them is listed; `audit_unavailable`: nothing was done
 */
export async function revokeMany(
  session: Parameters<typeof investigatorOf>[0],
  { ids, reason }: RevokeMany,
): Promise<{ incident: string; stream: ReadableStream<Uint8Array> }> {
  const { held } = await listHeld(session, { fresh: true });
  const wanted = new Set(ids);
  const chosen = held.filter(({ id }) => wanted.has(id));
  if (chosen.length === 0) raiseNotFound();
  const listed = new Set(chosen.map(({ id }) => id));
  const detail =
    "RingCX does not list this token for your user. It may have been revoked already, or belong to somebody else.";
  const lost = [...wanted].flatMap((id) => (listed.has(id) ? [] : [notTaken({ id, leaked: false, detail })]));
  const incident = randomUUID();
  const lines = await revocationLines(investigatorOf(session), {
    incident,
    openedAt: Date.now(),
    values: chosen.map(({ value }) => value),
    siblings: false,
    reason: reason ?? null,
    origin: "tokens",
    urgent: false,
    // The person waits in a dialog, where what is left can be tried again; of a few, each is told when it is proven.
    pace: { ...usualPace, rounds: 4, ...(chosen.length > usualPace.batch ? {} : { batchMs: 1_500 }) },
  });
  return { incident, stream: ndjson(named(lines, new Map(), lost)) };
}

/**
 * Joins a run without its findings: from another tab, or as ops. When nobody works on it any more, the last line is a
 * summary that says how it ended.
 * @throws {TokendeskError} `not_found`: there is none, or none that this person may see; `audit_unavailable`
 */
export async function follow(reader: CaseReader, incident: string): Promise<ReadableStream<Uint8Array>> {
  const nothing = () => new TokendeskError("not_found", "There is no revocation of such an incident.");
  const run = runs().get(keyOf(reader.tenant, incident));
  if (run && !run.over && (await run.started) === "runs") {
    if (!mayRead(reader, { tenant: run.tenant, opened_by_id: run.openedById })) throw nothing();
    return ndjson(linesOf(run));
  }
  const found = await needDatabase(readCase(reader.tenant, incident), "read");
  if (found === null || !mayRead(reader, found.incident) || found.incident.confirmed_at === null) throw nothing();
  return ndjson(polled(reader.tenant, incident));
}

/**
 * Tells of the runs whose process is gone, each once, whichever replica looks first.
 * @returns the cases that were told of
 * @throws {DatabaseUnavailable}
 */
export async function noticeInterrupted(): Promise<string[]> {
  const told: string[] = [];
  for (const { tenant, id } of await lapsedCases()) {
    const own = runs().get(keyOf(tenant, id));
    // The database was away for a while; the run is not.
    if (own && !own.over) continue;
    const found = (await releaseLapsed(tenant, id)) ? await readCase(tenant, id) : null;
    if (found === null) continue;
    const { incident, tokens } = found;
    const rows = tokens.flatMap((row) => rememberedStep(row) ?? []);
    const { revoked, secondsToProof } = summaryOfSteps(id, incident.opened_at, rows);
    await notify({
      type: "incident.finished",
      tenant,
      actor: incident.confirmed_by_name ?? incident.opened_by_name,
      incident: id,
      outcome: "interrupted",
      revoked,
      unproven: tokens.filter(isOpen).length,
      secondsToProof,
    });
    told.push(id);
  }
  return told;
}

/**
 * The lines of the run of this order, which is begun unless somebody has. Of an urgent one the answer does not wait for
 * the beginning.
 * @throws {TokendeskError}
 */
async function revocationLines(
  investigator: Investigator,
  order: RevocationOrder,
): Promise<AsyncGenerator<RevocationLine, void, undefined>> {
  joinable(investigator, order);
  const begun = begin(investigator, order);
  begun.catch(() => {});
  if (order.urgent === false) await begun;
  return told(investigator, order, begun);
}

async function* told(
  investigator: Investigator,
  order: RevocationOrder,
  begun: Promise<Run | "held">,
): AsyncGenerator<RevocationLine, void, undefined> {
  try {
    const run = await begun;
    yield* run === "held" ? takenOver(investigator, order) : linesOf(run);
  } catch (error) {
    yield failure(error);
  }
}

function failure(error: unknown): RevocationLine {
  if (!isTokendeskError(error)) logger().error({ err: error }, "a revocation run failed");
  const { code, detail } = toProblem(error, "");
  return { type: "failed", code, detail };
}

/**
 * Another process works on it, or did: what it tells, until it is done. If it dies, or was asked for less, the work is
 * ours.
 */
async function* takenOver(investigator: Investigator, order: RevocationOrder): AsyncGenerator<RevocationLine> {
  const { incident, siblings, values } = order;
  const tokenIds = values.map((value) => markToken(value).id);
  const told: Told = new Map();
  for (;;) {
    for await (const line of polled(investigator.tenant, incident, told)) {
      if (line.type === "summary") {
        if (line.outcome === "interrupted") break;
        const found = await ifReachable(readCase(investigator.tenant, incident));
        if (found === null || !isDone(found, { siblings, tokenIds })) break;
      }
      yield line;
      if (line.type === "summary" || line.type === "failed") return;
    }
    const begun = await begin(investigator, order);
    if (begun === "held") continue;
    for await (const line of linesOf(begun)) {
      const isOld = line.type === "step" && isProven(line.outcome) && told.get(line.tokenId) === line.outcome;
      if (!isOld) yield line;
    }
    return;
  }
}

/**
 * The run of this process that does what is asked for; null: none is at work.
 * @throws {TokendeskError} `invalid_input`: the one at work does not do all of it
 */
function joinable({ tenant }: Investigator, { incident, siblings, values }: RevocationOrder): Run | null {
  const standing = runs().get(keyOf(tenant, incident));
  if (standing === undefined || standing.over) return null;
  const covered = values.every((value) => standing.tokenIds.has(markToken(value).id));
  if (covered && (standing.siblings || !siblings)) return standing;
  throw new TokendeskError("invalid_input", "This incident is being worked on. Revoke the rest when that is done.");
}

async function begin(investigator: Investigator, order: RevocationOrder): Promise<Run | "held"> {
  const key = keyOf(investigator.tenant, order.incident);
  const standing = joinable(investigator, order);
  if (standing) return (await standing.started) === "held" ? "held" : standing;
  const worker = new Worker(investigator, order, runs().get(key) ?? null);
  runs().set(key, worker.run);
  prune();
  try {
    if ((await worker.run.started) === "runs") return worker.run;
  } catch (error) {
    runs().delete(key);
    throw error;
  }
  if (runs().get(key) === worker.run) runs().delete(key);
  return "held";
}

function prune(): void {
  const over = [...runs()].filter(([, run]) => run.over);
  const old = over.filter(([, { endedAt }]) => Date.now() - endedAt > keptForMs);
  for (const [key] of [...old, ...over.slice(0, Math.max(0, over.length - keptRuns))]) runs().delete(key);
}

type Marked = { id: string; fingerprint: string; hint: string; value: string };

/** Carries one run out. */
class Worker {
  readonly run: Run;
  readonly #investigator: Investigator;
  readonly #order: RevocationOrder;
  readonly #marks: readonly Marked[];
  readonly #notes: Notes;
  /** Those of this run: what else is remembered of the case is left alone. */
  readonly #scope = new Set<string>();
  /** Those whom the scan found behind its tokens, by the vendor's ID. */
  readonly #users = new Map<string, TokenUser>();
  /** Rows for siblings that could not be listed: whether they can is found out anew. */
  readonly #reconsidered = new Set<string>();
  #openedAt: number;
  #done = 0;
  /** Siblings for which there was no room, and which have no row. */
  #beyond = 0;

  /** `before`: an earlier run of this case. */
  constructor(investigator: Investigator, order: RevocationOrder, before: Run | null) {
    this.#investigator = investigator;
    this.#order = order;
    this.#marks = order.values.map((value) => ({ ...markToken(value), value }));
    this.#openedAt = order.openedAt ?? Date.now();
    const started = Promise.withResolvers<"runs" | "held">();
    this.run = {
      tenant: investigator.tenant,
      openedById: investigator.user.id,
      tokenIds: new Set(this.#marks.map(({ id }) => id)),
      siblings: order.siblings,
      lines: [],
      over: false,
      endedAt: 0,
      steps: new Map(before?.steps),
      listeners: new Set(),
      started: started.promise,
      progress: () => this.#progress(),
    };
    this.#notes = new Notes(
      { tenant: investigator.tenant, incident: order.incident },
      {
        take: (holder) => this.#take(holder),
        spent: () => this.#budget.spentCalls(),
        isLatest: () => {
          const latest = runs().get(keyOf(investigator.tenant, order.incident));
          return latest === undefined || latest === this.run;
        },
      },
    );
    void this.#all(started.resolve).catch((error: unknown) => {
      // Whoever waits for the beginning is told; later on the lines tell.
      started.reject(error);
      if (!this.run.over) this.#end(failure(error));
    });
  }

  get #budget(): TokenClient {
    return this.#investigator.holding(this.#marks[0]?.value ?? "");
  }

  #take(holder: string) {
    const { incident, openedAt, origin, reason, siblings } = this.#order;
    const { host } = this.#budget;
    const found = this.#marks.length;
    return takeCase(
      this.#investigator,
      {
        id: incident,
        host,
        openedAt: openedAt ?? this.#openedAt,
        textBytes: 0,
        files: 0,
        found,
        ...(origin === undefined ? {} : { origin }),
      },
      { reason, siblings, at: Date.now(), tokenIds: this.#marks.map(({ id }) => id), holder },
    );
  }

  async #all(started: (how: "runs" | "held") => void): Promise<void> {
    const { actor } = this.#investigator;
    const { incident, reason, siblings, urgent = true } = this.#order;
    const first = urgent ? await this.#notes.take() : null;
    if (first === "held" || first === "done") {
      this.run.over = true;
      return started("held");
    }
    if (urgent) started("runs");
    const subject: Subject = {
      action: "incident.revoke",
      reason,
      details: { incident, tokens: this.#marks.length, siblings },
    };
    let summary: Omit<RunSummary, "logged">;
    let begun = false;
    try {
      summary = await audited(
        actor,
        subject,
        async (intent) => {
          begun = true;
          intent.details = { ...subject.details };
          const heartbeat = setInterval(() => void this.#notes.write(), heartbeatMs);
          heartbeat.unref();
          started("runs");
          try {
            return await this.#work(urgent ? first : await this.#notes.take(), intent);
          } finally {
            clearInterval(heartbeat);
          }
        },
        { urgent },
      );
    } finally {
      if (begun) await this.#notes.finish();
    }
    this.#end({ type: "summary", ...summary, logged: this.#notes.complete });
  }

  async #work(taken: Taken | null, intent: Intent): Promise<Omit<RunSummary, "logged">> {
    const left = taken !== null && typeof taken === "object" ? taken : null;
    if (left) this.#openedAt = this.#order.openedAt ?? left.openedAt;
    if (left && left.spent.length > 0) this.#budget.chargeCalls(endsOf(left.spent));
    const targets = this.#targets(left?.tokens ?? []);
    // While the database is away nothing is known of them.
    const ids = left === null ? [] : targets.map(({ tokenId }) => tokenId);
    const known = ids.length === 0 ? null : await soon(sound(knownTokens(this.#investigator.tenant, ids), null));
    for (const target of targets) target.knownActive = known?.get(target.tokenId)?.status === "active";
    const begunBefore = new Set((left?.tokens ?? []).filter(({ step }) => step !== null).map((row) => row.token_id));
    const begunNow = targets.filter(({ tokenId }) => !begunBefore.has(tokenId)).length;
    const volume = begunNow === 0 ? Promise.resolve(false) : warnOfVolume(this.#investigator.actor, begunNow);
    const warned = sound(volume, false);
    void warned.then((unusual) => {
      if (unusual) intent.details = { ...intent.details, unusual };
    });
    // Together, so that one transaction takes them all.
    const rows = [...this.#scope].flatMap((id) => this.run.steps.get(id) ?? []);
    // What an earlier run proved may not be written yet.
    await soon(this.#notes.note(rows.filter(({ step }) => step === "waiting" || isProven(step))));
    for (const row of rows) {
      if (isProven(row.step) || row.hint === unnamed) this.#tell(row);
      if (row.step === "revoked") this.#notes.proven.add(row.tokenId);
    }
    const { owner } = this.#investigator;
    if (targets.length > 0) {
      await revokeAll({
        holding: (value) => this.#investigator.holding(value),
        owner: owner?.client.urgent() ?? null,
        targets,
        siblings: this.#order.siblings,
        onSiblings: (found, beyond, endless) => this.#add(found, beyond, endless),
        onUnlisted: (target, unreadable) => this.#addUnlisted(target, unreadable),
        onListed: (listed) => this.#noteListed(listed),
        step: (target, work) => this.#step(target, work),
        ...(this.#order.pace ? { pace: this.#order.pace } : {}),
      });
    }
    this.#noteUnasked();
    const outdated = [...this.#reconsidered].filter((id) => !this.#scope.has(id));
    for (const id of outdated) this.run.steps.delete(id);
    this.#notes.forget(outdated);
    await soon(warned);
    const summary = this.#summary();
    const { incident: _, ...facts } = summary;
    intent.details = { ...intent.details, ...facts, tokens: summary.total };
    intent.outcome = summary.outcome === "contained" ? "succeeded" : summary.unknown > 0 ? "unknown" : "failed";
    await soon(this.#notes.write());
    const { tenant, actor } = this.#investigator;
    const others = (left?.tokens ?? []).filter(
      ({ token_id }) => !this.#scope.has(token_id) && !outdated.includes(token_id),
    );
    const spared = others.filter(isOpen).length;
    await notify({
      type: "incident.finished",
      tenant,
      actor: actor.name,
      incident: this.#order.incident,
      outcome: spared > 0 ? "partial" : summary.outcome,
      revoked: summary.revoked,
      unproven: summary.alive + summary.unknown + spared,
      secondsToProof: summary.secondsToProof,
    });
    return summary;
  }

  /** What is to be done, with what was done before. */
  #targets(rows: readonly CaseTokenRow[]): Target[] {
    const { siblings } = this.#order;
    for (const row of rows) {
      const known = rememberedStep(row);
      const better = this.run.steps.get(row.token_id);
      if (known && !(better && isProven(better.step))) this.run.steps.set(row.token_id, known);
    }
    const byId = new Map(rows.map((row) => [row.token_id, row]));
    for (const { token_user } of rows) {
      const user = userIn(token_user);
      if (user) this.#users.set(user.id, user);
    }
    const unlisted = new Set(
      [...this.run.steps.values()].flatMap((row) => (row.hint === unnamed ? [row.tokenId] : [])),
    );
    const targets: Target[] = [];
    const add = (tokenId: string, value: string | null, leaked: boolean) => {
      this.#scope.add(tokenId);
      const row = byId.get(tokenId);
      const step = this.run.steps.get(tokenId);
      if (step && isProven(step.step)) return;
      const user = userIn(row?.token_user ?? null)?.id ?? null;
      const maybeSent = step?.step === "sent" || step?.step === "unknown";
      const doubtful = [tokenId, user ?? ""].map((of) => unlistedOf(of).id).filter((id) => unlisted.has(id));
      if (siblings) for (const id of doubtful) this.#reconsidered.add(id);
      targets.push({
        tokenId,
        value,
        leaked,
        maybeSent,
        seenAlive: row?.status === "live" || step?.step === "alive",
        knownActive: false,
        user,
        siblingsKnown: maybeSent && step.siblingsKnown && doubtful.length === 0,
      });
    };
    const leaks = this.#order.origin !== "tokens";
    for (const { id, value } of this.#marks) add(id, value, leaks);
    if (siblings) {
      for (const { tokenId, leaked } of this.run.steps.values()) {
        if (leaked || this.#scope.has(tokenId)) continue;
        if (!unlisted.has(tokenId)) add(tokenId, null, false);
        else if (!this.#reconsidered.has(tokenId)) this.#scope.add(tokenId);
      }
    }
    const marks = new Map(this.#marks.map((mark) => [mark.id, mark]));
    for (const [position, target] of targets.entries()) {
      const mark = marks.get(target.tokenId) ?? this.run.steps.get(target.tokenId);
      if (mark) this.#place(target, mark, position);
    }
    return targets;
  }

  #place(target: Target, { fingerprint, hint }: Pick<StepRow, "fingerprint" | "hint">, position: number): StepRow {
    const before = this.run.steps.get(target.tokenId);
    const row: StepRow = {
      tokenId: target.tokenId,
      fingerprint,
      hint,
      leaked: target.leaked,
      position,
      step: target.maybeSent ? "sent" : "waiting",
      detail: null,
      deletedAt: before?.deletedAt ?? null,
      provenAt: null,
      proof: null,
      status: target.seenAlive ? "live" : "unchecked",
      why: target.seenAlive ? "RingCX listed it for the same user." : "It was not looked up before it was revoked.",
      seenAt: Date.now(),
      user: (target.user === null ? null : this.#users.get(target.user)) ?? null,
      siblingsKnown: before?.siblingsKnown ?? false,
    };
    this.run.steps.set(target.tokenId, row);
    return row;
  }

  /** `beyond`: the values of those that are left alone. One row stands for them all. */
  #add(found: Target[], beyond: readonly string[], endless: boolean): void {
    const first = this.#scope.size;
    const rows = found.map((target, index) => {
      this.#scope.add(target.tokenId);
      return this.#place(target, markToken(target.value as string), first + index);
    });
    void this.#notes.note(rows);
    const [next] = beyond;
    if (next === undefined) return;
    this.#beyond += beyond.length - 1;
    const mark = markToken(next);
    const row = this.#place({ ...standIn, tokenId: mark.id, seenAlive: true }, mark, this.#scope.size);
    const why = endless
      ? "somebody makes new ones while this run revokes them"
      : `a run takes at most ${maxFindings} tokens`;
    this.#leaveOpen(
      row,
      `${plural(beyond.length, "sibling")} of the same user, this one among them, ${beyond.length === 1 ? "was" : "were"} left alone: ${why}. Treat them as alive, and revoke again.`,
    );
  }

  /** Siblings of what was dead before they were asked for: its list died with it, and no other one of that user's was seen. */
  #noteUnasked(): void {
    if (!this.#order.siblings) return;
    const rows = [...this.run.steps.values()];
    for (const { id } of this.#marks) {
      const row = this.run.steps.get(id);
      if (row?.step !== "revoked" || !row.leaked || row.siblingsKnown) continue;
      const user = row.user?.id ?? null;
      if (user !== null && rows.some((other) => other.siblingsKnown && other.user?.id === user)) continue;
      this.#addUnlisted({ tokenId: id, user }, 0);
    }
  }

  /** Written with the siblings or after them, never before. */
  #noteListed(listed: readonly Target[]): void {
    const rows = listed.flatMap(({ tokenId }) => this.run.steps.get(tokenId) ?? []);
    for (const row of rows) row.siblingsKnown = true;
    // All others are written down before their deletion anyway.
    const sent = rows.filter(({ step }) => step === "sent");
    if (sent.length > 0) void this.#notes.note(sent);
  }

  /** Whoever stands for siblings of which nothing is known has one row for each user. */
  #addUnlisted({ tokenId, user }: Pick<Target, "tokenId" | "user">, unreadable: number): void {
    const mark = unlistedOf(user ?? tokenId);
    if (this.#scope.has(mark.id)) return;
    const { hint = "" } = this.run.steps.get(tokenId) ?? {};
    const row = this.#place({ ...standIn, tokenId: mark.id, user }, mark, this.#scope.size);
    row.why = "RingCX was asked for the list of its user, and gave none that makes sense.";
    this.#leaveOpen(
      row,
      unreadable > 0
        ? `${plural(unreadable, "entry", "entries")} in the list of the user of ${hint} could not be read. Treat what stands there as alive, and look it up in RingCX.`
        : `The user's other tokens could not be listed while ${hint} lived. Treat them as alive: revoke them in RingCX, or paste another one of that user.`,
    );
  }

  #leaveOpen(row: StepRow, detail: string): void {
    this.#scope.add(row.tokenId);
    row.step = "unknown";
    row.detail = detail;
    void this.#notes.note([row]);
    this.#tell(row);
  }

  async #step(target: Target, work: (sending: () => Promise<void>) => Promise<Settled>): Promise<void> {
    const row = this.run.steps.get(target.tokenId) as StepRow;
    const { actor } = this.#investigator;
    const { incident, reason, urgent = true } = this.#order;
    const subject: Subject = {
      action: "token.revoke",
      token: { id: row.tokenId, hint: row.hint },
      reason,
      details: { incident },
    };
    const sending = async () => {
      if (row.step === "sent") return;
      row.step = "sent";
      await soon(this.#notes.note([row]));
    };
    try {
      const settled = await audited(
        actor,
        subject,
        async (intent) => {
          const result = await work(sending);
          const { outcome, proof } = result;
          intent.details = { incident, result: outcome, ...(proof ? { proof: proof.method } : {}) };
          intent.outcome = isProven(outcome) ? "succeeded" : outcome === "alive" ? "failed" : "unknown";
          return result;
        },
        { urgent },
      );
      await this.#settle(row, settled);
    } catch (error) {
      if (!isTokendeskError(error)) logger().error({ err: error }, "a revocation step failed");
      const untouched = isTokendeskError(error) && error.code === "audit_unavailable";
      const detail = untouched ? error.message : "It failed for an unknown reason. Treat this token as alive.";
      const outcome: StepOutcome = untouched ? "alive" : "unknown";
      await this.#settle(row, { outcome, proof: null, detail, deletedAt: row.deletedAt });
    }
  }

  async #settle(row: StepRow, { outcome, proof, detail, deletedAt, uncontrolled }: Settled): Promise<void> {
    row.step = outcome;
    row.detail = detail;
    row.deletedAt = deletedAt ?? row.deletedAt;
    row.provenAt = proof && Date.parse(proof.checkedAt);
    row.proof = proof?.method ?? null;
    void this.#notes.note([row]);
    if (proof && row.provenAt !== null && !uncontrolled) {
      this.#notes.proven.add(row.tokenId);
      const record = await this.#notes.mark(row.tokenId, proof.method, row.provenAt);
      if (outcome === "revoked") {
        const { tenant, actor } = this.#investigator;
        const { tokenId, hint } = row;
        const label = record?.label ?? null;
        const { incident } = this.#order;
        // Nobody who waits for this line waits for that as well.
        void notify({
          type: "token.revoked",
          tenant,
          actor: actor.name,
          tokenId,
          hint,
          label,
          proof: proof.method,
          incident,
        });
      }
    }
    this.#tell(row);
  }

  #tell(row: StepRow): void {
    this.#done += 1;
    const { done, total, etaMs } = this.#progress();
    this.#push({ ...lineOf(row), done, total, etaMs });
  }

  #progress(): { done: number; total: number; etaMs: number } {
    const total = this.#scope.size;
    const left = total - this.#done;
    const etaMs = left > 0 ? this.#budget.waitForCalls(left * 2) : 0;
    return { done: this.#done, total, etaMs };
  }

  #summary(): Omit<RunSummary, "logged"> {
    const rows = [...this.#scope].flatMap((id) => this.run.steps.get(id) ?? []);
    const summary = summaryOfSteps(this.#order.incident, this.#openedAt, rows);
    return { ...summary, total: summary.total + this.#beyond, unknown: summary.unknown + this.#beyond };
  }

  #push(line: RevocationLine): void {
    this.run.lines.push(line);
    for (const listener of this.run.listeners) listener();
  }

  #end(line: RevocationLine): void {
    const progress = this.#progress();
    // The values end with the run; what was told stays for a while.
    this.run.progress = () => progress;
    this.run.over = true;
    this.run.endedAt = Date.now();
    this.#push(line);
  }
}

/** For tokens that are not to be revoked: a row says so. */
const standIn = { value: null, leaked: false, maybeSent: false, seenAlive: false, knownActive: false, user: null };

/** Marks the row for the siblings, of a user or of a token, that could not be listed. */
function unlistedOf(whose: string) {
  return { ...markToken(`siblings of ${whose}`), hint: unnamed };
}
