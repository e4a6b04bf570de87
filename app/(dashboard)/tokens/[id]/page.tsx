import { SearchX } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import { BackToTokens, TokenHistory } from "@/components/tokens/token-history";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { requireSession } from "@/lib/auth/session";
import { dateAhead } from "@/lib/format";
import { attempt } from "@/lib/http/page";
import { tokenHistory } from "@/lib/tokens/tokens";

export const metadata: Metadata = { title: "Token history" };

export default async function TokenHistoryPage({ params }: PageProps<"/tokens/[id]">) {
  const session = await requireSession();
  const { id } = await params;
  const history = await attempt(`/tokens/${encodeURIComponent(id)}`, () => tokenHistory(session, id));
  if (!history.problem) return <TokenHistory {...history.value} today={dateAhead(0)} />;
  return (
    <>
      <BackToTokens />
      <PageHeading title="Token history" />
      {history.problem.code === "token_not_found" ? (
        <section className="rounded-lg border border-line bg-surface">
          <EmptyState
            icon={<SearchX className="size-5" />}
            title="Tokendesk does not know this token"
            action={
              <Link href="/tokens" prefetch={false} className={buttonClass()}>
                Go to your tokens
              </Link>
            }
          >
            It was never in a list that you may see, or it belongs to somebody else.
          </EmptyState>
        </section>
      ) : (
        <ProblemPanel problem={history.problem} />
      )}
    </>
  );
}
