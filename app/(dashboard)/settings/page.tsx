import type { Metadata } from "next";
import { KeysPart } from "@/app/(dashboard)/settings/keys-part";
import { NotificationsPart } from "@/app/(dashboard)/settings/notifications-part";
import { ConfigurationSection } from "@/components/configuration/configuration-section";
import { ConnectionsSection } from "@/components/connections/connections-section";
import { ProfileSection } from "@/components/sessions/profile-section";
import { SessionsSection } from "@/components/sessions/sessions-section";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { readConfiguration } from "@/lib/auth/configuration";
import { requireSession } from "@/lib/auth/session";
import { listSessions } from "@/lib/auth/sessions";
import { attempt } from "@/lib/http/page";
import { sessionsTexts } from "@/lib/texts/sessions";

const texts = sessionsTexts.settings;

export const metadata: Metadata = { title: texts.title };

export default async function SettingsPage() {
  const session = await requireSession();
  const sessions = await attempt("/settings", () => listSessions(session, "own"));
  const configuration =
    session.user.role === "admin" ? await attempt("/settings", async () => readConfiguration(session)) : null;
  const { name, email } = session.identity;
  const { role } = session.user;
  return (
    <div className="max-w-3xl">
      <PageHeading title={texts.title} />
      <div className="flex flex-col gap-8">
        <ProfileSection person={{ name, email, role }} provider={session.identity.provider} />
        <ConnectionsSection />
        {sessions.problem ? <ProblemPanel problem={sessions.problem} /> : <SessionsSection {...sessions.value} />}
        <KeysPart session={session} />
        <NotificationsPart session={session} />
        {configuration && <ConfigurationSection found={configuration} />}
      </div>
    </div>
  );
}
