import { NextResponse } from "next/server";
import { z } from "zod";
import { clientAddress } from "@/lib/auth/address";
import { connect } from "@/lib/auth/connections";
import { credentialsSchema } from "@/lib/auth/sign-in";
import { refused, route } from "@/lib/http/route";

const body = credentialsSchema.extend({ linkConfirmed: z.boolean().default(false) }).strict();

export const POST = route(
  { name: "/api/connections", body, anyWorkspace: true },
  async ({ session, request, body: { linkConfirmed, ...credentials } }) => {
    const address = clientAddress(request.headers);
    return NextResponse.json(await connect(session, credentials, { linkConfirmed, address }), { status: 201 });
  },
);

export const { DELETE, GET, PATCH, PUT } = refused("POST");
