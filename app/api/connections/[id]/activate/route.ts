import { z } from "zod";
import { activate } from "@/lib/auth/connections";
import { refused, route } from "@/lib/http/route";

export const POST = route(
  { name: "/api/connections/{id}/activate", params: z.object({ id: z.string() }), anyWorkspace: true },
  async ({ session, params }) => {
    await activate(session, params.id);
    return { active: params.id };
  },
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
