import { verificationStream } from "@/lib/audit/verification";
import { refused, route } from "@/lib/http/route";

export const POST = route({ name: "/api/audit/verify" }, async ({ session }) => {
  return new Response(await verificationStream(session), { headers: { "content-type": "application/x-ndjson" } });
});

export const { DELETE, GET, PATCH, PUT } = refused("POST");
