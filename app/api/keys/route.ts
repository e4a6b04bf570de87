import { NextResponse } from "next/server";
import { refused, route } from "@/lib/http/route";
import { createKey, listKeys } from "@/lib/keys/keys";
import { newKeySchema } from "@/lib/keys/schema";

export const GET = route({ name: "/api/keys" }, async ({ session }) => ({ keys: await listKeys(session) }));

export const POST = route({ name: "/api/keys", body: newKeySchema, fresh: true }, async ({ session, body }) =>
  NextResponse.json(await createKey(session, body), { status: 201 }),
);

export const { DELETE, PATCH, PUT } = refused("GET", "HEAD", "POST");
