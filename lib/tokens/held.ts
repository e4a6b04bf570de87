import "server-only";
import { needLog } from "@/lib/audit/availability";
import type { Actor } from "@/lib/audit/log";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import type { RingcxClient } from "@/lib/ringcx/client";
import { markToken, type TokenMark } from "@/lib/tokens/fingerprint";
import type { InventoryRecord, OwnerScope } from "@/lib/tokens/inventory";
import type { RevocationOrder, Token } from "@/lib/tokens/schema";

/** Whose tokens, the way to them, and who is written down for what is done. A Session is one. */
export type TokenOwner = {
  client: RingcxClient;
  user: { id: string; name: string };
  tenant: string;
  actor: Actor;
  /** The RingCX name of the user. Absent: the actor's. */
  login?: string;
  /** Through which connection of the reader; null, or absent: none that could be named. */
  connectionId?: string | null;
};

/** A token whose value is at hand: its owner's list has just shown it. */
export type Held = TokenMark & { value: string };
export type HeldAmongOthers = Held & { siblings: Held[] };

/**
 * The owner's tokens as RingCX lists them now, marked at the door. `unreadable`: entries that made no sense; `askedAt`:
 * when RingCX was asked, which may be before this call, epoch milliseconds.
 */
export async function listHeld(
  owner: TokenOwner,
  options?: { fresh: boolean },
): Promise<{ held: Held[]; unreadable: number; askedAt: number }> {
  const { items, unreadable, askedAt } = await owner.client.listTokenValues(options);
  return { held: items.map((value) => ({ ...markToken(value), value })), unreadable, askedAt };
}

/** @throws {TokendeskError} `token_not_found` */
export async function findHeld(owner: TokenOwner, id: string): Promise<HeldAmongOthers> {
  const { held } = await listHeld(owner);
  return among(held, id) ?? raiseNotFound();
}

export function among(held: readonly Held[], id: string): HeldAmongOthers | null {
  const found = held.find((token) => token.id === id);
  return found ? { ...found, siblings: held.filter((token) => token !== found) } : null;
}

export function scopeOf({ tenant, user, actor, login }: TokenOwner): OwnerScope {
  return { tenant, ownerId: user.id, ownerName: user.name, login: login ?? actor.name };
}

/** What has another form than every ID is not looked for, and not written into the audit log either. */
export function requireTokenId(id: string): void {
  if (!/^[\w-]{22}$/.test(id)) raiseNotFound();
}

export function raiseNotFound(): never {
  throw new TokendeskError(
    "token_not_found",
    "RingCX does not list this token for your user. It may have been revoked already, or belong to somebody else.",
  );
}

/** A token with what is remembered of it; null: nothing is, or the memory is out of reach. */
export function view(
  owner: { user: { name: string }; connectionId?: string | null },
  { id, hint }: Pick<TokenMark, "id" | "hint">,
  record: InventoryRecord | null,
  order: RevocationOrder | null = null,
): Token {
  return {
    id,
    hint,
    connection: owner.connectionId ?? null,
    label: record?.label ?? null,
    purpose: record?.purpose ?? null,
    environment: record?.environment ?? null,
    usedIn: record?.usedIn ?? null,
    rotateBy: record?.rotateBy ?? null,
    owner: record?.ownerName ?? owner.user.name,
    firstSeenAt: iso(record?.firstSeenAt),
    lastSeenAt: iso(record?.lastSeenAt),
    createdHere: record?.createdHere ?? null,
    appearedAt: record && hasAppeared(record) ? iso(record.appearedAt) : null,
    status: record?.status ?? "active",
    order,
  };
}

/** It is in the list, nobody here created it, and its owner has not said what it is. */
export function hasAppeared(record: InventoryRecord): boolean {
  return record.status === "active" && record.appearedAt !== null && record.adoptedAt === null;
}

export function iso(at: number | null | undefined): string | null {
  return at === undefined || at === null ? null : new Date(at).toISOString();
}

/** The answer of the database, or null when it is out of reach: what RingCX says is shown all the same. */
export async function ifReachable<T>(remembered: Promise<T>): Promise<T | null> {
  try {
    return await remembered;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    logger().warn({ err: error }, "inventory not available");
    return null;
  }
}

const withoutDatabase = {
  change: "Tokendesk cannot reach its own database, so nothing was changed. Tell its administrator.",
  read: "Tokendesk cannot reach its own database, so it cannot show what it remembers. Tell its administrator.",
};
const unsure =
  "Tokendesk lost its own database while it wrote this down: look whether it was changed before you try again.";

/**
 * For what makes no sense without the database. Of a `change`, nothing has been asked of RingCX when this throws.
 * @throws {TokendeskError} `audit_unavailable`
 */
export function needDatabase<T>(answer: Promise<T>, purpose: "change" | "read" = "change"): Promise<T> {
  return needLog(answer, withoutDatabase[purpose], purpose === "change" ? unsure : undefined);
}

/** The answer, or null when RingCX gave none that can be trusted. */
export async function answered<T>(question: Promise<T>): Promise<T | null> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof TokendeskError) return null;
    throw error;
  }
}
