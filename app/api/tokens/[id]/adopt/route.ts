import { refused, route } from "@/lib/http/route";
import { newTokenSchema, tokenPathSchema } from "@/lib/tokens/schema";
import { adoptToken } from "@/lib/tokens/tokens";

export const POST = route(
  { name: "/api/tokens/{id}/adopt", params: tokenPathSchema, body: newTokenSchema, connection: true },
  ({ session, params, body }) => adoptToken(session, params.id, body),
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
