import "server-only";
import { createHash, timingSafeEqual } from "node:crypto";
import { isLocal } from "@/lib/auth/address";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";

/**
 * Lets a monitoring system pass: one on this machine, or one that knows METRICS_TOKEN (`Authorization: Bearer`).
 * @throws {TokendeskError} `forbidden`
 */
export function requireMonitor(headers: Headers): void {
  const { metricsToken } = env();
  const given = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (metricsToken !== null && given !== undefined && isSame(given, metricsToken)) return;
  if (isLocal(headers)) return;
  throw new TokendeskError("forbidden", "Metrics are for this machine, or for who knows METRICS_TOKEN.");
}

/** Takes the same time whatever differs. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(left as Buffer, right as Buffer);
}
