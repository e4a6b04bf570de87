import { refused, route } from "@/lib/http/route";
import { listRotations } from "@/lib/tokens/rotations";

export const GET = route({ name: "/api/rotations", connection: true }, ({ session }) => listRotations(session));

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
