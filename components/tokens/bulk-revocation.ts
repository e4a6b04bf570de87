import { call, type Failure, isOutcomeUnknown, needsSignIn } from "@/components/http";
import type { Step } from "@/components/incident/revocation-run";
import { revokedSchema, tokenPath } from "@/components/tokens/answers";
import { tokensTexts } from "@/lib/texts/tokens";
import type { RevocationProof, Token } from "@/lib/tokens/schema";

const texts = tokensTexts.bulk;

/**
 * What became of one token. `absent`: it was dead, or not in the list any more. `failed`: it is alive. `unknown`: it may
 * still be alive.
 */
export type Outcome =
  | { state: "waiting" | "working" }
  | { state: "revoked"; proof: RevocationProof }
  | { state: "absent" | "failed" | "unknown"; detail: string };

export const isDone = ({ state }: Outcome) => state === "revoked" || state === "absent";
export const isFailed = ({ state }: Outcome) => state === "failed" || state === "unknown";

const seen = new WeakMap<Step, Outcome>();

/** What a run says of a token; the same object for the same step, so that a row of many is not drawn again for it. */
export function outcomeOfStep(step: Step): Outcome {
  const outcome = seen.get(step) ?? readStep(step);
  seen.set(step, outcome);
  return outcome;
}

function readStep({ outcome, proof, detail, hint }: Step): Outcome {
  // Without a hint it was not even in the list: there is nothing that could be tried again.
  if (outcome === "unknown" && hint === "…") return { state: "absent", detail };
  if (outcome === "revoked" && proof) return { state: "revoked", proof };
  if (outcome === "alive") return { state: "failed", detail };
  return { state: outcome === "already_dead" ? "absent" : "unknown", detail };
}

type Run = {
  tokens: readonly Token[];
  /** Null: none was given. */
  reason: string | null;
  /** Stops before the next token. The one under way is not cut: its answer is the proof. */
  signal: AbortSignal;
  onOutcome: (token: Token, outcome: Outcome) => void;
  /** Seconds to wait because of a limit; 0 when it goes on. */
  onWait: (seconds: number) => void;
};

const waitsPerToken = 3;
const longestWait = 120;

/**
 * Revokes one after the other, whether the audit log can be written or not: for that alone, a run of many needs the
 * database. Ends early when it is stopped, and at what every further one would meet too.
 * @returns the failure that ended it; null: none did
 */
export async function revokeWithoutLog({ tokens, reason, signal, onOutcome, onWait }: Run): Promise<Failure | null> {
  const json = { ...(reason === null ? {} : { reason }), urgent: true as const };
  for (const token of tokens) {
    if (signal.aborted) return null;
    onOutcome(token, { state: "working" });
    const { outcome, failure } = await revokeOne(token, json, signal, onWait);
    onOutcome(token, outcome);
    if (failure && needsSignIn(failure)) return failure;
  }
  return null;
}

async function revokeOne(
  token: Token,
  json: { reason?: string; urgent: true },
  signal: AbortSignal,
  onWait: (seconds: number) => void,
): Promise<{ outcome: Outcome; failure: Failure | null }> {
  for (let waits = 0; ; waits += 1) {
    const answer = await call(tokenPath(token), { method: "DELETE", json, answer: revokedSchema });
    if (answer.ok) return { outcome: { state: "revoked", proof: answer.value.proof }, failure: null };
    const { failure } = answer;
    const { code, detail } = failure;
    if (code === "token_not_found") return { outcome: { state: "absent", detail: texts.absent }, failure };
    const limited = code === "rate_limited" || code === "upstream_rate_limited";
    const stopped =
      limited &&
      waits < waitsPerToken &&
      (await pause(Math.min(failure.retryAfter ?? 10, longestWait), signal, onWait));
    if (limited && waits < waitsPerToken && !stopped) continue;
    return { outcome: { state: isOutcomeUnknown(failure) ? "unknown" : "failed", detail }, failure };
  }
}

/** True when it was stopped. */
function pause(seconds: number, signal: AbortSignal, onWait: (seconds: number) => void): Promise<boolean> {
  return new Promise((resolve) => {
    // By the clock: a background tab's timers are slowed down.
    const endsAt = Date.now() + seconds * 1000;
    onWait(seconds);
    const end = () => {
      clearInterval(timer);
      signal.removeEventListener("abort", end);
      onWait(0);
      resolve(signal.aborted);
    };
    const timer = setInterval(() => {
      const left = Math.ceil((endsAt - Date.now()) / 1000);
      if (left > 0) onWait(left);
      else end();
    }, 1000);
    signal.addEventListener("abort", end);
  });
}
