import { call, type Failure, isOutcomeUnknown, needsSignIn } from "@/components/http";
import { revokedSchema, tokenPath } from "@/components/tokens/answers";
import type { RevocationProof, Token } from "@/lib/tokens/schema";

/** What became of one token. `absent`: it was not in the list any more. `unknown`: it may still be alive. */
export type Outcome =
  | { state: "waiting" }
  | { state: "working" }
  | { state: "revoked"; proof: RevocationProof }
  | { state: "absent" }
  | { state: "failed" | "unknown"; failure: Failure };

type Run = {
  tokens: readonly Token[];
  /** Null: none was given. */
  reason: string | null;
  /** Goes on when the audit log cannot be written. */
  urgent: boolean;
  /** Stops before the next token. The one under way is not cut: its answer is the proof. */
  signal: AbortSignal;
  onOutcome: (token: Token, outcome: Outcome) => void;
  /** Seconds to wait because of a limit; 0 when it goes on. */
  onWait: (seconds: number) => void;
};

const waitsPerToken = 3;
const longestWait = 120;

/** Revokes one after the other. Ends early when it is stopped, and at what every further one would meet too. */
export async function revokeInTurn({ tokens, reason, urgent, signal, onOutcome, onWait }: Run): Promise<void> {
  const json = { ...(reason === null ? {} : { reason }), ...(urgent ? { urgent } : {}) };
  for (const token of tokens) {
    if (signal.aborted) return;
    onOutcome(token, { state: "working" });
    const outcome = await revokeOne(token, json, signal, onWait);
    onOutcome(token, outcome);
    if (outcome.state === "failed" && endsRun(outcome.failure)) return;
  }
}

function endsRun(failure: Failure): boolean {
  return needsSignIn(failure) || failure.code === "audit_unavailable";
}

async function revokeOne(
  token: Token,
  json: { reason?: string; urgent?: boolean },
  signal: AbortSignal,
  onWait: (seconds: number) => void,
): Promise<Outcome> {
  for (let waits = 0; ; waits += 1) {
    const answer = await call(tokenPath(token), { method: "DELETE", json, answer: revokedSchema });
    if (answer.ok) return { state: "revoked", proof: answer.value.proof };
    const { failure } = answer;
    if (failure.code === "token_not_found") return { state: "absent" };
    const limited = failure.code === "rate_limited" || failure.code === "upstream_rate_limited";
    if (!limited || waits === waitsPerToken)
      return { state: isOutcomeUnknown(failure) ? "unknown" : "failed", failure };
    const stopped = await pause(Math.min(failure.retryAfter ?? 10, longestWait), signal, onWait);
    if (stopped) return { state: "failed", failure };
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
