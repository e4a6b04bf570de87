import { z } from "zod";
import { authenticate } from "@/lib/auth/handler";
import { clientAddress } from "@/lib/http/address";
import { publicRoute, readText, refused } from "@/lib/http/route";

const definition = { name: "/api/auth/*", params: z.object({ nextauth: z.array(z.string()) }) };

const handler = publicRoute(definition, async ({ request, params }) =>
  authenticate({
    request,
    body: await readText(request),
    path: params.nextauth,
    address: clientAddress(request.headers),
  }),
);

export { handler as GET, handler as POST };

export const { DELETE, PATCH, PUT } = refused;
