import "server-only";
import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import type { Transaction } from "kysely";
import { z } from "zod";
import { append, canonical, type Draft, hasEvent, lockChain, outcomesOf } from "@/lib/audit/chain";
import { cleanDraft } from "@/lib/audit/redaction";
import { type AuditEvent, auditActions, auditOutcomes } from "@/lib/audit/schema";
import { endSpooled } from "@/lib/audit/spooled-ends";
import { read, write } from "@/lib/db/client";
import { DatabaseUnavailable, isDatabaseUnavailable } from "@/lib/db/failure";
import type { Database } from "@/lib/db/schema";
import { env } from "@/lib/env";
import { inTime } from "@/lib/in-time";
import { logger } from "@/lib/logger";

/**
 * Where records wait that cannot be written to the log now: `$DATA_DIR/audit-spool.jsonl`, and the log stream. Each has
 * its event's ID from the beginning, so that appending it twice leaves one event: a file is removed only after its
 * records are committed, and whoever finds a file may append it.
 */
const text = z.string().max(20_000);
const draftSchema = z.strictObject({
  id: z.uuid(),
  tenant: text.nullable(),
  action: z.enum(auditActions),
  outcome: z.enum(auditOutcomes),
  actorId: text.nullable(),
  actorName: text,
  address: text.nullable(),
  userAgent: text.nullable(),
  requestId: text.nullable(),
  correlationId: text,
  tokenId: text.nullable(),
  tokenHint: text.nullable(),
  reason: text.nullable(),
  details: z.record(z.string(), z.union([text, z.number(), z.boolean(), z.null(), z.array(text)])),
});

const waitingSchema = z.strictObject({
  draft: draftSchema,
  happenedAt: z.number().int().min(0).max(8.64e15),
  /** An `attempted` whose outcome is to follow: the process that has it in hand. */
  opens: z.string().nullable(),
  /** An outcome of an intent: the ID of its `attempted`. */
  settles: z.uuid().nullable(),
  /** Nothing to say if that intent never got into the log. */
  ifOpen: z.boolean(),
});

/** A record on its way into the log. */
export type Waiting = { draft: Draft } & Omit<z.infer<typeof waitingSchema>, "draft">;

const minute = 60_000;
const spoolName = "audit-spool.jsonl";
const rejectedName = "audit-spool.rejected.jsonl";
/** With the time when it was taken away, so that the older ones are appended first. */
const claimedName = /^audit-spool\.(\d{13})-[0-9a-f-]{36}\.jsonl$/;

type State = {
  draining: Promise<void> | null;
  /** There may be files that a drain left behind: this process's, or a dead one's. */
  leftover: boolean;
  /** What could not even be written to the file. */
  held: Waiting[];
};
const slot = Symbol.for("tokendesk.audit.spool");
type Slot = { [slot]?: State };
const maxHeld = 10_000;

function state(): State {
  const holder = globalThis as Slot;
  holder[slot] ??= { draining: null, leftover: true, held: [] };
  return holder[slot];
}

/**
 * Appends records inside a transaction, with what they do to the open intents. Where somebody else has settled an intent,
 * what its own process says of it is left out only when it says nothing else; otherwise it follows, and `corrects` that.
 * @param late the records were spooled: some of them may be in the log already
 * @returns how many were appended
 */
export async function commit(
  trx: Transaction<Database>,
  records: readonly Waiting[],
  { late = false }: { late?: boolean } = {},
): Promise<number> {
  await lockChain(trx);
  const opened = new Map<string, { draft: Draft; happenedAt: number; instance: string; nth: number }>();
  const drafts: Draft[] = [];
  for (const { draft, happenedAt, opens, settles, ifOpen } of records) {
    let corrects = false;
    if (late && (drafts.some(({ id }) => id === draft.id) || (await hasEvent(trx, draft.id)))) continue;
    if (settles !== null && !opened.delete(settles)) {
      const { numDeletedRows } = await trx
        .deleteFrom("audit_intents")
        .where("id", "=", settles)
        .executeTakeFirstOrThrow();
      const known = numDeletedRows > 0n || drafts.some(({ id }) => id === settles);
      if (!known) {
        if (ifOpen) continue;
        const recorded = await recordedFor(trx, settles, draft);
        if (recorded.some((one) => isSaidBy(one, draft))) continue;
        corrects = recorded.length > 0;
      }
    }
    const details = {
      ...draft.details,
      ...(late ? { happenedAt: new Date(happenedAt).toISOString() } : {}),
      ...(corrects ? { corrects } : {}),
    };
    drafts.push({ ...draft, details });
    if (opens === null) continue;
    // Its outcome may have found its way before it.
    const isOver =
      late &&
      (drafts.some(({ correlationId, outcome }) => correlationId === draft.correlationId && outcome !== "attempted") ||
        (await outcomesOf(trx, draft, { at: happenedAt - minute })).length > 0);
    if (!isOver) opened.set(draft.id, { draft, happenedAt, instance: opens, nth: drafts.length });
  }
  const head = await append(trx, drafts);
  for (const { draft, happenedAt, instance, nth } of opened.values()) {
    await trx
      .insertInto("audit_intents")
      .values({
        id: draft.id,
        correlation_id: draft.correlationId,
        seq: head.seq - drafts.length + nth,
        // By the clock of its own process, which its list is compared with; the chain's is the fastest of all replicas.
        at: Math.min(head.at, happenedAt),
        tenant: draft.tenant,
        actor_id: draft.actorId,
        action: draft.action,
        token_id: draft.tokenId,
        instance,
      })
      .execute();
  }
  return drafts.length;
}

/** What is recorded of an act whose `attempted` is in the log; nothing where that is not. */
async function recordedFor(trx: Transaction<Database>, attempted: string, outcome: Draft): Promise<AuditEvent[]> {
  const place = await trx.selectFrom("audit_events").select("seq").where("id", "=", attempted).executeTakeFirst();
  return place ? outcomesOf(trx, outcome, place) : [];
}

/** Whether a recorded outcome says all that this one would. */
function isSaidBy({ outcome, token, details }: AuditEvent, draft: Draft): boolean {
  return (
    outcome === draft.outcome &&
    (draft.tokenId === null || token?.id === draft.tokenId) &&
    Object.entries(draft.details).every(([name, value]) => canonical(details[name]) === canonical(value))
  );
}

/**
 * Appends the record, behind what waits. What cannot be written now waits, too. Never rejects.
 * @param withinMs what is not written by then is put aside; it may be written all the same, and stands in the log once
 */
export async function commitOrSpool(record: Waiting, withinMs?: number): Promise<void> {
  let isAside = false;
  const putAside = () => {
    if (isAside) return;
    isAside = true;
    spool(record);
  };
  const written = (async () => {
    try {
      await drainSpool().catch((error: unknown) => {
        if (!isSpoolUnusable(error)) throw error;
        logger().warn({ err: error }, "audit spool not read: what waits in it is tried again later");
      });
      await write("audit", (trx) => commit(trx, [record], { late: isAside }));
    } catch (error) {
      if (!isDatabaseUnavailable(error)) logger().error({ err: error }, "audit record not written");
      putAside();
    }
    return true;
  })();
  const done = withinMs === undefined ? await written : await inTime(written, withinMs);
  if (!done) putAside();
}

/** Puts a record aside: on the log stream, in the file, and where even that fails in memory. Never throws. */
export function spool(record: Waiting): void {
  logger().error(
    { record: { ...record.draft, happenedAt: new Date(record.happenedAt).toISOString() } },
    "audit spooled",
  );
  try {
    appendDurably(spoolName, JSON.stringify(record));
  } catch (error) {
    logger().error({ err: error }, "audit spool not written: the record is held in memory");
    const { held } = state();
    if (held.length < maxHeld) held.push(record);
  }
}

/** A line at the end of a file of DATA_DIR, on the disk when this returns. */
export function appendDurably(name: string, line: string): void {
  const { dataDir } = env();
  const path = join(dataDir, name);
  for (let attempt = 1; ; attempt += 1) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = openSync(path, "a", 0o600);
    try {
      // Begins on a line of its own even after one that a crash or a full disk has cut.
      appendFileSync(file, `\n${line}\n`);
      fsyncSync(file);
      // Another process may have taken the file away to drain it, and read it before this line stood there.
      if (statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(file).ino || attempt === 5) return;
    } finally {
      closeSync(file);
    }
  }
}

/** Whether records wait, as far as it can be told without looking closely. */
function isWaiting(): boolean {
  return state().leftover || state().held.length > 0 || existsSync(join(env().dataDir, spoolName));
}

/** The files cannot be read, while the database may be well. Whoever needs to know all records must not go on. */
class SpoolUnusable extends DatabaseUnavailable {
  readonly spool = true;
}

/** Also of one from another bundle, whose drain this one waited for. */
function isSpoolUnusable(error: unknown): boolean {
  return isDatabaseUnavailable(error) && "spool" in error;
}

/**
 * Appends what waits; returns when nothing does.
 * @param options.sweep looks for files that another process has left behind, too
 * @throws {DatabaseUnavailable}, also when the files cannot be read
 */
export async function drainSpool({ sweep = false }: { sweep?: boolean } = {}): Promise<void> {
  const current = state();
  if (sweep) current.leftover = true;
  while (isWaiting()) {
    current.draining ??= drain(current)
      .catch((error: unknown) => {
        if (isDatabaseUnavailable(error)) throw error;
        current.leftover = true;
        throw new SpoolUnusable("unusable", { cause: error });
      })
      .finally(() => {
        current.draining = null;
      });
    await current.draining;
  }
}

async function drain(current: State): Promise<void> {
  const { dataDir } = env();
  // Nothing is taken away while it could not be appended.
  await read((db) => db.selectFrom("audit_chain").select("seq").execute());
  if (current.leftover) {
    current.leftover = false;
    const names = existsSync(dataDir)
      ? readdirSync(dataDir)
          .filter((name) => claimedName.test(name))
          .sort()
      : [];
    for (const name of names) await drainFile(current, name);
  }
  await drainFile(current, spoolName);
  while (current.held.length > 0) {
    const some = current.held.slice(0, 100);
    await commitAll(some);
    current.held.splice(0, some.length);
  }
}

async function drainFile(current: State, name: string): Promise<void> {
  const { dataDir } = env();
  // Under a name that nobody else appends to or reads from.
  const taken = claimedName.exec(name)?.[1] ?? String(Date.now());
  const claimed = join(dataDir, `audit-spool.${taken}-${randomUUID()}.jsonl`);
  let content: string;
  try {
    renameSync(join(dataDir, name), claimed);
    content = readFileSync(claimed, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  try {
    const records: Waiting[] = [];
    const damaged: string[] = [];
    for (const line of content.split("\n").filter(Boolean)) {
      const record = parse(line);
      if (record) records.push(record);
      else damaged.push(line);
    }
    for (let from = 0; from < records.length; from += 100) await commitAll(records.slice(from, from + 100));
    for (const line of damaged) reject(line);
    rmSync(claimed, { force: true });
    if (records.length > 0) logger().info({ records: records.length }, "audit spool appended");
  } catch (error) {
    current.leftover = true;
    throw error;
  }
}

function parse(line: string): Waiting | null {
  try {
    const record = waitingSchema.parse(JSON.parse(line));
    return { ...record, draft: cleanDraft(record.draft) };
  } catch {
    return null;
  }
}

function reject(line: string): void {
  logger().error({ bytes: Buffer.byteLength(line) }, "audit spool: a damaged record is set aside");
  appendDurably(rejectedName, line);
}

async function commitAll(records: readonly Waiting[]): Promise<void> {
  try {
    await endSpooled(records);
    await write("audit", (trx) => commit(trx, records, { late: true }));
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    const [only] = records;
    if (records.length > 1) for (const record of records) await commitAll([record]);
    else if (only) {
      logger().error({ err: error }, "audit spool: a record cannot be appended");
      reject(JSON.stringify(only));
    }
  }
}
