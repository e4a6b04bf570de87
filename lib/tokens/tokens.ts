import "server-only";
import { appendWithin, audited } from "@/lib/audit/log";
import { eventsOfToken } from "@/lib/audit/reading";
import type { AuditAction, AuditDetails, AuditEvent } from "@/lib/audit/schema";
import { TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import { isLimitExceeded, RateLimiter } from "@/lib/ringcx/limiter";
import {
  findHeld,
  type Held,
  hasAppeared,
  ifReachable,
  iso,
  listHeld,
  needDatabase,
  raiseNotFound,
  requireTokenId,
  scopeOf,
  type TokenOwner,
  view,
} from "@/lib/tokens/held";
import {
  editMetadata,
  type InventoryRecord,
  mergeSeen,
  noteVanished,
  readRecord,
  readTenantRecord,
} from "@/lib/tokens/inventory";
import { carryOut, orderView, pendingOrders } from "@/lib/tokens/orders";
import { reconcile } from "@/lib/tokens/reconciliation";
import type { Differences, Milestone, NewToken, Token, TokenList, TokenPatch } from "@/lib/tokens/schema";

/**
 * The signed-in user's tokens, with what is remembered of them. What the list settles (open intents, pending orders) is
 * settled behind the answer.
 * @throws {UpstreamError}
 */
export async function listTokens(owner: TokenOwner): Promise<TokenList> {
  const { held, unreadable, askedAt } = await listHeld(owner);
  const memory = await ifReachable(remember(owner, held, askedAt, unreadable === 0));
  return {
    tokens: held.map((token) =>
      view(owner, token, memory?.records.get(token.id) ?? null, orderView(memory?.orders.get(token.id))),
    ),
    fetchedAt: new Date(askedAt).toISOString(),
    inventory: memory === null ? "unavailable" : "available",
    unreadable,
    differences: differencesIn(owner, memory?.records ?? new Map()),
  };
}

async function remember(owner: TokenOwner, held: Held[], askedAt: number, complete: boolean) {
  const records = await mergeSeen(scopeOf(owner), held, askedAt, { complete });
  const orders = await pendingOrders(owner.tenant, owner.user.id);
  if (orders.size > 0) void carryOut(owner, orders.values(), held);
  void reconcile(owner, { held, complete, records, askedAt }).catch((error: unknown) =>
    logger().warn({ err: error }, "open intents not reconciled"),
  );
  return { records, orders };
}

/** Of each kind, the newest. */
export const shownDifferences = 50;

function differencesIn(owner: TokenOwner, records: ReadonlyMap<string, InventoryRecord>): Differences {
  const all = [...records.values()];
  const newest = (list: InventoryRecord[], at: (record: InventoryRecord) => number) =>
    list
      .sort((a, b) => at(b) - at(a))
      .slice(0, shownDifferences)
      .map((record) => view(owner, record, record));
  const appeared = all.filter(hasAppeared);
  const vanished = all.filter(({ status, vanishNotedAt }) => status === "vanished" && vanishNotedAt === null);
  return {
    appeared: newest(appeared, ({ appearedAt }) => appearedAt ?? 0),
    appearedTotal: appeared.length,
    vanished: newest(vanished, ({ vanishedAt }) => vanishedAt ?? 0),
    vanishedTotal: vanished.length,
  };
}

/** A person reveals a few; whoever copies a whole list is stopped. In this process, per user. */
const reveals = new RateLimiter(30, 10 * 60_000);

/**
 * The value of one of the user's own tokens.
 * @throws {TokendeskError} `token_not_found`, `rate_limited`, `audit_unavailable`
 */
export async function revealToken(owner: TokenOwner, id: string): Promise<{ value: string }> {
  requireTokenId(id);
  const counted = await reveals.take(owner.user.id, "interactive", 0).catch((error: unknown) => {
    if (!isLimitExceeded(error)) throw error;
    throw new TokendeskError(
      "rate_limited",
      "You have revealed many tokens in a short time. Wait before the next one.",
      {
        retryAfter: error.retryAfterMs / 1000,
      },
    );
  });
  counted();
  const known = await needDatabase(readRecord(scopeOf(owner), id));
  return audited(owner.actor, { action: "token.reveal", token: { id, hint: known?.hint ?? null } }, async (intent) => {
    const { value, hint } = await findHeld(owner, id);
    intent.token = { id, hint };
    return { value };
  });
}

/**
 * Changes what is remembered of a token: what is absent stays, null clears.
 * @throws {TokendeskError} `token_not_found`, `audit_unavailable`
 */
export function editToken(owner: TokenOwner, id: string, patch: TokenPatch): Promise<{ token: Token }> {
  return changeRemembered(owner, id, "token.edit", { changed: Object.keys(patch) }, (alongside) =>
    editMetadata(scopeOf(owner), id, patch, Date.now(), alongside),
  );
}

/**
 * The owner says what a token is that appeared outside Tokendesk.
 * @throws {TokendeskError} `token_not_found`, `audit_unavailable`
 */
export function adoptToken(owner: TokenOwner, id: string, metadata: NewToken): Promise<{ token: Token }> {
  return changeRemembered(owner, id, "token.adopt", { label: metadata.label }, (alongside) =>
    editMetadata(scopeOf(owner), id, metadata, Date.now(), alongside),
  );
}

/**
 * The owner takes note of a token that vanished.
 * @throws {TokendeskError} `token_not_found`, `audit_unavailable`
 */
export function dismissToken(owner: TokenOwner, id: string): Promise<{ token: Token }> {
  return changeRemembered(owner, id, "token.dismiss", {}, (alongside) =>
    noteVanished(scopeOf(owner), id, Date.now(), alongside),
  );
}

type Alongside = Parameters<typeof noteVanished>[3];

/** A change of what is remembered, and its record, in one transaction: there is nothing upstream to intend. */
async function changeRemembered(
  owner: TokenOwner,
  id: string,
  action: AuditAction,
  details: AuditDetails,
  change: (alongside: Alongside) => Promise<InventoryRecord | null>,
): Promise<{ token: Token }> {
  requireTokenId(id);
  const attempt = () =>
    needDatabase(
      change((trx, { hint }) =>
        appendWithin(trx, owner.actor, [{ action, outcome: "succeeded", token: { id, hint }, details }]),
      ),
    );
  let record = await attempt();
  if (record === null) {
    // Not remembered yet: a list makes it so.
    await listTokens(owner);
    record = await attempt();
  }
  if (record === null) raiseNotFound();
  return { token: view(owner, record, record) };
}

/** An act is recorded a little before or after the inventory knows of it. */
const lagMs = 120_000;

/**
 * What is known of one token, newest first: the user's own, or, for ops, any of the main account.
 * @throws {TokendeskError} `token_not_found`, `audit_unavailable`
 */
export async function tokenHistory(
  reader: TokenOwner & { user: { role: "member" | "ops" | "admin" } },
  id: string,
): Promise<{ token: Token; events: AuditEvent[]; milestones: Milestone[] }> {
  requireTokenId(id);
  const record = await needDatabase(
    reader.user.role === "member" ? readRecord(scopeOf(reader), id) : readTenantRecord(reader.tenant, id),
    "read",
  );
  if (record === null) raiseNotFound();
  const all = await needDatabase(eventsOfToken(reader, id, 500), "read");
  // A dead token can pass to another owner; what was done before is the former one's business.
  const since = reader.user.role === "member" ? record.firstSeenAt - lagMs : Number.NEGATIVE_INFINITY;
  const events = all.filter(({ at }) => Date.parse(at) >= since);
  const orders = await needDatabase(pendingOrders(reader.tenant, record.ownerId), "read");
  return {
    token: view(reader, record, record, orderView(orders.get(id))),
    events,
    milestones: milestonesOf(record),
  };
}

function milestonesOf(record: InventoryRecord): Milestone[] {
  const at = (time: number | null, kind: Milestone["kind"], detail: string): Milestone[] =>
    time === null ? [] : [{ at: iso(time) as string, kind, detail }];
  const { createdHere, firstSeenAt, appearedAt, adoptedAt, lastSeenAt, vanishedAt, revokedAt, revokedProof } = record;
  return [
    ...(record.seenAfterRevocation
      ? at(lastSeenAt, "alive_again", "RingCX lists it again, after it was proven dead. Treat it as alive.")
      : at(
          revokedAt,
          "revoked",
          revokedProof === "token_refused" ? "RingCX refuses the token itself." : "It is gone from its owner's list.",
        )),
    ...at(
      vanishedAt,
      "vanished",
      "It was no longer in its owner's list, and no revocation through Tokendesk is proven.",
    ),
    ...at(adoptedAt, "adopted", "Its owner said what it is."),
    ...(appearedAt === null
      ? at(
          firstSeenAt,
          createdHere ? "created_here" : "first_seen",
          createdHere ? "Created through Tokendesk." : "Already there when Tokendesk first saw its owner's list.",
        )
      : at(appearedAt, "appeared", "It came into its owner's list without having been created through Tokendesk.")),
  ].sort((a, b) => (a.at < b.at ? 1 : -1));
}
