import { refused, route } from "@/lib/http/route";
import { investigatorOf } from "@/lib/incidents/investigator";
import { revokeFindings } from "@/lib/incidents/run";
import { revokeFindingsSchema } from "@/lib/incidents/schema";

const maxBody = 4 * 1024 * 1024;

export const POST = route(
  { name: "/api/incidents/revoke", body: revokeFindingsSchema, maxBody },
  async ({ session, body }) => {
    const stream = await revokeFindings(investigatorOf(session), body);
    return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
  },
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
