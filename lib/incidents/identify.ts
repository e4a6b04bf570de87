import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import type { SubAccount } from "@/lib/accounts/schema";
import { isTokendeskError } from "@/lib/errors";
import { plural } from "@/lib/format";
import { inTime } from "@/lib/in-time";
import { Control } from "@/lib/incidents/control";
import type { Investigator } from "@/lib/incidents/investigator";
import { reachOf } from "@/lib/incidents/reach";
import type { FindingStatus, KnownToken, TokenUser } from "@/lib/incidents/schema";
import { sameness } from "@/lib/incidents/values";
import { logger } from "@/lib/logger";
import type { TokenClient } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import { markToken } from "@/lib/tokens/fingerprint";

/** What RingCX says of a token, asked with the token itself. */
export type Identified = {
  status: FindingStatus;
  /** A sentence. */
  why: string;
  /** Epoch milliseconds; null: it was not asked. */
  checkedAt: number | null;
  user: TokenUser | null;
  accounts: SubAccount[] | null;
  /** Alive for the same user, this one not among them. */
  siblings: { tokenId: string; hint: string }[] | null;
  reach: string | null;
  notChecked: string[];
};

/** A user behind tokens: whoever's list has one of them has the others. */
type Group = {
  /** By {@link sameness}. */
  members: Map<string, { tokenId: string; hint: string }>;
  unreadable: number;
  holder: Promise<{ user: TokenUser | null; accounts: SubAccount[] | null; notChecked: string[] }>;
};

export type Candidate = { value: string; tokenId: string; known: KnownToken | null };

const inFlight = 8;

/** Between two refusals of a token that the inventory knows as active. */
const spacingMs = 1_000;

/** A refusal of one that it does not know is not kept back for longer, where nobody says whether all are refused. */
const controlWithinMs = 3_000;

/**
 * Looks tokens up, one list request each and two more for each user behind them, as fast as the vendor's budget allows.
 * `onIdentified` is told of each as it is settled. `signal` stops it: what was not asked by then is told as such.
 */
export async function identify(
  investigator: Pick<Investigator, "holding" | "owner">,
  candidates: readonly Candidate[],
  { signal, patienceMs, onIdentified }: IdentifyOptions,
): Promise<void> {
  const groups: Group[] = [];
  const queue = [...candidates];
  const values = new Set(candidates.map(({ value }) => sameness(value)));
  const control = new Control(
    {
      holding: (value) => investigator.holding(value, patienceMs?.()),
      owner: investigator.owner?.client.urgent() ?? null,
    },
    (value) => values.has(sameness(value)),
  );
  let asked = 0;
  const worker = async () => {
    for (;;) {
      const candidate = queue.shift();
      if (candidate === undefined) return;
      if (signal?.aborted) {
        onIdentified(candidate, notAsked, 0);
        continue;
      }
      const token = investigator.holding(candidate.value, patienceMs?.());
      const identified = await lookUp(token, candidate, groups, control, signal);
      asked += 1;
      // Those that are left, and the users behind a part of them as large as so far.
      const calls = queue.length + Math.ceil((queue.length * 2 * groups.length) / asked);
      onIdentified(candidate, identified, calls === 0 ? 0 : token.waitForCalls(calls));
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, candidates.length) }, worker));
}

type IdentifyOptions = {
  signal?: AbortSignal | undefined;
  /** How long a call that is made now may wait for its turn, in ms; absent: as long as it takes. */
  patienceMs?: (() => number) | undefined;
  /** `etaMs`: a lower bound of the time until the rest is settled. */
  onIdentified: (candidate: Candidate, identified: Identified, etaMs: number) => void;
};

const nobody = { user: null, accounts: null, siblings: null, reach: null, notChecked: [] };

export const notAsked: Identified = {
  ...nobody,
  status: "unchecked",
  why: "Not checked yet: RingCX was not asked.",
  checkedAt: null,
};

const refusedWithAll =
  "Could not check: RingCX refuses it, though the inventory knows it as active; nothing shows that it does not refuse everybody just now.";

const refusedWithYours =
  "Could not check: RingCX refuses it, but just now also a token of yours that it lists. Scan again in a moment.";

type List = { items: string[]; unreadable: number };

/** The list of its user; a sentence: RingCX refuses it, which says nothing while it refuses others as well. */
async function listOf(
  token: TokenClient,
  known: KnownToken | null,
  control: Control,
  signal: AbortSignal | undefined,
): Promise<List | string> {
  const since = Date.now();
  try {
    return await token.listTokenValues();
  } catch (error) {
    if (!isRefusal(error) || known?.status === "revoked") throw error;
    if (known?.status !== "active") {
      if (await inTime(control.refusesEverybody(), controlWithinMs)) return refusedWithYours;
      throw error;
    }
  }
  // Who stops it does not want to wait.
  await delay(spacingMs, undefined, signal ? { signal } : {}).catch(() => {});
  // Before it is asked again, or it could have been refused with all others until just now.
  const letIn = await control.acceptsSomebody(since);
  try {
    return await token.listTokenValues();
  } catch (error) {
    if (!isRefusal(error) || letIn !== null) throw error;
    return refusedWithAll;
  }
}

async function lookUp(
  token: TokenClient,
  { value, known }: Candidate,
  groups: Group[],
  control: Control,
  signal: AbortSignal | undefined,
): Promise<Identified> {
  const askedAt = Date.now();
  let list: List | string;
  try {
    list = await listOf(token, known, control, signal);
  } catch (error) {
    const identified = unsuccessful(error, token.host);
    if (identified.status === "live") control.accepted(askedAt, value);
    return identified;
  }
  if (typeof list === "string") return { ...nobody, status: "unchecked", why: list, checkedAt: Date.now() };
  control.accepted(askedAt, value);
  const checkedAt = Date.now();
  const same = sameness(value);
  if (!list.items.some((item) => sameness(item) === same)) {
    // RingCX let it in, so it is alive; what the list shows is not its user's then, or is cut.
    return {
      ...nobody,
      status: "live",
      why: "RingCX accepts it, although the list it answered does not show this token.",
      checkedAt,
      reach: reachOf(null, null),
      notChecked: ["Whose it is, and which other tokens its user has: the list that RingCX answered makes no sense."],
    };
  }
  const group = groupOf(groups, same, list, token);
  const { user, accounts, notChecked } = await group.holder;
  const siblings = [...group.members].flatMap(([other, member]) => (other === same ? [] : [member]));
  return {
    status: "live",
    why: "RingCX accepts it.",
    checkedAt,
    user,
    accounts,
    siblings,
    reach: reachOf(user, accounts),
    notChecked: [
      ...notChecked,
      ...(group.unreadable > 0
        ? [`${plural(group.unreadable, "entry", "entries")} of its user's list that Tokendesk cannot read.`]
        : []),
    ],
  };
}

function groupOf(groups: Group[], same: string, list: List, token: TokenClient): Group {
  const known = groups.find(({ members }) => members.has(same));
  if (known) return known;
  const members = new Map(
    list.items.map((item) => {
      const { id, hint } = markToken(item);
      return [sameness(item), { tokenId: id, hint }];
    }),
  );
  const group: Group = { members, unreadable: list.unreadable, holder: holderOf(token) };
  groups.push(group);
  return group;
}

async function holderOf(token: TokenClient): Promise<Awaited<Group["holder"]>> {
  const notChecked: string[] = [];
  const or = async <T>(what: string, question: Promise<T>): Promise<T | null> => {
    try {
      return await question;
    } catch (error) {
      if (!isTokendeskError(error)) throw error;
      logger().info({ err: error }, "a leaked token's reach is not known");
      notChecked.push(`${what}: ${shortReason(error)}.`);
      return null;
    }
  };
  const [holder, list] = await Promise.all([
    or("Whose it is and which roles they have", token.whose()),
    or("Which accounts it reaches", token.listAccounts()),
  ]);
  if (list !== null && list.unreadable > 0) {
    notChecked.push(`${plural(list.unreadable, "account")} that RingCX named in a way Tokendesk cannot read.`);
  }
  const user = holder && {
    id: holder.userId,
    login: holder.login,
    name: holder.name,
    enabled: holder.enabled,
    roles: holder.roles,
  };
  return { user, accounts: list?.items ?? null, notChecked };
}

const isRefusal = (error: unknown) => error instanceof UpstreamError && error.reason === "unauthorized";

/** RingCX's refusal of the token is a death; a refusal in RingCX's own words for another reason is a life. */
function unsuccessful(error: unknown, host: string): Identified {
  if (!(error instanceof UpstreamError)) {
    if (!isTokendeskError(error)) throw error;
    return { ...nobody, status: "unchecked", why: `Could not check: ${error.message}`, checkedAt: Date.now() };
  }
  const checkedAt = Date.now();
  if (error.reason === "unauthorized") {
    return { ...nobody, status: "dead", why: `RingCX at ${new URL(host).host} refuses it.`, checkedAt };
  }
  if (error.reason === "forbidden" && error.explained) {
    return {
      ...nobody,
      status: "live",
      why: "RingCX knows it, but its user may not list tokens.",
      checkedAt,
      reach: reachOf(null, null),
      notChecked: ["Whose it is, what it reaches and which other tokens its user has: RingCX does not let it ask."],
    };
  }
  return { ...nobody, status: "unchecked", why: `Could not check: ${shortReason(error)}.`, checkedAt };
}

/** A part of a sentence. */
function shortReason(error: unknown): string {
  if (!(error instanceof UpstreamError)) return "the question failed";
  switch (error.reason) {
    case "unauthorized":
      return "RingCX refused the token just then";
    case "jwt_refused":
      return "something in front of RingCX refused a credential that this is not";
    case "forbidden":
      return "RingCX does not let it ask";
    case "rate_limited":
      return "the requests that RingCX allows per minute are used up";
    case "timeout":
      return "RingCX did not answer in time";
    case "unavailable":
      return "RingCX cannot be reached";
    default:
      return "RingCX gave an answer that cannot be trusted";
  }
}
