import "server-only";
import { askEach, type Reader } from "@/lib/ringcx/each";
import type { TokenOwner } from "@/lib/tokens/held";
import { ownRotations } from "@/lib/tokens/rotations";
import type { MergedTokenList, OwnRotation, Token, TokenList } from "@/lib/tokens/schema";
import { listTokens, shownDifferences } from "@/lib/tokens/tokens";

type TokenReader = TokenOwner & { connectionId: string | null };

/** The tokens of all connections. @throws as {@link askEach} */
export async function listAllTokens(reader: Reader<TokenReader> & TokenReader): Promise<MergedTokenList> {
  const { answers, connections } = await askEach(reader, listTokens);
  const lists = answers.map(({ value }) => value);
  const [only, ...others] = lists;
  if (only && others.length === 0) return { ...only, connections };
  return { ...merged(lists), connections };
}

function merged(lists: readonly TokenList[]): TokenList {
  const newest = (tokens: Token[], at: (token: Token) => string | null) =>
    tokens.sort((a, b) => (at(b) ?? "").localeCompare(at(a) ?? "")).slice(0, shownDifferences);
  const sum = (of: (list: TokenList) => number) => lists.reduce((total, list) => total + of(list), 0);
  return {
    tokens: lists.flatMap(({ tokens }) => tokens),
    fetchedAt: lists.map(({ fetchedAt }) => fetchedAt).sort()[0] ?? new Date().toISOString(),
    inventory: lists.every(({ inventory }) => inventory === "available") ? "available" : "unavailable",
    unreadable: sum(({ unreadable }) => unreadable),
    differences: {
      appeared: newest(
        lists.flatMap(({ differences }) => differences.appeared),
        ({ appearedAt }) => appearedAt,
      ),
      appearedTotal: sum(({ differences }) => differences.appearedTotal),
      vanished: newest(
        lists.flatMap(({ differences }) => differences.vanished),
        ({ lastSeenAt }) => lastSeenAt,
      ),
      vanishedTotal: sum(({ differences }) => differences.vanishedTotal),
    },
  };
}

/** The rotations under way of all connections. */
export async function allRotations(reader: Reader<TokenReader>): Promise<OwnRotation[]> {
  const all = await Promise.all(
    reader.each().map(async (owner) => {
      const rotations = await ownRotations(owner);
      return rotations.map((rotation) => ({ ...rotation, connection: owner.connectionId }));
    }),
  );
  return all.flat();
}
