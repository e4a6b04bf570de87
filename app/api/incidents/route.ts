import { refused, route } from "@/lib/http/route";
import { recentIncidents } from "@/lib/incidents/report";

export const GET = route({ name: "/api/incidents" }, async ({ session }) => ({
  incidents: await recentIncidents(session),
}));

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
