import { requireMonitor } from "@/lib/auth/monitor";
import { publicRoute, refused } from "@/lib/http/route";
import { metricsText } from "@/lib/metrics";

export const GET = publicRoute({ name: "/api/metrics" }, async ({ request }) => {
  requireMonitor(request.headers);
  const { text, contentType } = await metricsText();
  return new Response(text, { headers: { "content-type": contentType } });
});

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
