import { refused, route } from "@/lib/http/route";
import { tokenPathSchema } from "@/lib/tokens/schema";
import { revealToken } from "@/lib/tokens/tokens";

export const POST = route(
  { name: "/api/tokens/{id}/reveal", params: tokenPathSchema, fresh: true, connection: true },
  ({ session, params }) => revealToken(session, params.id),
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
