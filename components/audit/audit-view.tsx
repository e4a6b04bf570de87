"use client";

import clsx from "clsx";
import { ChevronLeft, ChevronRight, ChevronsLeft, Radio, ScrollText, SearchX } from "lucide-react";
import { useRouter } from "next/navigation";
import { useId, useMemo, useRef, useState } from "react";
import { AuditFilters } from "@/components/audit/audit-filters";
import { AuditTable } from "@/components/audit/audit-table";
import {
  auditPath,
  everything,
  filterEntries,
  newerPage,
  newestPage,
  olderPage,
  type AuditView as View,
} from "@/components/audit/audit-view-query";
import { EventDrawer } from "@/components/audit/event-drawer";
import { ExportMenu } from "@/components/audit/export-menu";
import { useLiveTail } from "@/components/audit/live-tail";
import { VerifyButton } from "@/components/audit/verify-button";
import { useViewInAddress } from "@/components/data-table/address";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { PendingBar } from "@/components/ui/pending-bar";
import { RichText } from "@/components/ui/rich-text";
import { ViewsMenu } from "@/components/views/views-menu";
import type { AuditEvent, AuditPage } from "@/lib/audit/schema";
import { auditTexts } from "@/lib/texts/audit";
import { uiTexts } from "@/lib/texts/ui";

const texts = auditTexts.view;

/** More than these, and the page is read again: a table is no place for thousands of rows. */
const mostLive = 200;

type AuditViewProps = {
  page: AuditPage;
  view: View;
  /** Whose events these are, as a sentence. */
  scope: string;
  canVerify: boolean;
};

export function AuditView({ page, view: asked, scope, canVerify }: AuditViewProps) {
  const router = useRouter();
  const heading = useRef<HTMLHeadingElement>(null);
  const { view, latest, pending, visit, startTransition } = useViewInAddress(asked, auditPath);
  const [drawn, setDrawn] = useState(page);
  const [arrived, setArrived] = useState<AuditEvent[]>([]);
  const [heard, setHeard] = useState(0);
  const [live, setLive] = useState(false);
  const [note, setNote] = useState<"signed_out" | "unattended" | null>(null);
  const [selected, setSelected] = useState<number | null>(null);

  // Read again, or another page: what came in since is in it, or does not belong to it.
  if (drawn !== page) {
    setDrawn(page);
    setArrived([]);
  }

  const newestShown = asked.cursor === null;
  const filter = filterEntries(asked);
  const events = useMemo(() => [...arrived, ...page.events], [arrived, page.events]);
  const pageNewest = page.events[0]?.seq ?? 0;
  const open = useMemo(() => openActs(events, asked), [events, asked]);

  const failure = useLiveTail({
    on: live && newestShown,
    view: asked,
    newest: events[0]?.seq ?? 0,
    onEvents: (fresh, gap) => {
      setHeard((count) => count + fresh.length);
      if (gap || arrived.length + fresh.length > mostLive) startTransition(() => router.refresh());
      else setArrived((before) => [...fresh.filter(({ seq }) => seq > (before[0]?.seq ?? pageNewest)), ...before]);
    },
    onStop: (reason) => {
      setLive(false);
      setNote(reason);
    },
  });

  function turn(next: View) {
    if (next.cursor !== null) setLive(false);
    visit(next, "push");
    heading.current?.scrollIntoView({ block: "start" });
  }

  const index = events.findIndex(({ seq }) => seq === selected);
  const shown = events[index];
  /** After the drawer the focus is on the event that it showed last. */
  const lastShown = useRef<number | null>(null);
  function select({ seq }: AuditEvent) {
    lastShown.current = seq;
    setSelected(seq);
  }
  function stepTo(position: number) {
    const next = events[position];
    return next ? () => select(next) : null;
  }

  return (
    <>
      <PageHeading
        title={texts.title}
        headingRef={heading}
        facts={<span>{scope}</span>}
        actions={
          <>
            <LiveToggle
              on={live && newestShown}
              possible={newestShown}
              trouble={failure !== null}
              onToggle={() => {
                setNote(null);
                setHeard(0);
                setLive(!live);
              }}
            />
            {canVerify && <VerifyButton />}
            <ViewsMenu page="/audit" query={auditPath(newestPage(asked)).slice("/audit".length)} />
            <ExportMenu filter={filter} />
          </>
        }
      />
      <p role="status" className="sr-only">
        {live ? heard > 0 && texts.newEvents(heard) : pending ? "" : texts.shown(events.length)}
      </p>
      {live && failure && (
        <Callout tone="warn" className="mb-4" role="status" title={texts.noAnswer}>
          <p>{texts.keepsAsking(failure.title)}</p>
        </Callout>
      )}
      {note && !live && (
        <Callout tone="info" className="mb-4" role="status" title={texts.liveIsOff}>
          {note === "unattended" ? (
            <p>{texts.unattended}</p>
          ) : (
            <p>
              <RichText
                text={texts.ended}
                slots={{
                  link: (
                    <a href="/sign-in?reason=expired" className="font-medium underline underline-offset-2">
                      {texts.signInAgain}
                    </a>
                  ),
                }}
              />
            </p>
          )}
        </Callout>
      )}

      <AuditFilters
        view={view}
        onFilter={(patch) => {
          const typed = "actor" in patch || "token" in patch;
          const isStep = !typed || "action" in patch;
          // What is typed into a filter is one step of the history, whatever its length.
          visit({ ...newestPage(latest.current), ...patch }, isStep ? "push" : "replace");
        }}
      />
      <section aria-label={texts.events} className="relative rounded-lg border border-line bg-surface">
        {pending && <PendingBar />}
        {events.length === 0 ? (
          <Nothing filtered={filter.length > 0} onClear={() => visit(everything, "push")} />
        ) : (
          <div className="overflow-hidden rounded-t-lg">
            <AuditTable
              events={events}
              open={open}
              selected={selected}
              freshAfter={arrived.length === 0 ? Number.POSITIVE_INFINITY : pageNewest}
              stale={pending}
              onOpen={select}
            />
          </div>
        )}
        {(page.nextCursor !== null || !newestShown) && (
          <nav
            aria-label={texts.pagination}
            className="flex flex-wrap items-center gap-1 border-line border-t px-4 py-2 text-dim text-xs tabular-nums max-sm:justify-end"
          >
            <span className="mr-auto">{extentOf(events)}</span>
            <Button variant="ghost" size="sm" disabled={newestShown} onClick={() => turn(newestPage(asked))}>
              <ChevronsLeft className="size-3.5" aria-hidden="true" />
              {texts.newest}
            </Button>
            <Button variant="ghost" size="sm" disabled={newestShown} onClick={() => turn(newerPage(asked))}>
              <ChevronLeft className="size-3.5" aria-hidden="true" />
              {texts.newer}
            </Button>
            <Button
              variant="ghost"
              size="sm"
              disabled={page.nextCursor === null}
              onClick={() => page.nextCursor !== null && turn(olderPage(asked, page.nextCursor))}
            >
              {texts.older}
              <ChevronRight className="size-3.5" aria-hidden="true" />
            </Button>
          </nav>
        )}
      </section>

      {shown && (
        <EventDrawer
          event={shown}
          related={events.filter(
            ({ seq, correlationId }) => correlationId === shown.correlationId && seq !== shown.seq,
          )}
          isOpen={shown.outcome === "attempted" && open.has(shown.correlationId)}
          onNewer={stepTo(index - 1)}
          onOlder={stepTo(index + 1)}
          onSelect={select}
          onFilter={(patch) => {
            setSelected(null);
            visit({ ...newestPage(latest.current), ...patch }, "push");
          }}
          onClose={() => setSelected(null)}
          returnFocus={() => {
            const row = document.querySelector<HTMLElement>(`[data-event="${lastShown.current}"]`);
            (row ?? heading.current)?.focus();
          }}
        />
      )}
    </>
  );
}

type LiveToggleProps = { on: boolean; possible: boolean; trouble: boolean; onToggle: () => void };

function LiveToggle({ on, possible, trouble, onToggle }: LiveToggleProps) {
  const reason = useId();
  return (
    <>
      <Button
        aria-label={texts.live}
        aria-pressed={on}
        disabled={!possible}
        {...(possible ? {} : { "aria-describedby": reason, title: texts.liveShows })}
        onClick={onToggle}
        className={clsx(on && "border-accent/60! bg-accent-soft! text-accent!")}
      >
        <Radio
          className={clsx("size-3.5", !on && "text-faint", on && (trouble ? "text-warn" : "animate-breathe"))}
          aria-hidden="true"
        />
        <span className="max-sm:hidden">{texts.live}</span>
      </Button>
      {!possible && (
        <span id={reason} hidden>
          {texts.goToNewest}
        </span>
      )}
    </>
  );
}

function Nothing({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return filtered ? (
    <EmptyState
      icon={<SearchX className="size-5" />}
      title={texts.noMatch}
      action={<Button onClick={onClear}>{uiTexts.actions.clearFilters}</Button>}
    >
      {texts.noMatchWhy}
    </EmptyState>
  ) : (
    <EmptyState icon={<ScrollText className="size-5" />} title={texts.nothing}>
      {texts.nothingYet}
    </EmptyState>
  );
}

/** How many are shown, and from where to where. Between them there may be others that a filter or a role hides. */
function extentOf(events: AuditEvent[]): string {
  const [newest, oldest] = [events[0], events.at(-1)];
  if (!newest || !oldest) return "";
  if (newest === oldest) return texts.one(newest.seq);
  return texts.extent(events.length, oldest.seq, newest.seq);
}

/**
 * The acts whose outcome is missing. An outcome is newer than its intent, so it would stand on the newest page too,
 * unless a filter hides it.
 */
function openActs(events: AuditEvent[], { cursor, outcome, actor, token, to }: View): ReadonlySet<string> {
  if (cursor !== null || outcome !== null || actor !== "" || token !== "" || to !== null) return new Set();
  const settled = new Set(events.filter((event) => event.outcome !== "attempted").map((event) => event.correlationId));
  return new Set(events.map((event) => event.correlationId).filter((id) => !settled.has(id)));
}
