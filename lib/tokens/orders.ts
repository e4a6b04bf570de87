import "server-only";
import { randomUUID } from "node:crypto";
import type { Selectable, Transaction } from "kysely";
import { appendWithin, type Entry, installation } from "@/lib/audit/log";
import { read, write } from "@/lib/db/client";
import type { Database, RevocationOrdersTable } from "@/lib/db/schema";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import { among, type Held, iso, needDatabase, requireTokenId, type TokenOwner } from "@/lib/tokens/held";
import { type InventoryRecord, readTenantRecord, storable, tenantRecord } from "@/lib/tokens/inventory";
import { revokeHeld } from "@/lib/tokens/revocation";
import type { RevocationOrder } from "@/lib/tokens/schema";

/**
 * An order to revoke a token whose value is not at hand: it is carried out the moment that its owner's list shows it.
 * Who may order is for the caller to decide.
 */
type Giver = Pick<TokenOwner, "tenant" | "user" | "actor">;
type OrderRow = Selectable<RevocationOrdersTable>;

/** An order that failed is tried again at the owner's next list, not sooner than this. */
const retryAfterMs = 60_000;

/** No revocation takes longer: a deletion, up to three rounds of two questions, and new access tokens for them. */
const takesAtMostMs = () => Math.max(120_000, 10 * env().ringcxTimeoutMs + 30_000);

/** Pending orders, by token ID. @throws {DatabaseUnavailable} */
export async function pendingOrders(tenant: string, ownerId?: string): Promise<Map<string, OrderRow>> {
  const rows = await read((db) => {
    const pending = db
      .selectFrom("revocation_orders")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("state", "=", "pending");
    return (ownerId === undefined ? pending : pending.where("owner_id", "=", ownerId)).execute();
  });
  return new Map(rows.map((row) => [row.token_id, row]));
}

export function orderView(row: OrderRow | undefined): RevocationOrder | null {
  if (row === undefined) return null;
  return {
    id: row.id,
    orderedBy: row.ordered_by_name,
    orderedAt: iso(row.ordered_at) as string,
    reason: row.reason,
    trouble: row.trouble,
  };
}

/**
 * Orders the revocation of a token of this main account. A second order for the same token is the first one.
 * @throws {TokendeskError} `token_not_found`, `audit_unavailable`
 */
export async function placeOrder(giver: Giver, tokenId: string, reason: string | null): Promise<RevocationOrder> {
  requireTokenId(tokenId);
  const noneAlive = () => new TokendeskError("token_not_found", "No token like that is alive in your main account.");
  const known = await needDatabase(readTenantRecord(giver.tenant, tokenId));
  if (known === null) throw noneAlive();
  const row = await needDatabase(
    // Whatever changes this token waits: what closes its orders must not come between the look and the order.
    write(`inventory:${giver.tenant}:${known.ownerId}`, async (trx) => {
      const token = await tenantRecord(trx, giver.tenant, tokenId);
      if (token === null || token.status !== "active" || token.ownerId !== known.ownerId) throw noneAlive();
      const { order, entry } = await orderWithin(trx, giver, token, reason);
      if (entry) await appendWithin(trx, giver.actor, [entry]);
      return order;
    }),
  );
  return orderView(row) as RevocationOrder;
}

/**
 * The same inside the caller's transaction, which holds the inventory of the token's owner and has seen it alive.
 * @returns `entry`: what to record of it; null: there was an order for this token already
 */
export async function orderWithin(
  trx: Transaction<Database>,
  giver: Pick<Giver, "tenant" | "user">,
  token: Pick<InventoryRecord, "id" | "hint" | "ownerId" | "ownerName">,
  reason: string | null,
): Promise<{ order: OrderRow; entry: Entry | null }> {
  const standing = await trx
    .selectFrom("revocation_orders")
    .selectAll()
    .where("tenant", "=", giver.tenant)
    .where("token_id", "=", token.id)
    .where("state", "=", "pending")
    .executeTakeFirst();
  if (standing) return { order: standing, entry: null };
  const order: OrderRow = {
    id: randomUUID(),
    tenant: giver.tenant,
    token_id: token.id,
    token_hint: token.hint,
    owner_id: token.ownerId,
    ordered_by_id: giver.user.id,
    ordered_by_name: giver.user.name,
    ordered_at: Date.now(),
    reason: storable(reason),
    state: "pending",
    tried_at: null,
    running_until: null,
    trouble: null,
    settled_at: null,
  };
  await trx.insertInto("revocation_orders").values(order).execute();
  const entry: Entry = {
    action: "token.order",
    outcome: "succeeded",
    token: { id: token.id, hint: token.hint },
    reason: order.reason,
    details: { order: order.id, owner: token.ownerName },
  };
  return { order, entry };
}

/**
 * Takes a pending order back, unless it is just being carried out.
 * @throws {TokendeskError} `not_found`, `audit_unavailable`
 */
export async function cancelOrder(giver: Giver, orderId: string): Promise<void> {
  await needDatabase(
    write(`orders:${giver.tenant}`, async (trx) => {
      const entry = await takeBack(trx, giver.tenant, { id: orderId });
      if (entry) await appendWithin(trx, giver.actor, [entry]);
      else throw new TokendeskError("not_found", "There is no such pending order. It may have been carried out.");
    }),
  );
}

/**
 * Takes a pending order back inside the caller's transaction.
 * @returns what to record of it; null: there is none
 * @throws {TokendeskError} `not_found`: it is just being carried out
 */
export async function takeBack(
  trx: Transaction<Database>,
  tenant: string,
  which: { id: string } | { token_id: string; ordered_by_id: string },
): Promise<Entry | null> {
  const order = await trx
    .selectFrom("revocation_orders")
    .select(["id", "token_id", "token_hint"])
    .where("tenant", "=", tenant)
    .where("state", "=", "pending")
    .where((eb) => eb.and(which))
    .executeTakeFirst();
  if (order === undefined) return null;
  const now = Date.now();
  const cancelled = await trx
    .updateTable("revocation_orders")
    .set({ state: "cancelled", settled_at: now })
    .where("id", "=", order.id)
    .where("state", "=", "pending")
    .where((eb) => eb.or([eb("running_until", "is", null), eb("running_until", "<", now)]))
    .returning("id")
    .executeTakeFirst();
  if (cancelled === undefined) {
    throw new TokendeskError("not_found", "It is too late to take this order back: it is being carried out right now.");
  }
  return {
    action: "token.order_cancel",
    outcome: "succeeded",
    token: { id: order.token_id, hint: order.token_hint },
    details: { order: order.id },
  };
}

/** Carries out what is ordered for the tokens that the owner's list has just shown. Never rejects. */
export async function carryOut(owner: TokenOwner, orders: Iterable<OrderRow>, held: readonly Held[]): Promise<void> {
  for (const order of orders) {
    const token = among(held, order.token_id);
    if (token === null) continue;
    try {
      if (await claim(order, held)) await fulfil(owner, order, token);
    } catch (error) {
      logger().warn({ err: error, order: order.id }, "an ordered revocation was not carried out");
    }
  }
}

/** One of all replicas tries, and not again for a while. */
async function claim(order: OrderRow, held: readonly Held[]): Promise<boolean> {
  const now = Date.now();
  return write(`orders:${order.tenant}`, async (trx) => {
    if (await lacksSuccessor(trx, order, held)) {
      // The rotation that made it is open again then: its owner decides.
      const entry = await takeBack(trx, order.tenant, { id: order.id });
      if (entry) {
        const details = { ...entry.details, successorGone: true };
        await appendWithin(trx, { ...installation, tenant: order.tenant }, [{ ...entry, details }]);
      }
      return false;
    }
    const claimed = await trx
      .updateTable("revocation_orders")
      .set({ tried_at: now, running_until: now + takesAtMostMs() })
      .where("id", "=", order.id)
      .where("state", "=", "pending")
      .where((eb) => eb.or([eb("tried_at", "is", null), eb("tried_at", "<", now - retryAfterMs)]))
      .where((eb) => eb.or([eb("running_until", "is", null), eb("running_until", "<", now)]))
      .returning("id")
      .executeTakeFirst();
    return claimed !== undefined;
  });
}

/** A rotation made it, and what was to replace the token is not in its owner's list any more. */
async function lacksSuccessor(trx: Transaction<Database>, order: OrderRow, held: readonly Held[]): Promise<boolean> {
  if (order.ordered_by_id !== order.owner_id) return false;
  const rotation = await trx
    .selectFrom("rotations")
    .select("new_token_id")
    .where("tenant", "=", order.tenant)
    .where("old_token_id", "=", order.token_id)
    .where("state", "=", "ordered")
    .executeTakeFirst();
  return rotation !== undefined && !held.some(({ id }) => id === rotation.new_token_id);
}

async function fulfil(owner: TokenOwner, order: OrderRow, token: NonNullable<ReturnType<typeof among>>): Promise<void> {
  try {
    // The proof closes the order.
    await revokeHeld(owner, token, {
      reason: order.reason,
      details: { order: order.id, orderedBy: order.ordered_by_name },
    });
  } catch (error) {
    const trouble = error instanceof TokendeskError ? error.message : "It failed for an unknown reason.";
    await write(`orders:${order.tenant}`, (trx) =>
      trx
        .updateTable("revocation_orders")
        .set({ trouble, running_until: null })
        .where("id", "=", order.id)
        .where("state", "=", "pending")
        .execute(),
    );
    throw error;
  }
}
