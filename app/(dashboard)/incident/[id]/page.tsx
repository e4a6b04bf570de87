import { FileX } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import { viewerOf } from "@/components/incident/incident-text";
import { BackToIncident, ReportView } from "@/components/incident/report-view";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { requireSession } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";
import { incidentReport } from "@/lib/incidents/report";
import { ofTokens, reportSummary, usersBehind, verdictOf } from "@/lib/incidents/report-text";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.report;

export const metadata: Metadata = { title: texts.title };

export default async function IncidentReportPage({ params }: PageProps<"/incident/[id]">) {
  const session = await requireSession();
  const { id } = await params;
  const { value: report, problem } = await attempt(`/incident/${encodeURIComponent(id)}`, () =>
    incidentReport(session, id),
  );
  if (!problem) {
    return (
      <ReportView
        report={report}
        viewer={viewerOf(session.user)}
        verdict={verdictOf(report)}
        summary={reportSummary(report)}
        users={usersBehind(report.tokens)}
        notChecked={[...report.notChecked, ...ofTokens(report.tokens)]}
      />
    );
  }
  return (
    <>
      <BackToIncident />
      <PageHeading title={texts.title} />
      {problem.code === "not_found" ? (
        <section className="rounded-lg border border-line bg-surface">
          <EmptyState
            icon={<FileX className="size-5" />}
            title={texts.notFound}
            action={
              <Link href="/incident" prefetch={false} className={buttonClass()}>
                {texts.goToDesk}
              </Link>
            }
          >
            {texts.notFoundWhy}
          </EmptyState>
        </section>
      ) : (
        <ProblemPanel problem={problem} />
      )}
    </>
  );
}
