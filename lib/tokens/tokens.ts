import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import type { DeletionAnswer, RingcxClient } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import { LimitExceeded, RateLimiter } from "@/lib/ringcx/limiter";
import { markToken, type TokenMark } from "@/lib/tokens/fingerprint";
import {
  editMetadata,
  type InventoryRecord,
  mergeSeen,
  type OwnerScope,
  readRecord,
  recordCreated,
  recordRevoked,
} from "@/lib/tokens/inventory";
import type { NewToken, RevocationProof, Successor, Token, TokenList, TokenPatch } from "@/lib/tokens/schema";

/** Whose tokens, and the way to them. A Session is one. */
export type TokenOwner = {
  client: RingcxClient;
  user: { id: string; name: string };
  tenant: string;
};

type Held = TokenMark & { value: string };

/** The owner's tokens as RingCX lists them now, marked at the door. `unreadable`: entries that made no sense. */
async function listHeld(
  owner: TokenOwner,
  options?: { fresh: boolean },
): Promise<{ held: Held[]; unreadable: number }> {
  const { items, unreadable } = await owner.client.listTokenValues(options);
  return { held: items.map((value) => ({ ...markToken(value), value })), unreadable };
}

function scopeOf({ tenant, user }: TokenOwner): OwnerScope {
  return { tenant, ownerId: user.id, ownerName: user.name };
}

/** A token with what is remembered of it; null: nothing is, or the memory is out of reach. */
function view(owner: TokenOwner, { id, hint }: Pick<TokenMark, "id" | "hint">, record: InventoryRecord | null): Token {
  const iso = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return {
    id,
    hint,
    label: record?.label ?? null,
    purpose: record?.purpose ?? null,
    environment: record?.environment ?? null,
    rotateBy: record?.rotateBy ?? null,
    owner: record?.ownerName ?? owner.user.name,
    firstSeenAt: iso(record?.firstSeenAt),
    lastSeenAt: iso(record?.lastSeenAt),
    createdHere: record?.createdHere ?? null,
    status: record?.status ?? "active",
  };
}

/** The answer of the inventory, or null when it is out of reach: what RingCX says is shown all the same. */
async function ifReachable<T>(remembered: Promise<T>): Promise<T | null> {
  try {
    return await remembered;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    logger().warn({ err: error }, "inventory not available");
    return null;
  }
}

/** For changes that would lose what the person typed. Nothing has been asked of RingCX when this throws. */
async function needInventory<T>(remembered: Promise<T>): Promise<T> {
  try {
    return await remembered;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    throw new TokendeskError(
      "audit_unavailable",
      "Tokendesk cannot reach its own database, so nothing was changed. Tell its administrator.",
      { cause: error },
    );
  }
}

/**
 * The signed-in user's tokens, with what is remembered of them.
 * @throws {UpstreamError}
 */
export async function listTokens(owner: TokenOwner): Promise<TokenList> {
  const askedAt = Date.now();
  const { held, unreadable } = await listHeld(owner);
  const records = await ifReachable(mergeSeen(scopeOf(owner), held, askedAt, { complete: unreadable === 0 }));
  return {
    tokens: held.map((token) => view(owner, token, records?.get(token.id) ?? null)),
    fetchedAt: new Date(askedAt).toISOString(),
    inventory: records === null ? "unavailable" : "available",
    unreadable,
  };
}

async function findHeld(owner: TokenOwner, id: string): Promise<Held & { siblings: Held[] }> {
  const { held } = await listHeld(owner);
  const found = held.find((token) => token.id === id);
  if (!found) throw notFound();
  return { ...found, siblings: held.filter((token) => token !== found) };
}

function notFound(): TokendeskError {
  return new TokendeskError(
    "token_not_found",
    "RingCX does not list this token for your user. It may have been revoked already, or belong to somebody else.",
  );
}

/**
 * Mints a token and remembers what it is for. The request is sent once: each would make another one. When its
 * answer is lost, the lists before and after are compared, and what appeared is told without saying that it is ours.
 * A token whose label could not be written down comes back with `label: null`: the value must not be lost with it.
 * @throws {TokendeskError} `creation_unconfirmed` with `candidates`; other codes: nothing was created
 */
export async function createToken(owner: TokenOwner, metadata: NewToken): Promise<{ token: Token; value: string }> {
  // A write lock, taken and given back: what cannot be remembered is not created.
  await needInventory(write("inventory:probe", async () => {}));
  const before = new Set((await listHeld(owner, { fresh: true })).held.map(({ id }) => id));
  const value = await mintValue(owner, before);
  const mark = markToken(value);
  const record = await ifReachable(recordCreated(scopeOf(owner), mark, metadata, Date.now()));
  return { token: view(owner, mark, record), value };
}

async function mintValue(owner: TokenOwner, before: Set<string>): Promise<string> {
  let minted: { value: string; documented: boolean };
  try {
    minted = await owner.client.createTokenValue();
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.failure === "unknown") throw await unconfirmedCreation(owner, before, error);
    if (error.failure !== "credentials") throw nothingCreated(error, error.message);
    // The list just before was let through, so this session is only in need of renewal. RingCX refused, and the
    // list shows whether it did so before it did anything.
    const appeared = (await listHeld(owner, { fresh: true })).held.some(({ id }) => !before.has(id));
    if (appeared) throw await unconfirmedCreation(owner, before, error);
    throw nothingCreated(
      new TokendeskError("upstream_unavailable", error.message, { cause: error }),
      "RingCX refused the request because the session was just being renewed. Try again.",
    );
  }
  // A word of another form than the vendor shows may be a message. It is a token if the list has it now. And what was
  // in the list before is not new, whatever RingCX says.
  const isNew = !before.has(markToken(minted.value).id);
  if (!isNew || !(minted.documented || (await isListed(owner, minted.value)))) {
    throw await unconfirmedCreation(owner, before);
  }
  return minted.value;
}

function nothingCreated(error: TokendeskError, detail: string): TokendeskError {
  return new TokendeskError(error.code, `${detail} Nothing was created.`, {
    cause: error,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}

async function isListed(owner: TokenOwner, value: string): Promise<boolean> {
  const list = await answered(listHeld(owner, { fresh: true }));
  return list?.held.some((token) => token.value === value) ?? false;
}

async function unconfirmedCreation(
  owner: TokenOwner,
  before: Set<string>,
  cause?: UpstreamError,
): Promise<TokendeskError> {
  const unclear = "RingCX did not say clearly whether it made a token, and Tokendesk never asks twice.";
  let appeared: Held[];
  try {
    appeared = (await listHeld(owner, { fresh: true })).held.filter(({ id }) => !before.has(id));
  } catch {
    return new TokendeskError(
      "creation_unconfirmed",
      `${unclear} Its list cannot be read either. Look at the list later: what is new there may be this one.`,
      { cause, extensions: { candidates: [] } },
    );
  }
  const detail =
    appeared.length === 0
      ? `${unclear} Nothing new is in the list so far; it may still appear.`
      : `${unclear} New in the list since: ${appeared.map(({ hint }) => hint).join(", ")}. Reveal it to use it, or revoke it.`;
  return new TokendeskError("creation_unconfirmed", detail, {
    cause,
    extensions: { candidates: appeared.map((token) => view(owner, token, null)) },
  });
}

/** A person reveals a few; whoever copies a whole list is stopped. In this process, per user. */
const reveals = new RateLimiter(30, 10 * 60_000);

/**
 * The value of one of the user's own tokens.
 * @throws {TokendeskError} `token_not_found`, `rate_limited`
 */
export async function revealToken(owner: TokenOwner, id: string): Promise<{ value: string }> {
  const counted = await reveals.take(owner.user.id, "interactive", 0).catch((error: unknown) => {
    if (!(error instanceof LimitExceeded)) throw error;
    throw new TokendeskError(
      "rate_limited",
      "You have revealed many tokens in a short time. Wait before the next one.",
      {
        retryAfter: error.retryAfterMs / 1000,
      },
    );
  });
  counted();
  const { value } = await findHeld(owner, id);
  return { value };
}

/**
 * Changes what is remembered of a token: what is absent stays, null clears.
 * @throws {TokendeskError} `token_not_found`, `audit_unavailable`
 */
export async function editToken(owner: TokenOwner, id: string, patch: TokenPatch): Promise<{ token: Token }> {
  const edit = () => needInventory(editMetadata(scopeOf(owner), id, patch));
  let record = await edit();
  if (record === null) {
    // Not remembered yet: a list makes it so.
    await listTokens(owner);
    record = await edit();
  }
  if (record === null) throw notFound();
  return { token: view(owner, record, record) };
}

/**
 * Makes the successor of a token. The old one lives on until it is revoked: RingCX does not say whether it is
 * still in use.
 * @throws {TokendeskError} as {@link createToken}; `token_not_found`
 */
export async function rotateToken(
  owner: TokenOwner,
  id: string,
  metadata: Successor,
): Promise<{ token: Token; value: string; replaces: string }> {
  const old = await findHeld(owner, id);
  const known = await needInventory(readRecord(scopeOf(owner), id));
  const created = await createToken(owner, {
    label: metadata.label ?? known?.label ?? `Successor of ${old.hint}`,
    purpose: metadata.purpose ?? known?.purpose ?? undefined,
    environment: metadata.environment ?? known?.environment ?? undefined,
    // The old date was the old token's.
    rotateBy: metadata.rotateBy,
  });
  return { ...created, replaces: old.id };
}

/**
 * Revokes a token and proves it. "Revoked" is said only with a proof in hand.
 * @throws {TokendeskError} `token_not_found`; `revocation_unconfirmed`: it may be alive
 */
export async function revokeToken(
  owner: TokenOwner,
  id: string,
): Promise<{ outcome: "revoked"; proof: RevocationProof }> {
  const token = await findHeld(owner, id);
  const said = await owner.client.deleteTokenValue(token.value).catch((error: unknown) => {
    // A session that ended cannot be helped here. Every other failure leaves the question open: the proof decides.
    if (!(error instanceof UpstreamError)) throw error;
    return error;
  });
  const verdict = await proveDead(owner, token, said);
  if ("method" in verdict) {
    await ifReachable(recordRevoked(scopeOf(owner), id, verdict.method, Date.parse(verdict.checkedAt)));
    return { outcome: "revoked", proof: verdict };
  }
  throw new TokendeskError("revocation_unconfirmed", `${verdict.evidence} Treat this token as alive and try again.`, {
    ...(said instanceof UpstreamError ? { cause: said } : {}),
  });
}

type Said = DeletionAnswer | UpstreamError;

/** A person waits for the answer: with an upstream that hangs, one round of questions is enough. */
const patienceMs = 10_000;

/** How often it is asked: RingCX may take a moment to forget a token that it said, or may have said, it deleted. */
function proofDelaysMs(said: Said): number[] {
  if (said === "accepted") return [0, 500, 1_500];
  return said === "refused" ? [0] : [0, 700];
}

/**
 * Asks with the token itself, which must be refused, and looks into the owner's list, which must not have it any more.
 * When one of the two gives no answer the other decides, if RingCX did not deny the deletion; when they contradict each
 * other, nothing is proven (docs/decisions/0008-proof.md).
 */
async function proveDead(
  owner: TokenOwner,
  token: Held & { siblings: Held[] },
  said: Said,
): Promise<RevocationProof | { evidence: string }> {
  let evidence = "";
  const giveUpAt = Date.now() + patienceMs;
  for (const wait of proofDelaysMs(said)) {
    if (Date.now() + wait > giveUpAt) break;
    await delay(wait);
    const alive = await answered(owner.client.isAlive(token.value));
    if (alive === true) {
      evidence = "RingCX still accepts it.";
      continue;
    }
    const presence = await presenceOf(owner, token);
    if (alive === false) {
      if (presence === "absent" || (presence === "unclear" && said === "accepted")) return proof("token_refused");
    } else if (presence === "absent" && said !== "refused") {
      // A list with nothing else to show for itself is not enough without RingCX's own word.
      if (said === "accepted" || token.siblings.length > 0) return proof("absent_from_list");
    }
    if (presence !== "listed") evidence = "RingCX gave no answer that would prove it dead.";
    else evidence = alive === false ? "RingCX refuses it, but still lists it." : "RingCX still lists it.";
  }
  return { evidence: `${saidInWords(said)} ${evidence}` };
}

/** Whether the owner's list has it. A list that has lost every other token too, or was read in part, says nothing. */
async function presenceOf(
  owner: TokenOwner,
  token: Held & { siblings: Held[] },
): Promise<"listed" | "absent" | "unclear"> {
  const list = await answered(listHeld(owner, { fresh: true }));
  if (list === null) return "unclear";
  const ids = new Set(list.held.map(({ id }) => id));
  if (ids.has(token.id)) return "listed";
  const plausible = token.siblings.length === 0 || token.siblings.some(({ id }) => ids.has(id));
  return plausible && list.unreadable === 0 ? "absent" : "unclear";
}

function saidInWords(said: Said): string {
  if (said === "accepted") return "RingCX said that it deleted this token.";
  if (said === "refused") return "RingCX answered that it did not delete this token.";
  return "RingCX did not confirm the deletion.";
}

function proof(method: RevocationProof["method"]): RevocationProof {
  return { method, checkedAt: new Date().toISOString() };
}

/** The answer, or null when RingCX gave none that can be trusted. */
async function answered<T>(question: Promise<T>): Promise<T | null> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof TokendeskError) return null;
    throw error;
  }
}
