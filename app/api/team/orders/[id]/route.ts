import { z } from "zod";
import { refused, route } from "@/lib/http/route";
import { cancelRevocationOrder } from "@/lib/team/team";

export const DELETE = route(
  { name: "/api/team/orders/{id}", params: z.object({ id: z.string() }) },
  async ({ session, params }) => {
    await cancelRevocationOrder(session, params.id);
    return { cancelled: true };
  },
);

export const { GET, PATCH, POST, PUT } = refused("DELETE");
