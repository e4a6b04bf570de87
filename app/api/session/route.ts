import { route } from "@/lib/http/route";

export const GET = route({ name: "/api/session" }, async ({ session }) => ({
  user: session.user,
  connections: session.connections,
}));
