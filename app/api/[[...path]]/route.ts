import { TokendeskError } from "@/lib/errors";
import { publicRoute } from "@/lib/http/route";

/** What the API does not have is told as a problem, not as a page. */
const handler = publicRoute({ name: "/api/*" }, async () => {
  throw new TokendeskError("not_found", "The API has no such address.");
});

export { handler as DELETE, handler as GET, handler as PATCH, handler as POST, handler as PUT };
