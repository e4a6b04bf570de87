import { parseParameters } from "@/lib/audit/parameters";
import { readEvents } from "@/lib/audit/reading";
import { auditQuerySchema } from "@/lib/audit/schema";
import { refused, route } from "@/lib/http/route";

export const GET = route({ name: "/api/audit" }, ({ session, request }) =>
  readEvents(session, parseParameters(auditQuerySchema, request.nextUrl.searchParams)),
);

export const { DELETE, PATCH, POST, PUT } = refused;
