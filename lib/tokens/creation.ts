import "server-only";
import { audited, type Intent } from "@/lib/audit/log";
import type { AuditDetails } from "@/lib/audit/schema";
import { TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import { notify } from "@/lib/notify/notify";
import { UpstreamError } from "@/lib/ringcx/errors";
import { markToken } from "@/lib/tokens/fingerprint";
import {
  answered,
  findHeld,
  type Held,
  ifReachable,
  listHeld,
  needDatabase,
  requireTokenId,
  scopeOf,
  type TokenOwner,
  view,
} from "@/lib/tokens/held";
import { countKnown, readRecord, recordCreated } from "@/lib/tokens/inventory";
import { beginRotation } from "@/lib/tokens/rotations";
import type { NewToken, Successor, Token } from "@/lib/tokens/schema";

/**
 * Mints a token and remembers what it is for. The intent is on record before RingCX is asked. The request is sent once:
 * each would make another one. When its answer is lost, the lists before and after are compared, and what appeared is
 * told without saying that it is ours. A token whose label could not be written down comes back with `label: null`: the
 * value must not be lost with it.
 * @throws {TokendeskError} `creation_unconfirmed` with `candidates`; other codes: nothing was created
 */
export async function createToken(owner: TokenOwner, metadata: NewToken): Promise<{ token: Token; value: string }> {
  const details = await intended(owner, metadata);
  const created = await audited(owner.actor, { action: "token.create", details }, (intent) =>
    mint(owner, metadata, intent),
  );
  await tellCreated(owner, created.token, metadata);
  return created;
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
  requireTokenId(id);
  const known = await needDatabase(readRecord(scopeOf(owner), id));
  const successor = {
    label: metadata.label ?? known?.label ?? (known ? `Successor of ${known.hint}` : "Successor"),
    purpose: metadata.purpose ?? known?.purpose ?? undefined,
    environment: metadata.environment ?? known?.environment ?? undefined,
    usedIn: metadata.usedIn ?? known?.usedIn ?? undefined,
    // The old date was the old token's.
    rotateBy: metadata.rotateBy,
  };
  const old = { id, hint: known?.hint ?? null };
  const details = await intended(owner, successor);
  const rotated = await audited(owner.actor, { action: "token.rotate", token: old, details }, async (intent) => {
    const replaced = await findHeld(owner, id);
    const created = await mint(owner, successor, intent);
    // The token exists: whatever stands in the way of following its rotation must not cost its value.
    await beginRotation(owner, replaced, created.token).catch((error: unknown) => {
      logger().warn({ err: error }, "a rotation is not followed");
      intent.details.followed = false;
    });
    // The act is the old token's; the new one is named beside it.
    intent.token = old;
    return { ...created, replaces: id };
  });
  await tellCreated(owner, rotated.token, successor);
  return rotated;
}

function tellCreated({ tenant, actor }: TokenOwner, { id, hint }: Token, { label }: NewToken): Promise<void> {
  return notify({ type: "token.created", tenant, actor: actor.name, tokenId: id, hint, label });
}

/**
 * What a crash must not lose: what the token was to be for, so that a person can give it its label again, and how many
 * were known, so that the next list shows whether there are more (lib/tokens/reconciliation.ts).
 */
async function intended(owner: TokenOwner, metadata: NewToken): Promise<AuditDetails> {
  return { ...detailsOf(metadata), knownBefore: await needDatabase(countKnown(scopeOf(owner))) };
}

function detailsOf({ label, purpose, environment, usedIn, rotateBy }: NewToken): AuditDetails {
  const given = { label, purpose, environment, usedIn, rotateBy };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as AuditDetails;
}

async function mint(owner: TokenOwner, metadata: NewToken, intent: Intent): Promise<{ token: Token; value: string }> {
  const before = new Set((await listHeld(owner, { fresh: true })).held.map(({ id }) => id));
  const value = await mintValue(owner, before);
  const mark = markToken(value);
  intent.token = { id: mark.id, hint: mark.hint };
  intent.details = { ...detailsOf(metadata), created: mark.id, createdHint: mark.hint };
  const record = await ifReachable(recordCreated(scopeOf(owner), mark, metadata, Date.now()));
  if (record === null) intent.details.remembered = false;
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
