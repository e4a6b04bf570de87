import { NextResponse } from "next/server";
import { refused, route } from "@/lib/http/route";
import { rotateToken } from "@/lib/tokens/creation";
import { rotateTokenSchema, tokenPathSchema } from "@/lib/tokens/schema";

export const POST = route(
  { name: "/api/tokens/{id}/rotate", params: tokenPathSchema, body: rotateTokenSchema, connection: true, fresh: true },
  async ({ session, params, body }) => NextResponse.json(await rotateToken(session, params.id, body), { status: 201 }),
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
