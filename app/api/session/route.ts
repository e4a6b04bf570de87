import { refused, route } from "@/lib/http/route";

export const GET = route({ name: "/api/session" }, async ({ session }) => ({
  user: session.user,
  connections: session.connections,
}));

export const { DELETE, PATCH, POST, PUT } = refused;
