import type { Session } from "@/lib/auth/session";
import { refused, route } from "@/lib/http/route";

export const GET = route({ name: "/api/session" }, async ({ session }) => ({
  user: userOf(session),
  connections: session.connections,
  workspaces: session.workspaces,
}));

function userOf({ identity: { id, name, email }, user: { role } }: Session) {
  return { id, name, email, role };
}

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
