import "server-only";
import { z } from "zod";
import { type Actor, recordOrSpool } from "@/lib/audit/log";
import type { SignInAttempt } from "@/lib/auth/sign-in";
import { isTokendeskError, type ProblemCode } from "@/lib/errors";

const slot = Symbol.for("tokendesk.denials");
type Slot = { [slot]?: Map<string, { at: number; unrecorded: number }> };

const quietMs = 60_000;
const maxKeys = 20_000;

/** Codes that nobody's guess is behind, and no limit of ours: they could fill the log as fast as requests come. */
const repeatable = (code: ProblemCode) => code === "rate_limited" || code.startsWith("upstream_");

/**
 * Records a sign-in that was refused. Not one that never was an attempt (`invalid_input`); and of those that no
 * throttle bounds one a minute for the same name from the same address, which says how many there were since the last.
 */
export async function recordDenial(
  attempt: SignInAttempt,
  from: Pick<Actor, "userAgent" | "requestId">,
): Promise<void> {
  const code = isTokendeskError(attempt.error) ? attempt.error.code : "internal_error";
  if (attempt.username === null || code === "invalid_input") return;
  const unrecorded = repeatable(code) ? admit(`${code} ${attempt.address} ${attempt.username.toLowerCase()}`) : 0;
  if (unrecorded === null) return;
  await recordOrSpool(
    {
      tenant: attempt.tenant,
      id: attempt.person?.id ?? null,
      name: shownName(attempt.username),
      address: attempt.address,
      ...from,
    },
    { action: "session.denied", outcome: "failed", details: { code, ...(unrecorded > 0 ? { unrecorded } : {}) } },
  );
}

/** People type passwords into the wrong field: what is no e-mail address is not written down. */
function shownName(username: string): string {
  return z.email().safeParse(username).success ? username : "unknown";
}

/** How many of this kind were not recorded since the last that was; null: this one is not recorded either. */
function admit(key: string): number | null {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  const seen = holder[slot];
  const now = Date.now();
  const last = seen.get(key);
  if (last && now - last.at < quietMs) {
    last.unrecorded += 1;
    return null;
  }
  seen.delete(key);
  while (seen.size >= maxKeys) seen.delete(seen.keys().next().value as string);
  seen.set(key, { at: now, unrecorded: 0 });
  return last?.unrecorded ?? 0;
}
