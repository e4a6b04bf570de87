import "server-only";
import { shownEvent } from "@/lib/audit/chain";
import { type Actor, draftOf, inHand, installation } from "@/lib/audit/log";
import { fateOfProcess } from "@/lib/audit/process";
import type { AuditAction, AuditDetails, AuditOutcome } from "@/lib/audit/schema";
import { commit, drainSpool } from "@/lib/audit/spool";
import { read, write } from "@/lib/db/client";
import { logger } from "@/lib/logger";

/** An intent whose outcome is not recorded, as its event `attempted` tells it. */
export type OpenIntent = {
  id: string;
  correlationId: string;
  seq: number;
  /** Epoch milliseconds. */
  at: number;
  action: AuditAction;
  tenant: string | null;
  actor: { id: string | null; name: string };
  token: { id: string | null; hint: string | null } | null;
  reason: string | null;
  details: AuditDetails;
};

const minute = 60_000;
/** After this an intent of a process that cannot be seen from here counts as orphaned. */
const orphanedAfterMs = 3 * minute;
/** The same for those that nobody can look up: an export may take a while. */
const hopelessAfterMs = 60 * minute;
const hopelessInAnyCaseMs = 7 * 24 * 60 * minute;

/** What leaves no trace in RingCX that could be looked at. */
const untraceable: readonly string[] = [
  "session.create",
  "session.denied",
  "session.end",
  "token.reveal",
  "token.edit",
  "token.adopt",
  "token.dismiss",
  "token.order",
  "token.order_cancel",
  "incident.scan",
  "incident.revoke",
  "incident.report",
  "audit.export",
  "audit.verify",
  "audit.prune",
] satisfies AuditAction[];

type Fate = "running" | "gone" | "out_of_sight";

/** What has become of the process that has an intent in hand. */
function fateOf(id: string, instance: string): Fate {
  const mine = inHand();
  if (instance === mine.instance) return mine.intents.has(id) ? "running" : "gone";
  return fateOfProcess(instance);
}

function isOrphaned(id: string, instance: string, ageMs: number, patienceMs = orphanedAfterMs): boolean {
  const fate = fateOf(id, instance);
  return fate === "gone" || (fate === "out_of_sight" && ageMs > patienceMs);
}

type Owner = { tenant: string; actorId: string | null };
const perPage = 1000;

/** Some of the intents, the oldest first, from behind an event. */
async function openIntents(owner: Owner | null, after = 0): Promise<(OpenIntent & { instance: string })[]> {
  const rows = await read((db) => {
    const all = db
      .selectFrom("audit_intents")
      .innerJoin("audit_events", "audit_events.seq", "audit_intents.seq")
      .selectAll("audit_events")
      .select(["audit_intents.instance", "audit_intents.at as begun"])
      .where("audit_intents.seq", ">", after)
      .orderBy("audit_intents.seq")
      .limit(perPage);
    if (!owner) return all.execute();
    const ofTenant = all.where("audit_intents.tenant", "=", owner.tenant);
    if (owner.actorId === null) return ofTenant.execute();
    return ofTenant.where("audit_intents.actor_id", "=", owner.actorId).execute();
  });
  return rows.map(({ instance, begun, ...row }) => {
    const { id, correlationId, seq, action, tenant, actor, token, reason, details } = shownEvent(row);
    return { id, correlationId, seq, at: begun, action, tenant, actor, token, reason, details, instance };
  });
}

async function* allOpenIntents(owner: Owner | null): AsyncGenerator<OpenIntent & { instance: string }> {
  let page = await openIntents(owner);
  for (;;) {
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < perPage) return;
    page = await openIntents(owner, last.seq);
  }
}

/**
 * This person's intents whose process ended before it recorded what came of them, oldest first.
 * @throws {DatabaseUnavailable}
 */
export async function orphanedIntents(tenant: string, actorId: string): Promise<OpenIntent[]> {
  const some = await openIntents({ tenant, actorId });
  if (some.length === 0) return [];
  // Their outcomes may be waiting in the spool.
  await drainSpool();
  const orphans: OpenIntent[] = [];
  for await (const { instance, ...intent } of allOpenIntents({ tenant, actorId })) {
    if (isOrphaned(intent.id, instance, Date.now() - intent.at)) orphans.push(intent);
  }
  return orphans;
}

/**
 * Records what became of an intent, unless somebody has already.
 * @returns whether this call did
 * @throws {DatabaseUnavailable}
 */
export async function settleIntent(
  actor: Actor,
  intent: OpenIntent,
  outcome: Exclude<AuditOutcome, "attempted">,
  details: AuditDetails = {},
): Promise<boolean> {
  const { id, action, token, reason, correlationId } = intent;
  const draft = draftOf(actor, { action, outcome, token, reason, correlationId, details });
  const appended = await write("audit", (trx) =>
    commit(trx, [{ draft, happenedAt: Date.now(), opens: null, settles: id, ifOpen: true }]),
  );
  return appended > 0;
}

/**
 * Intents that no list can decide, and orphans of more than a week, become `unknown`.
 * @returns how many
 * @throws {DatabaseUnavailable}
 */
export async function settleHopeless(): Promise<number> {
  await drainSpool({ sweep: true });
  let settled = 0;
  for await (const { instance, ...intent } of allOpenIntents(null)) {
    const age = Date.now() - intent.at;
    const hopeless = untraceable.includes(intent.action)
      ? isOrphaned(intent.id, instance, age, hopelessAfterMs)
      : age > hopelessInAnyCaseMs && isOrphaned(intent.id, instance, age);
    if (!hopeless) continue;
    const actor: Actor = { ...installation, tenant: intent.tenant, id: intent.actor.id, name: intent.actor.name };
    const details = { code: "process_ended", settledBy: installation.name };
    if (await settleIntent(actor, intent, "unknown", details)) settled += 1;
  }
  if (settled > 0) logger().warn({ settled }, "audit: intents whose process ended are recorded as unknown");
  return settled;
}

/**
 * The intents of a tenant, or of one of its people, that have no outcome yet, the oldest first; those under way included.
 * @throws {DatabaseUnavailable}
 */
export async function openIntentsOf(tenant: string, actorId: string | null): Promise<OpenIntent[]> {
  return (await openIntents({ tenant, actorId })).map(({ instance: _, ...intent }) => intent);
}
