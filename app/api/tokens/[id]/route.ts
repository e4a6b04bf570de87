import { refused, route } from "@/lib/http/route";
import { revokeToken } from "@/lib/tokens/revocation";
import { editTokenSchema, revokeSchema, tokenPathSchema } from "@/lib/tokens/schema";
import { editToken } from "@/lib/tokens/tokens";

const name = "/api/tokens/{id}";

export const PATCH = route(
  { name, params: tokenPathSchema, body: editTokenSchema, connection: true },
  ({ session, params, body }) => editToken(session, params.id, body),
);

export const DELETE = route(
  { name, params: tokenPathSchema, body: revokeSchema, connection: true },
  ({ session, params, body }) => revokeToken(session, params.id, body),
);

export const { GET, POST, PUT } = refused("PATCH", "DELETE");
