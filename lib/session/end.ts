import "server-only";
import { logger } from "@/lib/logger";
import { endSession } from "@/lib/ringcx/client";
import { newestRefreshToken } from "@/lib/session/refresh";
import { markEnded } from "@/lib/session/registry";
import type { SessionData } from "@/lib/session/schema";

/** Ends a session here and at RingCX. Never rejects: the person is signed out whatever RingCX says. */
export async function endEverywhere(session: SessionData): Promise<void> {
  markEnded(session.sid);
  await Promise.all(
    session.connections.map((connection) => endUpstream(connection.host, newestRefreshToken(connection))),
  );
}

/** Ends one sign-in at RingCX. Best effort; a failure is logged. */
export async function endUpstream(host: string, refreshToken: string | null): Promise<void> {
  if (refreshToken === null) return;
  try {
    await endSession(host, refreshToken);
  } catch (error) {
    logger().warn({ err: error }, "session not ended upstream");
  }
}
