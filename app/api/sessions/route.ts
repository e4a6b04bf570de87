import { z } from "zod";
import { endAll, listSessions } from "@/lib/auth/sessions";
import { TokendeskError } from "@/lib/errors";
import { refused, route } from "@/lib/http/route";

const name = "/api/sessions";
const querySchema = z.strictObject({ scope: z.enum(["own", "team"]).default("own") });

export const GET = route({ name }, async ({ session, request }) => {
  const query = querySchema.safeParse(Object.fromEntries(request.nextUrl.searchParams));
  if (!query.success) throw new TokendeskError("invalid_input", "The only parameter is scope: own or team.");
  return { sessions: await listSessions(session, query.data.scope) };
});

export const DELETE = route(
  { name, body: z.strictObject({ others: z.boolean().default(false) }) },
  async ({ session, body }) => ({ ended: await endAll(session, body) }),
);

export const { PATCH, POST, PUT } = refused;
