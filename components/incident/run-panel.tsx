"use client";

import clsx from "clsx";
import { CircleAlert, CircleCheck, CircleDashed, CircleMinus, RotateCw, TriangleAlert } from "lucide-react";
import Link from "next/link";
import { type ReactNode, type Ref, type RefObject, useEffect, useMemo, useState } from "react";
import { ProgressBar } from "@/components/audit/progress-bar";
import { Pagination } from "@/components/data-table/pagination";
import { incidentPath } from "@/components/incident/answers";
import { OutcomeBadge } from "@/components/incident/finding-status";
import { calmProgress, timeLeftBecause, type Verdict, verdictOf } from "@/components/incident/incident-text";
import type { Step } from "@/components/incident/revocation-run";
import { isProven, type Revocation, type RunToken } from "@/components/incident/revocation-state";
import { TokenHint } from "@/components/tokens/token-hint";
import { Button, buttonClass } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { FailureNote } from "@/components/ui/failure-note";
import { RichText } from "@/components/ui/rich-text";
import { Spinner } from "@/components/ui/spinner";
import { Time } from "@/components/ui/time";
import { incidentTexts } from "@/lib/texts/incident";
import { uiTexts } from "@/lib/texts/ui";

const texts = incidentTexts.run;

type RunPanelProps = {
  revocation: Revocation;
  /** Findings of the scan that may be alive and are not part of it. */
  leftAlive: number;
  /** Not all of the text was looked through. */
  partly: boolean;
  /** False: the database is away, and there will be no report. */
  recorded: boolean;
  heading: RefObject<HTMLHeadingElement | null>;
  onAgain: () => void;
  onScanMore: () => void;
  /** Given where the text is still at hand. */
  onScanAgain: (() => void) | null;
};

/** A revocation while it runs, and what came of it. */
export function RunPanel(props: RunPanelProps) {
  const { revocation, leftAlive, partly, heading } = props;
  const { state, summary, failure } = revocation;
  // What had the focus may have gone with the progress.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is about the change of the state
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, [state, heading]);
  return (
    <section aria-labelledby="run" className="mb-6">
      {state === "running" ? (
        <Running revocation={revocation} heading={heading} />
      ) : summary ? (
        <VerdictPanel
          verdict={verdictOf(summary, { leftAlive, partly })}
          heading={heading}
          actions={<Actions {...props} unproven={summary.total > summary.revoked + summary.alreadyDead} />}
        >
          {!summary.logged && <p>{texts.notLogged}</p>}
        </VerdictPanel>
      ) : (
        <>
          <h2 id="run" ref={heading} tabIndex={-1} className="mb-2 font-semibold text-base outline-none">
            {texts.notHeard}
          </h2>
          {failure && <Stopped {...props} failure={failure} />}
        </>
      )}
      <Tokens revocation={revocation} />
    </section>
  );
}

function Running({ revocation, heading }: { revocation: Revocation; heading: Ref<HTMLHeadingElement> }) {
  const { pace, broken, steps, pastedAt } = revocation;
  const proven = [...steps.values()].filter(({ outcome }) => isProven(outcome)).length;
  return (
    <div className="mb-3 rounded-lg border border-line bg-surface px-4 py-3.5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 id="run" ref={heading} tabIndex={-1} className="font-semibold text-base outline-none">
          {texts.title(pace.total)}
        </h2>
        {pastedAt !== null && <SincePaste at={pastedAt} />}
      </div>
      <div className="mt-2.5">
        <ProgressBar label={texts.settledLabel} value={pace.done} max={pace.total || null} />
      </div>
      <p className="mt-1.5 flex flex-wrap justify-between gap-x-4 text-dim text-sm tabular-nums">
        <span>{texts.settled(pace.done, pace.total, proven)}</span>
        <span>{timeLeftBecause(pace.etaMs)}</span>
      </p>
      <p role="status" className="sr-only">
        {calmProgress(pace.done, pace.total, incidentTexts.progress.revoking)}
      </p>
      {broken === null ? (
        <p className="mt-1 text-faint text-xs">{texts.goesOn}</p>
      ) : (
        <p role="status" className="mt-2 flex items-center gap-2 text-sm text-warn">
          <Spinner />
          {texts.noAnswer}
        </p>
      )}
    </div>
  );
}

/** The clock that counts at three in the morning. */
function SincePaste({ at }: { at: number }) {
  const [now, setNow] = useState(at);
  useEffect(() => {
    const tick = () => setNow(Date.now());
    tick();
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className="text-dim text-sm tabular-nums" aria-hidden="true">
      {texts.sincePaste(Math.max(0, Math.floor((now - at) / 1000)))}
    </span>
  );
}

const tones = {
  good: { box: "border-good/40 bg-good-soft", ink: "text-good", icon: CircleCheck },
  warn: { box: "border-warn/40 bg-warn-soft", ink: "text-warn", icon: TriangleAlert },
  danger: { box: "border-danger/40 bg-danger-soft", ink: "text-danger", icon: CircleAlert },
} as const;

type VerdictPanelProps = {
  verdict: Verdict;
  heading: Ref<HTMLHeadingElement>;
  actions: ReactNode;
  children: ReactNode;
};

function VerdictPanel({ verdict: { tone, title, detail }, heading, actions, children }: VerdictPanelProps) {
  const { box, ink, icon: Icon } = tones[tone];
  return (
    <div className={clsx("mb-3 rounded-lg border px-4 py-4", box)}>
      <div className="flex gap-3">
        <Icon className={clsx("mt-1 size-5 shrink-0", ink)} aria-hidden="true" />
        <div role={tone === "good" ? "status" : "alert"} className="min-w-0 flex-1">
          <h2
            id="run"
            ref={heading}
            tabIndex={-1}
            className="text-balance font-semibold text-ink text-xl tabular-nums outline-none"
          >
            {title}
          </h2>
          <div className="mt-0.5 text-dim text-sm">
            <p>{detail}</p>
            {children}
          </div>
        </div>
      </div>
      <div className="mt-3.5 flex flex-wrap gap-2 sm:pl-8">{actions}</div>
    </div>
  );
}

function Actions({
  revocation,
  recorded,
  unproven,
  onAgain,
  onScanMore,
  onScanAgain,
}: RunPanelProps & { unproven: boolean }) {
  const { summary, target } = revocation;
  if (!summary) return null;
  const interrupted = summary.outcome === "interrupted";
  const holds = "order" in target;
  return (
    <>
      {unproven && holds && (
        <Button variant="danger" onClick={onAgain}>
          <RotateCw className="size-3.5" aria-hidden="true" />
          {interrupted ? texts.goOn : uiTexts.actions.tryAgain}
        </Button>
      )}
      {interrupted && !holds && onScanAgain && <Button onClick={onScanAgain}>{texts.scanAgain}</Button>}
      {recorded && (
        <Link
          href={incidentPath(summary.incident)}
          prefetch={false}
          className={buttonClass(unproven ? "secondary" : "primary")}
        >
          {texts.report}
        </Link>
      )}
      <Button onClick={onScanMore}>{texts.scanMore}</Button>
    </>
  );
}

function Stopped({
  revocation,
  failure,
  onAgain,
  onScanMore,
  onScanAgain,
}: RunPanelProps & { failure: NonNullable<Revocation["failure"]> }) {
  const stale = failure.code === "token_not_found";
  return (
    <div className="mb-3 flex flex-col gap-3">
      {stale ? (
        <Callout tone="warn" role="alert" title={texts.stale}>
          <p>{texts.staleWhy}</p>
        </Callout>
      ) : (
        <>
          <FailureNote failure={failure} />
          {"order" in revocation.target && <p className="text-dim text-sm">{texts.begunGoesOn}</p>}
        </>
      )}
      <div className="flex flex-wrap gap-2">
        {stale ? (
          onScanAgain && (
            <Button variant="primary" onClick={onScanAgain}>
              {texts.scanAgain}
            </Button>
          )
        ) : (
          <Button variant="primary" onClick={onAgain}>
            {uiTexts.actions.tryAgain}
          </Button>
        )}
        <Button onClick={onScanMore}>{texts.scanMore}</Button>
      </div>
    </div>
  );
}

const pageSize = 50;

/** A row per token: what is known of its fate. When it is over, what is not proven comes first. */
function Tokens({ revocation: { tokens, steps, state } }: { revocation: Revocation }) {
  const [asked, setPage] = useState(1);
  const all = useMemo(() => {
    const known = new Set(tokens.map(({ tokenId }) => tokenId));
    const others = [...steps.values()].filter(({ tokenId }) => !known.has(tokenId));
    const list: RunToken[] = [
      ...tokens,
      ...others.map(({ tokenId, hint }) => ({ tokenId, hint, label: null, user: null })),
    ];
    if (state === "running") return list;
    const rank = ({ tokenId }: RunToken) => {
      const step = steps.get(tokenId);
      return step && isProven(step.outcome) ? 1 : 0;
    };
    return list.sort((a, b) => rank(a) - rank(b));
  }, [tokens, steps, state]);
  const pageCount = Math.max(1, Math.ceil(all.length / pageSize));
  const page = Math.min(asked, pageCount);
  if (all.length === 0) return null;
  return (
    <div className="rounded-lg border border-line bg-surface">
      <ul aria-label={texts.tokens} className="divide-y divide-line">
        {all.slice((page - 1) * pageSize, page * pageSize).map((token) => (
          <TokenItem key={token.tokenId} token={token} step={steps.get(token.tokenId)} running={state === "running"} />
        ))}
      </ul>
      {all.length > pageSize && (
        <div className="border-line border-t">
          <Pagination
            page={page}
            pageCount={pageCount}
            size={pageSize}
            sizes={[pageSize]}
            matched={all.length}
            onPage={setPage}
            onSize={() => {}}
          />
        </div>
      )}
    </div>
  );
}

function TokenItem({ token, step, running }: { token: RunToken; step: Step | undefined; running: boolean }) {
  const { hint, label, user } = token;
  return (
    <li className="grid grid-cols-[1rem_minmax(0,1fr)_auto] items-start gap-x-3 gap-y-0.5 px-4 py-2 text-sm sm:grid-cols-[1rem_8rem_minmax(0,1fr)_auto]">
      <StepIcon step={step} running={running} />
      <TokenHint hint={hint} className="leading-5" />
      <span className="min-w-0 max-sm:col-span-2 max-sm:col-start-2">
        <span className={clsx("block truncate", !label && "text-faint")}>
          {label ?? texts.noLabel}
          {user && <span className="text-dim">{texts.user(user)}</span>}
          {step && !step.leaked && <span className="text-faint"> {texts.notInText}</span>}
        </span>
        {step ? (
          <span className={clsx("block text-xs", isProven(step.outcome) ? "text-dim" : "text-danger")}>
            {step.detail}{" "}
            {step.proof && (
              <span className="whitespace-nowrap text-faint">
                <RichText
                  text={texts.proven}
                  slots={{ time: <Time iso={step.proof.checkedAt} as="clock" className="tabular-nums" /> }}
                />
              </span>
            )}
          </span>
        ) : (
          <span className="block text-faint text-xs">{running ? texts.waiting : texts.notSettled}</span>
        )}
      </span>
      <span className="justify-self-end max-sm:col-start-3 max-sm:row-start-1">
        {step && <OutcomeBadge outcome={step.outcome} />}
      </span>
    </li>
  );
}

function StepIcon({ step, running }: { step: Step | undefined; running: boolean }) {
  const place = "mt-0.5 size-4 shrink-0";
  if (!step) {
    return running ? (
      <Spinner className="mx-px mt-0.75 text-accent" />
    ) : (
      <CircleDashed className={clsx(place, "text-faint")} aria-hidden="true" />
    );
  }
  if (step.outcome === "revoked") return <CircleCheck className={clsx(place, "text-good")} aria-hidden="true" />;
  if (step.outcome === "already_dead") return <CircleMinus className={clsx(place, "text-faint")} aria-hidden="true" />;
  return <CircleAlert className={clsx(place, "text-danger")} aria-hidden="true" />;
}
