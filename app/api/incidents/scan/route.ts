import { readBytes, refused, route } from "@/lib/http/route";
import { scanIncident, scanStream } from "@/lib/incidents/desk";
import { investigatorOf } from "@/lib/incidents/investigator";
import { maxScanBytes } from "@/lib/incidents/schema";
import { readSources } from "@/lib/incidents/sources";

/** JSON escapes and the frame of a form take their part. */
const maxBody = maxScanBytes * 2;

export const POST = route({ name: "/api/incidents/scan" }, async ({ session, request }) => {
  const sources = await readSources(request.headers.get("content-type") ?? "", await readBytes(request, maxBody));
  const investigator = investigatorOf(session);
  if (!(request.headers.get("accept") ?? "").includes("application/x-ndjson")) {
    return scanIncident(investigator, sources);
  }
  return new Response(await scanStream(investigator, sources), { headers: { "content-type": "application/x-ndjson" } });
});

export const { DELETE, GET, PATCH, PUT } = refused("POST");
