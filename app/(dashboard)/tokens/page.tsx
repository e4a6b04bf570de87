import type { Metadata } from "next";
import { NoConnection } from "@/components/shell/no-connection";
import { TokensView } from "@/components/tokens/tokens-view";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { requireSession } from "@/lib/auth/session";
import { dateAhead } from "@/lib/format";
import { attempt } from "@/lib/http/page";
import { tokensTexts } from "@/lib/texts/tokens";
import { allRotations, listAllTokens } from "@/lib/tokens/merged";
import { queryTokens } from "@/lib/tokens/query";
import { parseTokenQuery, tokenQueryString } from "@/lib/tokens/schema";

const texts = tokensTexts.view;

export const metadata: Metadata = { title: texts.title };

export default async function TokensPage({ searchParams }: PageProps<"/tokens">) {
  const session = await requireSession();
  if (session.each().length === 0) {
    return <NoConnection title={texts.title}>{texts.noConnection}</NoConnection>;
  }
  const asked = parseTokenQuery(await searchParams);
  // Of an address that was kept: a connection has a new ID each time that it is made.
  const several = session.connections.length > 1;
  const known = several && session.connections.some(({ id }) => id === asked.connection);
  const query = { ...asked, connection: known ? asked.connection : null };
  const list = await attempt(`/tokens${tokenQueryString(query)}`, () => listAllTokens(session));
  if (list.problem) {
    return (
      <>
        <PageHeading title={texts.title} />
        <ProblemPanel problem={list.problem} />
      </>
    );
  }
  const { tokens, fetchedAt, inventory, unreadable, differences, connections } = list.value;
  const rotations = await allRotations(session);
  const today = dateAhead(0);
  return (
    <TokensView
      page={queryTokens(tokens, query, today, rotations)}
      rotations={rotations}
      query={query}
      differences={differences}
      connections={connections}
      fetchedAt={fetchedAt}
      remembered={inventory === "available"}
      unreadable={unreadable}
      today={today}
    />
  );
}
