import { SearchX } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import { NoConnection } from "@/components/shell/no-connection";
import { BackToTokens, TokenHistory } from "@/components/tokens/token-history";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { requireSession } from "@/lib/auth/session";
import { dateAhead } from "@/lib/format";
import { attempt } from "@/lib/http/page";
import { tokensTexts } from "@/lib/texts/tokens";
import { firstOf } from "@/lib/tokens/schema";
import { tokenHistory } from "@/lib/tokens/tokens";

const texts = tokensTexts.history;

export const metadata: Metadata = { title: texts.page };

export default async function TokenHistoryPage({ params, searchParams }: PageProps<"/tokens/[id]">) {
  const session = await requireSession();
  const { id } = await params;
  const { connection } = firstOf(await searchParams);
  const path = `/tokens/${encodeURIComponent(id)}`;
  const history = await attempt(connection ? `${path}?connection=${encodeURIComponent(connection)}` : path, async () =>
    tokenHistory(connection ? session.through(connection) : session, id),
  );
  if (!history.problem) {
    const elsewhere = connection !== undefined && connection !== session.connectionId;
    return <TokenHistory {...history.value} elsewhere={elsewhere} today={dateAhead(0)} />;
  }
  if (history.problem.code === "token_not_found" && session.each().length === 0) {
    return (
      <>
        <BackToTokens />
        <NoConnection title={texts.page}>{texts.noConnection}</NoConnection>
      </>
    );
  }
  return (
    <>
      <BackToTokens />
      <PageHeading title={texts.page} />
      {history.problem.code === "token_not_found" || history.problem.code === "not_found" ? (
        <section className="rounded-lg border border-line bg-surface">
          <EmptyState
            icon={<SearchX className="size-5" />}
            title={texts.unknown}
            action={
              <Link href="/tokens" prefetch={false} className={buttonClass()}>
                {texts.goToTokens}
              </Link>
            }
          >
            {texts.unknownWhy}
          </EmptyState>
        </section>
      ) : (
        <ProblemPanel problem={history.problem} />
      )}
    </>
  );
}
