import { z } from "zod";
import { endOne } from "@/lib/auth/sessions";
import { refused, route } from "@/lib/http/route";

const definition = { name: "/api/sessions/{id}", params: z.object({ id: z.string().min(1).max(64) }) };

export const DELETE = route(definition, async ({ session, params }) => {
  await endOne(session, params.id);
  return { ended: 1 };
});

export const { GET, PATCH, POST, PUT } = refused("DELETE");
