import "server-only";
import type { Actor } from "@/lib/audit/log";
import { logger } from "@/lib/logger";
import { endSession } from "@/lib/ringcx/client";
import { newestVersion } from "@/lib/session/changes";
import { newestRefreshToken } from "@/lib/session/refresh";
import { noteEnd, registryId } from "@/lib/session/registry";
import type { EndReason, SessionData } from "@/lib/session/schema";

/** Ends a session here and at RingCX. Never rejects: the person is signed out whatever RingCX says. */
export async function endEverywhere(
  session: SessionData,
  reason: EndReason,
  actor: Actor,
  options: { userName?: string | null } = {},
): Promise<void> {
  await noteEnd(session, reason, actor, options);
  await tellUpstream(session);
}

// The proxy, the route handlers and the server components are separate bundles of one process.
const slot = Symbol.for("tokendesk.toldEnds");
type Slot = { [slot]?: Set<string> };

const maxTold = 50_000;

/** Ends a session's sign-ins at RingCX, once in this process. Best effort; a failure is logged. */
export async function tellUpstream(session: SessionData): Promise<void> {
  const holder = globalThis as Slot;
  holder[slot] ??= new Set();
  const told = holder[slot];
  const id = registryId(session.sid);
  if (told.has(id)) return;
  while (told.size >= maxTold) told.delete(told.values().next().value as string);
  told.add(id);
  const { connections } = await newestVersion(session);
  await Promise.all(
    connections.map(async (connection) => endUpstream(connection.host, await newestRefreshToken(connection))),
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
