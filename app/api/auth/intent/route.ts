import { z } from "zod";
import { beginSignIn } from "@/lib/auth/arrival";
import { publicRoute, refused } from "@/lib/http/route";

const body = z.strictObject({
  purpose: z.enum(["sign_in", "connect", "confirm"]),
  /** Where it leads in the end: a path of ours. */
  returnTo: z.string().max(1_000),
  linkConfirmed: z.boolean().default(false),
});

export const POST = publicRoute({ name: "/api/auth/intent", body }, async ({ body: intent }) => {
  await beginSignIn(intent);
  return new Response(null, { status: 204 });
});

export const { DELETE, GET, PATCH, PUT } = refused("POST");
