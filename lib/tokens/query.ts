import { dueDays, type OwnRotation, rowKey, type Token, type TokenPage, type TokenQuery } from "@/lib/tokens/schema";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

const sortKey: Record<TokenQuery["sort"], (token: Token) => string | null> = {
  label: (token) => token.label,
  hint: (token) => token.hint,
  environment: (token) => token.environment,
  firstSeen: (token) => token.firstSeenAt,
  rotateBy: (token) => token.rotateBy,
};

/**
 * Filters, sorts and cuts one page, in memory: RingCX gives the whole list at once, whatever is asked.
 * What has no value in the sorted column comes last in either direction. A page past the end is the last one.
 * `today` is a calendar date in UTC.
 */
export function queryTokens(
  tokens: readonly Token[],
  query: TokenQuery,
  today: string,
  rotations: readonly OwnRotation[] = [],
): TokenPage {
  const rotating = new Set(
    rotations.flatMap(({ connection, old, successor }) => [old, successor].map(({ id }) => rowKey({ connection, id }))),
  );
  const dueUntil = new Date(Date.parse(today) + dueDays * 86_400_000).toISOString().slice(0, 10);
  const inState: Record<NonNullable<TokenQuery["state"]>, (token: Token) => boolean> = {
    appeared: (token) => token.appearedAt !== null,
    ordered: (token) => token.order !== null,
    rotating: (token) => rotating.has(rowKey(token)),
    overdue: (token) => token.rotateBy !== null && token.rotateBy < today,
    due: (token) => token.rotateBy !== null && token.rotateBy >= today && token.rotateBy <= dueUntil,
  };
  const words = query.q.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = tokens.filter((token) => {
    if (query.connection !== null && token.connection !== query.connection) return false;
    if (query.environment !== null && token.environment !== query.environment) return false;
    if (query.labelled !== null && (token.label !== null) !== (query.labelled === "yes")) return false;
    if (query.state !== null && !inState[query.state](token)) return false;
    if (words.length === 0) return true;
    const text = [token.hint, token.label, token.purpose, token.environment, token.usedIn, token.owner]
      .filter((part) => part !== null)
      .join("\n")
      .toLowerCase();
    const id = token.id.toLowerCase();
    // Two or three characters are somewhere in many an ID.
    return words.every((word) => text.includes(word) || (word.length >= 8 && id.includes(word)));
  });

  const key = sortKey[query.sort];
  const direction = query.order === "asc" ? 1 : -1;
  matches.sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || tie(a, b);
    const compared =
      query.sort === "label" || query.sort === "environment" ? collator.compare(left, right) : compare(left, right);
    return direction * compared || tie(a, b);
  });

  const pageCount = Math.max(1, Math.ceil(matches.length / query.size));
  const page = Math.min(query.page, pageCount);
  return {
    rows: matches.slice((page - 1) * query.size, page * query.size),
    total: tokens.length,
    matched: matches.length,
    page,
    pageCount,
    environments: [...new Set(tokens.flatMap((token) => token.environment ?? []))].sort(collator.compare),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Equal rows keep one order, so that paging shows each exactly once. */
function tie(a: Token, b: Token): number {
  return compare(a.hint, b.hint) || compare(a.id, b.id) || compare(a.connection ?? "", b.connection ?? "");
}
