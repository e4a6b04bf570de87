import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { AuditView } from "@/components/audit/audit-view";
import { auditPath, auditQueryOf, newestPage, parseAuditView } from "@/components/audit/audit-view-query";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { readEvents } from "@/lib/audit/reading";
import { requireSession, type Session } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";

export const metadata: Metadata = { title: "Audit log" };

export default async function AuditLogPage({ searchParams }: PageProps<"/audit">) {
  const session = await requireSession();
  const view = parseAuditView(await searchParams);
  const page = await attempt(auditPath(view), () => readEvents(session, auditQueryOf(view)));
  if (page.problem) {
    // A cursor that leads nowhere is nonsense in the address like any other.
    if (page.problem.code === "invalid_input" && view.cursor !== null) redirect(auditPath(newestPage(view)));
    return (
      <>
        <PageHeading title="Audit log" />
        <ProblemPanel problem={page.problem} />
      </>
    );
  }
  return (
    <AuditView page={page.value} view={view} scope={scopeOf(session)} canVerify={session.user.role !== "member"} />
  );
}

function scopeOf({ user, connections }: Session): string {
  if (user.role === "member") return "You see your own events. Operations see those of the whole main account.";
  const account = `main account ${connections[0]?.mainAccountId ?? ""}`.trim();
  return user.role === "ops"
    ? `Everything done in ${account}.`
    : `Everything done in ${account}, and sign-ins that were denied.`;
}
