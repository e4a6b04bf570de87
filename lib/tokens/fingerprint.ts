import "server-only";
import { createHmac } from "node:crypto";
import { env } from "@/lib/env";
import { tokenHint } from "@/lib/tokens/schema";

/** What may be kept and shown of a token value. */
export type TokenMark = {
  /** The first 22 characters (132 bits) of the fingerprint: URL-safe, stable for that token. */
  id: string;
  /** HMAC-SHA-256 of the value with FINGERPRINT_KEY, base64url. */
  fingerprint: string;
  hint: string;
};

/** Marks a token value. The same value has the same mark on every replica that shares FINGERPRINT_KEY. */
export function markToken(value: string): TokenMark {
  const fingerprint = createHmac("sha256", env().fingerprintKey).update(value).digest("base64url");
  return { id: fingerprint.slice(0, 22), fingerprint, hint: tokenHint(value) };
}
