"use client";

import clsx from "clsx";
import { type MouseEvent, useState } from "react";
import { OutcomeBadge, OutcomeIcon } from "@/components/audit/outcome";
import { HistoryLink } from "@/components/tokens/history-link";
import { TokenHint } from "@/components/tokens/token-hint";
import { Badge } from "@/components/ui/badge";
import { Time } from "@/components/ui/time";
import type { AuditEvent } from "@/lib/audit/schema";
import { formatCount } from "@/lib/format";
import { auditTexts } from "@/lib/texts/audit";

const texts = auditTexts.table;

type AuditTableProps = {
  events: AuditEvent[];
  /** Correlation IDs of acts whose outcome is not recorded, as far as can be told from what is shown. */
  open: ReadonlySet<string>;
  /** The event whose details are open. */
  selected: number | null;
  /** Events after this one have just come in. */
  freshAfter: number;
  stale: boolean;
  onOpen: (event: AuditEvent) => void;
};

/*
 * On a narrow screen each event is a small grid. A table whose parts are not laid out as a table loses its roles in
 * some browsers, so they are said again.
 */
const roles = {
  table: { role: "table" },
  group: { role: "rowgroup" },
  row: { role: "row" },
  cell: { role: "cell" },
} as const;

const headings = [
  ["", "w-11"],
  [texts.time, "w-44"],
  [texts.action, ""],
  [texts.outcome, "w-30"],
  [texts.actor, "w-1/6 xl:w-1/5"],
  [texts.token, "w-32"],
  [texts.address, "w-32 max-xl:hidden"],
  [texts.event, "w-20 text-right max-xl:hidden"],
] as const;

/** The events, newest first. Those of one act stand on one line of the rail when they are neighbours. */
export function AuditTable({ events, open, selected, freshAfter, stale, onOpen }: AuditTableProps) {
  const [pointed, setPointed] = useState<string | null>(null);
  return (
    <table
      {...roles.table}
      aria-label={texts.label}
      aria-busy={stale || undefined}
      className="w-full text-left text-sm max-lg:block lg:table-fixed"
    >
      <thead {...roles.group} className="max-lg:hidden">
        <tr {...roles.row} className="border-line border-b bg-sunken">
          {headings.map(([name, width]) => (
            <th
              key={name}
              scope="col"
              className={clsx("h-9 px-2 font-medium text-dim text-xs first:pl-4 last:pr-4", width)}
            >
              {name === "" ? <span className="sr-only">{texts.act}</span> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody
        {...roles.group}
        onPointerLeave={() => setPointed(null)}
        className={clsx("transition-opacity duration-150 max-lg:block", stale && "opacity-55 delay-300")}
      >
        {events.map((event, index) => (
          <EventRow
            key={event.seq}
            event={event}
            above={events[index - 1]?.correlationId === event.correlationId}
            below={events[index + 1]?.correlationId === event.correlationId}
            isOpen={event.outcome === "attempted" && open.has(event.correlationId)}
            selected={event.seq === selected}
            related={event.correlationId === pointed}
            fresh={event.seq > freshAfter}
            onPoint={() => setPointed(event.correlationId)}
            onOpen={() => onOpen(event)}
          />
        ))}
      </tbody>
    </table>
  );
}

type EventRowProps = {
  event: AuditEvent;
  above: boolean;
  below: boolean;
  isOpen: boolean;
  selected: boolean;
  related: boolean;
  fresh: boolean;
  onPoint: () => void;
  onOpen: () => void;
};

function EventRow({ event, above, below, isOpen, selected, related, fresh, onPoint, onOpen }: EventRowProps) {
  const quiet = event.outcome === "attempted" && !isOpen;

  // For the mouse: the whole row. The button in it is the way for everyone.
  function press({ target }: MouseEvent) {
    const onControl = target instanceof Element && target.closest("a, button") !== null;
    if (!onControl && getSelection()?.isCollapsed !== false) onOpen();
  }

  const cell = "min-w-0 lg:px-2";
  return (
    <tr
      {...roles.row}
      onClick={press}
      onPointerEnter={onPoint}
      className={clsx(
        "cursor-pointer border-line max-lg:grid lg:h-9",
        "grid-cols-[1.25rem_minmax(0,1fr)_auto] gap-x-2.5 gap-y-0.5 max-lg:px-4 max-lg:py-2",
        !below && "border-b last:border-b-0",
        selected ? "bg-accent-soft" : related ? "bg-hover/60" : "hover:bg-hover/60",
        fresh && "animate-appear",
      )}
    >
      <td {...roles.cell} className="relative row-span-3 row-start-1 lg:pl-4">
        <span className="flex h-full items-center max-lg:pt-0.5 max-lg:items-start">
          {above && (
            <span className="absolute -top-2 left-1.75 h-4.5 w-px bg-edge lg:top-0 lg:bottom-1/2 lg:left-5.75 lg:h-auto" />
          )}
          {below && (
            <span className="absolute top-2.5 -bottom-2 left-1.75 w-px bg-edge lg:top-1/2 lg:bottom-0 lg:left-5.75" />
          )}
          <span className={clsx("relative rounded-full bg-surface", (related || selected) && "bg-transparent")}>
            <OutcomeIcon outcome={event.outcome} />
          </span>
          {fresh && <span className="absolute inset-y-1 left-0 w-0.5 rounded-full bg-accent max-lg:-left-4" />}
        </span>
      </td>
      <td
        {...roles.cell}
        className={clsx(cell, "col-start-3 row-start-2 whitespace-nowrap text-dim tabular-nums max-lg:text-xs")}
      >
        <Time iso={event.at} as="instant" />
      </td>
      <td {...roles.cell} className={clsx(cell, "col-start-2 row-start-1")}>
        <button
          type="button"
          aria-haspopup="dialog"
          aria-label={texts.open(auditTexts.actions[event.action], event.seq)}
          data-event={event.seq}
          onClick={onOpen}
          className={clsx(
            "block max-w-full truncate rounded-sm text-left hover:underline hover:underline-offset-2",
            quiet ? "text-dim" : "font-medium text-ink",
          )}
        >
          {auditTexts.actions[event.action]}
        </button>
      </td>
      <td {...roles.cell} className={clsx(cell, "col-start-3 row-start-1 max-lg:justify-self-end")}>
        {isOpen ? <Badge tone="warn">{texts.noOutcome}</Badge> : <OutcomeBadge outcome={event.outcome} />}
      </td>
      <td {...roles.cell} className={clsx(cell, "col-start-2 row-start-2 max-lg:text-xs")}>
        <span className={clsx("block truncate", quiet ? "text-faint" : "text-dim")} title={event.actor.name}>
          {event.actor.name}
        </span>
      </td>
      <td
        {...roles.cell}
        className={clsx(cell, "col-start-2 row-start-3 max-lg:empty:hidden", above && quiet && "max-lg:hidden")}
      >
        <TokenLink token={event.token} />
      </td>
      <td {...roles.cell} className={clsx(cell, "max-xl:hidden")}>
        <span className="block truncate font-mono text-faint text-xs" title={event.address ?? undefined}>
          {event.address}
        </span>
      </td>
      <td {...roles.cell} className={clsx(cell, "text-right font-mono text-faint text-xs lg:pr-4 max-xl:hidden")}>
        {formatCount(event.seq)}
      </td>
    </tr>
  );
}

/** The hint, leading to the token's history where there is one. */
export function TokenLink({ token }: { token: AuditEvent["token"] }) {
  if (!token?.hint) return null;
  const { id, hint } = token;
  return id === null ? <TokenHint hint={hint} /> : <HistoryLink token={{ id, hint }} />;
}
