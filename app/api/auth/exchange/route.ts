import { NextResponse } from "next/server";
import { clientAddress } from "@/lib/auth/address";
import { continueExchange } from "@/lib/auth/exchange";
import { publicRoute, refused } from "@/lib/http/route";

/** 202 `{place, waitSeconds}` while others are before this browser, 200 `{returnTo}` when it is signed in. */
export const POST = publicRoute({ name: "/api/auth/exchange" }, async ({ request }) => {
  const answer = await continueExchange(clientAddress(request.headers));
  return NextResponse.json(answer, { status: "returnTo" in answer ? 200 : 202 });
});

export const { DELETE, GET, PATCH, PUT } = refused("POST");
