import { z } from "zod";
import { disconnect } from "@/lib/auth/connections";
import { refused, route } from "@/lib/http/route";

export const DELETE = route(
  { name: "/api/connections/{id}", params: z.object({ id: z.string() }), anyWorkspace: true },
  async ({ session, params }) => {
    await disconnect(session, params.id);
    return new Response(null, { status: 204 });
  },
);

export const { GET, PATCH, POST, PUT } = refused("DELETE");
