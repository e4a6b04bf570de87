import "server-only";
import { line } from "@/lib/audit/redaction";
import { formatInstant, formatSeconds, plural } from "@/lib/format";
import type { IncidentReport, Place, ReportToken, ReportUser, ReportVerdict } from "@/lib/incidents/schema";

/** A report in words: its verdict, a summary to paste into a chat, and GitHub Markdown. No database, no clock. */

/** Nothing more is to be feared of it. */
export function isSettled({ status, outcome }: Pick<ReportToken, "status" | "outcome">): boolean {
  return outcome === null ? status === "dead" : outcome === "revoked" || outcome === "already_dead";
}

const since = { desk: "after the paste", key: "after it was reported", tokens: "after the order" } as const;

/** What came of it, in a sentence that claims no more than what was checked. */
export function verdictOf({ incident, tokens, totals, secondsToContainment }: IncidentReport): ReportVerdict {
  if (tokens.length === 0) {
    return totals.found === 0
      ? { tone: "info", text: "No RingCX token was found." }
      : { tone: "warn", text: `${count(totals.found)} found, and nothing was written down of ${them(totals.found)}.` };
  }
  const suspects = tokens.filter(({ status, outcome }) => status !== "dead" || outcome !== null);
  const open = suspects.filter((token) => !isSettled(token));
  const all = suspects.length;
  if (incident.state === "running") {
    const text = `Revocation is under way: ${all - open.length} of ${count(all)} proven dead so far.`;
    return { tone: "info", text };
  }
  if (open.length > 0 && incident.state === "open") return { tone: "danger", text: untouched(open) };
  if (open.length > 0) {
    const stopped = incident.state === "interrupted" ? "The revocation was interrupted: " : "";
    const is = open.length === 1 ? "is" : "are";
    const which = all === 1 ? "the token" : `${open.length} of ${count(all)}`;
    const text = `${stopped}${which} ${is} not proven dead: treat ${them(open.length)} as alive.`;
    return { tone: "danger", text: capitalised(text) };
  }
  if (all === 0) {
    const text =
      tokens.length === 1
        ? "The token is not alive: RingCX refused it when it was asked."
        : `None of the ${count(tokens.length)} is alive: RingCX refused each when it was asked.`;
    return { tone: "good", text };
  }
  const live = suspects.every(({ status, outcome }) => status === "live" || outcome === "revoked") ? "live " : "";
  const dead = all === 1 ? `The ${live}token is proven dead` : `All ${all} ${live}tokens are proven dead`;
  const when = secondsToContainment === null ? "" : `, ${duration(secondsToContainment)} ${since[incident.origin]}`;
  return { tone: "good", text: `${dead}${when}.` };
}

function untouched(open: readonly ReportToken[]): string {
  const live = open.filter(({ status }) => status === "live").length;
  const unchecked = open.length - live;
  const alive = `${count(live)} ${live === 1 ? "is" : "are"} alive`;
  const unclear = `${live > 0 ? unchecked : count(unchecked)} could not be checked`;
  const what = [...(live > 0 ? [alive] : []), ...(unchecked > 0 ? [unclear] : [])].join(" and ");
  return `${what}: nobody has revoked ${them(open.length)}.`;
}

const count = (tokens: number) => plural(tokens, "token");
const them = (tokens: number) => (tokens === 1 ? "it" : "them");
const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
/** Tenths only where they matter. */
function duration(exact: number): string {
  const seconds = exact < 10 ? exact : Math.round(exact);
  return seconds < 120 ? plural(seconds, "second") : formatSeconds(seconds);
}
const instant = (iso: string | null) => (iso === null ? "" : formatInstant(iso, "utc"));

/** For a chat: a few plain lines. */
export function reportSummary(report: IncidentReport): string {
  const { incident, totals, tokens } = report;
  const open = tokens.filter((token) => !isSettled(token));
  return [
    `RingCX token incident: ${verdictOf(report).text}`,
    `Opened by ${incident.openedBy}, ${instant(incident.openedAt)}.${incident.reason ? ` Reason: ${incident.reason}` : ""}`,
    `Found ${totals.found}: ${totals.live} live, ${totals.dead} dead, ${totals.unchecked} not checked. Revoked ${totals.revoked}.`,
    ...(open.length > 0 ? [`Not proven dead: ${some(open.map(({ hint }) => hint))}.`] : []),
  ].join("\n");
}

function some(names: readonly string[]): string {
  return names.length > 10 ? `${names.slice(0, 10).join(", ")} and ${names.length - 10} more` : names.join(", ");
}

const statusWords = { live: "Live", dead: "Dead", unchecked: "Could not check" } as const;
const outcomeWords = {
  revoked: "Revoked",
  already_dead: "Already dead",
  alive: "Alive",
  unknown: "Not proven dead",
} as const;
const proofWords = {
  token_refused: "RingCX refuses the token",
  absent_from_list: "Gone from its owner's list",
} as const;

export function reportMarkdown(report: IncidentReport): string {
  const { incident, totals, tokens } = report;
  const facts: [string, string | null][] = [
    ["Incident", incident.id],
    ["Opened", `${instant(incident.openedAt)} by ${incident.openedBy}`],
    ["Came in through", cameInThrough(report)],
    ["RingCX", new URL(report.host).host],
    ["Confirmed", report.confirmedAt && `${instant(report.confirmedAt)} by ${report.confirmedBy ?? "somebody"}`],
    ["Reason", incident.reason],
    ["Other tokens of the same users", report.siblings ? "Part of the revocation" : "Not part of the revocation"],
    ["Finished", instant(report.finishedAt)],
    ["Found", String(totals.found)],
    [tokens.some(({ leaked }) => !leaked) ? "Live, siblings included" : "Live", String(totals.live)],
    ["Dead when found", String(totals.dead)],
    ["Could not be checked", String(totals.unchecked)],
    ["Revoked, proven dead", String(totals.revoked)],
    ["Dead before the revocation", String(totals.alreadyDead)],
    ["Alive after it", String(totals.alive)],
    ["Not proven dead", String(totals.unknown)],
    ["Report made", instant(report.generatedAt)],
  ];
  return `${[
    "# Incident report",
    `**${escaped(verdictOf(report).text)}**`,
    table(["Fact", "Value"], facts),
    ...(tokens.length > 0 ? ["## Tokens", ...tokenTables(tokens), list(legend)] : []),
    ...(tokens.some(({ user, accounts }) => user !== null || accounts.length > 0)
      ? ["## Who is behind them", behindTable(tokens)]
      : []),
    "## Timeline",
    table(
      ["Time (UTC)", "What happened"],
      report.timeline.map(({ at, what }) => [instant(at), what]),
    ),
    "## What the users changed, as RingCX tells it",
    ...vendorParts(report),
    "## What was not checked",
    list([...report.notChecked, ...ofTokens(tokens)]),
  ].join("\n\n")}\n`;
}

function cameInThrough({ incident }: IncidentReport): string {
  if (incident.origin === "tokens") return "The list of tokens";
  return incident.origin === "key" ? `The API key ${incident.via ?? "(without a name)"}` : "The incident desk";
}

function tokenTables(tokens: readonly ReportToken[]): string[] {
  return [
    table(
      ["Token", "Label", "Owner", "Environment", "When found", "Result", "Proven dead (UTC)", "Seconds", "Proof"],
      tokens.map((token) => [
        token.hint,
        token.label,
        token.owner,
        token.environment,
        statusWords[token.status],
        token.outcome && outcomeWords[token.outcome],
        instant(token.provenAt),
        token.secondsToProof === null ? null : String(token.secondsToProof),
        token.proof && proofWords[token.proof],
      ]),
    ),
    "### Where they stood",
    table(
      ["Token", "Fingerprint", "Place"],
      tokens.map(({ hint, fingerprint, places, leaked }) => [hint, fingerprint, placesInWords(places, leaked)]),
    ),
    "### When, and why it is said",
    table(
      ["Token", "Found (UTC)", "Checked (UTC)", "Deletion sent (UTC)", "What RingCX said", "What came of it"],
      tokens.map((token) => [
        token.hint,
        instant(token.foundAt),
        instant(token.checkedAt),
        instant(token.deletedAt),
        token.why,
        token.detail,
      ]),
    ),
  ];
}

const legend = [
  "Token: its prefix and its last four characters. The fingerprint is an HMAC of the value with a key of this installation; it does not lead back to the value.",
  "Owner and label: as this installation remembers them. Empty: it does not know the token.",
  "Revoked: it was alive, and RingCX refuses it since. Already dead: RingCX refused it before anything was done. Not proven dead: treat it as alive.",
  "Seconds: from when the text came in to the proof.",
];

function placesInWords(places: readonly Place[], leaked: boolean): string {
  if (places.length === 0) return leaked ? "" : "Not in the text: another token of the same user";
  return places.map(placeInWords).join(", ");
}

/** `deploy.log:12 (base64)` */
function placeInWords({ source, line: number, dress }: Place): string {
  const at = source === null ? `line ${number}` : `${source}:${number}`;
  return dress === "plain" ? at : `${at} (${dress})`;
}

/** Tokens by who is behind them, as far as that is known. */
export function usersBehind(tokens: readonly ReportToken[]): ReportUser[] {
  const known = tokens.filter(({ user, accounts }) => user !== null || accounts.length > 0);
  const groups = Map.groupBy(known, ({ user, accounts }) => user?.id ?? JSON.stringify(accounts));
  return [...groups.values()].map((group) => {
    const user = group.find((token) => token.user !== null)?.user;
    const accounts = new Map(group.flatMap((token) => token.accounts).map((account) => [account.accountId, account]));
    const mains = Map.groupBy(accounts.values(), ({ mainAccountId }) => mainAccountId);
    return {
      name: user?.name ?? "Not known",
      login: user?.login ?? null,
      enabled: user?.enabled ?? true,
      roles: user?.roles ?? [],
      accounts: [...mains.values()].map(
        (subs) => `${subs[0]?.mainAccountName}: ${subs.map(({ accountName }) => accountName).join(", ")}`,
      ),
      reach: [...new Set(group.flatMap(({ reach }) => reach ?? []))],
      hints: group.map(({ hint }) => hint),
    };
  });
}

function behindTable(tokens: readonly ReportToken[]): string {
  return table(
    ["User", "Login", "Roles", "Accounts", "Reach", "Tokens"],
    usersBehind(tokens).map(({ name, login, enabled, roles, accounts, reach, hints }) => [
      enabled ? name : `${name} (disabled)`,
      login,
      roles.join(", "),
      accounts.join("; "),
      reach.join(" "),
      some(hints),
    ]),
  );
}

function vendorParts({ vendorChanges }: IncidentReport): string[] {
  if (vendorChanges.length === 0) return ["RingCX's audit log was not asked."];
  return vendorChanges.flatMap(({ user, from, to, unavailable, changes, truncated, notChecked }) => [
    `### ${escaped(user)}`,
    `Asked for ${escaped(from)} to ${escaped(to)}.`,
    ...(unavailable === null ? [] : [escaped(unavailable)]),
    ...(unavailable === null && changes.length === 0 ? ["It shows no change by this user."] : []),
    ...(truncated ? [`The newest ${changes.length} are shown.`] : []),
    ...(changes.length > 0
      ? [
          table(
            ["Time (UTC)", "Sub-account", "Action", "What"],
            changes.map(({ at, account, action, what }) => [instant(at), account, action, what]),
          ),
        ]
      : []),
    ...(notChecked.length > 0 ? ["Not covered:", list(notChecked)] : []),
  ]);
}

/** What was not checked of single tokens: each sentence once, with the tokens that it is about. */
export function ofTokens(tokens: readonly ReportToken[]): string[] {
  const told = tokens.flatMap(({ hint, notChecked }) => notChecked.map((what) => ({ hint, what })));
  return [...Map.groupBy(told, ({ what }) => what)].map(
    ([what, about]) => `${some(about.map(({ hint }) => hint))}: ${what}`,
  );
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${escaped(item)}`).join("\n");
}

function table(head: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    row(head),
    row(head.map(() => "---")),
    ...rows.map((cells) => row(cells.map((text) => escaped(text ?? "") || "–"))),
  ].join("\n");
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  // After a backslash, renderers disagree about what these are in a table.
  "\\": "&#92;",
  "|": "&#124;",
  "`": "&#96;",
  $: "&#36;",
  "://": ":&#47;&#47;",
};
/** Keeps apart what would be read as one; it has no width. */
const joiner = "&#8288;";

/** At the beginning of a line a list or a heading; an address; somebody or an issue of the place it is pasted into; markup. */
const special = /^[-+=]|^\d{1,9}(?=[.)](?:\s|$))|:\/\/|\bwww(?=\.)|(?<!\w)[@#!](?=\w)|[&<>\\|`$*_[\]{}~#]/gi;

/** A text that stands for itself, wherever in a line of Markdown it is put: no markup, no link, no mention, no second line. */
export function escaped(text: string): string {
  return line(text.replace(/\s+/g, " "), 2_000, false).replace(special, (found, at: number, whole: string) => {
    const entity = entities[found];
    if (entity) return entity;
    if (/^[\dw]/i.test(found)) return `${found}${joiner}`;
    const isMark = /[@#!]/.test(found) && /^\w/.test(whole.slice(at + 1));
    if (isMark) return `${found === "@" ? found : `\\${found}`}${joiner}`;
    return `\\${found}`;
  });
}
