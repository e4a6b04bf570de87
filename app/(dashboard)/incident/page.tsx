import type { Metadata } from "next";
import { IncidentView } from "@/components/incident/incident-view";
import { requireSession } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";
import { recentIncidents } from "@/lib/incidents/report";

export const metadata: Metadata = { title: "Incident" };

export default async function IncidentPage({ searchParams }: PageProps<"/incident">) {
  const session = await requireSession();
  const { follow } = await searchParams;
  const recent = await attempt("/incident", () => recentIncidents(session));
  // Without its database the desk still finds, and still revokes.
  return <IncidentView recent={recent.value} follow={typeof follow === "string" && follow !== "" ? follow : null} />;
}
