"use client";

import { CircleAlert, CircleCheck, CircleDashed, CircleMinus } from "lucide-react";
import { useRouter } from "next/navigation";
import { type FormEvent, useId, useRef, useState } from "react";
import { needsSignIn } from "@/components/http";
import { type Outcome, revokeInTurn } from "@/components/tokens/bulk-revocation";
import { Proof } from "@/components/tokens/proof";
import { ReasonField } from "@/components/tokens/reason-field";
import { TokenHint } from "@/components/tokens/token-hint";
import { WentOnNote, WithoutLogNote } from "@/components/tokens/without-log";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { Field, TextInput } from "@/components/ui/field";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { Spinner } from "@/components/ui/spinner";
import { formatSeconds, plural } from "@/lib/format";
import type { Token } from "@/lib/tokens/schema";

type RevokeSelectedDialogProps = {
  tokens: readonly Token[];
  onClose: () => void;
  /** Told of each token that is revoked, or was gone already. */
  onRevoked: (token: Token) => void;
  returnFocus: () => void;
};

const waiting: Outcome = { state: "waiting" };
const isDone = ({ state }: Outcome) => state === "revoked" || state === "absent";
const isFailed = ({ state }: Outcome) => state === "failed" || state === "unknown";

export function RevokeSelectedDialog({ tokens, onClose, onRevoked, returnFocus }: RevokeSelectedDialogProps) {
  const router = useRouter();
  const formId = useId();
  const reasonId = useId();
  const stop = useRef<AbortController | null>(null);
  // The selection shrinks while its tokens are revoked; the dialog keeps what it was opened with.
  const [chosen] = useState(tokens);
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const [wentOn, setWentOn] = useState(false);
  const [phase, setPhase] = useState<"asking" | "running" | "stopping" | "over">("asking");
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome>>(new Map());
  const [wait, setWait] = useState(0);

  const outcomeOf = (token: Token) => outcomes.get(token.id) ?? waiting;
  const confirmed = typed.trim() === String(chosen.length);
  const done = chosen.filter((token) => isDone(outcomeOf(token)));
  const failed = chosen.filter((token) => isFailed(outcomeOf(token)));
  const rest = chosen.filter((token) => outcomeOf(token).state === "waiting");
  const settled = done.length + failed.length;
  const busy = phase === "running" || phase === "stopping";
  const signedOut = failed.some((token) => {
    const outcome = outcomeOf(token);
    return "failure" in outcome && needsSignIn(outcome.failure);
  });

  const withoutLog = failed.some((token) => {
    const outcome = outcomeOf(token);
    return "failure" in outcome && outcome.failure.code === "audit_unavailable";
  });

  async function run(batch: readonly Token[], urgent = false) {
    if (busy) return;
    const controller = new AbortController();
    stop.current = controller;
    setPhase("running");
    let signedOut = false;
    await revokeInTurn({
      tokens: batch,
      reason: reason.trim() || null,
      urgent,
      signal: controller.signal,
      onWait: setWait,
      onOutcome: (token, outcome) => {
        setOutcomes((known) => new Map(known).set(token.id, outcome));
        if (isDone(outcome)) onRevoked(token);
        if (urgent && outcome.state === "revoked") setWentOn(true);
        if (outcome.state === "failed" && needsSignIn(outcome.failure)) signedOut = true;
      },
    });
    setPhase("over");
    // Without a session a refresh leads away to sign-in, and what became of each token would be lost with this dialog.
    if (!signedOut) router.refresh();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (confirmed && phase === "asking") void run(chosen);
  }

  const title =
    phase === "asking" ? `Revoke ${plural(chosen.length, "token")}` : busy ? "Revoking" : "Revocation finished";
  const progress =
    phase === "over"
      ? [
          `${plural(done.length, "token")} revoked or gone`,
          failed.length > 0 ? `${failed.length} failed` : null,
          rest.length > 0 ? `${rest.length} not tried` : null,
        ]
          .filter((part) => part !== null)
          .join(", ")
      : `${settled} of ${chosen.length} done`;

  return (
    <Dialog
      title={title}
      description={
        phase === "asking"
          ? "This cannot be undone. What uses these tokens stops working at once."
          : "One after the other, each with its proof."
      }
      onClose={() => busy || onClose()}
      sticky={phase !== "asking"}
      returnFocus={returnFocus}
      wide
      footer={
        phase === "asking" ? (
          <>
            {!confirmed && (
              <p id={reasonId} className="mr-auto text-dim text-xs">
                Type <span className="font-mono text-ink">{chosen.length}</span> to go on
              </p>
            )}
            <Button onClick={onClose}>Cancel</Button>
            <Button
              type="submit"
              form={formId}
              variant="danger"
              disabled={!confirmed}
              {...(confirmed ? {} : { "aria-describedby": reasonId })}
            >
              Revoke {plural(chosen.length, "token")}
            </Button>
          </>
        ) : busy ? (
          <Button
            ref={focusOnMount}
            pending={phase === "stopping"}
            onClick={() => {
              setPhase("stopping");
              stop.current?.abort();
            }}
          >
            {phase === "stopping" ? "Finishing the one under way" : "Stop"}
          </Button>
        ) : (
          <>
            {withoutLog && (
              <Button variant="danger" onClick={() => run([...failed, ...rest], true)}>
                Revoke without the log
              </Button>
            )}
            {failed.length > 0 && <Button onClick={() => run(failed)}>Retry the failed</Button>}
            {rest.length > 0 && <Button onClick={() => run(rest)}>Go on with the rest</Button>}
            <Button ref={focusOnMount} variant="primary" onClick={onClose}>
              Done
            </Button>
          </>
        )
      }
    >
      <form id={formId} method="post" onSubmit={submit} noValidate className="flex flex-col gap-4">
        {phase === "asking" ? (
          <>
            <Field label="Number of tokens" help="Confirms that you mean all of them." className="max-w-56">
              {(control) => (
                <TextInput
                  {...control}
                  value={typed}
                  inputMode="numeric"
                  autoComplete="off"
                  className="tabular-nums"
                  onChange={(event) => setTyped(event.target.value)}
                />
              )}
            </Field>
            <ReasonField help="Stands in the audit log, with each of them." reason={reason} onType={setReason} />
          </>
        ) : (
          <div>
            <progress
              value={settled}
              max={chosen.length}
              aria-label="Tokens done"
              className="h-1.5 w-full appearance-none overflow-hidden rounded-full bg-hover [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-hover [&::-webkit-progress-value]:bg-accent"
            />
            <p role="status" className="mt-1.5 text-dim text-sm tabular-nums">
              {progress}
            </p>
            {wait > 0 && (
              <p className="text-sm text-warn tabular-nums">
                RingCX limits requests. Going on in {formatSeconds(wait)}.
              </p>
            )}
          </div>
        )}
        {signedOut && phase === "over" && (
          <Callout tone="warn" role="alert" title="Your session has ended">
            <p>
              <a
                href="/sign-in?reason=expired"
                target="_blank"
                rel="noopener"
                className="font-medium underline underline-offset-2"
              >
                Sign in again in a new tab
              </a>
              , then come back and retry.
            </p>
          </Callout>
        )}
        {withoutLog && phase === "over" && <WithoutLogNote />}
        {wentOn && phase === "over" && (
          <Callout tone="info">
            <WentOnNote />
          </Callout>
        )}
        <ul aria-label="Selected tokens" className="divide-y divide-line rounded-lg border border-line">
          {chosen.map((token) => (
            <li key={token.id} className="flex items-start gap-3 px-3 py-2 text-sm">
              <StateIcon outcome={outcomeOf(token)} />
              <TokenHint hint={token.hint} className="w-32 shrink-0 leading-5" />
              <span className="min-w-0 flex-1">
                <span className="block truncate">{token.label ?? <span className="text-faint">No label</span>}</span>
                <Result outcome={outcomeOf(token)} />
              </span>
              {token.environment && (
                <span className="hidden shrink-0 text-faint text-xs leading-5 sm:inline">{token.environment}</span>
              )}
            </li>
          ))}
        </ul>
      </form>
    </Dialog>
  );
}

function StateIcon({ outcome }: { outcome: Outcome }) {
  const className = "mt-0.5 size-4 shrink-0";
  switch (outcome.state) {
    case "waiting":
      return <CircleDashed className={`${className} text-faint`} aria-hidden="true" />;
    case "working":
      return <Spinner className="mx-px mt-0.75 text-accent" />;
    case "revoked":
      return <CircleCheck className={`${className} text-good`} aria-hidden="true" />;
    case "absent":
      return <CircleMinus className={`${className} text-faint`} aria-hidden="true" />;
    default:
      return <CircleAlert className={`${className} text-danger`} aria-hidden="true" />;
  }
}

function Result({ outcome }: { outcome: Outcome }) {
  switch (outcome.state) {
    case "waiting":
      return null;
    case "working":
      return <span className="block text-dim text-xs">Asking RingCX, then proving that it is dead</span>;
    case "revoked":
      return (
        <span className="block text-good text-xs">
          Revoked. <Proof proof={outcome.proof} />
        </span>
      );
    case "absent":
      return <span className="block text-dim text-xs">Not in your list any more</span>;
    case "unknown":
      return (
        <span className="block text-danger text-xs">Not proven: it may still be alive. {outcome.failure.detail}</span>
      );
    case "failed":
      return (
        <span className="block text-danger text-xs">
          {outcome.failure.title}. {outcome.failure.detail}
        </span>
      );
  }
}
