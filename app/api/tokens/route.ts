import { NextResponse } from "next/server";
import { refused, route } from "@/lib/http/route";
import { createToken } from "@/lib/tokens/creation";
import { listAllTokens } from "@/lib/tokens/merged";
import { newTokenSchema } from "@/lib/tokens/schema";

export const GET = route({ name: "/api/tokens" }, ({ session }) => listAllTokens(session));

export const POST = route(
  { name: "/api/tokens", body: newTokenSchema, connection: true, fresh: true },
  async ({ session, body }) => NextResponse.json(await createToken(session, body), { status: 201 }),
);

export const { DELETE, PATCH, PUT } = refused("GET", "HEAD", "POST");
