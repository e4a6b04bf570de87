import { exportEvents } from "@/lib/audit/export";
import { exportSchema } from "@/lib/audit/schema";
import { refused, route } from "@/lib/http/route";

const types = { jsonl: "application/x-ndjson", csv: "text/csv; charset=utf-8; header=present" };

export const GET = route({ name: "/api/audit/export", query: exportSchema }, async ({ session, query }) => {
  const { format, ...filter } = query;
  const { stream, atMost } = await exportEvents(session, filter, format);
  const date = new Date().toISOString().slice(0, 10);
  return new Response(stream, {
    headers: {
      "content-type": types[format],
      "content-disposition": `attachment; filename=tokendesk-audit-${date}.${format}`,
      ...(atMost === null ? {} : { "x-total-estimate": String(atMost) }),
    },
  });
});

// Next would answer it with GET, and record an export that nobody takes.
export const { DELETE, HEAD, PATCH, POST, PUT } = refused("GET");
