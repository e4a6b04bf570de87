import type { Metadata } from "next";
import { KeysPart } from "@/app/(dashboard)/settings/keys-part";
import { NotificationsPart } from "@/app/(dashboard)/settings/notifications-part";
import { ProfileSection } from "@/components/sessions/profile-section";
import { SessionsSection } from "@/components/sessions/sessions-section";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { requireSession } from "@/lib/auth/session";
import { listSessions } from "@/lib/auth/sessions";
import { attempt } from "@/lib/http/page";

export const metadata: Metadata = { title: "Settings" };

export default async function SettingsPage() {
  const session = await requireSession();
  const sessions = await attempt("/settings", () => listSessions(session, "own"));
  const { name, email, role } = session.user;
  return (
    <div className="max-w-3xl">
      <PageHeading title="Settings" />
      <div className="flex flex-col gap-8">
        <ProfileSection person={{ name, email, role }} connections={session.connections} />
        {sessions.problem ? <ProblemPanel problem={sessions.problem} /> : <SessionsSection {...sessions.value} />}
        <KeysPart session={session} />
        <NotificationsPart session={session} />
      </div>
    </div>
  );
}
