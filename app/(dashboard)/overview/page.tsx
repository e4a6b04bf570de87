import type { Metadata } from "next";
import { OverviewView } from "@/components/overview/overview-view";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { requireSession } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";
import { overview } from "@/lib/team/overview";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.view;

export const metadata: Metadata = { title: texts.title };

export default async function OverviewPage() {
  const session = await requireSession();
  const found = await attempt("/overview", () => overview(session));
  if (found.problem) {
    return (
      <>
        <PageHeading title={texts.title} />
        <ProblemPanel problem={found.problem} />
      </>
    );
  }
  return <OverviewView overview={found.value} />;
}
