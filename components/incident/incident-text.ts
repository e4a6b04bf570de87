import type { Finding, Place, RunSummary } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

/** A lower bound in words: `about 40 s left`, `about 3 minutes left`. Empty: nothing worth saying. */
export function timeLeft(etaMs: number): string {
  const seconds = Math.ceil(etaMs / 1000);
  if (seconds < 1) return "";
  if (seconds <= 5) return incidentTexts.timeLeft.seconds;
  if (seconds < 90) return incidentTexts.timeLeft.about(Math.ceil(seconds / 5) * 5);
  return incidentTexts.timeLeft.minutes(Math.round(seconds / 60));
}

/** The same, with the reason why it takes so long. */
export function timeLeftBecause(etaMs: number): string {
  const left = timeLeft(etaMs);
  return etaMs > 20_000 ? incidentTexts.timeLeft.because(left) : left && incidentTexts.timeLeft.sentence(left);
}

/** For people who listen: changes four times, whatever the number. */
export function calmProgress(done: number, total: number, what: string): string {
  const quarter = total === 0 ? 0 : Math.floor((4 * done) / total);
  return incidentTexts.progress.said(what, total)[Math.min(quarter, 4)] as string;
}

const dresses: Record<string, string> = incidentTexts.place.dresses;

/** How it was written there; empty: plainly. */
export const dressText = ({ dress }: Place): string => dresses[dress] ?? dress;

export const placeText = ({ source, line }: Pick<Place, "source" | "line">): string =>
  source === null ? incidentTexts.place.line(line) : `${source}:${line}`;

/** The others of its user: `2 more tokens of Ana Lima`. Null: none, or nobody knows. */
export function siblingsText({ siblingCount, siblings, user }: Finding): string | null {
  const count = siblingCount ?? siblings?.length ?? 0;
  if (count === 0) return null;
  return incidentTexts.user.more(count, user ? nameOf(user) : incidentTexts.user.same);
}

export const nameOf = ({ name, login, id }: { name: string; login: string | null; id: string }): string =>
  name.trim() || login || incidentTexts.user.nameless(id);

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

export type Verdict = { tone: "good" | "warn" | "danger"; title: string; detail: string };

type LeftOut = {
  /** Findings that live, or may, and were not part of the run. */
  leftAlive: number;
  /** Not all of the text was looked through. */
  partly: boolean;
};

/** What came of it, in a sentence. */
export function verdictOf(summary: RunSummary, { leftAlive, partly }: LeftOut): Verdict {
  const texts = incidentTexts.verdict;
  const { outcome, total, revoked, alreadyDead, secondsToProof } = summary;
  const proven = revoked + alreadyDead;
  const counted = texts.counted(proven, total);
  const after = secondsToProof === null ? counted : texts.after(counted, Math.round(secondsToProof));
  if (outcome === "interrupted") {
    return {
      tone: "warn",
      title: texts.interrupted(counted),
      detail: texts.interruptedWhy,
    };
  }
  if (proven < total || outcome !== "contained") {
    return {
      tone: "danger",
      title: texts.notContained(counted),
      detail: texts.notContainedWhy(total - proven),
    };
  }
  if (leftAlive > 0) {
    return {
      tone: "warn",
      title: after,
      detail: texts.leftAlive(leftAlive),
    };
  }
  if (partly) {
    return {
      tone: "warn",
      title: after,
      detail: texts.partly,
    };
  }
  return {
    tone: "good",
    title: texts.contained(after),
    detail: texts.containedWhy,
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
