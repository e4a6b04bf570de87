import type { Metadata } from "next";
import { viewerOf } from "@/components/incident/incident-text";
import { IncidentView } from "@/components/incident/incident-view";
import { requireSession } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";
import { recentIncidents } from "@/lib/incidents/report";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.view;

export const metadata: Metadata = { title: texts.title };

export default async function IncidentPage() {
  const session = await requireSession();
  const recent = await attempt("/incident", () => recentIncidents(session));
  // Without its database the desk still finds, and still revokes.
  return <IncidentView recent={recent.value} viewer={viewerOf(session.user)} />;
}
