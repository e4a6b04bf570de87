import "server-only";
import { env } from "@/lib/env";

/**
 * Sessions that were signed out, so that a copy of their cookie is dead at once, in this process. A replica or a
 * restart does not know them; RingCX does: it was told, and refuses their refresh tokens.
 */
const slot = Symbol.for("tokendesk.endedSessions");
type Slot = { [slot]?: Map<string, number> };

function ended(): Map<string, number> {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  return holder[slot];
}

export function markEnded(sid: string): void {
  const sessions = ended();
  const now = Date.now();
  // Insertion order is time order: stop at the first that could still be presented.
  for (const [other, at] of sessions) {
    if (now - at <= env().sessionMaxMs) break;
    sessions.delete(other);
  }
  sessions.set(sid, now);
}

export function isEnded(sid: string): boolean {
  return ended().has(sid);
}
