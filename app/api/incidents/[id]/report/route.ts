import { refused, routeOrKey } from "@/lib/http/route";
import { investigatorOfKey } from "@/lib/incidents/inbound";
import { downloadReport } from "@/lib/incidents/report";
import { incidentPathSchema, reportQuerySchema } from "@/lib/incidents/schema";

export const GET = routeOrKey(
  { name: "/api/incidents/{id}/report", params: incidentPathSchema, query: reportQuerySchema },
  async ({ session, key, params, query }) => {
    const reader = session === null ? investigatorOfKey(key) : session;
    const { text, type, name } = await downloadReport(reader, params.id, query.format);
    return new Response(text, {
      headers: { "content-type": type, "content-disposition": `attachment; filename=${name}` },
    });
  },
);

// Next would answer it with GET, and record a download that nobody takes.
export const { DELETE, HEAD, PATCH, POST, PUT } = refused("GET");
