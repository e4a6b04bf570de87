import { NextResponse } from "next/server";
import { z } from "zod";
import { keyRoute, refused } from "@/lib/http/route";
import { investigatorOfKey, verifyMatches } from "@/lib/incidents/inbound";

/** A scanner reads the status alone: 200: one of them lives; 404: none does; 503: that could not be found out. */
export const POST = keyRoute({ name: "/api/incidents/verify", body: z.unknown() }, async ({ key, body }) => {
  const verified = await verifyMatches(investigatorOfKey(key), body);
  const status = verified.live > 0 ? 200 : verified.unchecked > 0 ? 503 : 404;
  return NextResponse.json(verified, { status });
});

export const { DELETE, GET, PATCH, PUT } = refused("POST");
