import "server-only";
import { type OpenIntent, orphanedIntents, settleIntent } from "@/lib/audit/intents";
import { type Held, scopeOf, type TokenOwner } from "@/lib/tokens/held";
import { type InventoryRecord, recordRevoked } from "@/lib/tokens/inventory";

/**
 * What became of the intents whose process ended before it wrote their outcome down: the owner's list can say. What it
 * cannot say stays `unknown`, with what it shows.
 */
export async function reconcile(
  owner: TokenOwner,
  list: { held: readonly Held[]; complete: boolean; records: ReadonlyMap<string, InventoryRecord>; askedAt: number },
): Promise<void> {
  for (const intent of await orphanedIntents(owner.tenant, owner.user.id)) {
    // A list that was asked for before the intent says nothing about what came of it.
    if (list.askedAt <= intent.at) continue;
    if (intent.action === "token.create" || intent.action === "token.rotate") await settleCreation(owner, intent, list);
    else if (intent.action === "token.revoke") await settleRevocation(owner, intent, list);
    // Nothing shows whether the value got to the person.
    else if (intent.action === "token.reveal") await settleIntent(owner.actor, intent, "unknown", { reconciled: true });
  }
}

type List = Parameters<typeof reconcile>[1];

/** A creation writes its record only with RingCX's answer in hand, so a record made by it proves it. */
async function settleCreation(owner: TokenOwner, intent: OpenIntent, { held, records, complete }: List): Promise<void> {
  const since = held.flatMap(({ id }) => {
    const record = records.get(id);
    return record && record.firstSeenAt >= intent.at ? [record] : [];
  });
  const recorded = since.filter((record) => record.createdHere && record.label === intent.details.label);
  const [created] = recorded;
  if (created && recorded.length === 1) {
    const details = { created: created.id, createdHint: created.hint, reconciled: true };
    await settleIntent(owner.actor, intent, "succeeded", details);
    return;
  }
  const candidates = since.filter((record) => !record.createdHere);
  if (candidates.length === 0 && recorded.length === 0 && complete) {
    await settleIntent(owner.actor, intent, "failed", { reconciled: true, found: "nothing new in the list" });
    return;
  }
  await settleIntent(owner.actor, intent, "unknown", {
    reconciled: true,
    candidates: [...recorded, ...candidates].slice(0, 20).map(({ id }) => id),
  });
}

async function settleRevocation(owner: TokenOwner, intent: OpenIntent, list: List): Promise<void> {
  const { held, records, complete, askedAt } = list;
  const id = intent.token?.id ?? "";
  if (held.some((token) => token.id === id)) {
    await settleIntent(owner.actor, intent, "failed", { reconciled: true, found: "still in the list" });
  } else if (records.get(id)?.status === "revoked") {
    const proof = records.get(id)?.revokedProof ?? null;
    await settleIntent(owner.actor, intent, "succeeded", { reconciled: true, proof });
  } else if (complete && held.length > 0) {
    // It did not vanish: it was revoked here.
    await recordRevoked(scopeOf(owner), id, "absent_from_list", askedAt);
    await settleIntent(owner.actor, intent, "succeeded", { reconciled: true, proof: "absent_from_list" });
  } else {
    // An empty list proves little, an incomplete one nothing.
    await settleIntent(owner.actor, intent, "unknown", { reconciled: true, found: "not in the list" });
  }
}
