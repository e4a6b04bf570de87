import "server-only";
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Transaction } from "kysely";
import { z } from "zod";
import { canonical, type Head } from "@/lib/audit/chain";
import { appendDurably } from "@/lib/audit/spool";
import { write } from "@/lib/db/client";
import type { Database } from "@/lib/db/schema";
import { env } from "@/lib/env";
import { logger } from "@/lib/logger";

/**
 * Signed statements of how far the log had come. They go to the database, to `$DATA_DIR/audit-checkpoints.jsonl` and to
 * the log stream: who changes the log would have to change all copies, and cannot sign new ones without FINGERPRINT_KEY.
 */
const kinds = ["start", "hourly", "export", "prune", "stop"] as const;
type CheckpointKind = (typeof kinds)[number];

const whole = z.number().int().min(0);
const statementSchema = z.strictObject({
  version: z.literal(1),
  chain: z.string(),
  /** The newest event at that time, and its hash. */
  seq: whole,
  hash: z.string(),
  /** How many events were in the log. */
  count: whole,
  /** The newest event that retention had removed, and its hash. */
  prunedSeq: whole,
  prunedHash: z.string().nullable(),
  at: whole,
  kind: z.enum(kinds),
});
export type Statement = z.infer<typeof statementSchema>;

/** `statement`: canonical JSON. `signature`: Ed25519, base64url. */
export type Signed = { statement: string; signature: string };

const fileName = "audit-checkpoints.jsonl";

const keySlot = Symbol.for("tokendesk.audit.key");
type Slot = { [keySlot]?: { from: string; secret: KeyObject; open: KeyObject } };

/** The same on every replica that shares FINGERPRINT_KEY. */
function keys(): { secret: KeyObject; open: KeyObject } {
  const holder = globalThis as Slot;
  const from = env().fingerprintKey;
  if (holder[keySlot]?.from !== from) {
    const seed = hkdfSync("sha256", from, "", "tokendesk audit checkpoints", 32);
    // PKCS #8 of an Ed25519 key (RFC 8410): this prefix, then the seed.
    const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed)]);
    const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    holder[keySlot] = { from, secret, open: createPublicKey(secret) };
  }
  return holder[keySlot];
}

/** With it anybody can check the signatures: the raw Ed25519 key, base64url. */
export function publicKey(): string {
  return keys().open.export({ format: "jwk" }).x ?? "";
}

function signStatement(statement: Statement): Signed {
  const text = canonical(statement);
  return { statement: text, signature: sign(null, Buffer.from(text), keys().secret).toString("base64url") };
}

/** What a checkpoint states; null: it is not signed with this installation's key. */
export function openCheckpoint({ statement, signature }: Signed): Statement | null {
  try {
    if (!verify(null, Buffer.from(statement), keys().open, Buffer.from(signature, "base64url"))) return null;
    return statementSchema.parse(JSON.parse(statement));
  } catch {
    return null;
  }
}

/** Writes a checkpoint of this head into the table. Null: there is one of that event already. */
export async function insertCheckpoint(
  trx: Transaction<Database>,
  head: Head,
  kind: CheckpointKind,
): Promise<Signed | null> {
  if (kind !== "prune") {
    const same = await trx
      .selectFrom("audit_checkpoints")
      .select("seq")
      .where("chain", "=", head.chain)
      .where("seq", "=", head.seq)
      .executeTakeFirst();
    if (same) return null;
  }
  const at = Date.now();
  const { chain, seq, hash } = head;
  const signed = signStatement({
    version: 1,
    chain,
    seq,
    hash,
    count: seq - head.pruned_seq,
    prunedSeq: head.pruned_seq,
    prunedHash: head.pruned_hash,
    at,
    kind,
  });
  await trx
    .insertInto("audit_checkpoints")
    .values({ chain, seq, kind, at, ...signed })
    .execute();
  return signed;
}

/** Puts a checkpoint where the database's owner does not reach: the log stream, and the file. @throws when the file cannot be written */
export function publish(signed: Signed): void {
  logger().info({ ...signed, publicKey: publicKey() }, "audit checkpoint");
  appendDurably(fileName, JSON.stringify(signed));
}

/**
 * Makes a checkpoint, unless nothing was appended since the last one.
 * @throws {DatabaseUnavailable}, and what the file system throws
 */
export async function checkpoint(kind: Exclude<CheckpointKind, "prune">): Promise<void> {
  const signed = await write("audit", async (trx) => {
    const head = await trx.selectFrom("audit_chain").selectAll().executeTakeFirst();
    return head && head.seq > 0 ? insertCheckpoint(trx, head, kind) : null;
  });
  if (signed) publish(signed);
}

/** The checkpoints of this machine's file. None, when there is no file. */
export function keptCheckpoints(): Signed[] {
  try {
    return checkpointsIn(readFileSync(join(env().dataDir, fileName), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const signedSchema = z.object({ statement: z.string(), signature: z.string() });

/** The checkpoints among these lines: a checkpoint file, or a saved log stream with whatever else stands in it. */
export function checkpointsIn(text: string): Signed[] {
  return text.split("\n").flatMap((line) => {
    const start = line.indexOf("{");
    if (start < 0 || !line.includes('"signature"')) return [];
    try {
      const parsed = signedSchema.safeParse(JSON.parse(line.slice(start)));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}
