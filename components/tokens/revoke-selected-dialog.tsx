"use client";

import { CircleAlert, CircleCheck, CircleDashed, CircleMinus } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type FormEvent, memo, useEffect, useId, useMemo, useRef, useState } from "react";
import { ProgressBar } from "@/components/audit/progress-bar";
import { connectionName } from "@/components/connections/connection-text";
import { useConnections } from "@/components/connections/connections";
import { useSeveral } from "@/components/connections/listed";
import { needsSignIn } from "@/components/http";
import { incidentPath } from "@/components/incident/answers";
import { timeLeftBecause } from "@/components/incident/incident-text";
import { isDone, isFailed, type Outcome, outcomeOfStep, revokeWithoutLog } from "@/components/tokens/bulk-revocation";
import { useBulkRevocation } from "@/components/tokens/bulk-runs";
import { Proof } from "@/components/tokens/proof";
import { ReasonField } from "@/components/tokens/reason-field";
import { TokenHint } from "@/components/tokens/token-hint";
import { WentOnNote, WithoutLogNote } from "@/components/tokens/without-log";
import { Badge } from "@/components/ui/badge";
import { Button, buttonClass } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { Field, TextInput } from "@/components/ui/field";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { RichText } from "@/components/ui/rich-text";
import { Spinner } from "@/components/ui/spinner";
import { useToast } from "@/components/ui/toast";
import { tokensTexts } from "@/lib/texts/tokens";
import { uiTexts } from "@/lib/texts/ui";
import { rowKey, type Token } from "@/lib/tokens/schema";

const texts = tokensTexts.bulk;

type RevokeSelectedDialogProps = {
  tokens: readonly Token[];
  onClose: () => void;
  /** Told of each token that is revoked, or was gone already. */
  onRevoked: (token: Token) => void;
  returnFocus: () => void;
};

const waiting: Outcome = { state: "waiting" };
const working: Outcome = { state: "working" };
const isProduction = ({ environment }: Token) => environment !== null && /^prod/i.test(environment);

export function RevokeSelectedDialog({ tokens, onClose, onRevoked, returnFocus }: RevokeSelectedDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const formId = useId();
  const reasonId = useId();
  // The selection shrinks while its tokens are revoked; the dialog keeps what it was opened with.
  const [chosen] = useState(tokens);
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const { revocation, start } = useBulkRevocation();
  const { active } = useConnections();
  const several = useSeveral();
  const withoutLog = useWithoutLog();

  const running = revocation?.running === true;
  const busy = running || withoutLog.phase === "running";
  const asking = revocation === null;
  const steps = revocation?.steps;
  const outcomes = useMemo(() => {
    const known = new Map<string, Outcome>();
    for (const [key, step] of steps ?? []) known.set(key, outcomeOfStep(step));
    for (const [key, outcome] of withoutLog.outcomes) known.set(key, outcome);
    return known;
  }, [steps, withoutLog.outcomes]);
  const outcomeOf = (token: Token) =>
    outcomes.get(rowKey(token)) ?? (revocation?.inRun.has(rowKey(token)) ? working : waiting);

  const done = chosen.filter((token) => isDone(outcomeOf(token)));
  const failed = chosen.filter((token) => isFailed(outcomeOf(token)));
  const rest = chosen.filter((token) => ["waiting", "working"].includes(outcomeOf(token).state));
  const settled = done.length + failed.length;
  const failure = busy ? null : (withoutLog.failure ?? revocation?.failure ?? null);
  const signedOut = failure !== null && needsSignIn(failure);
  const noLog = failure?.code === "audit_unavailable";
  // A case is read in its own main account.
  const summaries = busy ? [] : (revocation?.summaries ?? []);
  const report = summaries.find(({ connection }) => connection === null || connection === active)?.summary;

  // Told once it is over: the page would lose its place under a list that shrinks row by row.
  const wasBusy = useRef(false);
  useEffect(() => {
    if (wasBusy.current && !busy) {
      for (const token of done) onRevoked(token);
      // Without a session a refresh leads away to sign-in, and what became of each token would be lost with this dialog.
      if (!signedOut) router.refresh();
    }
    wasBusy.current = busy;
  });

  function run(batch: readonly Token[]) {
    if (busy) return;
    withoutLog.forget();
    void start(batch, reason.trim() || null);
  }

  const confirmed = typed.trim() === String(chosen.length);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (confirmed && asking) run(chosen);
  }

  function close() {
    // What is under way at the server is not cut by this.
    if (running) {
      for (const token of chosen) onRevoked(token);
      toast({ title: texts.goesOn, detail: texts.goesOnWhere });
      router.refresh();
    }
    if (withoutLog.phase !== "running") onClose();
  }

  const progress = busy
    ? texts.progress(settled, chosen.length)
    : texts.result(done.length, failed.length, rest.length);

  return (
    <Dialog
      title={asking ? texts.title(chosen.length) : busy ? texts.revoking : texts.finished}
      description={asking ? texts.description : running ? texts.descriptionRunning : texts.descriptionOver}
      onClose={close}
      sticky={!asking}
      returnFocus={returnFocus}
      wide
      footer={
        asking ? (
          <>
            {!confirmed && (
              <p id={reasonId} className="mr-auto text-dim text-xs">
                <RichText
                  text={texts.typeCount}
                  slots={{ count: <span className="font-mono text-ink">{chosen.length}</span> }}
                />
              </p>
            )}
            <Button onClick={onClose}>{uiTexts.actions.cancel}</Button>
            <Button
              type="submit"
              form={formId}
              variant="danger"
              disabled={!confirmed}
              {...(confirmed ? {} : { "aria-describedby": reasonId })}
            >
              {texts.title(chosen.length)}
            </Button>
          </>
        ) : running ? (
          <Button ref={focusOnMount} onClick={close}>
            {texts.close}
          </Button>
        ) : withoutLog.phase === "running" ? (
          <Button ref={focusOnMount} pending={withoutLog.stopping} onClick={withoutLog.stop}>
            {withoutLog.stopping ? texts.finishing : texts.stop}
          </Button>
        ) : (
          <>
            {noLog && (
              <Button variant="danger" onClick={() => withoutLog.run([...failed, ...rest], reason)}>
                {tokensTexts.revoke.withoutLog}
              </Button>
            )}
            {failed.length > 0 && <Button onClick={() => run(failed)}>{texts.retryFailed}</Button>}
            {rest.length > 0 && <Button onClick={() => run(rest)}>{texts.goOn}</Button>}
            {report && (
              <Link href={incidentPath(report.incident)} prefetch={false} className={buttonClass()}>
                {texts.report}
              </Link>
            )}
            <Button ref={focusOnMount} variant="primary" onClick={close}>
              {uiTexts.actions.done}
            </Button>
          </>
        )
      }
    >
      <form id={formId} method="post" onSubmit={submit} noValidate className="flex flex-col gap-4">
        {asking ? (
          <>
            <Preview tokens={chosen} />
            <Accounts tokens={chosen} />
            <Field label={texts.count} help={texts.countHelp} className="max-w-56">
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
            <ReasonField help={texts.reasonHelp} reason={reason} onType={setReason} />
          </>
        ) : (
          <div>
            <ProgressBar label={texts.progressLabel} value={settled} max={chosen.length} />
            <p role="status" className="mt-1.5 text-dim text-sm tabular-nums">
              {progress}
            </p>
            {!busy && summaries.some(({ summary }) => summary !== report) && several.length > 0 && (
              <p className="text-dim text-xs">{texts.reports}</p>
            )}
            {running && revocation.broken === null && revocation.pace.etaMs > 0 && (
              <p className="text-faint text-xs tabular-nums">{timeLeftBecause(revocation.pace.etaMs)}</p>
            )}
            {running && revocation.broken !== null && (
              <p className="text-sm text-warn">{texts.broken(revocation.broken)}</p>
            )}
            {withoutLog.wait > 0 && <p className="text-sm text-warn tabular-nums">{texts.wait(withoutLog.wait)}</p>}
          </div>
        )}
        {signedOut ? (
          <Callout tone="warn" role="alert" title={texts.sessionEnded}>
            <p>
              <RichText
                text={texts.signInAgain}
                slots={{
                  link: (
                    <a
                      href="/sign-in?reason=expired"
                      target="_blank"
                      rel="noopener"
                      className="font-medium underline underline-offset-2"
                    >
                      {uiTexts.failure.signInAgainLink}
                    </a>
                  ),
                }}
              />
            </p>
          </Callout>
        ) : (
          failure && <FailureNote failure={failure} />
        )}
        {noLog && <WithoutLogNote />}
        {withoutLog.wentOn && !busy && (
          <Callout tone="info">
            <WentOnNote />
          </Callout>
        )}
        <ul aria-label={texts.selected} className="divide-y divide-line rounded-lg border border-line">
          {chosen.map((token) => (
            <Line key={rowKey(token)} token={token} outcome={outcomeOf(token)} asking={asking} />
          ))}
        </ul>
      </form>
    </Dialog>
  );
}

/** For when the audit log cannot be written: one after the other, from this page. */
function useWithoutLog() {
  const stop = useRef<AbortController | null>(null);
  const [state, setState] = useState<{
    phase: "none" | "running" | "over";
    stopping: boolean;
    failure: Awaited<ReturnType<typeof revokeWithoutLog>>;
  }>({ phase: "none", stopping: false, failure: null });
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome>>(new Map());
  const [wait, setWait] = useState(0);
  useEffect(() => () => stop.current?.abort(), []);

  return {
    ...state,
    outcomes,
    wait,
    wentOn: [...outcomes.values()].some(({ state }) => state === "revoked"),
    /** What failed so is asked anew. */
    forget: () => {
      setState({ phase: "none", stopping: false, failure: null });
      setOutcomes((known) => new Map([...known].filter(([, outcome]) => isDone(outcome))));
    },
    stop: () => {
      stop.current?.abort();
      setState((before) => ({ ...before, stopping: true }));
    },
    run: async (tokens: readonly Token[], reason: string) => {
      const controller = new AbortController();
      stop.current = controller;
      setState({ phase: "running", stopping: false, failure: null });
      const failure = await revokeWithoutLog({
        tokens,
        reason: reason.trim() || null,
        signal: controller.signal,
        onWait: setWait,
        onOutcome: (token, outcome) => setOutcomes((known) => new Map(known).set(rowKey(token), outcome)),
      });
      setState({ phase: "over", stopping: false, failure });
    },
  };
}

/** What is worth a second look before these are revoked. */
function Preview({ tokens }: { tokens: readonly Token[] }) {
  const production = tokens.filter(isProduction).length;
  const unlabelled = tokens.filter(({ label }) => label === null).length;
  const unplaced = tokens.filter(({ usedIn }) => usedIn === null).length;
  const unknown = [
    unlabelled > 0 ? texts.unlabelled(unlabelled) : null,
    unplaced > 0 ? texts.unplaced(unplaced) : null,
  ].filter((part) => part !== null);
  const said = unknown.length === 0 ? "" : texts.unknown(unknown);
  if (production > 0) {
    return (
      <Callout tone="danger" title={texts.production(production, tokens.length)}>
        {said && <p>{said}</p>}
      </Callout>
    );
  }
  return said === "" ? null : <p className="text-dim text-sm">{said}</p>;
}

/** Of which of several connections they are. */
function Accounts({ tokens }: { tokens: readonly Token[] }) {
  const used = useSeveral().flatMap((connection) => {
    const count = tokens.filter((token) => token.connection === connection.id).length;
    return count > 0 ? [texts.ofConnection(count, connectionName(connection))] : [];
  });
  return used.length > 1 ? <p className="text-dim text-sm">{texts.ofConnections(used)}</p> : null;
}

type LineProps = { token: Token; outcome: Outcome; asking: boolean };

const Line = memo(function Line({ token, outcome, asking }: LineProps) {
  const environment = token.environment && (
    <Badge tone={isProduction(token) ? "danger" : "plain"}>{token.environment}</Badge>
  );
  return (
    <li className="flex items-start gap-3 px-3 py-2 text-sm [contain-intrinsic-size:auto_3.5rem] [content-visibility:auto]">
      <StateIcon outcome={outcome} />
      <span className="min-w-0 flex-1 gap-x-3 sm:flex">
        <span className="flex items-center justify-between gap-2 sm:block sm:w-32 sm:shrink-0">
          <TokenHint hint={token.hint} className="leading-5" />
          <span className="sm:hidden">{environment}</span>
        </span>
        <span className="block min-w-0 flex-1">
          <span className="block truncate">{token.label ?? <span className="text-faint">{texts.noLabel}</span>}</span>
          {asking && token.usedIn && (
            <span className="line-clamp-2 whitespace-pre-line break-words text-dim text-xs">{token.usedIn}</span>
          )}
          <Result outcome={outcome} />
        </span>
      </span>
      <span className="max-w-28 shrink-0 max-sm:hidden">{environment}</span>
    </li>
  );
});

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
    case "working":
      return null;
    case "revoked":
      return (
        <span className="block text-good text-xs">
          <RichText text={texts.revoked} slots={{ proof: <Proof proof={outcome.proof} /> }} />
        </span>
      );
    case "absent":
      return <span className="block text-dim text-xs">{outcome.detail}</span>;
    case "unknown":
      return <span className="block text-danger text-xs">{texts.notProven(outcome.detail)}</span>;
    case "failed":
      return <span className="block text-danger text-xs">{texts.alive(outcome.detail)}</span>;
  }
}
