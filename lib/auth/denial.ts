import "server-only";
import { z } from "zod";
import { type Actor, recordOrSpool } from "@/lib/audit/log";
import { noteDenied } from "@/lib/auth/burst";
import type { SignInAttempt } from "@/lib/auth/sign-in";
import { isTokendeskError, type ProblemCode } from "@/lib/errors";

type Memory = {
  /** By code and address: when one was recorded last, and how many were not since. */
  seen: Map<string, { at: number; unrecorded: number }>;
  /** How many were recorded since `at`. */
  minute: { at: number; recorded: number };
  /** Not recorded, and counted under no key. */
  unrecorded: number;
};
const slot = Symbol.for("tokendesk.denials");
type Slot = { [slot]?: Memory };

const quietMs = 60_000;
const maxPerMinute = 60;
const maxKeys = 20_000;

/** Codes that nobody's guess is behind, and no limit of ours: they could fill the log as fast as requests come. */
const repeatable = (code: ProblemCode) => code === "rate_limited" || code.startsWith("upstream_");

/**
 * Records a sign-in that was refused. Not one that never was an attempt (`invalid_input`); and of those that no
 * throttle bounds one a minute from the same address, 60 in all, whatever the names: the next one that is recorded says
 * how many were not.
 */
export async function recordDenial(
  attempt: SignInAttempt,
  from: Pick<Actor, "userAgent" | "requestId">,
  /** Somebody who is signed in tried: then it is theirs, and the name that they tried a detail. */
  by?: Actor,
): Promise<void> {
  const code = isTokendeskError(attempt.error) ? attempt.error.code : "internal_error";
  if (attempt.username === null || code === "invalid_input") return;
  if (refusals.has(code)) {
    const { address, username } = attempt;
    await noteDenied({ address, username, shownName: shownName(username) });
  }
  const unrecorded = repeatable(code) ? admit(`${code} ${attempt.address}`) : 0;
  if (unrecorded === null) return;
  await recordOrSpool(
    by ?? {
      tenant: attempt.tenant,
      id: attempt.person?.id ?? null,
      name: shownName(attempt.username),
      address: attempt.address,
      ...from,
    },
    {
      action: "session.denied",
      outcome: "failed",
      details: {
        code,
        ...(unrecorded > 0 ? { unrecorded } : {}),
        ...(by ? { user: shownName(attempt.username) } : {}),
      },
    },
  );
}

/** Who was told no, by RingCX or by Tokendesk. */
const refusals = new Set<ProblemCode>(["invalid_credentials", "account_not_allowed", "forbidden", "rate_limited"]);

/** People type passwords into the wrong field: what is no e-mail address is not written down. */
function shownName(username: string): string {
  return z.email().safeParse(username).success ? username : "unknown";
}

/** How many were not recorded since the last that was; null: this one is not recorded either. */
function admit(key: string): number | null {
  const holder = globalThis as Slot;
  holder[slot] ??= { seen: new Map(), minute: { at: 0, recorded: 0 }, unrecorded: 0 };
  const memory = holder[slot];
  const { seen } = memory;
  const now = Date.now();
  if (now - memory.minute.at >= quietMs) memory.minute = { at: now, recorded: 0 };
  const last = seen.get(key);
  if (last && now - last.at < quietMs) {
    last.unrecorded += 1;
    return null;
  }
  if (memory.minute.recorded >= maxPerMinute) {
    memory.unrecorded += 1;
    return null;
  }
  memory.minute.recorded += 1;
  const unrecorded = memory.unrecorded + (last?.unrecorded ?? 0);
  memory.unrecorded = 0;
  seen.delete(key);
  for (const [oldest, { unrecorded: some }] of seen) {
    if (seen.size < maxKeys) break;
    memory.unrecorded += some;
    seen.delete(oldest);
  }
  seen.set(key, { at: now, unrecorded: 0 });
  return unrecorded;
}
