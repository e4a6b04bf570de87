"use client";

import { ShieldCheck } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { type VerificationResult, verificationLineSchema } from "@/components/audit/answers";
import { ProgressBar } from "@/components/audit/progress-bar";
import { brokenOff, type Failure, jsonLines, openStream } from "@/components/http";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { formatCount } from "@/lib/format";
import { auditTexts } from "@/lib/texts/audit";
import { uiTexts } from "@/lib/texts/ui";

const texts = auditTexts.verify;

type State =
  | { step: "running"; verified: number; total: number | null }
  | { step: "over"; result: VerificationResult }
  | { step: "broken"; detail: string }
  | { step: "stopped" }
  | { step: "failed"; failure: Failure };

const start: State = { step: "running", verified: 0, total: null };

/** Checks every event of the log against its neighbours and the signed checkpoints, on the server. */
export function VerifyButton() {
  const trigger = useRef<HTMLButtonElement>(null);
  const running = useRef<AbortController>(undefined);
  const [state, setState] = useState<State | null>(null);

  useEffect(() => () => running.current?.abort(), []);

  async function verify() {
    const controller = new AbortController();
    running.current = controller;
    setState(start);
    const next = await runVerification(controller.signal, (step) => setState((before) => before && step));
    setState((before) => before && (controller.signal.aborted ? { step: "stopped" } : next));
  }

  const busy = state?.step === "running";
  return (
    <>
      <Button ref={trigger} aria-label={texts.button} onClick={verify}>
        <ShieldCheck className="size-3.5 text-faint" aria-hidden="true" />
        <span className="max-sm:hidden">{texts.button}</span>
      </Button>
      {state && (
        <Dialog
          title={texts.title}
          description={texts.description}
          wide
          sticky={busy}
          onClose={() => {
            running.current?.abort();
            setState(null);
          }}
          returnFocus={() => trigger.current?.focus()}
          footer={
            busy ? (
              <Button key="stop" ref={focusOnMount} onClick={() => running.current?.abort()}>
                {uiTexts.actions.cancel}
              </Button>
            ) : (
              <>
                <Button onClick={verify}>{texts.again}</Button>
                <Button key="done" ref={focusOnMount} variant="primary" onClick={() => setState(null)}>
                  {uiTexts.actions.done}
                </Button>
              </>
            )
          }
        >
          {state.step === "running" && (
            <div>
              <ProgressBar label={texts.progress} value={state.verified} max={state.total} />
              <p className="mt-1.5 text-dim text-sm tabular-nums">
                {state.total === null ? texts.starting : texts.verified(state.verified, state.total)}
              </p>
            </div>
          )}
          {state.step === "over" && <Result result={state.result} />}
          {state.step === "broken" && (
            <Callout tone="danger" role="alert" title={texts.broken}>
              <p>{state.detail}</p>
              <p>{texts.saysNothing}</p>
            </Callout>
          )}
          {state.step === "stopped" && (
            <Callout tone="info" role="status" title={texts.cancelled}>
              <p>{texts.notToItsEnd}</p>
            </Callout>
          )}
          {state.step === "failed" && <FailureNote failure={state.failure} />}
        </Dialog>
      )}
    </>
  );
}

async function runVerification(signal: AbortSignal, onProgress: (state: State) => void): Promise<State> {
  const answer = await openStream("/api/audit/verify", { method: "POST", signal });
  if (!answer.ok) return { step: "failed", failure: answer.failure };
  try {
    for await (const value of jsonLines(answer.value.body)) {
      const line = verificationLineSchema.safeParse(value).data;
      if (line?.type === "progress") onProgress({ step: "running", verified: line.verified, total: line.total });
      else if (line?.type === "result") return { step: "over", result: line };
      else if (line?.type === "failed") return { step: "broken", detail: line.detail };
    }
  } catch (error) {
    return { step: "failed", failure: brokenOff(error) };
  }
  return { step: "broken", detail: texts.noResult };
}

function Result({ result }: { result: VerificationResult }) {
  const { ok, verified, firstSeq, lastSeq, headHash, checkpoints, openIntents, problems } = result;
  return (
    <div className="flex flex-col gap-4">
      {ok ? (
        <Callout tone="good" role="status" title={texts.good}>
          <p>{texts.follows(verified, checkpoints)}</p>
          {checkpoints === 0 && <p>{texts.noCheckpoint}</p>}
        </Callout>
      ) : (
        <Callout tone="danger" role="alert" title={texts.bad}>
          <p>{texts.counted(problems.length, verified)}</p>
        </Callout>
      )}
      {problems.length > 0 && (
        <ol aria-label={texts.problems} className="divide-y divide-line rounded-lg border border-line">
          {problems.map(({ kind, seq, detail }) => (
            <li key={`${kind} ${seq} ${detail}`} className="flex gap-3 px-3 py-2 text-sm">
              <span className="w-20 shrink-0 font-mono text-dim text-xs leading-5">{texts.place(seq)}</span>
              <span className="min-w-0">
                <span className="block font-medium">{auditTexts.problems[kind]}</span>
                <span className="block break-words text-dim text-xs">{detail}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-1.5 text-sm tabular-nums">
        <dt className="text-faint">{texts.events}</dt>
        <dd>
          {formatCount(verified)}
          {firstSeq !== null && lastSeq !== null && (
            <span className="text-dim"> {texts.extent(firstSeq, lastSeq)}</span>
          )}
        </dd>
        <dt className="text-faint">{texts.checkpoints}</dt>
        <dd>{formatCount(checkpoints)}</dd>
        <dt className="text-faint">{texts.openIntents}</dt>
        <dd>
          {formatCount(openIntents)}
          {openIntents > 0 && <span className="text-dim"> {texts.openIntentsWhy}</span>}
        </dd>
        {headHash && (
          <>
            <dt className="text-faint">{texts.newestHash}</dt>
            <dd className="flex items-start gap-1">
              <span className="break-all font-mono text-2xs leading-5">{headHash}</span>
              <CopyButton text={headHash} what={texts.newestHashCopied} className="-my-0.5 shrink-0" />
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
