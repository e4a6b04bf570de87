import { publicRoute, refused } from "@/lib/http/route";

/** Liveness: the process answers. */
export const GET = publicRoute({ name: "/api/health" }, async () => ({ status: "ok" }));

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
