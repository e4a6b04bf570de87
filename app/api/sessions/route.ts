import { z } from "zod";
import { endAll, listSessions } from "@/lib/auth/sessions";
import { refused, route } from "@/lib/http/route";

const name = "/api/sessions";

export const GET = route(
  { name, query: z.strictObject({ scope: z.enum(["own", "team"]).default("own") }) },
  ({ session, query }) => listSessions(session, query.scope),
);

export const DELETE = route(
  { name, body: z.strictObject({ others: z.boolean().default(false) }), anyWorkspace: true },
  async ({ session, body }) => ({ ended: await endAll(session, body) }),
);

export const { PATCH, POST, PUT } = refused("GET", "HEAD", "DELETE");
