import { NextResponse } from "next/server";
import { refused, route } from "@/lib/http/route";
import { orderSchema } from "@/lib/team/schema";
import { orderRevocation } from "@/lib/team/team";

export const POST = route({ name: "/api/team/orders", body: orderSchema, fresh: true }, async ({ session, body }) =>
  NextResponse.json({ order: await orderRevocation(session, body) }, { status: 201 }),
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
