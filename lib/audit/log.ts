import "server-only";
import { randomUUID } from "node:crypto";
import type { Transaction } from "kysely";
import { append, type Draft } from "@/lib/audit/chain";
import { nameProcess } from "@/lib/audit/process";
import { cleanDraft } from "@/lib/audit/redaction";
import type { AuditAction, AuditDetails, AuditOutcome } from "@/lib/audit/schema";
import { commit, commitOrSpool, spool, type Waiting } from "@/lib/audit/spool";
import { write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import type { Database } from "@/lib/db/schema";
import { isTokendeskError, TokendeskError } from "@/lib/errors";
import { inTime } from "@/lib/in-time";

/** Who does something, and from where. */
export type Actor = {
  tenant: string | null;
  id: string | null;
  name: string;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
};

/** For what Tokendesk does of itself. */
export const installation: Actor = {
  tenant: null,
  id: null,
  name: "tokendesk",
  address: null,
  userAgent: null,
  requestId: null,
};

export type Subject = {
  action: AuditAction;
  token?: { id: string | null; hint: string | null } | null;
  reason?: string | null;
  /** Token values are masked in them, and a bare UUID too, unless its name is `order`, `incident` or ends in `id`. */
  details?: AuditDetails;
  /** Default: an act of its own. */
  correlationId?: string;
};

export type Entry = Subject & { outcome: AuditOutcome };

/** An intent that has been recorded; what is learned on the way goes into the record of its outcome. */
export type Intent = {
  readonly correlationId: string;
  /** The token, where it was not known before. */
  token: { id: string | null; hint: string | null } | null;
  details: AuditDetails;
  /** What to record instead of what the end of the effect suggests. */
  outcome: Exclude<AuditOutcome, "attempted"> | null;
};

/** Names this process: whether the one that made an intent still runs can be told from it. */
export const instance = nameProcess();

/** What this process has in hand: the IDs of its open intents. Its bundles share it. */
const slot = Symbol.for("tokendesk.audit.running");
type Slot = { [slot]?: { instance: string; intents: Set<string> } };

export function inHand(): { instance: string; intents: Set<string> } {
  const holder = globalThis as Slot;
  holder[slot] ??= { instance, intents: new Set() };
  return holder[slot];
}

export function draftOf(actor: Actor, entry: Entry): Draft {
  return cleanDraft({
    id: randomUUID(),
    tenant: actor.tenant,
    action: entry.action,
    outcome: entry.outcome,
    actorId: actor.id,
    actorName: actor.name,
    address: actor.address,
    userAgent: actor.userAgent,
    requestId: actor.requestId,
    correlationId: entry.correlationId ?? randomUUID(),
    tokenId: entry.token?.id ?? null,
    tokenHint: entry.token?.hint ?? null,
    reason: entry.reason ?? null,
    details: entry.details ?? {},
  });
}

/** A record that is made once: appended in the caller's transaction and spooled as well, it stands in the log once. */
export function recordOf(actor: Actor, entry: Entry): Waiting {
  return waiting(draftOf(actor, entry));
}

function waiting(draft: Draft, role: Partial<Pick<Waiting, "opens" | "settles" | "ifOpen">> = {}): Waiting {
  return { draft, happenedAt: Date.now(), opens: null, settles: null, ifOpen: false, ...role };
}

/**
 * Appends events inside the caller's transaction, so that a change in the database and its record are one. The chain is
 * held from here to the end of the transaction: call it last.
 * @returns the sequence number of the last one
 */
export async function appendWithin(
  trx: Transaction<Database>,
  actor: Actor,
  entries: readonly Entry[],
): Promise<number> {
  const drafts = entries.map((entry) => draftOf(actor, entry));
  return (await append(trx, drafts)).seq;
}

/**
 * Records what needs no intent: nothing is done upstream for it.
 * @throws {DatabaseUnavailable}
 */
export async function record(actor: Actor, entry: Entry): Promise<void> {
  await write("audit", (trx) => appendWithin(trx, actor, [entry]));
}

/**
 * The same, for what goes on whether it can be recorded or not: then it is spooled, and appended when the database is
 * back. Never rejects.
 */
export async function recordOrSpool(actor: Actor, entry: Entry): Promise<void> {
  await commitOrSpool(waiting(draftOf(actor, entry)));
}

/** How long an urgent act waits for its records. Before the effect each second counts more than after it. */
const intentWithinMs = 1_000;
const outcomeWithinMs = 2_000;

/**
 * Intent before effect: the record `attempted` is committed, then the effect runs, then its outcome is recorded with the
 * same correlation ID. An error of the effect is recorded as `failed` when its code says that nothing was done, else as
 * `unknown`, and thrown on. An outcome that cannot be written is spooled.
 * @param options.urgent goes on when the intent cannot be written, or not within a second, and spools both records
 * @throws {TokendeskError} `audit_unavailable`: the intent could not be written, and nothing was done
 */
export async function audited<T>(
  actor: Actor,
  subject: Subject,
  effect: (intent: Intent) => Promise<T>,
  { urgent = false }: { urgent?: boolean } = {},
): Promise<T> {
  const attempted = draftOf(actor, { ...subject, outcome: "attempted" });
  const intent: Intent = {
    correlationId: attempted.correlationId,
    token: subject.token ?? null,
    details: {},
    outcome: null,
  };
  const settle = (outcome: AuditOutcome, details: AuditDetails) =>
    waiting(
      draftOf(actor, { ...subject, correlationId: intent.correlationId, token: intent.token, details, outcome }),
      { settles: attempted.id },
    );

  const mine = inHand();
  mine.intents.add(attempted.id);
  try {
    const opening = waiting(attempted, { opens: mine.instance });
    let isAside = false;
    try {
      const written = write("audit", (trx) => commit(trx, [opening], { late: isAside }));
      if (!urgent) await written;
      else if ((await inTime(written, intentWithinMs)) === null) {
        // It may be written all the same, before what is put aside here or after it: each looks for the other.
        isAside = true;
        spool(opening);
      }
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      if (!urgent) {
        if (error.maybeDone) spool({ ...settle("failed", { code: "audit_unavailable" }), ifOpen: true });
        throw new TokendeskError(
          "audit_unavailable",
          "Tokendesk cannot write its audit log, so nothing was changed. Tell its administrator.",
          { cause: error },
        );
      }
      spool(opening);
    }

    const withinMs = urgent ? outcomeWithinMs : undefined;
    try {
      const result = await effect(intent);
      await commitOrSpool(settle(intent.outcome ?? "succeeded", intent.details), withinMs);
      return result;
    } catch (error) {
      const code = isTokendeskError(error) ? error.code : "internal_error";
      await commitOrSpool(settle(intent.outcome ?? outcomeOf(error), { ...intent.details, code }), withinMs);
      throw error;
    }
  } finally {
    mine.intents.delete(attempted.id);
  }
}

const undecided = new Set(["creation_unconfirmed", "revocation_unconfirmed", "internal_error"]);

/** `failed` only where it is sure that nothing was done. */
function outcomeOf(error: unknown): "failed" | "unknown" {
  if (!isTokendeskError(error) || undecided.has(error.code)) return "unknown";
  return (error as { failure?: unknown }).failure === "unknown" ? "unknown" : "failed";
}
