import "server-only";
import { type ExpressionBuilder, type Kysely, sql } from "kysely";
import { read } from "@/lib/db/client";
import type { Database } from "@/lib/db/schema";
import { TokendeskError } from "@/lib/errors";
import { dateAhead } from "@/lib/format";
import type { Coverage, Order, Readiness, TeamCounts, TeamPage, TeamQuery } from "@/lib/team/schema";
import { teamViews } from "@/lib/team/schema";
import { type KnownUsers, knownUsers } from "@/lib/team/users";
import { iso, needDatabase, type TokenOwner, view } from "@/lib/tokens/held";
import { columns, isListed, parseRecord } from "@/lib/tokens/inventory";
import { cancelOrder, orderView, pendingOrders, placeOrder } from "@/lib/tokens/orders";
import type { RevocationOrder } from "@/lib/tokens/schema";

/** Who looks at the whole main account. A Session is one. */
export type TeamReader = TokenOwner & { user: { role: "member" | "ops" | "admin" } };

/** @throws {TokendeskError} `forbidden` */
function requireOps({ user }: TeamReader): void {
  if (user.role === "member") {
    throw new TokendeskError("forbidden", "Only ops staff see the tokens of the whole team. Ask your administrator.");
  }
}

type Tokens = ExpressionBuilder<Database, "tokens">;

const isOrdered = (eb: Tokens) =>
  eb.exists(
    eb
      .selectFrom("revocation_orders")
      .select("revocation_orders.id")
      .whereRef("revocation_orders.tenant", "=", "tokens.tenant")
      .whereRef("revocation_orders.token_id", "=", "tokens.id")
      .where("revocation_orders.state", "=", "pending"),
  );

/** What a token must be to be in a view. `today`: `2026-11-23`. */
export const inView: Record<TeamQuery["view"], (eb: Tokens, today: string) => ReturnType<typeof isListed>> = {
  all: isListed,
  unlabelled: (eb) => eb.and([isListed(eb), eb("tokens.label", "is", null)]),
  overdue: (eb, today) => eb.and([isListed(eb), eb("tokens.rotate_by", "<", today)]),
  appeared: (eb) =>
    eb.and([isListed(eb), eb("tokens.appeared_at", "is not", null), eb("tokens.adopted_at", "is", null)]),
  ordered: (eb) => eb.and([isListed(eb), isOrdered(eb)]),
  gone: (eb) => eb.not(isListed(eb)),
};

const sortColumn = {
  owner: sql`lower(owner_name)`,
  label: sql`lower(label)`,
  firstSeen: sql.ref("first_seen_at"),
  lastSeen: sql.ref("last_seen_at"),
  rotateBy: sql.ref("rotate_by"),
} satisfies Record<TeamQuery["sort"], unknown>;

/**
 * A page of the tokens of the whole main account, from what is remembered of them.
 * @throws {TokendeskError} `forbidden`, `audit_unavailable`
 */
export async function teamPage(reader: TeamReader, query: TeamQuery): Promise<TeamPage> {
  requireOps(reader);
  const [users, page] = await Promise.all([
    knownUsers(reader),
    needDatabase(
      read((db) => queryTeam(db, reader.tenant, query)),
      "read",
    ),
  ]);
  const orders = await needDatabase(pendingOrders(reader.tenant), "read");
  return {
    ...page,
    rows: page.rows.map((record) => ({
      ...view({ user: reader.user }, record, record, orderView(orders.get(record.id))),
      ownerId: record.ownerId,
      readiness: readinessOf(reader, record.ownerId, page.logins.get(record.ownerId) ?? null, users),
    })),
  };
}

/** Its owner's next list would show its value; if the owner is gone, nothing here ever will. */
function readinessOf(reader: TeamReader, ownerId: string, login: string | null, users: KnownUsers): Readiness {
  if (ownerId === reader.user.id) return "now";
  return users.hasLeft({ ownerId, login }) ? "paste" : "owner";
}

async function queryTeam(db: Kysely<Database>, tenant: string, query: TeamQuery) {
  const today = dateAhead(0);
  const ofTenant = db.selectFrom("tokens").where("tokens.tenant", "=", tenant);
  const filtered = words(query.q).reduce(
    (tokens, word) => tokens.where((eb) => contains(eb, word)),
    query.owner === null ? ofTenant : ofTenant.where("tokens.owner_id", "=", query.owner),
  );
  const counted = await filtered
    .select((eb) =>
      teamViews.map((name) =>
        eb.fn.sum<number | null>(eb.case().when(inView[name](eb, today)).then(1).else(0).end()).as(name),
      ),
    )
    .executeTakeFirstOrThrow();
  const counts = Object.fromEntries(teamViews.map((name) => [name, counted[name] ?? 0])) as TeamCounts;
  const matched = counts[query.view];
  const pageCount = Math.max(1, Math.ceil(matched / query.size));
  const page = Math.min(query.page, pageCount);
  const column = sortColumn[query.sort];
  const rows = await filtered
    .where((eb) => inView[query.view](eb, today))
    .select(columns)
    // What has no value in the sorted column comes last in either direction.
    .orderBy(sql`case when ${column} is null then 1 else 0 end`)
    .orderBy(column, query.order)
    .orderBy("hint")
    .orderBy("id")
    .limit(query.size)
    .offset((page - 1) * query.size)
    .execute();
  const owners = await db
    .selectFrom("owners")
    .leftJoin("tokens", (join) =>
      join
        .onRef("tokens.tenant", "=", "owners.tenant")
        .onRef("tokens.owner_id", "=", "owners.owner_id")
        .on((eb) => isListed(eb as unknown as Tokens)),
    )
    .where("owners.tenant", "=", tenant)
    .groupBy(["owners.owner_id", "owners.owner_name", "owners.login", "owners.last_listed_at"])
    .select((eb) => [
      "owners.owner_id",
      "owners.owner_name",
      "owners.login",
      "owners.last_listed_at",
      eb.fn.count<number>("tokens.id").as("tokens"),
    ])
    .orderBy(sql`lower(owners.owner_name)`)
    .execute();
  return {
    rows: rows.map(parseRecord),
    matched,
    page,
    pageCount,
    counts,
    logins: new Map(owners.map(({ owner_id, login }) => [owner_id, login])),
    owners: owners.map(({ owner_id, owner_name, tokens, last_listed_at }) => ({
      id: owner_id,
      name: owner_name,
      tokens,
      lastLookAt: iso(last_listed_at) as string,
    })),
  };
}

function words(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

function contains(eb: Tokens, word: string) {
  const pattern = `%${word.replace(/[\\%_]/g, "\\$&")}%`;
  const texts = ["hint", "label", "purpose", "environment", "used_in", "owner_name"] as const;
  // Two or three characters are somewhere in many an ID.
  const searched = word.length < 8 ? texts : ([...texts, "id"] as const);
  return eb.or(searched.map((name) => sql<boolean>`lower(${eb.ref(`tokens.${name}`)}) like ${pattern} escape '\\'`));
}

/**
 * How much of the main account was seen, against the vendor's list of users where it may be read.
 * @throws {TokendeskError} `forbidden`, `audit_unavailable`
 */
export async function coverage(reader: TeamReader): Promise<Coverage> {
  requireOps(reader);
  const [users, owners] = await Promise.all([
    knownUsers(reader),
    needDatabase(
      read((db) =>
        db
          .selectFrom("owners")
          .select(["owner_id", "login", "last_listed_at"])
          .where("tenant", "=", reader.tenant)
          .execute(),
      ),
      "read",
    ),
  ]);
  const present = owners.filter(({ owner_id, login }) => !users.hasLeft({ ownerId: owner_id, login }));
  const looks = present.map(({ last_listed_at }) => last_listed_at);
  const unseen = users.unseen(present.map(({ owner_id, login }) => ({ ownerId: owner_id, login })));
  return {
    seen: present.length,
    users: users.unavailable === null ? present.length + unseen.length : null,
    unavailable: users.unavailable,
    oldestLookAt: looks.length === 0 ? null : iso(Math.min(...looks)),
    unseen: unseen.slice(0, 50),
  };
}

/**
 * Orders the revocation of somebody's token: it is carried out when its owner's list next shows it.
 * @throws {TokendeskError} `forbidden`, `token_not_found`, `audit_unavailable`
 */
export async function orderRevocation(reader: TeamReader, { tokenId, reason }: Order): Promise<RevocationOrder> {
  requireOps(reader);
  return placeOrder(reader, tokenId, reason ?? null);
}

/** @throws {TokendeskError} `forbidden`, `not_found`, `audit_unavailable` */
export async function cancelRevocationOrder(reader: TeamReader, orderId: string): Promise<void> {
  requireOps(reader);
  await cancelOrder(reader, orderId);
}
