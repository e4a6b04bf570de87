import { refused, route } from "@/lib/http/route";
import { follow } from "@/lib/incidents/run";
import { incidentPathSchema } from "@/lib/incidents/schema";

export const POST = route(
  { name: "/api/incidents/{id}/follow", params: incidentPathSchema, connection: true },
  async ({ session, params }) => {
    return new Response(await follow(session, params.id), { headers: { "content-type": "application/x-ndjson" } });
  },
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
