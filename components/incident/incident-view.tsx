"use client";

import { ShieldQuestion } from "lucide-react";
import { type ReactNode, type Ref, useEffect, useEffectEvent, useRef, useState } from "react";
import { formatBytes } from "@/components/audit/export-run";
import { ProgressBar } from "@/components/audit/progress-bar";
import { call, needsSignIn } from "@/components/http";
import { incidentsSchema } from "@/components/incident/answers";
import { DropZone } from "@/components/incident/drop-zone";
import { Findings, isSelectable, mayLive, statusOf } from "@/components/incident/findings";
import { calmProgress, nameOf, timeLeftBecause, type Viewer } from "@/components/incident/incident-text";
import { PasteForm } from "@/components/incident/paste-form";
import { RecentIncidents } from "@/components/incident/recent-incidents";
import type { Step } from "@/components/incident/revocation-run";
import { type Revocation, useRevocation } from "@/components/incident/revocation-state";
import { RevokeFindingsDialog } from "@/components/incident/revoke-findings-dialog";
import { RunPanel } from "@/components/incident/run-panel";
import { type ScanInput, sizeOf, tooMuch } from "@/components/incident/scan-run";
import { type Scan, useScan } from "@/components/incident/scan-state";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { EmptyState } from "@/components/ui/empty-state";
import { FailureNote } from "@/components/ui/failure-note";
import { PageHeading } from "@/components/ui/page-heading";
import { RichText } from "@/components/ui/rich-text";
import { formatCount } from "@/lib/format";
import { type Finding, type IncidentSummary, maxFindings } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";
import { uiTexts } from "@/lib/texts/ui";

const texts = incidentTexts.view;

const noSteps: ReadonlyMap<string, Step> = new Map();

type IncidentViewProps = {
  /** Null: the database is away. */
  recent: IncidentSummary[] | null;
  viewer: Viewer;
};

export function IncidentView({ recent, viewer }: IncidentViewProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const resultsHeading = useRef<HTMLHeadingElement>(null);
  const runHeading = useRef<HTMLHeadingElement>(null);
  const revokeButton = useRef<HTMLButtonElement>(null);
  /** What was scanned last, for another scan of the same. It is in no other place. */
  const kept = useRef<ScanInput | null>(null);
  const [keptNote, setKeptNote] = useState<string | null>(null);
  const [files, setFiles] = useState<readonly File[]>([]);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<Finding[] | null>(null);
  const [incidents, setIncidents] = useState(recent);
  const { scan, start: startScan, stop: stopScan, clear: clearScan } = useScan();
  const { revocation, start: startRun, clear: clearRun } = useRevocation();

  const running = revocation?.state === "running";
  const steps = revocation?.steps ?? noSteps;
  const scanning = scan?.state === "running";

  /** Not by a new page: without a session that would lead away from what stands here. */
  async function refreshRecent() {
    const answer = await call("/api/incidents", { method: "GET", answer: incidentsSchema });
    if (answer.ok) setIncidents(answer.value.incidents);
  }

  async function look(input: ScanInput) {
    clearRun();
    setRefusal(null);
    setSelected(new Set());
    kept.current = input;
    setKeptNote(inWords(input));
    setFiles([]);
    focusSoon(resultsHeading);
    const last = await startScan(input, (live) => setSelected((before) => new Set([...before, ...live])));
    if (!last) return;
    // Whoever reads the findings already is not torn away from them.
    if (document.activeElement === document.body) resultsHeading.current?.focus();
    if (last.findings.length > 0) void refreshRecent();
  }

  function submit() {
    const input = { text: area.current?.value ?? "", files };
    if (input.text.trim() === "" && files.length === 0) setRefusal(texts.nothingToScan);
    else {
      const refused = tooMuch(input);
      if (refused === null) return void look(input);
      setRefusal(refused);
    }
    area.current?.focus();
  }

  function scanAgain() {
    if (kept.current) void look(kept.current);
  }

  function forget() {
    kept.current = null;
    setKeptNote(null);
  }

  function scanMore() {
    clearScan();
    clearRun();
    forget();
    setSelected(new Set());
    focusSoon(area);
  }

  function dropped(added: readonly File[]) {
    setRefusal(null);
    setFiles([...files, ...added]);
  }

  async function revoke(findings: readonly Finding[], { siblings, reason }: { siblings: boolean; reason: string }) {
    stopScan();
    setAsking(null);
    const chosen = new Set(findings.map(({ tokenId }) => tokenId));
    const others = new Map(
      findings
        .flatMap((finding) => (siblings ? (finding.siblings ?? []).map((sibling) => ({ ...sibling, finding })) : []))
        .filter(({ tokenId }) => !chosen.has(tokenId))
        .map((sibling) => [sibling.tokenId, sibling]),
    );
    await startRun({
      target: { order: { findings: findings.map(({ id }) => id), siblings, reason } },
      tokens: [
        ...findings.map(({ tokenId, hint, known, user }) => ({
          tokenId,
          hint,
          label: known?.label ?? null,
          user: user ? nameOf(user) : null,
        })),
        ...[...others.values()].map(({ tokenId, hint, label, finding: { user } }) => ({
          tokenId,
          hint,
          label,
          user: user ? nameOf(user) : null,
        })),
      ],
      pastedAt: scan?.startedAt ?? null,
    });
    setSelected(new Set());
    void refreshRecent();
  }

  async function followCase(incident: string) {
    clearScan();
    forget();
    focusSoon(runHeading);
    await startRun({ target: { incident }, tokens: [], pastedAt: null });
    void refreshRecent();
  }

  // A paste that is meant for nothing else is meant for the one field of this page.
  const pasted = useEffectEvent((event: ClipboardEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!area.current || text === "" || target?.closest("input, textarea, select, [role=dialog]")) return;
    event.preventDefault();
    area.current.value += text;
    area.current.focus();
  });
  useEffect(() => {
    const ended = new AbortController();
    document.addEventListener("paste", pasted, { signal: ended.signal });
    return () => ended.abort();
  }, []);

  const selectable = scan?.findings.filter((finding) => isSelectable(finding, scan.pending, steps)) ?? [];
  const chosen = selectable.filter(({ tokenId }) => selected.has(tokenId));
  const living = scan?.findings.filter((finding) => mayLive(finding, scan.pending, steps)) ?? [];
  const leftAlive = living.filter(({ tokenId }) => !steps.has(tokenId)).length;
  const canScanAgain = keptNote !== null;

  return (
    <>
      <PageHeading title={texts.title} facts={texts.about} />
      {/* What stands there is not to be thrown away by a slip of the hand. */}
      <DropZone onFiles={scan || revocation ? null : dropped} />
      {!scan && !revocation && (
        <PasteForm
          area={area}
          files={files}
          onFiles={(next) => {
            setRefusal(null);
            setFiles(next);
          }}
          refusal={refusal}
          onInput={() => setRefusal(null)}
          onScan={submit}
        />
      )}
      {revocation && (
        <RunPanel
          revocation={revocation}
          leftAlive={leftAlive}
          partly={scan !== null && (scan.result === null ? scan.progress.step === "matching" : scan.result.truncated)}
          recorded={isRecorded(revocation, scan)}
          heading={runHeading}
          onAgain={() => void startRun(revocation, revocation.steps).then(refreshRecent)}
          onScanMore={scanMore}
          onScanAgain={canScanAgain ? scanAgain : null}
        />
      )}
      {scan && (
        <section aria-labelledby="results" hidden={running}>
          <ScanHeader
            scan={scan}
            steps={steps}
            heading={resultsHeading}
            kept={keptNote}
            onStop={stopScan}
            onScanAgain={canScanAgain ? scanAgain : null}
            // What came of it has the same button.
            onScanMore={revocation ? null : scanMore}
            onForget={forget}
          />
          {scan.findings.length > 0 && (
            <Folded folded={revocation !== null && leftAlive === 0} count={scan.findings.length}>
              <Findings
                findings={scan.findings}
                pending={scan.pending}
                steps={steps}
                selected={selected}
                onSelect={setSelected}
                viewer={viewer}
                heading={resultsHeading}
              />
            </Folded>
          )}
          {!running && (chosen.length > 0 || (revocation === null && living.length > 0)) && (
            <RevokeBar
              button={revokeButton}
              count={chosen.length}
              scanning={scanning}
              onRevoke={() => setAsking(chosen)}
            />
          )}
        </section>
      )}
      <RecentIncidents
        incidents={incidents}
        followed={revocation && "incident" in revocation.target ? revocation.target.incident : null}
        onFollow={(incident) => void followCase(incident)}
      />
      {asking && (
        <RevokeFindingsDialog
          findings={asking}
          onClose={() => setAsking(null)}
          onRevoke={(order) => void revoke(asking, order)}
          // The button is gone once the revocation runs.
          returnFocus={() => (revokeButton.current ?? runHeading.current)?.focus()}
        />
      )}
    </>
  );
}

/** After a revocation that left nothing alive, the findings are only for who wants to look again. */
function Folded({ folded, count, children }: { folded: boolean; count: number; children: ReactNode }) {
  if (!folded) return children;
  return (
    <details>
      <summary className="-mx-1.5 mb-3 w-fit rounded px-1.5 py-0.5 text-dim text-sm hover:bg-hover hover:text-ink">
        {texts.showFindings(count)}
      </summary>
      {children}
    </details>
  );
}

/** Whether there is a report: the scan was written down, or the run was, or it was in the list of cases to begin with. */
function isRecorded({ target, summary }: Revocation, scan: Scan | null): boolean {
  return "incident" in target || scan?.result?.recorded === true || summary?.logged === true;
}

/** Once it is there. */
function focusSoon(element: { current: HTMLElement | null }): void {
  requestAnimationFrame(() => element.current?.focus());
}

function inWords(input: ScanInput): string {
  return texts.kept(input.text !== "", input.files.length, formatBytes(sizeOf(input)));
}

type ScanHeaderProps = {
  scan: Scan;
  steps: ReadonlyMap<string, Step>;
  heading: { current: HTMLHeadingElement | null };
  /** What is kept for another scan; null: nothing. */
  kept: string | null;
  onStop: () => void;
  onScanAgain: (() => void) | null;
  onScanMore: (() => void) | null;
  onForget: () => void;
};

function ScanHeader({ scan, steps, heading, kept, onStop, onScanAgain, onScanMore, onForget }: ScanHeaderProps) {
  const { state, findings, pending, progress, result, failure } = scan;
  const running = state === "running";
  const title = running
    ? findings.length === 0
      ? texts.looking
      : texts.foundAsking(findings.length)
    : findings.length === 0
      ? state === "done"
        ? texts.noneFound
        : texts.notToItsEnd
      : texts.found(findings.length);
  const count = (wanted: Finding["status"]) =>
    findings.filter((finding) => !pending.has(finding.tokenId) && statusOf(finding, steps) === wanted).length;
  const [live, dead, unchecked] = [count("live"), count("dead"), count("unchecked")];
  const facts = texts.facts(live, dead, unchecked, steps.size > 0);
  const unsure = findings.filter(({ tokenId, status }) => status === "unchecked" && !steps.has(tokenId)).length;
  const again = onScanAgain && (
    <Button size="sm" onClick={onScanAgain}>
      {texts.scanAgain}
    </Button>
  );
  return (
    <div className="mb-3">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 id="results" ref={heading} tabIndex={-1} className="font-semibold text-lg outline-none">
            {title}
          </h2>
          {findings.length > 0 && <p className="text-dim text-sm tabular-nums">{facts}</p>}
        </div>
        <div className="flex flex-wrap gap-2">
          {running ? (
            <Button onClick={onStop}>{uiTexts.actions.cancel}</Button>
          ) : (
            onScanMore && <Button onClick={onScanMore}>{texts.scanMore}</Button>
          )}
        </div>
      </div>
      <p role="status" className="sr-only">
        {running
          ? progress.step === "checking"
            ? calmProgress(progress.checked, progress.total, incidentTexts.progress.checking)
            : texts.lookingSaid
          : texts.saidAtEnd(title, findings.length > 0 ? facts : "")}
      </p>
      {running && (
        <div className="mt-2.5">
          {progress.step === "matching" ? (
            <>
              <ProgressBar label={texts.lookedThrough} value={progress.done} max={progress.total || null} />
              <p className="mt-1.5 text-dim text-sm tabular-nums">
                {progress.total === 0
                  ? texts.sending
                  : texts.ofSize(formatBytes(progress.done), formatBytes(progress.total))}
              </p>
            </>
          ) : (
            <>
              <ProgressBar label={texts.checkedLabel} value={progress.checked} max={progress.total} />
              <p className="mt-1.5 flex flex-wrap justify-between gap-x-4 text-dim text-sm tabular-nums">
                <span>{texts.checked(progress.checked, progress.total)}</span>
                <span>{timeLeftBecause(progress.etaMs)}</span>
              </p>
            </>
          )}
        </div>
      )}
      {!running && kept !== null && (
        <p className="mt-1 flex flex-wrap items-center gap-x-1 text-faint text-xs">
          <span>{texts.holds(kept)}</span>
          <button
            type="button"
            onClick={onForget}
            className="-ml-1.5 h-6 pointer-coarse:h-10 rounded px-1.5 text-accent hover:bg-accent-soft"
          >
            {texts.forget}
          </button>
        </p>
      )}
      <div className="mt-3 flex flex-col gap-2 empty:hidden">
        {state === "stopped" && (
          <Callout tone="info" role="status" title={texts.cancelled}>
            <p>{unsure > 0 ? texts.notChecked(unsure) : texts.nothingLeft}</p>
            {again && <div className="mt-1">{again}</div>}
          </Callout>
        )}
        {state === "failed" && failure && (
          <>
            <FailureNote failure={failure} />
            {failure.retryAfter !== null && <p className="text-dim text-sm">{texts.tryAgainIn(failure.retryAfter)}</p>}
            <div className="flex flex-wrap items-center gap-2">
              {again}
              {needsSignIn(failure) && <span className="text-dim text-xs">{texts.onceSignedIn}</span>}
            </div>
          </>
        )}
        {result && !result.recorded && (
          <Callout tone="info" role="status" title={texts.noDatabase}>
            <p>{texts.noDatabaseWhy}</p>
          </Callout>
        )}
        {result?.truncated && (
          <Callout tone="warn" role="status" title={texts.notAll}>
            <p>{findings.length >= maxFindings ? texts.tooMany(maxFindings) : texts.tooDeep}</p>
          </Callout>
        )}
        {state === "done" && unsure > 0 && (
          <Callout tone="warn" role="status" title={texts.unchecked(unsure)}>
            <p>{texts.uncheckedWhy(unsure)}</p>
            {again && <div className="mt-1">{again}</div>}
          </Callout>
        )}
      </div>
      {state === "done" && findings.length === 0 && (
        <section className="mt-3 rounded-lg border border-line bg-surface">
          <EmptyState icon={<ShieldQuestion className="size-5" />} title={texts.nothing}>
            <p>
              <RichText
                text={texts.lookedFor}
                slots={{ example: <span className="font-mono text-xs">{texts.example}</span> }}
              />
            </p>
            <p className="mt-2">{texts.lookedForMore}</p>
          </EmptyState>
        </section>
      )}
    </div>
  );
}

type RevokeBarProps = { button: Ref<HTMLButtonElement>; count: number; scanning: boolean; onRevoke: () => void };

function RevokeBar({ button, count, scanning, onRevoke }: RevokeBarProps) {
  return (
    <div className="sticky bottom-[calc(var(--ribbon)+0.5rem)] z-10 mt-3 px-2 pb-2">
      <div className="mx-auto flex w-fit max-w-full flex-wrap items-center justify-center gap-x-3 gap-y-1 rounded-lg bg-surface py-1.5 pr-1.5 pl-3 shadow-overlay">
        <span className="text-sm tabular-nums">
          <RichText
            text={texts.selected}
            slots={{ count: <span className="font-medium">{formatCount(count)}</span> }}
          />
          {scanning && <span className="text-dim">{texts.others}</span>}
        </span>
        <Button ref={button} variant="danger" disabled={count === 0} onClick={onRevoke}>
          {texts.revoke}
        </Button>
      </div>
    </div>
  );
}
