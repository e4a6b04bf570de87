import "server-only";
import { z } from "zod";
import { type Actor, audited } from "@/lib/audit/log";
import { eventsOfToken } from "@/lib/audit/reading";
import { line } from "@/lib/audit/redaction";
import type { AuditAction, AuditEvent } from "@/lib/audit/schema";
import { TokendeskError } from "@/lib/errors";
import { formatCount, plural } from "@/lib/format";
import {
  type CaseReader,
  type CaseRow,
  type CaseTokenRow,
  isProven,
  listCases,
  mayRead,
  readCase,
  summaryOf,
} from "@/lib/incidents/cases";
import { knownTokens } from "@/lib/incidents/known";
import { isSettled, reportMarkdown } from "@/lib/incidents/report-text";
import type {
  FindingStatus,
  IncidentReport,
  IncidentState,
  IncidentSummary,
  KnownToken,
  Place,
  ReportEvent,
  ReportToken,
  StepOutcome,
  VendorChanges,
} from "@/lib/incidents/schema";
import { nameOf, parseVendorChanges } from "@/lib/incidents/vendor-changes";
import { ifReachable, iso, needDatabase } from "@/lib/tokens/held";

/**
 * What is known of a case, for those who were not there: built anew at each reading from what was noted of it, from the
 * inventory and from the audit log. What is not known is said.
 */

/** The newest 50 cases that the reader may see. @throws {TokendeskError} `audit_unavailable` */
export function recentIncidents({ tenant, user }: CaseReader): Promise<IncidentSummary[]> {
  const everybody = user.role === "ops" || user.role === "admin";
  return needDatabase(listCases(tenant, everybody ? {} : { openedBy: user.id }), "read");
}

/**
 * @throws {TokendeskError} `not_found`: there is none with this ID that the reader may see; `audit_unavailable`: the
 * database is away
 */
export async function incidentReport(reader: CaseReader, id: string): Promise<IncidentReport> {
  const found = z.uuid().safeParse(id).success ? await needDatabase(readCase(reader.tenant, id), "read") : null;
  if (!found || !mayRead(reader, found.incident)) {
    throw new TokendeskError("not_found", "There is no incident with this ID that you may see.");
  }
  const { incident, tokens: rows } = found;
  const ids = rows.map(({ token_id }) => token_id);
  const [known, history] = await Promise.all([
    ifReachable(knownTokens(reader.tenant, ids)),
    historyOf(reader, incident, rows),
  ]);
  const summary = clean(summaryOf(incident, rows));
  const tokens = rows
    .map((row) => tokenOf(incident, row, summary.state, known?.get(row.token_id) ?? null))
    // What is to be feared comes first.
    .sort((a, b) => Number(isSettled(a)) - Number(isSettled(b)));
  const vendorChanges = parseVendorChanges(incident.vendor_changes).map((changes) => coverage(changes, tokens));
  const count = (wanted: (token: ReportToken) => boolean) => tokens.filter(wanted).length;
  const proofs = tokens.flatMap(({ secondsToProof }) => (secondsToProof === null ? [] : [secondsToProof]));
  return {
    incident: summary,
    generatedAt: new Date().toISOString(),
    host: incident.host,
    confirmedAt: iso(incident.confirmed_at),
    confirmedBy: incident.confirmed_by_name && line(incident.confirmed_by_name, 320),
    finishedAt: iso(incident.finished_at),
    siblings: incident.siblings === 1,
    secondsToContainment: proofs.length > 0 && tokens.every(isSettled) ? Math.max(...proofs) : null,
    totals: {
      found: incident.found,
      live: count(({ status }) => status === "live"),
      dead: count(({ status }) => status === "dead"),
      unchecked: count(({ status }) => status === "unchecked"),
      revoked: count(({ outcome }) => outcome === "revoked"),
      alreadyDead: count(({ outcome }) => outcome === "already_dead"),
      alive: count(({ outcome }) => outcome === "alive"),
      unknown: count(({ outcome }) => outcome === "unknown"),
    },
    tokens,
    timeline: [...timelineOf(incident, tokens), ...(history.events ?? [])].sort((a, b) => a.at.localeCompare(b.at)),
    vendorChanges,
    notChecked: [
      ...limitsOf(incident, tokens, vendorChanges),
      ...(known === null ? ["Labels, owners and environments: the inventory could not be read."] : []),
      ...history.notChecked,
    ],
  };
}

const placesSchema = z.array(z.object({ source: z.string().nullable(), line: z.number(), dress: z.string() }));
const userSchema = z.object({
  id: z.string(),
  login: z.string().nullable(),
  name: z.string(),
  enabled: z.boolean(),
  roles: z.array(z.string()),
});
const accountsSchema = z.array(
  z.object({
    accountId: z.string(),
    accountName: z.string(),
    mainAccountId: z.string(),
    mainAccountName: z.string(),
  }),
);

/** What was stored as JSON; null when it makes no sense. */
function stored<T>(schema: z.ZodType<T>, text: string | null): T | null {
  try {
    return schema.parse(JSON.parse(text ?? "null"));
  } catch {
    return null;
  }
}

/** Every text in it on one line, with values masked: people name files and labels as they like. */
function clean<T>(facts: T): T {
  if (typeof facts === "string") return line(facts, 1_000, false) as T;
  if (Array.isArray(facts)) return facts.map(clean) as T;
  if (facts === null || typeof facts !== "object") return facts;
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, clean(value)])) as T;
}

/** A file's name may be the secret part of a value alone. */
const cleanPlace = (place: Place): Place => ({ ...place, source: place.source && line(place.source, 300) });

function tokenOf(incident: CaseRow, row: CaseTokenRow, state: IncidentState, known: KnownToken | null): ReportToken {
  const { outcome, detail } = fateOf(row, state);
  const proven = isProven(outcome) ? row.proven_at : null;
  const { token_id: tokenId, fingerprint, hint } = row;
  const facts: Omit<ReportToken, "tokenId" | "fingerprint"> = {
    hint,
    leaked: row.leaked === 1,
    places: (stored(placesSchema, row.places) ?? []).map(cleanPlace),
    label: known?.label ?? null,
    owner: known?.owner ?? null,
    environment: known?.environment ?? null,
    user: stored(userSchema, row.token_user),
    accounts: stored(accountsSchema, row.accounts) ?? [],
    reach: row.reach,
    status: row.status as FindingStatus,
    why: row.why,
    foundAt: iso(row.found_at) as string,
    checkedAt: iso(row.checked_at),
    outcome,
    detail,
    deletedAt: iso(row.deleted_at),
    provenAt: iso(proven),
    proof: proven === null ? null : (row.proof as ReportToken["proof"]),
    secondsToProof: proven === null ? null : secondsSince(incident, proven),
    notChecked: stored(z.array(z.string()), row.not_checked) ?? [],
  };
  return { tokenId, fingerprint, ...clean(facts) };
}

/** To a tenth, as the run tells it. */
function secondsSince({ opened_at }: CaseRow, at: number): number {
  return Math.max(0, Math.round((at - opened_at) / 100) / 10);
}

/** What a run has not come to an end with is `unknown` when nobody works on it any more. */
function fateOf({ step, detail }: CaseTokenRow, state: IncidentState): Pick<ReportToken, "outcome" | "detail"> {
  switch (step) {
    case "revoked":
    case "already_dead":
    case "alive":
    case "unknown":
      return { outcome: step as StepOutcome, detail };
    case "sent":
      if (state === "running") return { outcome: null, detail: "Its deletion was sent. It is not proven dead yet." };
      return { outcome: "unknown", detail: "Its deletion may have reached RingCX. Nothing proves it dead." };
    case "waiting":
      return { outcome: null, detail: state === "running" ? "It waits for its turn." : "Its turn never came." };
    default:
      return { outcome: null, detail: null };
  }
}

/** RingCX shows a change so long after it was made. */
const vendorDelayMs = 5 * 60_000;
const clock = (at: number) => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Adds which minutes the answer cannot cover: until the last token of that user was dead. */
function coverage(changes: VendorChanges, tokens: readonly ReportToken[]): VendorChanges {
  if (changes.unavailable !== null) return clean(changes);
  const covered = Math.max(Date.parse(changes.from), Date.parse(changes.to) - vendorDelayMs);
  // Whose a sibling is that did not leak is not noted: it counts for everybody.
  const own = tokens.filter(({ user, leaked }) => (user === null ? !leaked : nameOf(user) === changes.user));
  const last = own.every((token) => isSettled(token)) ? own.flatMap(({ provenAt }) => provenAt ?? []).sort() : [];
  const until = last.length > 0 ? `to ${clock(Date.parse(last.at(-1) as string))}, when the last token was dead` : "on";
  const gap = `What was changed from ${clock(covered)} ${until}: RingCX shows a change five minutes after it was made.`;
  return clean({ ...changes, notChecked: [gap, ...changes.notChecked] });
}

function limitsOf(incident: CaseRow, tokens: readonly ReportToken[], changes: readonly VendorChanges[]): string[] {
  const leaked = tokens.filter(({ leaked }) => leaked);
  const live = tokens.filter(({ status, outcome }) => status === "live" || outcome === "revoked");
  const unchecked = tokens.filter((token) => token.status === "unchecked" && !isSettled(token));
  const missing = incident.found - leaked.length;
  const pasted = incident.origin !== "tokens";
  return [
    ...(unchecked.length > 0
      ? [`Whether ${plural(unchecked.length, "token is", "tokens are")} alive: RingCX gave no answer that says so.`]
      : []),
    ...(missing > 0 && pasted
      ? [
          `${formatCount(missing)} of the ${plural(incident.found, "token")} that were found: nothing was written down of them.`,
        ]
      : []),
    ...(pasted && live.length > 0 && incident.siblings === 0
      ? ["Other tokens of the same users: they were not part of the revocation, unless they were found as well."]
      : []),
    ...(pasted ? ["Other places that the same text, or these tokens, may have been copied to."] : []),
    ...(live.length > 0 ? ["Who used a token, when and from where: RingCX does not say when a token is used."] : []),
    ...unaskedOf(live, changes),
  ];
}

/** Users behind living tokens of whom RingCX's own audit log says nothing here. */
function unaskedOf(live: readonly ReportToken[], changes: readonly VendorChanges[]): string[] {
  if (live.length > 0 && changes.length === 0) return ["RingCX's own audit log: it was not asked."];
  const users = new Set(live.flatMap(({ user }) => user?.id ?? [])).size;
  if (users <= changes.length) return [];
  return [
    `RingCX's own audit log for ${users - changes.length} of ${users} users: it was not asked, or has not answered.`,
  ];
}

/** Beyond so many lines, lines of the same kind that are close together become one. */
const linesAtMost = 60;

function timelineOf(incident: CaseRow, tokens: readonly ReportToken[]): ReportEvent[] {
  const events: ReportEvent[] = [];
  const note = (at: number | string | null | undefined, what: string) => {
    if (at !== null && at !== undefined) events.push({ at: typeof at === "string" ? at : (iso(at) as string), what });
  };
  const who = line(incident.opened_by_name, 320);
  note(incident.opened_at, openedIn(incident, who));
  if (incident.origin !== "tokens") {
    const leaked = tokens.filter(({ leaked }) => leaked);
    note(leaked.map(({ foundAt }) => foundAt).sort()[0], `${plural(incident.found, "token")} found in it.`);
  }
  const checked = tokens.filter(({ leaked, checkedAt }) => leaked && checkedAt !== null);
  const count = (status: FindingStatus) => checked.filter((token) => token.status === status).length;
  note(
    checked
      .flatMap(({ checkedAt }) => checkedAt ?? [])
      .sort()
      .at(-1),
    `RingCX was asked about the last of ${plural(checked.length, "token")}: ${count("live")} live, ${count("dead")} dead, ` +
      `${count("unchecked")} without an answer that says so.`,
  );
  const reason = incident.reason ? ` Reason: ${line(incident.reason, 500)}` : "";
  const scope = incident.siblings === 1 ? ", other tokens of these users included." : ".";
  note(
    incident.confirmed_at,
    `${line(incident.confirmed_by_name ?? who, 320)} confirmed the revocation${scope}${reason}`,
  );

  events.push(...deaths(tokens));
  const chosen = tokens.filter(({ outcome }) => outcome !== null);
  const proven = chosen.filter(({ outcome }) => isProven(outcome)).length;
  note(incident.finished_at, `The revocation ended: ${proven} of ${plural(chosen.length, "token")} proven dead.`);
  return events;
}

function openedIn({ origin, key_name, text_bytes, files, found }: CaseRow, who: string): string {
  if (origin === "tokens") return `${who} chose ${plural(found, "token")} in the list of tokens.`;
  const size = text_bytes < 1024 ? plural(text_bytes, "byte") : `${formatCount(Math.round(text_bytes / 1024))} KB`;
  const what = files === 0 ? `${size} of text` : `${size} of text, ${plural(files, "file")} among it`;
  return origin === "key"
    ? `The API key ${line(key_name ?? who, 100)} reported ${what}.`
    : `${who} brought in ${what}.`;
}

type Moment = { at: string; hint: string };

/**
 * What was sent and what is proven dead: a line each for what happened to several tokens within the same second, or
 * longer where that are too many lines.
 */
function deaths(tokens: readonly ReportToken[]): ReportEvent[] {
  const sent = tokens.flatMap(({ deletedAt, hint }) => (deletedAt === null ? [] : [{ at: deletedAt, hint }]));
  const dead = tokens.flatMap(({ provenAt, hint }) => (provenAt === null ? [] : [{ at: provenAt, hint }]));
  for (const bucketMs of [1_000, 10_000, 60_000, 600_000]) {
    const inBuckets = (moments: readonly Moment[]) =>
      Map.groupBy(moments, ({ at }) => Math.floor(Date.parse(at) / bucketMs));
    const [sentIn, deadIn] = [inBuckets(sent), inBuckets(dead)];
    if (Math.max(sentIn.size, deadIn.size) > linesAtMost && bucketMs < 600_000) continue;
    return [
      ...[...sentIn.values()].map((moments) => ({ at: lastOf(moments), what: `Deletion sent for ${named(moments)}.` })),
      // Not before the line that tells of its deletion.
      ...[...deadIn].map(([bucket, moments]) => ({
        at: lastOf([...moments, ...(sentIn.get(bucket) ?? [])]),
        what: `${named(moments)} ${moments.length > 1 ? "are" : "is"} proven dead.`,
      })),
    ];
  }
  return [];
}

/** What a line tells had happened by its time. */
function lastOf(moments: readonly Moment[]): string {
  return moments
    .map(({ at }) => at)
    .sort()
    .at(-1) as string;
}

function named(moments: readonly Moment[]): string {
  const hints = moments.map(({ hint }) => hint);
  const more = hints.length - 3;
  return more > 1 ? `${hints.slice(0, 3).join(", ")} and ${more} more` : inWords(hints);
}

const inWords = (names: readonly string[]) =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

const tokensLookedUp = 200;
const eventsOfEach = 30;
const atOnce = 8;

/** What was done here with the tokens, before and since, as the audit log tells it. `events` null: it cannot be read. */
async function historyOf(
  { tenant, user }: CaseReader,
  incident: CaseRow,
  rows: readonly CaseTokenRow[],
): Promise<{ events: ReportEvent[] | null; notChecked: string[] }> {
  const role = user.role ?? "member";
  const reader = { tenant, user: { id: user.id, role } };
  const queue = rows.slice(0, tokensLookedUp);
  const found: AuditEvent[] = [];
  const worker = async () => {
    for (let row = queue.shift(); row; row = queue.shift()) {
      found.push(...(await eventsOfToken(reader, row.token_id, eventsOfEach)));
    }
  };
  const read = await ifReachable(Promise.all(Array.from({ length: atOnce }, worker)));
  if (read === null) {
    const lost = "What was done with these tokens before and since: the audit log could not be read.";
    return { events: null, notChecked: [lost] };
  }
  // A member's log holds what they did themselves.
  const visible = found.filter(({ actor }) => role !== "member" || actor.id === user.id);
  const settled = new Set(visible.flatMap((event) => (event.outcome === "attempted" ? [] : [event.correlationId])));
  const events = visible.flatMap((event): ReportEvent[] => {
    if (event.outcome === "attempted" && settled.has(event.correlationId)) return [];
    // The case itself tells of its own run.
    if (event.action === "token.revoke" && event.details.incident === incident.id) return [];
    const what = deed(event);
    return what === null ? [] : [{ at: happened(event), what }];
  });
  return {
    events,
    notChecked: [
      ...(role === "member" ? ["What others did with these tokens here: the audit log shows that to operations."] : []),
      ...(rows.length > tokensLookedUp
        ? [`What was done here with ${plural(rows.length - tokensLookedUp, "token")} before: of 200 it was looked up.`]
        : []),
    ],
  };
}

const deeds: Partial<Record<AuditAction, string>> = {
  "token.create": "created",
  "token.reveal": "revealed",
  "token.edit": "edited what is remembered of",
  "token.adopt": "said what is remembered of",
  "token.dismiss": "took note that it vanished:",
  "token.rotate": "created as a successor",
  "token.revoke": "revoked",
  "token.order": "ordered the revocation of",
  "token.order_cancel": "cancelled the order to revoke",
  "rotation.plan": "planned the rotation of",
  "rotation.cancel": "cancelled the rotation of",
};

/** Null: it says nothing of the token. */
function deed({ action, outcome, actor, token, reason }: AuditEvent): string | null {
  const verb = deeds[action];
  if (verb === undefined || !token?.hint) return null;
  const tried = outcome === "succeeded" ? "" : outcome === "failed" ? ", which failed" : ", with no known outcome";
  // The log has names in lower case.
  const who = actor.name.replace(/^api key /, "API key ");
  return line(`${who} ${verb} ${token.hint}${tried}.${reason ? ` Reason: ${reason}` : ""}`, 1_000, false);
}

/** What was spooled was written down later than it happened. */
function happened({ at, details }: AuditEvent): string {
  const told = typeof details.happenedAt === "string" ? Date.parse(details.happenedAt) : Number.NaN;
  return Number.isNaN(told) ? at : new Date(told).toISOString();
}

type ReportFormat = "json" | "md";
type Download = { text: string; type: string; name: string };

/**
 * The report as a file. That it left Tokendesk is recorded.
 * @throws {TokendeskError} `not_found`, `audit_unavailable`
 */
export async function downloadReport(
  reader: CaseReader & { actor: Actor },
  id: string,
  format: ReportFormat,
): Promise<Download> {
  // Before the record: who may not see it leaves none of a case.
  const report = await incidentReport(reader, id);
  return audited(reader.actor, { action: "incident.report", details: { incident: id, format } }, async () => ({
    text: format === "md" ? reportMarkdown(report) : `${JSON.stringify(report, null, 2)}\n`,
    type: format === "md" ? "text/markdown; charset=utf-8" : "application/json; charset=utf-8",
    name: `tokendesk-incident-${report.incident.openedAt.slice(0, 10)}-${id.slice(0, 8)}.${format}`,
  }));
}
