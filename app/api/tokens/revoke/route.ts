import { refused, route } from "@/lib/http/route";
import { revokeMany } from "@/lib/incidents/run";
import { revokeManySchema } from "@/lib/incidents/schema";

const maxBody = 256 * 1024;

export const POST = route(
  { name: "/api/tokens/revoke", body: revokeManySchema, maxBody },
  async ({ session, body }) => {
    const { incident, stream } = await revokeMany(session, body);
    return new Response(stream, {
      headers: { "content-type": "application/x-ndjson", "content-location": `/api/incidents/${incident}/follow` },
    });
  },
);

export const { DELETE, GET, PATCH, PUT } = refused;
