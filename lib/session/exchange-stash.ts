import "server-only";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { read, write } from "@/lib/db/client";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";

/**
 * A place in the database for what has no room in the cookies of a browser. It is sealed under a key that stands nowhere but
 * in the handle, which the browser keeps: who has the database alone opens nothing.
 */

/**
 * @returns the handle
 * @throws {TokendeskError} `session_too_large`: the database is away, and the browser had no room
 */
export async function stash(text: string, lifetimeMs: number): Promise<string> {
  const id = randomBytes(12).toString("base64url");
  const key = randomBytes(32);
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(id));
  const sealed = Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  await write(lockOf(id), async (trx) => {
    const now = Date.now();
    await trx.deleteFrom("ringex_tokens").where("expires_at", "<=", now).execute();
    await trx
      .insertInto("ringex_tokens")
      .values({ id, sealed: sealed.toString("base64url"), expires_at: now + lifetimeMs })
      .execute();
  }).catch(
    away(
      "session_too_large",
      "The encrypted cookies have no room for a sign-in with RingCentral, so nothing was changed. Disconnect a RingCX account first.",
    ),
  );
  return `${id}.${key.toString("base64url")}`;
}

/**
 * null: there is nothing, or not any more.
 * @throws {TokendeskError} `internal_error`: the database is away
 */
export async function unstash(handle: string): Promise<string | null> {
  const [id = "", key = ""] = handle.split(".");
  const row = await read((db) =>
    db
      .selectFrom("ringex_tokens")
      .select("sealed")
      .where("id", "=", id)
      .where("expires_at", ">", Date.now())
      .executeTakeFirst(),
  ).catch(
    away("internal_error", "The database that keeps your sign-in does not answer. Try again in a moment.", {
      again: true,
    }),
  );
  if (!row) return null;
  try {
    const bytes = Buffer.from(row.sealed, "base64url");
    const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "base64url"), bytes.subarray(0, 12), {
      authTagLength: 16,
    })
      .setAAD(Buffer.from(id))
      .setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("utf8");
  } catch (error) {
    logger().warn({ err: error }, "what was kept for a RingEX sign-in does not open");
    return null;
  }
}

/** Keeps it for so long from now on, as far as the database can be had. */
export async function prolongStash(handle: string, lifetimeMs: number): Promise<void> {
  const id = idOf(handle);
  await write(lockOf(id), (trx) =>
    trx
      .updateTable("ringex_tokens")
      .set({ expires_at: Date.now() + lifetimeMs })
      .where("id", "=", id)
      .execute(),
  ).catch(later);
}

/** It is gone at once, or, when the database is away, when its time is over. */
export async function dropStash(handle: string): Promise<void> {
  const id = idOf(handle);
  await write(lockOf(id), (trx) => trx.deleteFrom("ringex_tokens").where("id", "=", id).execute()).catch(later);
}

const idOf = (handle: string) => handle.split(".")[0] ?? "";
const lockOf = (id: string) => `ringex token:${id}`;

function later(error: unknown): void {
  if (!isDatabaseUnavailable(error)) throw error;
  logger().warn({ err: error }, "what is kept for a RingEX sign-in stays as it is");
}

const away =
  (code: "session_too_large" | "internal_error", detail: string, extensions = {}) =>
  (cause: unknown): never => {
    if (!isDatabaseUnavailable(cause)) throw cause;
    throw new TokendeskError(code, detail, { cause, extensions });
  };
