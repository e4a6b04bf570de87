import { refused, route } from "@/lib/http/route";
import { editTokenSchema, revokeSchema, tokenPathSchema } from "@/lib/tokens/schema";
import { editToken, revokeToken } from "@/lib/tokens/tokens";

const name = "/api/tokens/{id}";

export const PATCH = route({ name, params: tokenPathSchema, body: editTokenSchema }, ({ session, params, body }) =>
  editToken(session, params.id, body),
);

export const DELETE = route({ name, params: tokenPathSchema, body: revokeSchema }, ({ session, params }) =>
  revokeToken(session, params.id),
);

export const { GET, POST, PUT } = refused;
