/** An audit log of any length: the people of two main accounts, the actions in about the shares that a year would have. */
import { createHash } from "node:crypto";
import { sql } from "kysely";
import { append, type Draft } from "@/lib/audit/chain";
import { read, write } from "@/lib/db/client";
import { env } from "@/lib/env";

export const tenants = ["ringcx.example.com|333333", "ringcx.example.com|444444"] as const;
const seededDays = 400;
/** Few enough that a log of 1,000 has a full page of each. */
const people = 12;
const tokens = 5000;
/** Every fourth event of a token is its: so it has a full page, too. */
export const busyToken = "token0";
const perTransaction = 2000;

const shares = [
  ...Array(40).fill("session.create"),
  ...Array(30).fill("session.end"),
  ...Array(12).fill("token.reveal"),
  ...Array(8).fill("token.edit"),
  ...Array(4).fill("token.create"),
  ...Array(4).fill("token.revoke"),
  "token.rotate",
  "session.denied",
] as Draft["action"][];

/** The nth event; the same at every time. */
export function seededEvent(nth: number): Draft {
  const digest = createHash("sha1").update(String(nth)).digest();
  const pick = (offset: number, count: number) => digest.readUInt32BE(offset) % count;
  const action = shares[pick(0, shares.length)] ?? "session.create";
  const person = pick(4, people);
  const tenant = person % 10 === 0 ? tenants[1] : tenants[0];
  const token = action.startsWith("token.") ? pick(8, tokens) * Math.sign(pick(16, 4)) : null;
  const id = digest.toString("hex");
  const uuid = (from: number) =>
    `${id.slice(from, from + 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-a${id.slice(17, 20)}-${nth.toString(16).padStart(12, "0")}`;
  return {
    id: uuid(0),
    tenant: action === "session.denied" ? null : tenant,
    action,
    outcome: action === "session.denied" ? "failed" : pick(12, 100) === 0 ? "unknown" : "succeeded",
    actorId: action === "session.denied" ? null : `ringcx:${tenant.replace("|", ":")}:${person}`,
    actorName: `user${person}@example.com`,
    address: `192.0.2.${person}`,
    userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    requestId: uuid(16),
    correlationId: uuid(24),
    tokenId: token === null ? null : `token${token}`,
    tokenHint: token === null ? null : `aws80:…${token.toString(16).padStart(4, "0")}`,
    reason: action === "token.revoke" ? "no longer needed" : null,
    details: action === "token.create" ? { label: `flow ${nth}` } : {},
  };
}

/** Appends `count` events to an empty log. @throws when it has events */
export async function seedAudit(count: number, progress: (made: number) => void): Promise<void> {
  const start = Date.now() - seededDays * 24 * 3_600_000;
  if (env().databaseUrl === null) {
    // What is measured is not how it got there.
    await read(async (db) => {
      await sql`pragma synchronous = off`.execute(db);
      await sql`pragma cache_size = -262144`.execute(db);
    });
  }
  const stepMs = (seededDays * 24 * 3_600_000) / (count + 1);
  for (let made = 0; made < count; ) {
    const some = Math.min(perTransaction, count - made);
    await write("audit", async (trx) => {
      const head = await append(trx, []);
      if (head.seq !== made) throw new Error("The audit log of this database has events already.");
      // Chunks share a time; within 400 days that is seconds.
      for (let from = 0; from < some; from += 100) {
        const drafts = Array.from({ length: Math.min(100, some - from) }, (_, index) =>
          seededEvent(made + from + index),
        );
        await append(trx, drafts, Math.floor(start + (made + from + 1) * stepMs));
      }
    });
    made += some;
    progress(made);
  }
}
