import { refused, route } from "@/lib/http/route";
import { tokenPathSchema } from "@/lib/tokens/schema";
import { dismissToken } from "@/lib/tokens/tokens";

export const POST = route(
  { name: "/api/tokens/{id}/dismiss", params: tokenPathSchema, connection: true },
  ({ session, params }) => dismissToken(session, params.id),
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
