import type { Metadata } from "next";
import { TokensView } from "@/components/tokens/tokens-view";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { requireSession } from "@/lib/auth/session";
import { dateAhead } from "@/lib/format";
import { attempt } from "@/lib/http/page";
import { queryTokens } from "@/lib/tokens/query";
import { ownRotations } from "@/lib/tokens/rotations";
import { parseTokenQuery, tokenQueryString } from "@/lib/tokens/schema";
import { listTokens } from "@/lib/tokens/tokens";

export const metadata: Metadata = { title: "Tokens" };

export default async function TokensPage({ searchParams }: PageProps<"/tokens">) {
  const session = await requireSession();
  const query = parseTokenQuery(await searchParams);
  const list = await attempt(`/tokens${tokenQueryString(query)}`, () => listTokens(session));
  if (list.problem) {
    return (
      <>
        <PageHeading title="Tokens" />
        <ProblemPanel problem={list.problem} />
      </>
    );
  }
  const { tokens, fetchedAt, inventory, unreadable, differences } = list.value;
  const rotations = await ownRotations(session);
  const today = dateAhead(0);
  return (
    <TokensView
      page={queryTokens(tokens, query, today, rotations)}
      rotations={rotations}
      query={query}
      differences={differences}
      fetchedAt={fetchedAt}
      remembered={inventory === "available"}
      unreadable={unreadable}
      today={today}
    />
  );
}
