import { refused, route } from "@/lib/http/route";
import { revokeKey } from "@/lib/keys/keys";
import { keyPathSchema } from "@/lib/keys/schema";

export const DELETE = route({ name: "/api/keys/{id}", params: keyPathSchema }, async ({ session, params }) => {
  await revokeKey(session, params.id);
  return { revoked: true };
});

export const { GET, PATCH, POST, PUT } = refused("DELETE");
