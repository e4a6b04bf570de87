import { refused, route } from "@/lib/http/route";
import { incidentReport } from "@/lib/incidents/report";
import { incidentPathSchema } from "@/lib/incidents/schema";

export const GET = route({ name: "/api/incidents/{id}", params: incidentPathSchema }, ({ session, params }) =>
  incidentReport(session, params.id),
);

export const { DELETE, PATCH, POST, PUT } = refused;
