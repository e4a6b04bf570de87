import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { AuditView } from "@/components/audit/audit-view";
import { auditPath, auditQueryOf, newestPage, parseAuditView } from "@/components/audit/audit-view-query";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { readEvents } from "@/lib/audit/reading";
import { requireSession, type Session } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";
import { auditTexts } from "@/lib/texts/audit";

const texts = auditTexts.view;

export const metadata: Metadata = { title: texts.title };

export default async function AuditLogPage({ searchParams }: PageProps<"/audit">) {
  const session = await requireSession();
  const view = parseAuditView(await searchParams);
  const page = await attempt(auditPath(view), () => readEvents(session, auditQueryOf(view)));
  if (page.problem) {
    // A cursor that leads nowhere is nonsense in the address like any other.
    if (page.problem.code === "invalid_input" && view.cursor !== null) redirect(auditPath(newestPage(view)));
    return (
      <>
        <PageHeading title={texts.title} />
        <ProblemPanel problem={page.problem} />
      </>
    );
  }
  return (
    <AuditView page={page.value} view={view} scope={scopeOf(session)} canVerify={session.user.role !== "member"} />
  );
}

function scopeOf({ user, tenant, home, connectionId }: Session): string {
  if (user.role === "member") return texts.scopeOwn;
  const ofCompany = tenant === home && connectionId === null;
  const account = ofCompany ? texts.scopeCompany : texts.scopeAccount(tenant.slice(tenant.lastIndexOf("|") + 1));
  return user.role === "ops" ? texts.scopeOps(account) : texts.scopeAdmin(account);
}
