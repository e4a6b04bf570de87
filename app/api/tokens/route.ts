import { NextResponse } from "next/server";
import { refused, route } from "@/lib/http/route";
import { createToken } from "@/lib/tokens/creation";
import { newTokenSchema } from "@/lib/tokens/schema";
import { listTokens } from "@/lib/tokens/tokens";

export const GET = route({ name: "/api/tokens" }, ({ session }) => listTokens(session));

export const POST = route({ name: "/api/tokens", body: newTokenSchema }, async ({ session, body }) =>
  NextResponse.json(await createToken(session, body), { status: 201 }),
);

export const { DELETE, PATCH, PUT } = refused;
