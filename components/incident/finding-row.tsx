"use client";

import clsx from "clsx";
import { ChevronRight } from "lucide-react";
import { useId } from "react";
import { FindingDetails } from "@/components/incident/finding-details";
import { FindingStatus } from "@/components/incident/finding-status";
import { nameOf, placeText, siblingsText, type Viewer } from "@/components/incident/incident-text";
import type { Step } from "@/components/incident/revocation-run";
import { TokenHint } from "@/components/tokens/token-hint";
import { Badge } from "@/components/ui/badge";
import { RowCheckbox } from "@/components/ui/field";
import { formatCount } from "@/lib/format";
import type { Finding } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.row;

/*
 * On a narrow screen each finding is a card. A table whose parts are not laid out as a table loses its roles in some
 * browsers, so they are said again.
 */
export const roles = {
  table: { role: "table" },
  group: { role: "rowgroup" },
  row: { role: "row" },
  cell: { role: "cell" },
} as const;

type FindingRowProps = {
  finding: Finding;
  pending: boolean;
  step: Step | undefined;
  /** Null: it cannot be chosen. */
  selected: boolean | null;
  open: boolean;
  viewer: Viewer;
  onSelect: (selected: boolean) => void;
  onOpen: (open: boolean) => void;
};

export function FindingRow({ finding, pending, step, selected, open, viewer, onSelect, onOpen }: FindingRowProps) {
  const detailsId = useId();
  const { hint, places, count, known, user, reach } = finding;
  const [first] = places;
  const others = siblingsText(finding);
  const quiet = finding.status === "dead" && !pending;
  const why = step ? step.detail : pending ? "" : finding.why;
  return (
    <>
      <tr
        {...roles.row}
        className={clsx(
          "border-line border-t first:border-t-0 max-md:grid max-md:px-4 max-md:py-3 md:align-top",
          "grid-cols-[1.5rem_minmax(0,1fr)_auto] gap-x-2.5 gap-y-1.5",
          selected ? "bg-accent-soft" : "hover:bg-hover/50",
        )}
      >
        <td {...roles.cell} className="max-md:pt-1 md:py-2.5 md:pl-4">
          {selected !== null && (
            <RowCheckbox
              aria-label={texts.select(hint)}
              checked={selected}
              onChange={(event) => onSelect(event.target.checked)}
            />
          )}
        </td>
        <td {...roles.cell} className="min-w-0 md:px-2 md:py-2">
          <button
            type="button"
            aria-expanded={open}
            aria-controls={open ? detailsId : undefined}
            onClick={() => onOpen(!open)}
            className="-ml-1 flex h-6 pointer-coarse:h-10 max-w-full items-center gap-1 rounded px-1 hover:bg-hover"
          >
            <ChevronRight
              className={clsx("size-3.5 shrink-0 text-faint transition-transform duration-100", open && "rotate-90")}
              aria-hidden="true"
            />
            <span className="sr-only">{texts.details} </span>
            <TokenHint hint={hint} />
          </button>
          {first && (
            <span
              className="mt-0.5 flex min-w-0 items-baseline gap-1.5 pl-4.5 text-dim text-xs"
              title={places.map(placeText).join("\n")}
            >
              <span className="truncate">{placeText(first)}</span>
              {count > 1 && (
                <span className="shrink-0 text-faint tabular-nums">
                  +{formatCount(count - 1)}
                  <span className="sr-only"> {texts.morePlaces}</span>
                </span>
              )}
            </span>
          )}
        </td>
        <td {...roles.cell} className="min-w-0 max-md:justify-self-end md:px-2 md:py-2.5">
          <FindingStatus finding={finding} pending={pending} step={step} />
          <span className="mt-0.5 line-clamp-2 text-dim text-xs max-md:hidden" title={why}>
            {why}
          </span>
        </td>
        {why !== "" && (
          <td {...roles.cell} className="col-span-2 col-start-2 text-dim text-xs md:hidden">
            {why}
          </td>
        )}
        <td {...roles.cell} className="col-span-2 col-start-2 min-w-0 text-sm max-md:empty:hidden md:px-2 md:py-2.5">
          {user && (
            <>
              <span className="block truncate" title={user.login ?? undefined}>
                <span className="font-medium text-ink">{nameOf(user)}</span>
                {!user.enabled && <span className="text-warn"> {texts.disabled}</span>}
              </span>
              {others && <span className="block text-danger text-xs">{others}</span>}
            </>
          )}
          {!user && others && <span className="block text-danger text-xs">{others}</span>}
          {reach && (
            <span className="line-clamp-2 text-dim text-xs" title={reach}>
              {reach}
            </span>
          )}
        </td>
        <td {...roles.cell} className="col-span-2 col-start-2 min-w-0 text-sm md:py-2.5 md:pr-4 md:pl-2">
          {known ? (
            <>
              <span className="flex min-w-0 items-center gap-2">
                <span
                  className={clsx("truncate", known.label === null ? "text-faint" : quiet ? "text-dim" : "text-ink")}
                  title={known.label ?? undefined}
                >
                  {known.label ?? texts.noLabel}
                </span>
                {known.environment && <Badge>{known.environment}</Badge>}
              </span>
              <span className="block truncate text-dim text-xs" title={known.owner}>
                {known.owner}
              </span>
            </>
          ) : (
            <span className="text-faint text-xs">{texts.unknown}</span>
          )}
        </td>
      </tr>
      {open && (
        <tr {...roles.row} className="max-md:block">
          <td
            {...roles.cell}
            id={detailsId}
            colSpan={5}
            className="bg-sunken/60 px-4 py-3 max-md:block md:pr-4 md:pl-13"
          >
            <FindingDetails finding={finding} viewer={viewer} />
          </td>
        </tr>
      )}
    </>
  );
}
