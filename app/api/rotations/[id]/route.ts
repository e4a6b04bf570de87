import { refused, route } from "@/lib/http/route";
import { cancelRotation, planRotation } from "@/lib/tokens/rotations";
import { planRotationSchema, rotationPathSchema } from "@/lib/tokens/schema";

export const PATCH = route(
  { name: "/api/rotations/{id}", params: rotationPathSchema, body: planRotationSchema, connection: true },
  ({ session, params, body }) => planRotation(session, params.id, body),
);

export const DELETE = route(
  { name: "/api/rotations/{id}", params: rotationPathSchema, connection: true },
  async ({ session, params }) => {
    await cancelRotation(session, params.id);
    return { cancelled: true };
  },
);

export const { GET, POST, PUT } = refused("PATCH", "DELETE");
