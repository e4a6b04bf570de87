import "server-only";
import { type Expression, type ExpressionBuilder, sql } from "kysely";
import { read, write } from "@/lib/db/client";
import type { Database } from "@/lib/db/schema";
import { notify } from "@/lib/notify/notify";
import type { NotifyEvent } from "@/lib/notify/schema";
import { isListed } from "@/lib/tokens/inventory";
import { dueDays } from "@/lib/tokens/schema";

/**
 * Tells of rotations that are due: {@link dueDays} days before the date, at the date, then weekly; and of planned
 * revocations whose date has come and that wait for their owner. The row of a reminder is its claim: of all replicas one
 * makes it, and that one sends. What an outage has missed is not made up for: of the weeks that went by, the latest
 * counts.
 * @returns how many were told by this call
 * @throws {DatabaseUnavailable}
 */
export async function remind(now = Date.now()): Promise<number> {
  const found = [...(await waitingForOwner(now)), ...(await rotationsDue(now))].slice(0, atOnce);
  if (found.length === 0) return 0;
  const claimed = await write("reminders", async (trx) => {
    const made: Reminder[] = [];
    for (const reminder of found) {
      const row = await trx
        .insertInto("reminders")
        .values({ ...reminder.claim, sent_at: now })
        .onConflict((conflict) => conflict.columns(["tenant", "token_id", "kind", "due"]).doNothing())
        .returning("token_id")
        .executeTakeFirst();
      if (row) made.push(reminder);
    }
    await trx
      .deleteFrom("reminders")
      .where("sent_at", "<", now - keptMs)
      .execute();
    return made;
  });
  for (const { event } of claimed) await notify(event);
  return claimed.length;
}

type Reminder = {
  /** `due`: what the reminder is for: a day, or, for `revoke_at`, the moment in epoch milliseconds. */
  claim: { tenant: string; token_id: string; kind: "due" | "overdue" | "revoke_at"; due: string };
  event: NotifyEvent;
};

const dayMs = 24 * 3_600_000;
/** A main account that has long been overdue everywhere is told so over some minutes. */
const atOnce = 50;
/** The dates that a reminder was for do not come again. */
const keptMs = 400 * dayMs;

const dateOf = (at: number) => new Date(at).toISOString().slice(0, 10);

/** Which reminder of a rotation date it is time for. `due`: the day that this reminder is for. */
export function reminderFor(rotateBy: string, now: number): { kind: "due" | "overdue"; due: string; overdue: boolean } {
  const days = Math.floor((Date.parse(dateOf(now)) - Date.parse(rotateBy)) / dayMs);
  if (days < 0) return { kind: "due", due: rotateBy, overdue: false };
  const due = dateOf(Date.parse(rotateBy) + 7 * Math.floor(days / 7) * dayMs);
  return { kind: "overdue", due, overdue: days > 0 };
}

async function rotationsDue(now: number): Promise<Reminder[]> {
  return read(async (db) => {
    const alive = db.selectFrom("tokens").where(isListed);
    const dates = await alive
      .select("rotate_by")
      .distinct()
      .where("rotate_by", "<=", dateOf(now + dueDays * dayMs))
      .orderBy("rotate_by", "desc")
      .execute();
    const reminders: Reminder[] = [];
    for (const { rotate_by } of dates) {
      if (rotate_by === null || reminders.length >= atOnce) continue;
      const { kind, due, overdue } = reminderFor(rotate_by, now);
      const tokens = await alive
        .select(["tenant", "id", "hint", "label", "owner_name"])
        .where("rotate_by", "=", rotate_by)
        .where((eb) => notTold(eb, kind, sql.val(due)))
        .orderBy("id")
        .limit(atOnce - reminders.length)
        .execute();
      for (const { tenant, id, hint, label, owner_name } of tokens) {
        reminders.push({
          claim: { tenant, token_id: id, kind, due },
          event: {
            type: "rotation.due",
            ...{ tenant, tokenId: id, hint, label },
            ...{ owner: owner_name, rotateBy: rotate_by, overdue },
          },
        });
      }
    }
    return reminders;
  });
}

/** Planned revocations that are ordered and not carried out yet. */
async function waitingForOwner(now: number): Promise<Reminder[]> {
  const rows = await read((db) =>
    db
      .selectFrom("rotations")
      .innerJoin("tokens", (join) =>
        join.onRef("tokens.tenant", "=", "rotations.tenant").onRef("tokens.id", "=", "rotations.old_token_id"),
      )
      .select(["rotations.tenant", "old_token_id", "old_hint", "tokens.label", "tokens.owner_name", "revoke_at"])
      .where("rotations.state", "=", "ordered")
      .where("revoke_at", "<=", now)
      .where((eb) =>
        notTold(
          eb as unknown as ExpressionBuilder<Database, "tokens">,
          "revoke_at",
          sql<string>`cast(${eb.ref("revoke_at")} as text)`,
        ),
      )
      .orderBy("revoke_at", "desc")
      .execute(),
  );
  return rows.map(({ tenant, old_token_id, old_hint, label, owner_name, revoke_at }): Reminder => {
    const at = revoke_at ?? now;
    return {
      claim: { tenant, token_id: old_token_id, kind: "revoke_at", due: String(at) },
      event: {
        type: "rotation.due",
        ...{ tenant, tokenId: old_token_id, hint: old_hint, label, owner: owner_name },
        ...{ rotateBy: dateOf(at), overdue: false, ordered: true },
      },
    };
  });
}

/** Whether no reminder of this kind was made of this token for this day. */
const notTold = (eb: ExpressionBuilder<Database, "tokens">, kind: Reminder["claim"]["kind"], due: Expression<string>) =>
  eb.not(
    eb.exists(
      eb
        .selectFrom("reminders")
        .select("reminders.token_id")
        .whereRef("reminders.tenant", "=", "tokens.tenant")
        .whereRef("reminders.token_id", "=", "tokens.id")
        .where("reminders.kind", "=", kind)
        .where("reminders.due", "=", due),
    ),
  );
