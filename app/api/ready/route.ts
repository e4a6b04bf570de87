import { publicRoute } from "@/lib/http/route";

/** Readiness: the process can serve. The environment was checked before it began to listen. */
export const GET = publicRoute({ name: "/api/ready" }, async () => ({ status: "ready" }));
