import { route } from "@/lib/http/route";
import { revokeSchema, tokenPathSchema } from "@/lib/tokens/schema";
import { revokeToken } from "@/lib/tokens/tokens";

const name = "/api/tokens/{id}";

export const DELETE = route({ name, params: tokenPathSchema, body: revokeSchema }, ({ session, params }) =>
  revokeToken(session, params.id),
);
