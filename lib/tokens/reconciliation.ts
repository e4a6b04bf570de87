import "server-only";
import { type OpenIntent, openIntentsOf, orphanedIntents, settleIntent } from "@/lib/audit/intents";
import { draftOf } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import type { AuditAction } from "@/lib/audit/schema";
import { env } from "@/lib/env";
import type { Held, TokenOwner } from "@/lib/tokens/held";
import type { InventoryRecord } from "@/lib/tokens/inventory";

type List = {
  held: readonly Held[];
  complete: boolean;
  /** All that is remembered of this owner, what is gone included. */
  records: ReadonlyMap<string, InventoryRecord>;
  askedAt: number;
};

/** By how much the clocks of two replicas may differ. */
const skewMs = 60_000;

/**
 * Until then RingCX may be at work on what the dead process sent: it looked at the list first, and had as long again for
 * the request itself.
 */
function atWorkMs(): number {
  return 2 * env().ringcxTimeoutMs + 1_000;
}

/**
 * What became of the intents whose process ended before it wrote their outcome down: the owner's list can say. What it
 * cannot say becomes `unknown`, with what it shows; what it cannot say yet is left to a later list.
 */
export async function reconcile(owner: TokenOwner, list: List): Promise<void> {
  const orphaned = await orphanedIntents(owner.tenant, owner.user.id);
  if (orphaned.length === 0) return;
  const open = await openIntentsOf(owner.tenant, owner.user.id);
  for (const intent of orphaned) {
    // A list that was asked for before the intent says nothing about what came of it.
    if (list.askedAt <= intent.at) continue;
    if (isCreation(intent)) await settleCreation(owner, intent, list, open);
    else if (intent.action === "token.revoke") await settleRevocation(owner, intent, list);
    // Nothing shows whether the value got to the person.
    else if (intent.action === "token.reveal") await settleIntent(owner.actor, intent, "unknown", { reconciled: true });
  }
}

const creations: readonly AuditAction[] = ["token.create", "token.rotate"];
const isCreation = ({ action }: OpenIntent) => creations.includes(action);
const isStillAtWork = (intent: OpenIntent, { askedAt }: List) => askedAt - intent.at < atWorkMs();

/**
 * A creation writes its record only with RingCX's answer in hand, so a record made by it proves it. It has failed only if
 * nothing at all is new since, come and gone again included.
 */
async function settleCreation(owner: TokenOwner, intent: OpenIntent, list: List, open: OpenIntent[]): Promise<void> {
  const label = intent.details.label;
  const rivals = open.filter((other) => other.id !== intent.id && isCreation(other));
  const since = await newSince(owner, intent, list);
  const recorded = since.filter(
    (record) => record.createdHere && record.label !== null && asRecorded(owner, record.label) === label,
  );
  const [created] = recorded;
  if (created && recorded.length === 1 && !rivals.some((other) => other.details.label === label)) {
    const details = { created: created.id, createdHint: created.hint, reconciled: true };
    await settleIntent(owner.actor, intent, "succeeded", details);
  } else if (isStillAtWork(intent, list)) {
    // A later list knows more.
  } else if (since.length === 0 && list.complete) {
    await settleIntent(owner.actor, intent, "failed", { reconciled: true, found: "nothing new in the list" });
  } else {
    await settleIntent(owner.actor, intent, "unknown", {
      reconciled: true,
      candidates: since.slice(0, 20).map(({ id }) => id),
    });
  }
}

/** What may be new since the intent and is not known to be another act's, the likeliest first. */
async function newSince(owner: TokenOwner, intent: OpenIntent, { records }: List): Promise<InventoryRecord[]> {
  const all = [...records.values()].sort((a, b) => b.firstSeenAt - a.firstSeenAt);
  const from = (time: number) => all.filter(({ firstSeenAt }) => firstSeenAt >= time);
  const { knownBefore } = intent.details;
  let since = from(intent.at - skewMs);
  if (typeof knownBefore === "number") {
    // Nothing is ever forgotten: so many have come since, whatever the clocks say.
    const grown = all.length - knownBefore;
    if (grown <= 0) return [];
    since = [from(intent.at), since].find(({ length }) => length >= grown) ?? all;
  }
  if (since.length === 0) return [];
  const explained = await createdByOthers(owner, intent);
  return since
    .filter(({ id }) => !explained.has(id))
    .sort((a, b) => Number(b.createdHere) - Number(a.createdHere) || b.firstSeenAt - a.firstSeenAt);
}

/** The IDs of what acts of this owner created of which the log says that they succeeded. */
async function createdByOthers({ tenant, user }: TokenOwner, { at }: OpenIntent): Promise<Set<unknown>> {
  const reader = { tenant, user: { id: user.id, role: "member" as const } };
  const from = new Date(at - skewMs).toISOString();
  const pages = await Promise.all(
    creations.map((action) => readEvents(reader, { action, outcome: "succeeded", from, limit: 500 })),
  );
  return new Set(pages.flatMap(({ events }) => events.map(({ details }) => details.created)));
}

/** The label as the intent's record has it: what looks like a secret is masked there, and not in the inventory. */
function asRecorded({ actor }: TokenOwner, label: string) {
  return draftOf(actor, { action: "token.create", outcome: "attempted", details: { label } }).details.label;
}

async function settleRevocation(owner: TokenOwner, intent: OpenIntent, list: List): Promise<void> {
  const { held, records, complete } = list;
  const id = intent.token?.id ?? "";
  const record = records.get(id);
  const isListed = held.some((token) => token.id === id);
  if (!isListed && record?.status === "revoked") {
    await settleIntent(owner.actor, intent, "succeeded", { reconciled: true, proof: record.revokedProof });
  } else if (isStillAtWork(intent, list)) {
    // A later list knows more.
  } else if (isListed) {
    await settleIntent(owner.actor, intent, "failed", { reconciled: true, found: "still in the list" });
  } else {
    // RingCX's own word died with the process. Without it absence is no proof: the owner may have removed it elsewhere.
    const found = complete ? "not in the list any more" : "not in the part of the list that could be read";
    await settleIntent(owner.actor, intent, "unknown", { reconciled: true, found });
  }
}
