import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import { type OpenIntent, openIntentsOf } from "@/lib/audit/intents";
import { activityByDay, lastSuccesses, readEvents } from "@/lib/audit/reading";
import type { AuditAction, AuditEvent } from "@/lib/audit/schema";
import { read } from "@/lib/db/client";
import type { Database } from "@/lib/db/schema";
import { isTokendeskError } from "@/lib/errors";
import { dateAhead, daysAgo, daysBetween, formatDate, formatInstant, plural } from "@/lib/format";
import { recentWarnings } from "@/lib/incidents/volume";
import { logger } from "@/lib/logger";
import { type AttentionItem, attentionShown, type Overview } from "@/lib/team/schema";
import { inView, type TeamReader } from "@/lib/team/team";
import { iso, needDatabase } from "@/lib/tokens/held";
import { columns, type InventoryRecord, isListed, parseRecord } from "@/lib/tokens/inventory";
import { pendingOrders } from "@/lib/tokens/orders";
import { rotationsUnderWay } from "@/lib/tokens/rotations";
import { dueDays, type Rotation } from "@/lib/tokens/schema";
import { listTokens } from "@/lib/tokens/tokens";

const days = 30;
const dayMs = 86_400_000;
const unknownForDays = 14;
const patienceMs = 3_000;
/** What is open for longer than that is not simply under way. */
const underWayMs = 60_000;

/**
 * What needs attention first, and how things have gone: of the person's own tokens, or of the whole main account for
 * ops. From what is remembered; RingCX is asked for the person's own list first, and not waited for long.
 * @throws {TokendeskError} `audit_unavailable`
 */
export async function overview(reader: TeamReader): Promise<Overview> {
  const account = reader.user.role !== "member";
  const own = account ? null : reader.user.id;
  const live = await Promise.race([look(reader), delay(patienceMs, false, { ref: false })]);
  const now = Date.now();
  const [known, unknown, open, orders, rotations, activity, warnings] = await needDatabase(
    Promise.all([
      read((db) => queryTokens(db, reader.tenant, own, now)),
      unsettled(reader, now),
      openActs(reader.tenant, own, now),
      pendingOrders(reader.tenant, own ?? undefined),
      rotationsUnderWay(reader.tenant, own ?? undefined),
      activityByDay(reader.tenant, own, now - (days - 1) * dayMs),
      account ? recentWarnings(reader.tenant) : [],
    ]),
    "read",
  );
  const { counts, urgent } = known;
  const ordered = await needDatabase(
    read((db) => namedTokens(db, reader.tenant, [...orders.keys()].slice(0, attentionShown))),
    "read",
  );
  const namesOf = (id: string) => ordered.get(id) ?? { label: null, owner: null };
  const attention: AttentionItem[] = [
    ...open.map((intent) => openItem(intent)),
    ...unknown.map((event) => unknownItem(event)),
    ...urgent.appeared.map((record) =>
      item("appeared", record, iso(record.appearedAt) as string, "Appeared outside Tokendesk. Is it known?"),
    ),
    ...[...orders.values()].map(
      (order): AttentionItem => ({
        kind: "order_pending",
        token: { id: order.token_id, hint: order.token_hint, ...namesOf(order.token_id) },
        at: iso(order.ordered_at) as string,
        detail: `Revocation ordered by ${order.ordered_by_name}. ${order.trouble ?? `It needs ${namesOf(order.token_id).owner ?? "its owner"} to sign in here.`}`,
      }),
    ),
    ...rotations
      .filter(({ revokeAt }) => revokeAt === null || Date.parse(revokeAt) < now + dueDays * dayMs)
      .map((rotation) => rotationItem(rotation, now))
      .sort((a, b) => a.at.localeCompare(b.at)),
    ...urgent.overdue.map((record) => {
      const date = record.rotateBy as string;
      return item("overdue", record, date, `Rotation was due ${plural(daysBetween(date, dateAhead(0)), "day")} ago.`);
    }),
    ...urgent.vanished.map((record) =>
      item(
        "vanished",
        record,
        iso(record.vanishedAt) as string,
        "Vanished from its owner's list. No revocation here is proven.",
      ),
    ),
    ...urgent.unlabelled.map((record) =>
      item("unlabelled", record, iso(record.firstSeenAt) as string, "Has no label: nobody has said what it is for."),
    ),
    ...urgent.dueSoon.map((record) => {
      const date = record.rotateBy as string;
      return item("due_soon", record, date, `Rotation is due on ${formatDate(date)}.`);
    }),
  ];
  return {
    scope: account ? "account" : "own",
    live,
    counts: {
      ...counts,
      unknown_outcome: open.length + unknown.length,
      order_pending: orders.size,
      rotation: rotations.length,
    },
    warnings,
    attention: mostUrgentOnly(attention).slice(0, attentionShown),
    alive: aliveByDay(known.began, known.ended, now),
    ages: known.ages,
    activity: activityOf(activity, now),
  };
}

/** A token that appeared has no label either: it is named once. */
function mostUrgentOnly(items: readonly AttentionItem[]): AttentionItem[] {
  const named = new Set<string>();
  return items.filter(({ kind, token }) => {
    if (token === null || kind === "unknown_outcome") return true;
    if (named.has(token.id)) return false;
    named.add(token.id);
    return true;
  });
}

/** Whether the person's own list could be had, which also settles what waits for it. */
async function look(reader: TeamReader): Promise<boolean> {
  try {
    await listTokens(reader);
    return true;
  } catch (error) {
    if (!isTokendeskError(error) || error.code === "session_expired") throw error;
    logger().info({ err: error }, "the overview shows what is remembered");
    return false;
  }
}

function item(kind: AttentionItem["kind"], record: InventoryRecord, at: string, detail: string): AttentionItem {
  return {
    kind,
    token: { id: record.id, hint: record.hint, label: record.label, owner: record.ownerName },
    at,
    detail,
  };
}

/** Both tokens are alive until somebody decides. */
function rotationItem({ old, successor, owner, places, startedAt, revokeAt }: Rotation, now: number): AttentionItem {
  const done = places.filter((place) => place.done).length;
  const progress = places.length === 0 ? "" : `, ${done} of ${plural(places.length, "place")} done`;
  return {
    kind: "rotation",
    token: { id: old.id, hint: old.hint, label: old.label, owner },
    at: (revokeAt ?? startedAt).slice(0, 10),
    detail: `Being replaced by ${successor.hint}${progress}. ${planOf()}`,
  };

  function planOf(): string {
    if (!successor.listed) return "The new one is gone, so nothing is revoked before you decide.";
    if (revokeAt === null) return `Begun ${daysAgo(startedAt, dateAhead(0, now))}, and no date is set to revoke it.`;
    const date = formatInstant(revokeAt, "utc");
    if (Date.parse(revokeAt) > now) return `To be revoked on ${date}.`;
    return `Its date was ${date}: it needs ${owner} to sign in here.`;
  }
}

const acts: Partial<Record<AuditAction, string>> = {
  "token.create": "creation",
  "token.rotate": "rotation",
  "token.revoke": "revocation",
};

function unknownItem({ action, at, token, actor }: AuditEvent): AttentionItem {
  return {
    kind: "unknown_outcome",
    token: tokenOf(token),
    at,
    detail: `Nobody knows what became of a ${acts[action]} by ${actor.name}. Look at the list, and treat what it shows as alive.`,
  };
}

function openItem({ action, at, token, actor }: OpenIntent): AttentionItem {
  return {
    kind: "unknown_outcome",
    token: tokenOf(token),
    at: iso(at) as string,
    detail: `A ${acts[action]} by ${actor.name} has no outcome yet. Their next list may settle it; until then treat what it shows as alive.`,
    open: true,
  };
}

function tokenOf(token: AuditEvent["token"]): AttentionItem["token"] {
  return token?.id ? { id: token.id, hint: token.hint ?? "a token", label: null, owner: null } : null;
}

/** Changes at RingCX that were begun a while ago and of which no outcome is recorded, the newest first. */
async function openActs(tenant: string, own: string | null, now: number): Promise<OpenIntent[]> {
  const open = await openIntentsOf(tenant, own);
  return open.filter(({ action, at }) => action in acts && at < now - underWayMs).reverse();
}

/** Changes at RingCX whose outcome is unknown, unless a later one of the same token succeeded. */
async function unsettled(reader: TeamReader, now: number): Promise<AuditEvent[]> {
  const from = new Date(now - unknownForDays * dayMs).toISOString();
  const { events } = await readEvents(reader, { outcome: "unknown", from, limit: 100 });
  const ofTokens = events.filter(({ action }) => action in acts);
  const ids = new Set(ofTokens.flatMap(({ token }) => token?.id ?? []));
  const succeeded = await lastSuccesses(reader.tenant, [...ids], Object.keys(acts) as AuditAction[]);
  return ofTokens.filter(({ seq, token }) => !(token?.id && (succeeded.get(token.id) ?? 0) > seq));
}

/** By when they were first seen: how long they have existed at least. */
const ageNames = [
  ["Up to a week", 7],
  ["Up to a month", 30],
  ["Up to 3 months", 90],
  ["Up to a year", 365],
  ["Over a year", Number.POSITIVE_INFINITY],
] as const;

async function queryTokens(db: Kysely<Database>, tenant: string, own: string | null, now: number) {
  const all = db.selectFrom("tokens").where("tokens.tenant", "=", tenant);
  const tokens = own === null ? all : all.where("tokens.owner_id", "=", own);
  const alive = tokens.where(isListed);
  const [today, soon] = [dateAhead(0, now), dateAhead(dueDays, now)];
  const groups = {
    appeared: tokens.where((eb) => inView.appeared(eb, today)).orderBy("appeared_at", "desc"),
    overdue: tokens.where((eb) => inView.overdue(eb, today)).orderBy("rotate_by"),
    vanished: tokens
      .where("vanished_at", "is not", null)
      .where("vanish_noted_at", "is", null)
      .where("revoked_at", "is", null)
      .orderBy("vanished_at", "desc"),
    unlabelled: tokens.where((eb) => inView.unlabelled(eb, today)).orderBy("first_seen_at"),
    dueSoon: alive.where("rotate_by", ">=", today).where("rotate_by", "<=", soon).orderBy("rotate_by"),
  };
  const urgent = {} as Record<keyof typeof groups, InventoryRecord[]>;
  const totals = {} as Record<keyof typeof groups, number>;
  for (const [name, group] of Object.entries(groups) as [keyof typeof groups, (typeof groups)["overdue"]][]) {
    const rows = await group.select(columns).orderBy("id").limit(attentionShown).execute();
    urgent[name] = rows.map(parseRecord);
    totals[name] = rows.length < attentionShown ? rows.length : await countOf(group.clearOrderBy());
  }

  const dayOf = (column: "first_seen_at" | "gone_at") => sql<number>`${sql.ref(column)} / ${sql.lit(dayMs)}`;
  const began = await tokens
    .select((eb) => [dayOf("first_seen_at").as("day"), eb.fn.countAll<number>().as("count")])
    .groupBy(sql`1`)
    .execute();
  const ended = await db
    .selectFrom(
      tokens
        .where((eb) => eb.not(isListed(eb)))
        .select((eb) => eb.fn.coalesce("vanished_at", "revoked_at").as("gone_at"))
        .as("gone"),
    )
    .select((eb) => [dayOf("gone_at").as("day"), eb.fn.countAll<number>().as("count")])
    .groupBy(sql`1`)
    .execute();
  const byAge = await alive
    .select((eb) =>
      ageNames.map(([name, upTo], index) => {
        const from = now - (Number.isFinite(upTo) ? upTo * dayMs : now);
        const to = index === 0 ? now + dayMs : now - (ageNames[index - 1]?.[1] ?? 0) * dayMs;
        return eb.fn
          .sum<number | null>(
            eb
              .case()
              .when(eb.and([eb("first_seen_at", ">=", from), eb("first_seen_at", "<", to)]))
              .then(1)
              .else(0)
              .end(),
          )
          .as(name);
      }),
    )
    .executeTakeFirstOrThrow();
  const owners = await countOf(
    own === null
      ? db.selectFrom("owners").where("tenant", "=", tenant)
      : db.selectFrom("owners").where("tenant", "=", tenant).where("owner_id", "=", own),
  );
  const { appeared, overdue, vanished, unlabelled, dueSoon } = totals;
  return {
    counts: { appeared, overdue, vanished, unlabelled, due_soon: dueSoon, active: await countOf(alive), owners },
    urgent,
    began,
    ended,
    ages: ageNames.map(([name]) => ({ name, count: byAge[name] ?? 0 })),
  };
}

async function namedTokens(db: Kysely<Database>, tenant: string, ids: string[]) {
  if (ids.length === 0) return new Map<string, { label: string | null; owner: string }>();
  const rows = await db
    .selectFrom("tokens")
    .select(["id", "label", "owner_name"])
    .where("tenant", "=", tenant)
    .where("id", "in", ids)
    .execute();
  return new Map(rows.map(({ id, label, owner_name }) => [id, { label, owner: owner_name }]));
}

async function countOf<T extends keyof Database>(rows: SelectQueryBuilder<Database, T, object>): Promise<number> {
  const { count } = await rows.select(sql<number>`count(*)`.as("count")).executeTakeFirstOrThrow();
  return count;
}

type ByDay = { day: number; count: number }[];

/** `day`: whole days since 1970, UTC. */
function aliveByDay(began: ByDay, ended: ByDay, now: number): Overview["alive"] {
  const upTo = (list: ByDay, day: number) => list.reduce((sum, row) => (row.day <= day ? sum + row.count : sum), 0);
  const today = Math.floor(now / dayMs);
  return Array.from({ length: days }, (_, index) => {
    const day = today - (days - 1) + index;
    return { date: dateOf(day), count: upTo(began, day) - upTo(ended, day) };
  });
}

function activityOf(counts: Awaited<ReturnType<typeof activityByDay>>, now: number): Overview["activity"] {
  const today = Math.floor(now / dayMs);
  return Array.from({ length: days }, (_, index) => {
    const date = dateOf(today - (days - 1) + index);
    const ofDay = counts.filter((row) => row.date === date);
    const sum = (wanted: (action: AuditAction) => boolean) =>
      ofDay.reduce((total, { action, count }) => (wanted(action) ? total + count : total), 0);
    const named: Partial<Record<AuditAction, string>> = {
      "token.create": "created",
      "token.rotate": "created",
      "token.revoke": "revoked",
      "token.reveal": "revealed",
    };
    return {
      date,
      created: sum((action) => named[action] === "created"),
      revoked: sum((action) => named[action] === "revoked"),
      revealed: sum((action) => named[action] === "revealed"),
      other: sum((action) => named[action] === undefined),
    };
  });
}

function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
