import "server-only";
import { hostname } from "node:os";
import { eventOf } from "@/lib/audit/chain";
import { type Actor, draftOf, inHand, installation } from "@/lib/audit/log";
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
  "audit.export",
  "audit.verify",
  "audit.prune",
] satisfies AuditAction[];

type Fate = "running" | "gone" | "out_of_sight";

/** What has become of the process that has an intent in hand. */
function fateOf(id: string, instance: string): Fate {
  const mine = inHand();
  if (instance === mine.instance) return mine.intents.has(id) ? "running" : "gone";
  const [host, pid] = instance.split(":");
  if (host !== hostname().replaceAll(":", "_")) return "out_of_sight";
  // Another random part with our own number: a container that was started again.
  if (Number(pid) === process.pid) return "gone";
  try {
    process.kill(Number(pid), 0);
    return "out_of_sight";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "gone" : "out_of_sight";
  }
}

function isOrphaned(id: string, instance: string, ageMs: number, patienceMs = orphanedAfterMs): boolean {
  const fate = fateOf(id, instance);
  return fate === "gone" || (fate === "out_of_sight" && ageMs > patienceMs);
}

async function openIntents(owner?: {
  tenant: string;
  actorId: string;
}): Promise<(OpenIntent & { instance: string })[]> {
  const rows = await read((db) => {
    const all = db
      .selectFrom("audit_intents")
      .innerJoin("audit_events", "audit_events.seq", "audit_intents.seq")
      .selectAll("audit_events")
      .select(["audit_intents.instance", "audit_intents.at as begun"])
      .orderBy("audit_intents.seq")
      .limit(1000);
    if (!owner) return all.execute();
    return all
      .where("audit_intents.tenant", "=", owner.tenant)
      .where("audit_intents.actor_id", "=", owner.actorId)
      .execute();
  });
  return rows.map(({ instance, begun, ...row }) => {
    const { id, correlationId, seq, action, tenant, actor, token, reason, details } = eventOf(row);
    return { id, correlationId, seq, at: begun, action, tenant, actor, token, reason, details, instance };
  });
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
  return (await openIntents({ tenant, actorId })).filter(({ id, instance, at }) =>
    isOrphaned(id, instance, Date.now() - at),
  );
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
  for (const { instance, ...intent } of await openIntents()) {
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

/** How many intents have no outcome yet. Null: of all tenants. @throws {DatabaseUnavailable} */
export async function openIntentCount(tenant: string | null): Promise<number> {
  const { count } = await read((db) => {
    const all = db.selectFrom("audit_intents").select((eb) => eb.fn.countAll<number>().as("count"));
    return (tenant === null ? all : all.where("tenant", "=", tenant)).executeTakeFirstOrThrow();
  });
  return count;
}
