import { formatCount, formatSeconds, plural } from "@/lib/format";
import type { Finding, IncidentSummary, Place, RunSummary, StepOutcome } from "@/lib/incidents/schema";

/** A lower bound in words: `about 40 s left`, `about 3 minutes left`. Empty: nothing worth saying. */
export function timeLeft(etaMs: number): string {
  const seconds = Math.ceil(etaMs / 1000);
  if (seconds < 1) return "";
  if (seconds <= 5) return "a few seconds left";
  if (seconds < 90) return `about ${Math.ceil(seconds / 5) * 5} s left`;
  return `about ${plural(Math.round(seconds / 60), "minute")} left`;
}

/** The same, with the reason why it takes so long. */
export function timeLeftBecause(etaMs: number): string {
  const left = timeLeft(etaMs);
  return etaMs > 20_000 ? `RingCX takes only so many requests a minute: ${left}.` : left && `${left}.`;
}

/** For people who listen: changes four times, whatever the number. */
export function calmProgress(done: number, total: number, what: string): string {
  const quarter = total === 0 ? 0 : Math.floor((4 * done) / total);
  return [
    `${what} ${formatCount(total)}.`,
    `${what}: a quarter of ${formatCount(total)} done.`,
    `${what}: half of ${formatCount(total)} done.`,
    `${what}: three quarters of ${formatCount(total)} done.`,
    `${what}: ${formatCount(total)} done.`,
  ][Math.min(quarter, 4)] as string;
}

const dresses: Record<string, string> = {
  plain: "",
  encoded: "escaped or encoded",
  base64: "in base64",
  gzip: "compressed",
  wrapped: "broken over lines",
};

/** How it was written there; empty: plainly. */
export const dressText = ({ dress }: Place): string => dresses[dress] ?? dress;

export const placeText = ({ source, line }: Pick<Place, "source" | "line">): string =>
  source === null ? `Line ${formatCount(line)}` : `${source}:${line}`;

/** The others of its user: `2 more tokens of Ana Lima`. Null: none, or nobody knows. */
export function siblingsText({ siblingCount, siblings, user }: Finding): string | null {
  const count = siblingCount ?? siblings?.length ?? 0;
  if (count === 0) return null;
  return `${plural(count, "more token")} of ${user ? nameOf(user) : "the same user"}`;
}

export const nameOf = ({ name, login, id }: { name: string; login: string | null; id: string }): string =>
  name.trim() || login || `User ${id}`;

/** Who is behind a finding, for the tokens to be put together. */
function userKey({ tokenId, user, siblings = [] }: Finding): string {
  if (user) return `user ${user.id}`;
  const together = siblings.filter(({ leaked }) => leaked).map((sibling) => sibling.tokenId);
  return [tokenId, ...together].sort()[0] as string;
}

export function byUser(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = userKey(finding);
    const members = groups.get(key);
    if (members) members.push(finding);
    else groups.set(key, [finding]);
  }
  return groups;
}

/** How many tokens the users of these have besides them. */
export function otherTokens(findings: readonly Finding[]): number {
  let others = 0;
  for (const members of byUser(findings).values()) {
    const all = Math.max(...members.map(({ siblingCount, siblings }) => (siblingCount ?? siblings?.length ?? 0) + 1));
    others += Math.max(0, all - members.length);
  }
  return others;
}

export const outcomeTexts: Record<StepOutcome, string> = {
  revoked: "Revoked",
  already_dead: "Was dead already",
  alive: "Still alive",
  unknown: "Not proven",
};

export const stateTexts: Record<IncidentSummary["state"], string> = {
  open: "Looked up",
  running: "Revoking",
  contained: "Contained",
  partial: "Not all proven",
  interrupted: "Interrupted",
};

export type Verdict = { tone: "good" | "warn" | "danger"; title: string; detail: string };

type LeftOut = {
  /** Findings that live, or may, and were not part of the run. */
  leftAlive: number;
  /** Not all of the text was looked through. */
  partly: boolean;
};

/** What came of it, in a sentence. */
export function verdictOf(summary: RunSummary, { leftAlive, partly }: LeftOut): Verdict {
  const { outcome, total, revoked, alreadyDead, secondsToProof } = summary;
  const proven = revoked + alreadyDead;
  const after = secondsToProof === null ? "" : `, ${formatSeconds(Math.round(secondsToProof))} after the paste`;
  const counted = `${formatCount(proven)} of ${formatCount(total)} proven dead`;
  if (outcome === "interrupted") {
    return {
      tone: "warn",
      title: `Interrupted: ${counted}`,
      detail: "Paste the text again to go on. What is proven dead is not done again.",
    };
  }
  if (proven < total || outcome !== "contained") {
    const open = total - proven;
    return {
      tone: "danger",
      title: `Not contained: ${counted}`,
      detail: `Treat ${open === 1 ? "the other one" : `the other ${formatCount(open)}`} as alive until it is proven.`,
    };
  }
  if (leftAlive > 0) {
    return {
      tone: "warn",
      title: `${counted}${after}`,
      detail: `${plural(leftAlive, "token")} of the text ${leftAlive === 1 ? "was" : "were"} not selected, and may be alive.`,
    };
  }
  if (partly) {
    return {
      tone: "warn",
      title: `${counted}${after}`,
      detail: "Not all of the text was looked through: scan it in parts.",
    };
  }
  return {
    tone: "good",
    title: `Contained: ${counted}${after}`,
    detail: "RingCX's own answers prove it, for each of them.",
  };
}

/** Who looks at it. `userId`: the vendor's. */
export type Viewer = { role: "member" | "ops" | "admin"; userId: string | null };

/** The `adminId` in the ID that a sign-in makes: `ringcx:host:mainAccountId:adminId`. */
export function viewerOf({ id, role }: { id: string; role: Viewer["role"] }): Viewer {
  return { role, userId: /:(\d+)$/.exec(id)?.[1] ?? null };
}

/** A member sees what happened to their own tokens, others to all. `user`: null: nobody knows whose it is. */
export function mayOpenHistory({ role, userId }: Viewer, user: { id: string } | null): boolean {
  return role !== "member" || (userId !== null && user?.id === userId);
}
