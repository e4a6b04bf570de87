import { readEvents } from "@/lib/audit/reading";
import { auditQuerySchema } from "@/lib/audit/schema";
import { refused, route } from "@/lib/http/route";

export const GET = route({ name: "/api/audit", query: auditQuerySchema }, ({ session, query }) =>
  readEvents(session, query),
);

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
