import "server-only";
import { randomUUID } from "node:crypto";
import { audited, type Intent, type Subject } from "@/lib/audit/log";
import { auditedStream } from "@/lib/audit/streams";
import { env } from "@/lib/env";
import { TokendeskError, toProblem } from "@/lib/errors";
import { inTime } from "@/lib/in-time";
import { type CaseToken, noteFindings, openCase } from "@/lib/incidents/cases";
import { sealFindings } from "@/lib/incidents/handles";
import { type Candidate, type Identified, identify, notAsked } from "@/lib/incidents/identify";
import type { Investigator } from "@/lib/incidents/investigator";
import { knownTokens } from "@/lib/incidents/known";
import { type Found, findTokens, type ScanSource } from "@/lib/incidents/scan";
import { type Finding, maxFindings, type ScanLine, type ScanResult } from "@/lib/incidents/schema";
import { noteVendorChanges } from "@/lib/incidents/vendor-changes";
import { warnOfVolume } from "@/lib/incidents/volume";
import { notify } from "@/lib/notify/notify";
import { markToken, type TokenMark } from "@/lib/tokens/fingerprint";
import { ifReachable } from "@/lib/tokens/held";

/**
 * The first half of an incident: which tokens stand in a text, which of them live, whose they are and what they reach.
 * Any signed-in person may ask for strings that they hold; every use is recorded, before RingCX is asked. The text is
 * in memory for as long as this runs, and nowhere else. It goes on while the database is away.
 */

/** A request that waits for the whole answer is answered after so long, with what is known by then. */
const answerWithinMs = 20_000;
/** How long a step waits for the database. What is late may be written all the same. */
const databaseWithinMs = 1_000;
/** Who reads lines hears of it that often. */
const waitingAfterMs = 3_000;
const siblingsShown = 20;
const accountsKept = 100;

/** What was found, with its values: for the process alone, which may go on with it. */
export type Suspected = { incident: string; openedAt: number; values: string[] };

type ScanOptions = {
  onSuspected?: (suspected: Suspected) => void;
  /** Told of what is at work for this scan: it may outlast the answer, and whoever waits for it. */
  onWork?: (work: Promise<unknown>) => void;
};

/** @returns what was found, looked up as far as `withinMs`, from this call on, and the vendor's budget allow */
export async function scanIncident(
  investigator: Investigator,
  sources: readonly ScanSource[],
  { withinMs = answerWithinMs, ...options }: ScanOptions & { withinMs?: number } = {},
): Promise<ScanResult> {
  const until = { withinMs, at: Date.now() + withinMs };
  return audited(
    investigator.actor,
    subjectOf(sources),
    async (intent) => {
      for await (const line of scan(investigator, sources, intent, { until, ...options })) {
        if (line.type === "result") {
          const { type: _, ...result } = line;
          return result;
        }
      }
      throw new TokendeskError("internal_error", "The scan ended without a result.");
    },
    { urgent: true },
  );
}

/** The same as a stream of {@link ScanLine}s, which waits for the vendor's budget as long as its reader does. */
export function scanStream(
  investigator: Investigator,
  sources: readonly ScanSource[],
  options: ScanOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const inLines = async function* (intent: Intent) {
    for await (const line of scan(investigator, sources, intent, { until: null, ...options })) yield jsonLine(line);
  };
  const lastWords = (error: unknown) => {
    const { code, detail } = toProblem(error, "");
    return jsonLine({ type: "failed", code, detail });
  };
  return auditedStream(investigator.actor, subjectOf(sources), inLines, lastWords, { urgent: true });
}

const jsonLine = (line: ScanLine) => `${JSON.stringify(line)}\n`;

function subjectOf(sources: readonly ScanSource[]): Subject {
  return { action: "incident.scan", details: { textBytes: bytesOf(sources), files: filesOf(sources) } };
}

const bytesOf = (sources: readonly ScanSource[]) =>
  sources.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
const filesOf = (sources: readonly ScanSource[]) => new Set(sources.flatMap(({ name }) => name ?? [])).size;

/** A token of the case, with its value: it does not leave this module. */
type Suspect = {
  found: Found;
  foundAt: number;
  mark: TokenMark;
  candidate: Candidate;
  finding: Finding;
  identified: Identified;
};

/** `until`: what RingCX has not answered by then is told as not checked; null: it takes as long as it takes. */
async function* scan(
  investigator: Investigator,
  sources: readonly ScanSource[],
  intent: Intent,
  { until, onSuspected, onWork }: ScanOptions & { until: { withinMs: number; at: number } | null },
): AsyncGenerator<ScanLine, void, undefined> {
  const openedAt = Date.now();
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const lines = new Lines();
  let unkept = async () => {};
  try {
    const matching = findTokens(sources, {
      prefixes: env().tokenPrefixes,
      limit: maxFindings,
      signal: stop.signal,
      onProgress: (doneBytes, totalBytes) => lines.put({ type: "matching", doneBytes, totalBytes }),
    });
    onWork?.(matching);
    yield* lines.until(matching);
    const { found, truncated } = await matching;
    const incident = found.length === 0 ? null : randomUUID();
    const suspects = await suspectsOf(investigator, found, incident ?? "", openedAt);
    const findings = suspects.map(({ finding }) => finding);
    if (incident !== null) onSuspected?.({ incident, openedAt, values: found.map(({ value }) => value) });
    intent.details = { ...subjectOf(sources).details, incident, tokens: suspects.length };
    const opened =
      incident === null ? Promise.resolve(true) : open(investigator, incident, sources, openedAt, suspects);
    let noted = opened;
    // One after the other, so that what is known later stays; each notes what is known when its turn comes.
    const keep = () => {
      noted = noted.then(async (before) => {
        const now = incident === null || (await noteFindings(investigator.tenant, incident, suspects.map(toCaseToken)));
        return before && now;
      });
      onWork?.(noted);
      return inTime(noted, databaseWithinMs);
    };
    unkept = async () => void (await keep());
    const told =
      // A scanner reports what died long ago as well, again and again: of that nobody needs to hear.
      incident !== null && investigator.origin !== "key"
        ? inTime(opened, databaseWithinMs).then(() => tellOpened(investigator, incident, suspects.length))
        : null;
    const warned =
      suspects.length === 0
        ? null
        : warnOfVolume(investigator.actor, suspects.length).then((unusual) => {
            if (unusual) intent.details.unusual = true;
          });
    await Promise.all([keep(), inTime(Promise.all([told, warned]), databaseWithinMs)]);
    yield {
      type: "found",
      incident,
      findings: structuredClone(findings),
      etaMs: etaOf(investigator, suspects, suspects.length),
    };

    const deadline = until?.at ?? null;
    if (deadline !== null) timer = setTimeout(() => stop.abort(), Math.max(0, deadline - Date.now()));
    const byId = new Map(suspects.map((suspect) => [suspect.mark.id, suspect]));
    let checked = 0;
    let untold = investigator.origin === "key";
    const looking = identify(
      investigator,
      suspects.map(({ candidate }) => candidate),
      {
        signal: stop.signal,
        ...(deadline === null ? {} : { patienceMs: () => Math.max(0, deadline - Date.now()) }),
        onIdentified: ({ tokenId }, identified, etaMs) => {
          // What was answered stays as it was answered.
          if (deadline !== null && stop.signal.aborted) return;
          const suspect = byId.get(tokenId) as Suspect;
          learn(suspect, identified, byId);
          checked += 1;
          if (untold && identified.status === "live" && incident !== null) {
            untold = false;
            void tellOpened(investigator, incident, suspects.length);
          }
          const finding = structuredClone(suspect.finding);
          lines.put({ type: "finding", finding, checked, total: suspects.length, etaMs });
        },
      },
    );
    onWork?.(looking);
    yield* lines.until(looking, {
      stop: deadline === null ? null : stop.signal,
      idle: () => {
        const etaMs = etaOf(investigator, suspects, suspects.length - checked);
        return { type: "waiting", checked, total: suspects.length, etaMs };
      },
    });
    if (until !== null) {
      const why = lateAfter(until.withinMs);
      for (const { finding, identified } of suspects) if (identified === notAsked) finding.why = why;
    }
    const [recorded] = await Promise.all([keep(), labelSiblings(investigator, findings)]);
    unkept = async () => {};

    const count = (status: Finding["status"]) => findings.filter((finding) => finding.status === status).length;
    const [live, dead, unchecked] = [count("live"), count("dead"), count("unchecked")];
    Object.assign(intent.details, { live, dead, unchecked });
    // While they live. Nobody waits for it.
    if (incident !== null) {
      const identities = suspects.map(({ candidate, identified }) => ({ ...candidate, ...identified }));
      void noteVendorChanges(investigator, incident, identities);
    }
    yield { type: "result", incident, findings, truncated, unchecked, recorded: recorded ?? false };
  } finally {
    clearTimeout(timer);
    stop.abort();
    // Who asked has gone in the midst of it: what is known by now stays.
    await unkept();
  }
}

async function suspectsOf(
  investigator: Investigator,
  found: readonly Found[],
  incident: string,
  openedAt: number,
): Promise<Suspect[]> {
  const foundAt = Date.now();
  const marks = found.map(({ value }) => markToken(value));
  const [ids, known] = await Promise.all([
    // A key can do nothing with them, and what is answered to it stays in the logs of its jobs.
    investigator.origin === "key"
      ? null
      : sealFindings(
          investigator,
          { incident, openedAt },
          found.map(({ value }) => value),
        ),
    knownInTime(
      investigator.tenant,
      marks.map(({ id }) => id),
    ),
  ]);
  return found.map((one, index) => {
    const mark = marks[index] as TokenMark;
    const candidate = { value: one.value, tokenId: mark.id, known: known?.get(mark.id) ?? null };
    const finding: Finding = {
      id: ids?.[index] ?? mark.id,
      tokenId: mark.id,
      hint: mark.hint,
      line: one.places[0]?.line ?? 1,
      places: one.places,
      count: one.count,
      status: "unchecked",
      why: notAsked.why,
      checkedAt: null,
      notChecked: [],
      known: candidate.known,
    };
    return { found: one, foundAt, mark, candidate, finding, identified: notAsked };
  });
}

function learn(suspect: Suspect, identified: Identified, all: ReadonlyMap<string, Suspect>): void {
  const { finding } = suspect;
  suspect.identified = identified;
  finding.status = identified.status;
  finding.why = identified.why;
  finding.checkedAt = identified.checkedAt === null ? null : new Date(identified.checkedAt).toISOString();
  finding.notChecked = identified.notChecked;
  if (identified.user) finding.user = identified.user;
  if (identified.accounts) {
    finding.accounts = identified.accounts.slice(0, accountsKept);
    finding.accountCount = identified.accounts.length;
  }
  if (identified.reach) finding.reach = identified.reach;
  if (!identified.siblings) return;
  finding.siblingCount = identified.siblings.length;
  // Those that leaked as well come first: they are on the screen.
  const leaked = identified.siblings.filter(({ tokenId }) => all.has(tokenId));
  const others = identified.siblings.filter(({ tokenId }) => !all.has(tokenId));
  finding.siblings = [...leaked, ...others].slice(0, siblingsShown).map(({ tokenId, hint }) => {
    const known = all.get(tokenId)?.candidate.known;
    return { tokenId, hint, label: known?.label ?? null, leaked: all.has(tokenId) };
  });
}

/** Siblings that did not leak may have labels as well. */
async function labelSiblings(investigator: Investigator, findings: readonly Finding[]): Promise<void> {
  const siblings = findings.flatMap(({ siblings }) => siblings ?? []).filter(({ leaked }) => !leaked);
  const ids = [...new Set(siblings.map(({ tokenId }) => tokenId))];
  const known = await knownInTime(investigator.tenant, ids);
  for (const sibling of siblings) sibling.label = known?.get(sibling.tokenId)?.label ?? null;
}

/** Null: the database is away, or takes too long. */
function knownInTime(tenant: string, ids: readonly string[]) {
  return inTime(ifReachable(knownTokens(tenant, ids)), databaseWithinMs);
}

function open(
  investigator: Investigator,
  id: string,
  sources: readonly ScanSource[],
  openedAt: number,
  suspects: readonly Suspect[],
): Promise<boolean> {
  return openCase(investigator, {
    id,
    host: hostOf(investigator, suspects),
    openedAt,
    textBytes: bytesOf(sources),
    files: filesOf(sources),
    found: suspects.length,
  });
}

function tellOpened({ tenant, actor, origin }: Investigator, incident: string, found: number): Promise<void> {
  return notify({ type: "incident.opened", tenant, actor: actor.name, incident, found, origin });
}

const hostOf = (investigator: Investigator, [first]: readonly Suspect[]) =>
  investigator.holding(first?.candidate.value ?? "").host;

/** One list each, and two more calls for at least one user. */
const etaOf = (investigator: Investigator, [first]: readonly Suspect[], left: number) =>
  first === undefined ? 0 : investigator.holding(first.candidate.value).waitForCalls(left + 2);

function toCaseToken({ found, foundAt, mark, finding, identified }: Suspect): CaseToken {
  return {
    tokenId: mark.id,
    fingerprint: mark.fingerprint,
    hint: mark.hint,
    leaked: true,
    places: found.places,
    foundAt,
    status: finding.status,
    why: finding.why,
    checkedAt: identified.checkedAt,
    user: identified.user,
    accounts: identified.accounts?.slice(0, accountsKept) ?? null,
    reach: identified.reach,
    notChecked: [
      ...identified.notChecked,
      ...((identified.accounts?.length ?? 0) > accountsKept
        ? [`Only the first ${accountsKept} of ${identified.accounts?.length} sub-accounts are named.`]
        : []),
    ],
  };
}

const lateAfter = (ms: number) => `Could not check: RingCX did not answer within ${ms / 1000} seconds.`;

/** What a job tells while it runs, for a generator to pass on. */
class Lines {
  #waiting: ScanLine[] = [];
  #wake: (() => void) | null = null;

  put(line: ScanLine): void {
    // Of progress only the newest matters.
    if (line.type === "matching" && this.#waiting.at(-1)?.type === "matching") this.#waiting.pop();
    this.#waiting.push(line);
    this.#wake?.();
  }

  /**
   * Ends with the job, and fails with it; `stop` ends it before. `idle`: what to say when nothing was said for some
   * seconds.
   */
  async *until(
    job: Promise<unknown>,
    { stop = null, idle }: { stop?: AbortSignal | null; idle?: () => ScanLine } = {},
  ): AsyncGenerator<ScanLine, void, undefined> {
    let over = stop?.aborted ?? false;
    const end = () => {
      over = true;
      this.#wake?.();
    };
    // Its failure is thrown below; whoever has left by then is not told.
    job.then(end, end);
    stop?.addEventListener("abort", end, { once: true });
    while (!over || this.#waiting.length > 0) {
      const line = this.#waiting.shift();
      if (line) {
        yield line;
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      let quiet = false;
      const timer = setTimeout(() => {
        quiet = true;
        resolve();
      }, waitingAfterMs);
      await promise;
      clearTimeout(timer);
      if (quiet && idle && !over && this.#waiting.length === 0) yield idle();
    }
    if (!stop?.aborted) await job;
  }
}
