import { refused, route } from "@/lib/http/route";
import { revokeMany } from "@/lib/incidents/run";
import { revokeManySchema } from "@/lib/incidents/schema";

const maxBody = 256 * 1024;

export const POST = route(
  { name: "/api/tokens/revoke", body: revokeManySchema, maxBody, fresh: true, connection: true },
  async ({ session, body, request }) => {
    const { incident, stream } = await revokeMany(session, body);
    // The case belongs to the connection's main account: it is followed through the same one.
    const through = request.nextUrl.searchParams.has("connection") ? `?connection=${session.connectionId}` : "";
    return new Response(stream, {
      headers: {
        "content-type": "application/x-ndjson",
        "content-location": `/api/incidents/${incident}/follow${through}`,
      },
    });
  },
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
