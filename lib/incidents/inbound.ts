import "server-only";
import { z } from "zod";
import { type Actor, audited } from "@/lib/audit/log";
import { env } from "@/lib/env";
import { TokendeskError, toProblem } from "@/lib/errors";
import { answerTo } from "@/lib/incidents/control";
import { type Suspected, scanIncident, scanStream } from "@/lib/incidents/desk";
import type { Investigator } from "@/lib/incidents/investigator";
import { runRevocation } from "@/lib/incidents/run";
import { findTokens, type ScanSource } from "@/lib/incidents/scan";
import {
  type Finding,
  maxFindings,
  maxScanBytes,
  type RevocationLine,
  type RunSummary,
  type ScanLine,
} from "@/lib/incidents/schema";
import { warnOfVolume } from "@/lib/incidents/volume";
import { TokenClient } from "@/lib/ringcx/client";
import { holdsSecret, text } from "@/lib/tokens/schema";

/**
 * What scanners and CI jobs send in with an API key. It is looked up and, where the key may and the report asks for it,
 * revoked at once: by the same means as at the desk, with the token alone as authority, for nobody is signed in.
 */

/** Who reports. A KeyHolder is one. */
type Reporter = { id: string; name: string; tenant: string; host: string; actor: Actor };

export function investigatorOfKey({ id, name, tenant, host, actor }: Reporter): Investigator {
  // One budget for all keys of a main account: RingCX does not know one from another.
  const limitKey = `${tenant}|keys`;
  return {
    tenant,
    actor,
    user: { id: actor.id ?? id, name: actor.name },
    origin: "key",
    keyName: name,
    seal: `key ${id}`,
    holding: (value, patienceMs) => new TokenClient({ host, limitKey }, value, patienceMs),
    owner: null,
  };
}

/** Where something was found, as it may be kept and shown: a path, a job. Null: better not. */
function placeName(given: string | undefined): string | null {
  const plain = (given ?? "").replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "").trim();
  const masked = holdsSecret(plain) || /[0-9a-f]{8}-[0-9a-f]{4}-/i.test(plain);
  // The end of a path tells more than its beginning.
  return plain === "" || masked ? null : plain.slice(-200);
}

const place = z.string().max(2_000).optional().transform(placeName);

/** Body of `POST /api/incidents/report`: either `text` or `findings`. `source`: the job, or the path of one finding. */
export const reportSchema = z
  .strictObject({
    text: z.string().min(1).optional(),
    findings: z
      .array(
        z.strictObject({
          value: z.string().min(1).max(20_000),
          source: place,
          line: z.int().min(1).max(1_000_000_000).optional(),
        }),
      )
      .min(1)
      .max(maxFindings)
      .optional(),
    source: place,
    /** Takes a key with automatic revocation. Without it nothing is changed. */
    revoke: z.boolean().default(false),
    /** Also every other token of the users of these. */
    siblings: z.boolean().default(false),
    reason: text(500).optional(),
  })
  .refine((body) => (body.text === undefined) !== (body.findings === undefined), {
    error: "Give either text or findings",
  });
export type Report = z.infer<typeof reportSchema>;

/** The answer. `revocation`: null for a dry run, and where nothing was found. */
export type Reported = {
  incident: string | null;
  dryRun: boolean;
  findings: Finding[];
  truncated: boolean;
  revocation: RunSummary | null;
};

/** Scanners also write the line behind the path: `config/app.env:12`. */
function placeOf(source: string | null, line: number | undefined): { name: string | null; line: number } {
  const [, path, number] = /^(.+):(\d{1,9})$/.exec(source ?? "") ?? [];
  if (line !== undefined || path === undefined) return { name: source, line: line ?? 1 };
  return { name: path, line: Math.max(1, Number(number)) };
}

/** @throws {TokendeskError} `payload_too_large` */
function sourcesOf({ text: whole, findings, source }: Report): ScanSource[] {
  const sources = findings
    ? findings.map(({ value, source: own, line }) => ({ ...placeOf(own ?? source, line), content: value }))
    : [{ name: source, content: whole ?? "" }];
  const bytes = sources.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes > maxScanBytes) {
    throw new TokendeskError("payload_too_large", `The text is larger than ${maxScanBytes / 1024 / 1024} MB.`);
  }
  return sources;
}

/** A key that leaked fills the budget of calls, which all keys share, with no more than this. */
const scansAtOnce = 2;
const busyForSeconds = 10;

// The route handlers may be separate bundles of one process.
const slot = Symbol.for("tokendesk.incidents.reports");
type Slot = { [slot]?: Map<string, number> };

/**
 * A place for one more scan of this key, until what `keep` was told of has ended, too.
 * @throws {TokendeskError} `rate_limited`
 */
function takePlace({ origin, seal }: Investigator): { keep: (work: Promise<unknown>) => void; leave: () => void } {
  if (origin !== "key") return { keep: () => {}, leave: () => {} };
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  const taken = holder[slot];
  const before = taken.get(seal) ?? 0;
  if (before >= scansAtOnce) {
    throw new TokendeskError(
      "rate_limited",
      `${scansAtOnce} reports of this API key are being looked up already. Send the next one when they are done.`,
      { retryAfter: busyForSeconds },
    );
  }
  taken.set(seal, before + 1);
  const works: Promise<unknown>[] = [];
  const free = () => {
    const left = (taken.get(seal) ?? 1) - 1;
    if (left > 0) taken.set(seal, left);
    else taken.delete(seal);
  };
  return { keep: (work) => void works.push(work), leave: () => void Promise.allSettled(works).then(free) };
}

/** Looks up what was reported and revokes it, if that was asked for. The key's rights are the caller's business. */
export async function takeReport(investigator: Investigator, report: Report): Promise<Reported> {
  const sources = sourcesOf(report);
  const place = takePlace(investigator);
  let suspected: Suspected | null = null;
  const onSuspected = (them: Suspected) => {
    suspected = them;
  };
  const { incident, findings, truncated } = await scanIncident(investigator, sources, {
    onSuspected,
    onWork: place.keep,
  }).finally(place.leave);
  const revocation = await revokeReported(investigator, report, suspected);
  return { incident, dryRun: !report.revoke, findings, truncated, revocation };
}

/** The same as NDJSON: the lines of a scan, then those of a revocation if there is one. */
export async function streamReport(investigator: Investigator, report: Report): Promise<ReadableStream<Uint8Array>> {
  const sources = sourcesOf(report);
  const place = takePlace(investigator);
  let suspected: Suspected | null = null;
  const onSuspected = (them: Suspected) => {
    suspected = them;
  };
  const scanned = await scanStream(investigator, sources, { onSuspected, onWork: place.keep }).catch((error) => {
    place.leave();
    throw error;
  });
  const encoder = new TextEncoder();
  let gone = false;
  const reader = scanned.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async start(controller) {
        let failed = false;
        const send = (bytes: Uint8Array) => gone || controller.enqueue(bytes);
        const sendLine = (line: RevocationLine | ScanLine) => {
          // What failed says so itself, and then throws.
          if (!failed) send(encoder.encode(`${JSON.stringify(line)}\n`));
          failed = line.type === "failed";
        };
        try {
          const last = new LastLine();
          try {
            for (;;) {
              const { done, value } = await reader.read();
              if (done) break;
              last.add(value);
              send(value);
            }
          } finally {
            place.leave();
          }
          if (last.read()?.type === "result") await revokeReported(investigator, report, suspected, sendLine);
        } catch (error) {
          const { code, detail } = toProblem(error, "");
          sendLine({ type: "failed", code, detail });
        }
        if (!gone) controller.close();
      },
      async cancel() {
        gone = true;
        // The scan ends with its reader; a revocation that has begun goes on.
        await reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The last line of a stream of them, however it is cut into pieces. */
class LastLine {
  readonly #decoder = new TextDecoder();
  #text = "";

  add(bytes: Uint8Array): void {
    const lines = `${this.#text}${this.#decoder.decode(bytes, { stream: true })}`.split("\n");
    const open = lines.pop() ?? "";
    this.#text = open === "" ? `${lines.at(-1) ?? ""}\n` : open;
  }

  read(): ScanLine | null {
    const line = this.#text.trim();
    return line === "" ? null : (JSON.parse(line) as ScanLine);
  }
}

async function revokeReported(
  investigator: Investigator,
  { revoke, siblings, reason, source }: Report,
  suspected: Suspected | null,
  onLine?: (line: RevocationLine) => void,
): Promise<RunSummary | null> {
  if (!revoke || suspected === null) return null;
  const why = reason ?? `Reported by ${investigator.actor.name}${source === null ? "" : `: ${source}`}`;
  // All of them: what was refused once is proven dead by the same means as the others.
  return runRevocation(investigator, { ...suspected, siblings, reason: why }, onLine);
}

const mostStrings = 200;
/** A scanner waits for the answer, and no longer than ten seconds. */
const verifyWithinMs = 8_000;

export type Verified = { live: number; dead: number; unchecked: number };

/**
 * The question of TruffleHog's custom detectors, `{"detector": {"pattern": ["match", "group", …]}}`: do these live? No case
 * is opened for it.
 * @throws {TokendeskError} `invalid_input`
 */
export async function verifyMatches(
  investigator: Investigator,
  body: unknown,
  withinMs = verifyWithinMs,
): Promise<Verified> {
  const strings = [...stringsIn(body)];
  if (strings.length === 0 || strings.length > mostStrings) {
    throw new TokendeskError("invalid_input", 'Send {"detector": {"pattern": ["match"]}}, with up to 200 matches.');
  }
  const sources = strings.map((content) => ({ name: null, content }));
  const { found } = await findTokens(sources, { prefixes: env().tokenPrefixes, limit: mostStrings });
  if (found.length === 0) return { live: 0, dead: 0, unchecked: 0 };
  return audited(
    investigator.actor,
    { action: "incident.scan", details: { verification: true } },
    async (intent) => {
      const late = Promise.withResolvers<keyof Verified>();
      const timer = setTimeout(late.resolve, withinMs, "unchecked");
      const questions = found.map(({ value }) => Promise.race([fateOf(investigator, value, withinMs), late.promise]));
      const fates = await Promise.all(questions).finally(() => clearTimeout(timer));
      const count = (wanted: keyof Verified) => fates.filter((fate) => fate === wanted).length;
      const verified = { live: count("live"), dead: count("dead"), unchecked: count("unchecked") };
      intent.details = { verification: true, tokens: found.length, ...verified };
      if (await warnOfVolume(investigator.actor, found.length)) intent.details.unusual = true;
      return verified;
    },
    { urgent: true },
  );
}

function* stringsIn(value: unknown, depth = 0): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null && depth < 4) {
    for (const member of Object.values(value)) yield* stringsIn(member, depth + 1);
  }
}

async function fateOf(investigator: Investigator, value: string, withinMs: number): Promise<keyof Verified> {
  // Whom RingCX refuses something else in its own words, it knows.
  const answer = await answerTo(investigator.holding(value, withinMs / 2));
  return answer === null ? "unchecked" : answer === "accepted" ? "live" : "dead";
}
