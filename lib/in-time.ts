import "server-only";
import { setTimeout as delay } from "node:timers/promises";

/** The result, or null when it takes longer. What comes after that, an error too, is nobody's any more. */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T | null> {
  const ending = new AbortController();
  const late = delay(Math.max(0, ms), null, { signal: ending.signal, ref: false }).catch(() => null);
  try {
    return await Promise.race([work, late]);
  } finally {
    ending.abort();
  }
}
