import "server-only";
import { Agent, request } from "undici";
import { repeat } from "@/lib/audit/upkeep";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { env } from "@/lib/env";
import { logger } from "@/lib/logger";
import { signedHeaders } from "@/lib/notify/messages";
import { claim, heldRows, noteHeld, type OutboxRow, settle, tidy, writeHeld } from "@/lib/notify/outbox";
import { type Receiver, receivers } from "@/lib/notify/receivers";
import packageJson from "@/package.json" with { type: "json" };

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

const deadlineMs = 10 * second;
/** How long after each failed attempt the next one follows; after the last of them it is given up. */
const backoffMs = [10 * second, minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour];
const maxRetryAfterMs = hour;
/** How many messages one receiver gets at once. Slack takes about one a second. */
const atOnce = { webhook: 4, slack: 1 };

type Lane = { again: boolean; done: Promise<void> };
type Shared = { agent: Agent; lanes: Map<string, Lane>; pausedUntil: Map<string, number> };
const slot = Symbol.for("tokendesk.notify.delivery");
type Slot = { [slot]?: Shared };

function shared(): Shared {
  const holder = globalThis as Slot;
  holder[slot] ??= {
    // Of our own: no proxy of the environment stands between, and no redirect is followed.
    agent: new Agent({ connections: 8, pipelining: 0, connectTimeout: 5 * second, headersTimeout: 0, bodyTimeout: 0 }),
    lanes: new Map(),
    pausedUntil: new Map(),
  };
  return holder[slot];
}

/** Delivers what is due, now and then again and again, for as long as this process runs. */
export function startNotifications(): void {
  repeat("notifications", 5 * second, async () => void deliverDue());
  repeat("notification upkeep", 10 * minute, () =>
    tidy(
      receivers().map(({ target }) => target),
      Date.now(),
    ),
  );
}

/** Delivers what is due to every receiver; one that hangs holds up nobody else. Never rejects. */
export async function deliverDue(): Promise<void> {
  await Promise.all(receivers().map(deliverTo));
}

/** One delivery to a receiver at a time in this process. Whoever asks meanwhile is served by another round. */
function deliverTo(receiver: Receiver): Promise<void> {
  const { lanes } = shared();
  const running = lanes.get(receiver.target);
  if (running) {
    running.again = true;
    return running.done;
  }
  const lane: Lane = { again: false, done: Promise.resolve() };
  lanes.set(receiver.target, lane);
  lane.done = rounds(receiver, lane);
  return lane.done;
}

async function rounds(receiver: Receiver, lane: Lane): Promise<void> {
  try {
    do {
      lane.again = false;
      while (await deliverSome(receiver));
    } while (lane.again);
  } catch (error) {
    logger().error({ err: error, target: receiver.target }, "notifications not delivered");
  } finally {
    // At once: whoever comes now would wait for a round that nobody makes.
    shared().lanes.delete(receiver.target);
  }
}

/** @returns whether there may be more to do at once: not with a receiver that takes nothing */
async function deliverSome(receiver: Receiver): Promise<boolean> {
  const { target, channel } = receiver;
  if ((shared().pausedUntil.get(target) ?? 0) > Date.now()) return false;
  let fromDatabase = true;
  let rows: OutboxRow[];
  try {
    await writeHeld(target);
    rows = await claim(target, atOnce[channel], Date.now());
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    fromDatabase = false;
    rows = heldRows(target, atOnce[channel], Date.now());
  }
  const states = await Promise.all(
    rows.map(async (row) => {
      const after = await attempt(receiver, row);
      if (fromDatabase) await settle(after);
      else noteHeld(after);
      return after.state;
    }),
  );
  return states.some((state) => state !== "pending");
}

/**
 * Sends a row once. Never rejects.
 * @param options.last nothing follows a failure
 * @returns the row as it is after that
 */
export async function attempt(
  receiver: Receiver,
  row: OutboxRow,
  { last = false }: { last?: boolean } = {},
): Promise<OutboxRow> {
  const answer = await post(receiver, row);
  const now = Date.now();
  const attempts = row.attempts + 1;
  const facts = { id: row.id, type: row.type, channel: row.channel, target: row.target, attempts };
  if (answer.trouble === null) {
    logger().info(facts, "notification sent");
    return { ...row, attempts, state: "sent", trouble: null, settled_at: now };
  }
  const wait = backoffMs[row.attempts];
  const { trouble, final, retryAfterMs } = answer;
  if (final || last || wait === undefined) {
    logger().warn({ ...facts, trouble }, "notification given up");
    return { ...row, attempts, state: "dead", trouble, settled_at: now };
  }
  if (retryAfterMs > 0) shared().pausedUntil.set(receiver.target, now + retryAfterMs);
  logger().info({ ...facts, trouble }, "notification not sent, tried again later");
  // A part is left to chance, so that those of one moment do not come back together.
  const after = Math.max(Math.round(wait * (0.8 + Math.random() * 0.4)), retryAfterMs);
  return { ...row, attempts, next_at: now + after, trouble };
}

/** `final`: another attempt would change nothing. */
type Answer = { trouble: null } | { trouble: string; final: boolean; retryAfterMs: number };

/** What went wrong is said in our own words: a foreign message can hold the address. */
async function post({ channel, address }: Receiver, row: OutboxRow): Promise<Answer> {
  const secret = env().notify.webhookSecret;
  try {
    const { statusCode, headers, body } = await request(address, {
      dispatcher: shared().agent,
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": `Tokendesk/${packageJson.version}`,
        ...(channel === "webhook" && secret !== null ? signedHeaders(secret, row.id, row.payload, Date.now()) : {}),
      },
      body: row.payload,
      signal: AbortSignal.timeout(deadlineMs),
    });
    // The status is all that is wanted, however long the rest may be or take.
    body.on("error", () => {}).destroy();
    return judge(statusCode, String(headers["retry-after"] ?? ""));
  } catch (error) {
    const { name, code } = error as { name?: unknown; code?: unknown };
    if (name === "TimeoutError" || name === "AbortError" || code === "UND_ERR_CONNECT_TIMEOUT") {
      return { trouble: "No answer within 10 seconds", final: false, retryAfterMs: 0 };
    }
    const known = typeof code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? ` (${code})` : "";
    return { trouble: `Could not be reached${known}`, final: false, retryAfterMs: 0 };
  }
}

const worthAnother = new Set([408, 425, 429]);

function judge(status: number, retryAfter: string): Answer {
  if (status >= 200 && status < 300) return { trouble: null };
  const redirect = status >= 300 && status < 400 ? ": redirects are not followed" : "";
  return {
    trouble: `Answered ${status}${redirect}`,
    final: status >= 400 && status < 500 && !worthAnother.has(status),
    retryAfterMs: Math.min(parseRetryAfter(retryAfter), maxRetryAfterMs),
  };
}

/** Seconds, or a date; 0: none that makes sense. */
function parseRetryAfter(value: string): number {
  const text = value.trim();
  const ms = /^\d{1,9}$/.test(text)
    ? Number(text) * second
    : /^[A-Z]/i.test(text)
      ? Date.parse(text) - Date.now()
      : Number.NaN;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
