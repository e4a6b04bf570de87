import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { type CaseRow, isHeld, readCase, rememberedStep, type StepRow } from "@/lib/incidents/cases";
import type { Settled } from "@/lib/incidents/revocation";
import type { RevocationLine, RunSummary, StepOutcome } from "@/lib/incidents/schema";
import { ifReachable } from "@/lib/tokens/held";

/**
 * What is told of a run, line by line: by the process that carries it out, and from the database by every other one.
 */

export type StepLine = Extract<RevocationLine, { type: "step" }>;

/** A run that tells of itself. */
export type Telling = {
  /** What was told so far; `summary` or `failed` is the last. `id` is the token's. */
  lines: RevocationLine[];
  /** Told of each line. */
  listeners: Set<() => void>;
  progress(): { done: number; total: number; etaMs: number };
};

const waitingAfterMs = 3_000;
const pollMs = 1_000;

/** The hint of a row that stands for tokens of which nothing is known. */
export const unnamed = "…";

export function stepLine(
  { tokenId, hint, leaked }: Pick<StepRow, "tokenId" | "hint" | "leaked">,
  { outcome, proof, detail }: Omit<Settled, "deletedAt">,
  id = tokenId,
): StepLine {
  return { type: "step", id, tokenId, hint, leaked, outcome, proof, detail, done: 0, total: 0, etaMs: 0 };
}

export function lineOf(row: StepRow): StepLine {
  const outcome = row.step as StepOutcome;
  const proof =
    row.proof === null || row.provenAt === null
      ? null
      : { method: row.proof, checkedAt: new Date(row.provenAt).toISOString() };
  return stepLine(row, { outcome, proof, detail: row.detail ?? "" });
}

const isSettled = ({ step }: Pick<StepRow, "step">) => step !== "waiting" && step !== "sent";

export function summaryOfSteps(
  incident: string,
  openedAt: number,
  rows: readonly Pick<StepRow, "step" | "provenAt">[],
): Omit<RunSummary, "logged"> {
  const count = (outcome: StepOutcome) => rows.filter(({ step }) => step === outcome).length;
  const [revoked, alreadyDead, alive] = [count("revoked"), count("already_dead"), count("alive")];
  const total = rows.length;
  const proven = rows.flatMap(({ provenAt }) => provenAt ?? []);
  return {
    incident,
    outcome: revoked + alreadyDead === total ? "contained" : "partial",
    total,
    revoked,
    alreadyDead,
    alive,
    unknown: total - revoked - alreadyDead - alive,
    secondsToProof: proven.length === 0 ? null : Math.round((Math.max(...proven) - openedAt) / 100) / 10,
  };
}

/** What a run of this process has told and tells, until it is over. */
export async function* linesOf(run: Telling): AsyncGenerator<RevocationLine, void, undefined> {
  let next = 0;
  for (;;) {
    const line = run.lines[next];
    if (line !== undefined) {
      next += 1;
      yield line;
      if (line.type === "summary" || line.type === "failed") return;
      continue;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const told = () => resolve(true);
    run.listeners.add(told);
    const timer = setTimeout(resolve, waitingAfterMs, false);
    const news = await promise.finally(() => {
      clearTimeout(timer);
      run.listeners.delete(told);
    });
    if (!news) yield { type: "waiting", ...run.progress() };
  }
}

/** The outcomes that were told, by token. */
export type Told = Map<string, string>;

/** What the database tells of a run of another process, or of one that is over, but for what was told before. */
export async function* polled(
  tenant: string,
  incident: string,
  told: Told = new Map(),
): AsyncGenerator<RevocationLine, void, undefined> {
  let quietSince = Date.now();
  for (;;) {
    const found = await ifReachable(readCase(tenant, incident));
    if (found) {
      const rows = found.tokens.flatMap((row) => rememberedStep(row) ?? []).sort((a, b) => a.position - b.position);
      for (const row of rows) {
        if (!isSettled(row) || told.get(row.tokenId) === row.step) continue;
        told.set(row.tokenId, row.step);
        quietSince = Date.now();
        yield { ...lineOf(row), done: told.size, total: rows.length, etaMs: 0 };
      }
      const end = endOf(found.incident);
      if (end !== null) {
        const summary = summaryOfSteps(incident, found.incident.opened_at, rows);
        yield { type: "summary", ...summary, ...(end === "interrupted" ? { outcome: end } : {}), logged: true };
        return;
      }
      if (Date.now() - quietSince >= waitingAfterMs) {
        quietSince = Date.now();
        yield { type: "waiting", done: told.size, total: rows.length, etaMs: 0 };
      }
    } else if (Date.now() - quietSince >= waitingAfterMs) {
      quietSince = Date.now();
      yield { type: "waiting", done: told.size, total: told.size, etaMs: 0 };
    }
    await delay(pollMs, undefined, { ref: false });
  }
}

function endOf(incident: CaseRow): "finished" | "interrupted" | null {
  if (incident.finished_at !== null) return "finished";
  return isHeld(incident, Date.now()) ? null : "interrupted";
}

/** The lines for one reader: with the IDs that it used, and with what could not be taken up for it. */
export async function* named(
  lines: AsyncGenerator<RevocationLine, void, undefined>,
  ids: ReadonlyMap<string, string>,
  lost: readonly StepLine[],
): AsyncGenerator<RevocationLine, void, undefined> {
  const more = lost.length;
  let total = 0;
  for (const [index, line] of lost.entries())
    yield { ...line, done: index + 1, total: Math.max(more, ids.size + more) };
  for await (const line of lines) {
    if (line.type === "step" || line.type === "waiting") {
      total = Math.max(total, line.total + more);
      const count = { done: line.done + more, total };
      yield line.type === "step"
        ? { ...line, ...count, id: ids.get(line.tokenId) ?? line.tokenId }
        : { ...line, ...count };
    } else if (line.type === "summary" && more > 0) {
      const outcome = line.outcome === "contained" ? "partial" : line.outcome;
      yield { ...line, outcome, total: line.total + more, unknown: line.unknown + more };
    } else yield line;
  }
}

/** What is told goes out at once; a reader that leaves stops nothing. */
export function ndjson(lines: AsyncGenerator<RevocationLine, void, undefined>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await lines.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      },
      cancel: () => void lines.return(undefined),
    },
    { highWaterMark: 0 },
  );
}
