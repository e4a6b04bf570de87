import "server-only";
import { setImmediate as otherWork } from "node:timers/promises";
import { append } from "@/lib/audit/chain";
import { insertCheckpoint, publish } from "@/lib/audit/checkpoints";
import { draftOf, installation } from "@/lib/audit/log";
import { read, write } from "@/lib/db/client";
import { env } from "@/lib/env";

const rowsPerDelete = 250;

/**
 * Removes what is older than AUDIT_RETENTION_DAYS: always the oldest part whole, never an event whose intent is open. The
 * removal is recorded and signed first, so that a verification can tell it from any other; then the rows go.
 * @returns how many events were removed
 * @throws {DatabaseUnavailable}, and what the file system throws
 */
export async function pruneAudit(): Promise<number> {
  const { auditRetentionMs } = env();
  if (auditRetentionMs !== null) {
    const signed = await write("audit", (trx) => decide(trx, Date.now() - auditRetentionMs));
    if (signed) publish(signed);
  }
  let removed = 0;
  for (;;) {
    const some = await removeSome();
    if (some === 0) return removed;
    removed += some;
    await otherWork();
  }
}

async function decide(trx: Parameters<typeof append>[0], before: number) {
  // An empty append: it takes the chain.
  const head = await append(trx, []);
  const newest = await trx
    .selectFrom("audit_events")
    .select("seq")
    .where("at", "<", before)
    .orderBy("at", "desc")
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  const open = await trx
    .selectFrom("audit_intents")
    .select((eb) => eb.fn.min("seq").as("seq"))
    .executeTakeFirst();
  const upTo = Math.min(newest?.seq ?? 0, (open?.seq ?? Number.MAX_SAFE_INTEGER) - 1);
  if (upTo <= head.pruned_seq) return null;
  const anchor = await trx.selectFrom("audit_events").select("hash").where("seq", "=", upTo).executeTakeFirstOrThrow();
  const details = { upTo, events: upTo - head.pruned_seq, olderThan: new Date(before).toISOString() };
  const appended = await append(trx, [draftOf(installation, { action: "audit.prune", outcome: "succeeded", details })]);
  const pruned = { pruned_seq: upTo, pruned_hash: anchor.hash };
  await trx.updateTable("audit_chain").set(pruned).execute();
  return insertCheckpoint(trx, { ...appended, ...pruned }, "prune");
}

/** Some of the events that are recorded as removed, the oldest first. */
async function removeSome(): Promise<number> {
  const first = await read((db) =>
    db.selectFrom("audit_events").select("seq").orderBy("seq").limit(1).executeTakeFirst(),
  );
  const head = await read((db) => db.selectFrom("audit_chain").select("pruned_seq").executeTakeFirst());
  if (!first || !head || first.seq > head.pruned_seq) return 0;
  const upTo = Math.min(first.seq + rowsPerDelete - 1, head.pruned_seq);
  const { numDeletedRows } = await write("audit", (trx) =>
    trx.deleteFrom("audit_events").where("seq", "<=", upTo).executeTakeFirstOrThrow(),
  );
  return Number(numDeletedRows);
}
