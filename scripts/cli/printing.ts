/** What is found and done, as lines for people. */
import type { Finding, Place, RevocationLine, RunSummary } from "../../lib/incidents/schema.ts";

type Step = Extract<RevocationLine, { type: "step" }>;

/** Names come from files and from RingCX: none may steer a terminal. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, " ");
}

const words = { live: "LIVE", dead: "dead", unchecked: "NOT CHECKED" } as const;
const outcomes = { revoked: "revoked", already_dead: "already dead", alive: "ALIVE", unknown: "NOT PROVEN" } as const;

function columns(parts: [text: string, width: number][], last: string): string {
  return `${parts.map(([text, width]) => plain(text).padEnd(width)).join("  ")}  ${plain(last)}`.trimEnd();
}

const placeOf = ({ source, line }: Place) => `${source ?? "stdin"}:${line}`;

/** One line for the token, and below it what there is to say. */
export function findingLines(finding: Finding): string[] {
  const { status, hint, places, count, why, user, reach, siblingCount = 0, known, notChecked } = finding;
  const [first] = places;
  const more = count > 1 ? ` and ${count - 1} more` : "";
  const whose = user ? [`${user.name}${user.login ? ` <${user.login}>` : ""}${user.enabled ? "" : " (disabled)"}`] : [];
  const label = known?.label ? [`labelled “${known.label}”`] : [];
  const reaches = finding.accountCount ?? finding.accounts?.length ?? 0;
  const reached = reaches > 0 ? [`${reaches} sub-account${reaches === 1 ? "" : "s"}`] : [];
  const others = siblingCount > 0 ? [`${siblingCount} other token${siblingCount === 1 ? "" : "s"} of this user`] : [];
  const facts = [...whose, ...label, ...reached, ...others].join(", ");
  return [
    columns(
      [
        [words[status], 11],
        [hint, 18],
      ],
      `${first ? placeOf(first) : ""}${more}`,
    ),
    ...(status === "live" ? [facts, reach ?? ""].filter((text) => text !== "") : [why]).map(
      (text) => `             ${plain(text)}`,
    ),
    ...(status === "live" ? notChecked.map((text) => `             Not checked: ${plain(text)}`) : []),
  ];
}

export function scanSummary(findings: readonly Finding[], truncated: boolean): string {
  const count = (status: Finding["status"]) => findings.filter((finding) => finding.status === status).length;
  const cut = truncated ? " Not everything was looked at: there may be more in it." : "";
  if (findings.length === 0) return `No token was found.${cut}`;
  const tokens = `${findings.length} token${findings.length === 1 ? "" : "s"}`;
  return `${tokens}: ${count("live")} live, ${count("dead")} dead, ${count("unchecked")} not checked.${cut}`;
}

export function stepLine({ outcome, hint, leaked, detail }: Step): string {
  return columns(
    [
      [outcomes[outcome], 12],
      [hint, 18],
    ],
    `${leaked ? "" : "(sibling) "}${detail}`,
  );
}

export function runSummaryLine({
  outcome,
  total,
  revoked,
  alreadyDead,
  alive,
  unknown,
  secondsToProof,
}: RunSummary): string {
  const seconds = secondsToProof === null ? "" : ` The last proof came ${secondsToProof} s after the text.`;
  if (outcome === "contained") {
    return `All ${total} are proven dead: ${revoked} revoked now, ${alreadyDead} dead before.${seconds}`;
  }
  const open = alive + unknown;
  return `${open} of ${total} ${open === 1 ? "is" : "are"} not proven dead: treat ${open === 1 ? "it" : "them"} as alive.${seconds}`;
}
