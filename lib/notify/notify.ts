import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { logger } from "@/lib/logger";
import { deliverDue } from "@/lib/notify/delivery";
import { messagesFor } from "@/lib/notify/messages";
import { rowOf, store } from "@/lib/notify/outbox";
import type { NotifyEvent } from "@/lib/notify/schema";

const patienceMs = 2_000;

/**
 * Tells the configured receivers, now or when they and the database are back. Never rejects, and waits for no receiver:
 * for the database alone, two seconds at most. Bursts of denials, unusual volume (once an hour) and due rotations (once for
 * each date) are told once by all replicas, however often this is called.
 */
export async function notify(event: NotifyEvent): Promise<void> {
  try {
    const now = Date.now();
    const messages = messagesFor(event, now);
    if (messages.length === 0) return;
    const written = store(messages.map((message) => rowOf(message, now))).then(() => void deliverDue());
    // A database that hangs must not hold up a revocation: it is written, or kept, when that is decided.
    await Promise.race([written, delay(patienceMs, undefined, { ref: false })]);
  } catch (error) {
    logger().error({ err: error, type: event.type }, "notification not made");
  }
}
