import "server-only";
import type { Actor } from "@/lib/audit/log";
import { read } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { env } from "@/lib/env";
import { inTime } from "@/lib/in-time";
import { notify } from "@/lib/notify/notify";

const hourMs = 3_600_000;
const actions = ["incident.scan", "incident.revoke"];
const maxPeople = 10_000;
/** A revocation waits for this. */
const patienceMs = 1_000;

/** What people did here lately, by tenant and person: acts that are under way are in no audit record yet. */
type Memory = Map<string, { at: number; tokens: number }[]>;
const slot = Symbol.for("tokendesk.incidents.volume");
type Slot = { [slot]?: Memory };

function memory(): Memory {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  return holder[slot];
}

/**
 * Takes note of how many tokens a person is about to look up or revoke at the incident desk, and tells ops, once an hour,
 * when with what they did within the last hour that is more than INCIDENT_WARN_PER_HOUR. While the
 * database is away, what this process remembers counts.
 * @returns whether it is unusual; the caller records `unusual: true` in the details of the act, and `tokens`
 */
export async function warnOfVolume(actor: Actor, tokens: number): Promise<boolean> {
  const now = Date.now();
  const here = noteHere(actor, tokens, now);
  const limit = env().incidentWarnPerHour;
  const total = Math.max(here, tokens + (await recordedNow(actor, now)));
  if (total <= limit) return false;
  if (actor.tenant !== null) {
    await notify({ type: "incident.unusual_volume", tenant: actor.tenant, actor: actor.name, tokens: total, limit });
  }
  return true;
}

function noteHere({ tenant, id, name }: Actor, tokens: number, now: number): number {
  const key = `${tenant} ${id ?? name}`;
  const recent = (memory().get(key) ?? []).filter(({ at }) => at + hourMs > now);
  recent.push({ at: now, tokens });
  memory().delete(key);
  if (memory().size >= maxPeople) memory().delete(memory().keys().next().value as string);
  memory().set(key, recent);
  return recent.reduce((sum, act) => sum + act.tokens, 0);
}

/** What the log says of the last hour; 0 while it cannot be read, or not soon enough. */
async function recordedNow({ tenant, id }: Actor, now: number): Promise<number> {
  if (tenant === null || id === null) return 0;
  try {
    return (await inTime(recorded(tenant, id, now), patienceMs)) ?? 0;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    return 0;
  }
}

/** How many tokens the log says that somebody looked up or revoked in the hour up to a time. @throws {DatabaseUnavailable} */
async function recorded(tenant: string, actorId: string, until: number): Promise<number> {
  const rows = await read((db) =>
    db
      .selectFrom("audit_events")
      .select("details")
      .where("tenant", "=", tenant)
      .where("actor_id", "=", actorId)
      .where("action", "in", actions)
      .where("outcome", "in", ["succeeded", "failed", "unknown"])
      .where("at", ">", until - hourMs)
      .where("at", "<=", until)
      .execute(),
  );
  return rows.reduce((sum, { details }) => sum + tokensOf(details), 0);
}

function tokensOf(details: string): number {
  const { tokens } = factsOf(details);
  return typeof tokens === "number" ? tokens : 0;
}

/** One damaged row must not keep the others. */
function factsOf(details: string): { tokens?: unknown; unusual?: unknown } {
  try {
    return Object(JSON.parse(details));
  } catch {
    return {};
  }
}

/** A person who has done unusually much: when that was noticed last, and how many tokens within an hour. ISO 8601 in UTC. */
type VolumeWarning = { at: string; actor: string; tokens: number };

/**
 * The warnings of the last 24 hours, one for each person, the newest first.
 * @throws {DatabaseUnavailable}
 */
export async function recentWarnings(tenant: string): Promise<VolumeWarning[]> {
  const rows = await read((db) =>
    db
      .selectFrom("audit_events")
      .select(["at", "actor_id", "actor_name", "details"])
      .where("tenant", "=", tenant)
      .where("action", "in", actions)
      .where("outcome", "in", ["succeeded", "failed", "unknown"])
      .where("at", ">", Date.now() - 24 * hourMs)
      .where("details", "like", '%"unusual":true%')
      .orderBy("seq", "desc")
      .limit(500)
      .execute(),
  );
  const newest = new Map<string, (typeof rows)[number]>();
  for (const row of rows) {
    const key = row.actor_id ?? row.actor_name;
    if (!newest.has(key) && factsOf(row.details).unusual === true) newest.set(key, row);
  }
  return Promise.all(
    [...newest.values()].map(async ({ at, actor_id, actor_name, details }) => ({
      at: new Date(at).toISOString(),
      actor: actor_name,
      tokens: actor_id === null ? tokensOf(details) : await recorded(tenant, actor_id, at),
    })),
  );
}
