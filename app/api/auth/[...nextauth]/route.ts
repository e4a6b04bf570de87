import { z } from "zod";
import { clientAddress } from "@/lib/auth/address";
import { authenticate } from "@/lib/auth/handler";
import { publicRoute, readText, refused } from "@/lib/http/route";

const definition = { name: "/api/auth/*", params: z.object({ nextauth: z.array(z.string()) }) };

const handler = publicRoute(definition, async ({ request, requestId, params }) =>
  authenticate({
    request,
    body: await readText(request),
    path: params.nextauth,
    address: clientAddress(request.headers),
    requestId,
  }),
);

export { handler as GET, handler as POST };

export const { DELETE, PATCH, PUT } = refused("GET", "HEAD", "POST");
