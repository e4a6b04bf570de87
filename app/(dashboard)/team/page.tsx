import type { Metadata } from "next";
import { Suspense } from "react";
import { CoverageMeter, CoverageSkeleton } from "@/components/team/coverage-meter";
import { NotForMembers } from "@/components/team/not-for-members";
import { TeamSessions } from "@/components/team/team-sessions";
import { TeamView } from "@/components/team/team-view";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { requireSession, type Session } from "@/lib/auth/session";
import { listSessions } from "@/lib/auth/sessions";
import { dateAhead } from "@/lib/format";
import { attempt } from "@/lib/http/page";
import { parseTeamQuery, teamQueryString } from "@/lib/team/schema";
import { coverage, teamPage } from "@/lib/team/team";
import { teamTexts } from "@/lib/texts/team";

const texts = teamTexts.view;

export const metadata: Metadata = { title: texts.title };

export default async function TeamPage({ searchParams }: PageProps<"/team">) {
  const session = await requireSession();
  if (session.user.role === "member") return <NotForMembers />;
  const query = parseTeamQuery(await searchParams);
  const path = `/team${teamQueryString(query)}`;
  const [page, sessions] = await Promise.all([
    attempt(path, () => teamPage(session, query)),
    attempt(path, () => listSessions(session, "team")),
  ]);
  if (page.problem) {
    return (
      <>
        <PageHeading title={texts.title} />
        <ProblemPanel problem={page.problem} />
      </>
    );
  }
  return (
    <>
      <TeamView page={page.value} query={query} today={dateAhead(0)}>
        <Suspense fallback={<CoverageSkeleton />}>
          <CoverageOf session={session} path={path} />
        </Suspense>
      </TeamView>
      <TeamSessions found={sessions} />
    </>
  );
}

/** Apart, because it may wait for the vendor's list of users. */
async function CoverageOf({ session, path }: { session: Session; path: string }) {
  const found = await attempt(path, () => coverage(session));
  return found.problem ? (
    <ProblemPanel problem={found.problem} />
  ) : (
    <CoverageMeter coverage={found.value} today={dateAhead(0)} />
  );
}
