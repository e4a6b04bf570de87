import { brokenOff, type Failure, failureOf, jsonLines, openStream } from "@/components/http";
import { foreignAnswer, revocationLineSchema } from "@/components/incident/answers";
import { tokensPath } from "@/components/tokens/answers";
import type { RevocationLine, RevokeFindings, RevokeMany, RunSummary } from "@/lib/incidents/schema";

export type Step = Extract<RevocationLine, { type: "step" }>;
export type Pace = { done: number; total: number; etaMs: number };

/** What a run is reached by: its order, which may be sent any number of times, or its case. `connection`: whose tokens. */
export type RunTarget =
  | { order: RevokeFindings }
  | { tokens: RevokeMany; connection?: string | null }
  | { incident: string };

function requestFor(target: RunTarget): { path: string; json: unknown } {
  if ("order" in target) return { path: "/api/incidents/revoke", json: target.order };
  if ("tokens" in target) return { path: tokensPath(target.connection ?? null, "revoke"), json: target.tokens };
  return { path: `/api/incidents/${encodeURIComponent(target.incident)}/follow`, json: {} };
}

type Run = {
  target: RunTarget;
  signal: AbortSignal;
  /** Those that were settled before come first, each time anew. */
  onStep: (step: Step) => void;
  onPace: (pace: Pace) => void;
  /** The connection broke; it is tried again after so many seconds. Null: it is there. */
  onBroken: (seconds: number | null) => void;
};

const pauses = [1, 2, 4, 8, 15];
/** The server says something every few seconds; a laptop that slept leaves a connection that says nothing at all. */
const silence = 20_000;
const mostResumptions = 6;

/**
 * Starts a run, or follows one, until it is settled. The run itself belongs to the server: when the connection breaks,
 * the same request finds it again, and nothing is done twice.
 */
export async function runRevocation({
  target,
  signal,
  onStep,
  onPace,
  onBroken,
}: Run): Promise<{ summary: RunSummary } | { failure: Failure }> {
  let { path, json } = requestFor(target);
  const proven = new Set<string>();
  let broken = 0;
  let resumptions = 0;
  for (;;) {
    const attempt = await once({ path, json, signal, onStep: settled, onPace, onHeard: heard, onCase: named });
    if (signal.aborted) return { failure: brokenOff(new DOMException("", "AbortError")) };
    if ("summary" in attempt) {
      // Who worked on it is gone. Who holds the order can send it again; who only follows cannot.
      const resumable = attempt.summary.outcome === "interrupted" && !("incident" in target);
      resumptions += 1;
      const left = unproven(target);
      if (!resumable || resumptions > mostResumptions || left === null) return attempt;
      ({ path, json } = requestFor(left));
    } else if (attempt.final || !passes(attempt.failure)) return { failure: attempt.failure };
    const wait = ("failure" in attempt && attempt.failure.retryAfter) || (pauses[broken] ?? 15);
    broken += 1;
    onBroken(wait);
    await pause(wait * 1000, signal);
  }

  function settled(step: Step) {
    if (step.outcome === "revoked" || step.outcome === "already_dead") proven.add(step.tokenId);
    onStep(step);
  }

  /** Each order of tokens is a case of its own: sent a second time it would be a second one, so the first is followed. */
  function named(follow: string) {
    if ("tokens" in target) ({ path, json } = { path: follow, json: {} });
  }

  /** What is dead already is in no list, and so nothing that could be ordered by its ID. */
  function unproven(order: RunTarget): RunTarget | null {
    if (!("tokens" in order)) return order;
    const ids = order.tokens.ids.filter((id) => !proven.has(id));
    return ids.length === 0 ? null : { ...order, tokens: { ...order.tokens, ids } };
  }

  function heard() {
    broken = 0;
    onBroken(null);
  }
}

type Once = {
  path: string;
  json: unknown;
  signal: AbortSignal;
  onStep: Run["onStep"];
  onPace: Run["onPace"];
  onHeard: () => void;
  /** Told where the run can be followed. */
  onCase: (path: string) => void;
};

/** Whatever an answer names as the place of a run, nothing else is ever sent to. */
const followPath = /^\/api\/incidents\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/follow(?:\?connection=[\w-]+)?$/;

/** `final`: asking again would not help. */
type Attempt = { summary: RunSummary } | { failure: Failure; final?: true };

async function once({ path, json, signal, onStep, onPace, onHeard, onCase }: Once): Promise<Attempt> {
  const attempt = new AbortController();
  const given = () => attempt.abort();
  signal.addEventListener("abort", given);
  let watch = setTimeout(given, silence);
  try {
    const answer = await openStream(path, { method: "POST", json, signal: attempt.signal });
    if (!answer.ok) return { failure: attempt.signal.aborted ? brokenOff(null) : answer.failure };
    const foreign = foreignAnswer(answer.value);
    if (foreign) {
      await answer.value.body.cancel();
      return { failure: foreign, final: true };
    }
    const place = answer.value.headers.get("content-location");
    if (place !== null && followPath.test(place)) onCase(place);
    for await (const value of jsonLines(answer.value.body)) {
      clearTimeout(watch);
      watch = setTimeout(given, silence);
      const line = revocationLineSchema.safeParse(value).data;
      if (!line) continue;
      onHeard();
      if (line.type === "summary") return { summary: line };
      if (line.type === "failed") return { failure: failureOf(line) };
      if (line.type === "step") onStep(line);
      onPace(line);
    }
    return { failure: brokenOff(null) };
  } catch {
    return { failure: brokenOff(null) };
  } finally {
    clearTimeout(watch);
    signal.removeEventListener("abort", given);
  }
}

/** True for what is over by itself. */
function passes({ code }: Failure): boolean {
  return code === "network" || code === "unreadable" || code === "rate_limited" || code.startsWith("upstream_");
}

/** Ends early when the network comes back, or when it is stopped. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      globalThis.removeEventListener?.("online", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    globalThis.addEventListener?.("online", end);
  });
}
