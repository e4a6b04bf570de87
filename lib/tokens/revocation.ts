import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { audited, type Subject } from "@/lib/audit/log";
import { TokendeskError } from "@/lib/errors";
import { notify } from "@/lib/notify/notify";
import type { DeletionAnswer } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import {
  answered,
  findHeld,
  type HeldAmongOthers,
  ifReachable,
  listHeld,
  requireTokenId,
  scopeOf,
  type TokenOwner,
} from "@/lib/tokens/held";
import { readRecord, recordRevoked } from "@/lib/tokens/inventory";
import type { RevocationProof } from "@/lib/tokens/schema";

export type Revoked = { outcome: "revoked"; proof: RevocationProof };

/**
 * Revokes a token and proves it. "Revoked" is said only with a proof in hand.
 * @param options.urgent goes on when the audit log cannot be written; the records follow when it can
 * @throws {TokendeskError} `token_not_found`; `revocation_unconfirmed`: it may be alive; `audit_unavailable`: nothing
 * was done
 */
export async function revokeToken(
  owner: TokenOwner,
  id: string,
  { reason, urgent = false }: { reason?: string | undefined; urgent?: boolean | undefined } = {},
): Promise<Revoked> {
  requireTokenId(id);
  const known = await ifReachable(readRecord(scopeOf(owner), id));
  const subject: Subject = {
    action: "token.revoke",
    token: { id, hint: known?.hint ?? null },
    reason: reason ?? null,
  };
  const revoked = await auditedRevocation(owner, subject, { urgent }, () => findHeld(owner, id));
  await tellRevoked(owner, revoked, known?.label ?? null);
  return revoked.answer;
}

/** The same for a token that a list has just shown. */
export async function revokeHeld(
  owner: TokenOwner,
  token: HeldAmongOthers,
  subject: Omit<Subject, "action" | "token">,
): Promise<Revoked> {
  const known = await ifReachable(readRecord(scopeOf(owner), token.id));
  const revoked = await auditedRevocation(
    owner,
    { ...subject, action: "token.revoke", token: { id: token.id, hint: token.hint } },
    { urgent: false },
    async () => token,
  );
  await tellRevoked(owner, revoked, known?.label ?? null);
  return revoked.answer;
}

type Told = { answer: Revoked; token: Pick<HeldAmongOthers, "id" | "hint"> };

function tellRevoked({ tenant, actor }: TokenOwner, { answer, token }: Told, label: string | null): Promise<void> {
  const { id, hint } = token;
  const proof = answer.proof.method;
  return notify({ type: "token.revoked", tenant, actor: actor.name, tokenId: id, hint, label, proof });
}

function auditedRevocation(
  owner: TokenOwner,
  subject: Subject,
  options: { urgent: boolean },
  find: () => Promise<HeldAmongOthers>,
): Promise<Told> {
  return audited(
    owner.actor,
    subject,
    async (intent) => {
      const token = await find();
      intent.token = { id: token.id, hint: token.hint };
      intent.details = { ...subject.details };
      const proof = await revoke(owner, token);
      intent.details.proof = proof.method;
      return { answer: { outcome: "revoked", proof }, token };
    },
    options,
  );
}

async function revoke(owner: TokenOwner, token: HeldAmongOthers): Promise<RevocationProof> {
  const said = await owner.client.deleteTokenValue(token.value).catch((error: unknown) => {
    // A session that ended cannot be helped here. Every other failure leaves the question open: the proof decides.
    if (!(error instanceof UpstreamError)) throw error;
    return error;
  });
  const verdict = await proveDead(owner, token, said);
  if ("method" in verdict) {
    await ifReachable(recordRevoked(scopeOf(owner), token.id, verdict.method, Date.parse(verdict.checkedAt)));
    return verdict;
  }
  throw new TokendeskError("revocation_unconfirmed", `${verdict.evidence} Treat this token as alive and try again.`, {
    ...(said instanceof UpstreamError ? { cause: said } : {}),
  });
}

/** What came back for a deletion. */
export type Said = DeletionAnswer | UpstreamError;

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
  token: HeldAmongOthers,
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
async function presenceOf(owner: TokenOwner, token: HeldAmongOthers): Promise<"listed" | "absent" | "unclear"> {
  const list = await answered(listHeld(owner, { fresh: true }));
  if (list === null) return "unclear";
  const ids = new Set(list.held.map(({ id }) => id));
  if (ids.has(token.id)) return "listed";
  const plausible = token.siblings.length === 0 || token.siblings.some(({ id }) => ids.has(id));
  return plausible && list.unreadable === 0 ? "absent" : "unclear";
}

export function saidInWords(said: Said): string {
  if (said === "accepted") return "RingCX said that it deleted this token.";
  if (said === "refused") return "RingCX answered that it did not delete this token.";
  return "RingCX did not confirm the deletion.";
}

function proof(method: RevocationProof["method"]): RevocationProof {
  return { method, checkedAt: new Date().toISOString() };
}
