import { NextResponse } from "next/server";
import { databaseReady } from "@/lib/db/client";
import { publicRoute, refused } from "@/lib/http/route";

/** Readiness: the database answers and its migrations have run. 503 says which of its troubles it has. */
export const GET = publicRoute({ name: "/api/ready" }, async () => {
  const database = await databaseReady();
  return database.ready
    ? { status: "ready" }
    : NextResponse.json({ status: "not ready", database: database.reason }, { status: 503 });
});

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
