import { keyRoute, refused } from "@/lib/http/route";
import { investigatorOfKey, reportSchema, streamReport, takeReport } from "@/lib/incidents/inbound";
import { maxScanBytes } from "@/lib/incidents/schema";
import { requireScope } from "@/lib/keys/keys";

/** JSON's escapes take their part. */
const maxBody = 2 * maxScanBytes;

export const POST = keyRoute(
  { name: "/api/incidents/report", body: reportSchema, maxBody },
  async ({ key, body, request }) => {
    if (body.revoke) requireScope(key, "revoke");
    const investigator = investigatorOfKey(key);
    if (!(request.headers.get("accept") ?? "").includes("application/x-ndjson")) return takeReport(investigator, body);
    const lines = await streamReport(investigator, body);
    return new Response(lines, { headers: { "content-type": "application/x-ndjson" } });
  },
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
