import "server-only";
import type { ExpressionBuilder } from "kysely";
import { needLog } from "@/lib/audit/availability";
import { type Actor, audited } from "@/lib/audit/log";
import type { Reader } from "@/lib/audit/reading";
import { read, write } from "@/lib/db/client";
import type { Database } from "@/lib/db/schema";
import { TokendeskError } from "@/lib/errors";
import { attempt } from "@/lib/notify/delivery";
import { messagesFor } from "@/lib/notify/messages";
import { insert, leaseMs, type OutboxRow, rowOf, settle } from "@/lib/notify/outbox";
import { receivers, viewOf } from "@/lib/notify/receivers";
import type { DeliveryView, NotificationsView, Resent, Tested } from "@/lib/notify/schema";

/** Who looks after notifications: ops and administrators. A Session is one. */
export type Manager = Reader & { actor: Actor };

const shownDeliveries = 15;
const shownDead = 25;

/**
 * The receivers, and what became of the messages about the manager's main account; for administrators also of those that
 * are about none.
 * @throws {TokendeskError} `forbidden`, `audit_unavailable`
 */
export async function viewNotifications(manager: Manager): Promise<NotificationsView> {
  requireManager(manager);
  const found = read(async (db) => {
    const newest = (states: OutboxRow["state"][], limit: number) =>
      db
        .selectFrom("notifications")
        .selectAll()
        .where((eb) => concerns(manager, eb))
        .where("state", "in", states)
        .orderBy("created_at", "desc")
        .orderBy("id")
        .limit(limit)
        .execute();
    const dead = await newest(["dead"], shownDead);
    const { count } = await db
      .selectFrom("notifications")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where((eb) => concerns(manager, eb))
      .where("state", "=", "dead")
      .executeTakeFirstOrThrow();
    return { deliveries: await newest(["pending", "sent"], shownDeliveries), dead, count };
  });
  const { deliveries, dead, count } = await needLog(
    found,
    "Tokendesk cannot reach its own database, so it cannot show what was sent. What is to be sent waits in memory.",
  );
  return {
    receivers: receivers().map(viewOf),
    deliveries: deliveries.map(shown),
    dead: dead.map(shown),
    deadTotal: count,
  };
}

/**
 * Sends a message that was given up once more, now; when that fails too, it is tried again later as any other.
 * @throws {TokendeskError} `forbidden`; `not_found`: there is none; `invalid_input`: its receiver is not configured;
 * `audit_unavailable`
 */
export async function resendNotification(manager: Manager, id: string): Promise<Resent> {
  requireManager(manager);
  if (!/^msg_[\w-]{22}$/.test(id)) raiseNotFound();
  const details = { message: id };
  return audited(manager.actor, { action: "notification.resend", details }, async (intent) => {
    intent.details = { ...details };
    const row = await needLog(revive(manager, id), notChanged);
    intent.details.type = row.type;
    const receiver = receivers().find(({ target }) => target === row.target);
    if (!receiver) throw new Error("revived for a receiver that is not configured");
    const after = await attempt(receiver, row);
    await settle(after);
    intent.details.arrived = after.state === "sent";
    return { trouble: after.trouble };
  });
}

const notChanged = "Tokendesk cannot reach its own database, so nothing was sent.";

/** Takes it back from the dead, for this process alone at first. */
function revive(manager: Manager, id: string): Promise<OutboxRow> {
  const now = Date.now();
  return write("notifications", async (trx) => {
    const row = await trx
      .selectFrom("notifications")
      .selectAll()
      .where("id", "=", id)
      .where((eb) => concerns(manager, eb))
      .where("state", "=", "dead")
      .executeTakeFirst();
    if (!row) raiseNotFound();
    if (!receivers().some(({ target }) => target === row.target)) {
      throw new TokendeskError(
        "invalid_input",
        "The receiver of this message is not configured any more, so it cannot be sent again.",
      );
    }
    const revived = { state: "pending", attempts: 0, next_at: now, held_until: now + leaseMs, settled_at: null };
    await trx.updateTable("notifications").set(revived).where("id", "=", id).execute();
    return { ...row, ...revived };
  });
}

/**
 * Sends a message to every receiver, once, and says what came of it.
 * @throws {TokendeskError} `forbidden`; `invalid_input`: there is no receiver; `audit_unavailable`
 */
export async function sendTestMessage(manager: Manager): Promise<Tested> {
  requireManager(manager);
  if (receivers().length === 0) {
    throw new TokendeskError(
      "invalid_input",
      "No receiver is configured. Set NOTIFY_WEBHOOKS or NOTIFY_SLACK_WEBHOOKS.",
    );
  }
  const type = "notification.test";
  return audited(manager.actor, { action: "notification.resend", details: { type } }, async (intent) => {
    const now = Date.now();
    const messages = messagesFor({ type, tenant: manager.tenant, actor: manager.actor.name }, now);
    const sent = messages.map((message) => ({
      receiver: message.receiver,
      row: rowOf(message, now, now + leaseMs),
    }));
    await needLog(insert(sent.map(({ row }) => row)), notChanged);
    const results = await Promise.all(
      sent.map(async ({ receiver, row }) => {
        const after = await attempt(receiver, row, { last: true });
        await settle(after);
        return { receiver: viewOf(receiver), trouble: after.trouble };
      }),
    );
    intent.details = { type, arrived: results.filter(({ trouble }) => trouble === null).length };
    return { results };
  });
}

function requireManager({ user }: Manager): void {
  if (user.role === "member") {
    throw new TokendeskError("forbidden", "Only ops and administrators look after notifications.");
  }
}

function raiseNotFound(): never {
  throw new TokendeskError("not_found", "There is no such message that was given up.");
}

/** What is about no main account is the installation's own: as in the audit log, administrators see that. */
function concerns({ tenant, user }: Manager, eb: ExpressionBuilder<Database, "notifications">) {
  const own = eb("tenant", "=", tenant);
  return user.role === "admin" ? eb.or([own, eb("tenant", "is", null)]) : own;
}

function shown(row: OutboxRow): DeliveryView {
  const { id, type, channel, target, attempts, trouble, created_at, settled_at, next_at } = row;
  const receiver = receivers().find((one) => one.target === target);
  const state = row.state as DeliveryView["state"];
  return {
    id,
    type,
    receiver: receiver ? viewOf(receiver) : null,
    channel,
    state,
    attempts,
    createdAt: new Date(created_at).toISOString(),
    settledAt: settled_at === null ? null : new Date(settled_at).toISOString(),
    nextAt: state === "pending" ? new Date(next_at).toISOString() : null,
    trouble: state === "sent" ? null : trouble,
  };
}
