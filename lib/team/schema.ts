import { z } from "zod";
import { firstOf, paging, queryString, searchText, type Token, text } from "@/lib/tokens/schema";

/** Body of `POST /api/team/orders`. */
export const orderSchema = z.strictObject({ tokenId: z.string().min(1).max(64), reason: text(500).optional() });
export type Order = z.infer<typeof orderSchema>;

/**
 * How a token of somebody's can be revoked. `now`: its value is at hand; `owner`: when its owner next signs in here;
 * `paste`: only with its value, which no list shows any more.
 */
export type Readiness = "now" | "owner" | "paste";

export type TeamToken = Token & { ownerId: string; readiness: Readiness };

export const teamViews = ["all", "unlabelled", "overdue", "appeared", "ordered", "gone"] as const;
export const teamSorts = ["owner", "label", "firstSeen", "lastSeen", "rotateBy"] as const;
const teamQuerySchema = z.object({
  q: z.string().trim().max(200).catch("").default(""),
  owner: z.string().min(1).max(200).nullable().catch(null).default(null),
  view: z.enum(teamViews).catch("all").default("all"),
  sort: z.enum(teamSorts).catch("owner").default("owner"),
  order: z.enum(["asc", "desc"]).catch("asc").default("asc"),
  ...paging,
});
export type TeamQuery = z.infer<typeof teamQuerySchema>;

/** How much of the main account Tokendesk has seen. `unavailable`: why the vendor's list of users is not at hand. */
export type Coverage = {
  /** Users whose lists were seen, of those that the vendor names (or of all, when it names none). */
  seen: number;
  users: number | null;
  unavailable: "not_permitted" | "failed" | null;
  /** The oldest of the latest looks at each user's list, ISO 8601; null: nobody was seen. */
  oldestLookAt: string | null;
  /** Names of users whose lists were never seen; at most 50. */
  unseen: string[];
};

export type TeamCounts = Record<(typeof teamViews)[number], number>;

export type TeamPage = {
  rows: TeamToken[];
  matched: number;
  page: number;
  pageCount: number;
  counts: TeamCounts;
  owners: { id: string; name: string; tokens: number; lastLookAt: string }[];
};

/** What needs attention on the overview, most urgent first. */
export type AttentionKind =
  | "unknown_outcome"
  | "appeared"
  | "order_pending"
  | "rotation"
  | "overdue"
  | "vanished"
  | "unlabelled"
  | "due_soon";

export type AttentionItem = {
  kind: AttentionKind;
  token: { id: string; hint: string; label: string | null; owner: string | null } | null;
  /** When it began, or is due: ISO 8601, or a date. */
  at: string;
  /** A sentence. */
  detail: string;
  /** Of an unknown outcome: none is recorded yet. */
  open?: true;
};

/** How many items there are at most. */
export const attentionShown = 25;

/** The `date` of a point of a chart: `2026-11-23`. */
export type Overview = {
  /** `own`: the person's tokens; `account`: all of the main account, for ops. */
  scope: "own" | "account";
  /** False: RingCX did not answer now, and what stands here is from the last look. */
  live: boolean;
  counts: Record<AttentionKind, number> & { active: number; owners: number };
  /** For ops: who looked up or revoked unusually many tokens at the incident desk within an hour of the last day. */
  warnings: { at: string; actor: string; tokens: number }[];
  /** At most {@link attentionShown}; the counts say how many there are. */
  attention: AttentionItem[];
  /** Tokens that were alive at the end of each of the last 30 days. */
  alive: { date: string; count: number }[];
  /** How old the active tokens are, by when they were first seen. */
  ages: { name: string; count: number }[];
  /** What happened on each of the last 30 days. */
  activity: { date: string; created: number; revoked: number; revealed: number; other: number }[];
};

const defaultTeamQuery: TeamQuery = teamQuerySchema.parse({});

/** The same for `/team`. */
export function parseTeamQuery(parameters: Record<string, string | string[] | undefined>): TeamQuery {
  const query = teamQuerySchema.parse(firstOf(parameters));
  return { ...query, q: searchText(query.q).text };
}

export function teamQueryString(query: TeamQuery): string {
  return queryString(query, defaultTeamQuery);
}
