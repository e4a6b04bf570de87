"use client";

import clsx from "clsx";
import { type Ref, useMemo, useState } from "react";
import { Pagination } from "@/components/data-table/pagination";
import { FindingRow, roles } from "@/components/incident/finding-row";
import type { Viewer } from "@/components/incident/incident-text";
import type { Step } from "@/components/incident/revocation-run";
import { isProven } from "@/components/incident/revocation-state";
import { RowCheckbox } from "@/components/ui/field";
import { RichText } from "@/components/ui/rich-text";
import { formatCount } from "@/lib/format";
import type { Finding, FindingStatus } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.findings;

const sizes = [25, 50, 100] as const;
const order: Record<FindingStatus, number> = { live: 0, unchecked: 1, dead: 2 };
const chips = [
  ["all", texts.all],
  ["live", incidentTexts.statuses.live],
  ["dead", incidentTexts.statuses.dead],
  ["unchecked", incidentTexts.statuses.unchecked],
] as const;

type FindingsProps = {
  /** In the order of the text. */
  findings: readonly Finding[];
  pending: ReadonlySet<string>;
  steps: ReadonlyMap<string, Step>;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  viewer: Viewer;
  /** Takes the focus with another page. */
  heading: Ref<HTMLHeadingElement> & { current: HTMLElement | null };
};

/** True for what is not proven dead: what RingCX refused once can be proven, too. */
export function isSelectable(
  finding: Finding,
  pending: ReadonlySet<string>,
  steps: ReadonlyMap<string, Step>,
): boolean {
  if (pending.has(finding.tokenId)) return false;
  const step = steps.get(finding.tokenId);
  return step === undefined || !isProven(step.outcome);
}

/** True for what may be alive: what is to be dealt with, unless somebody thinks otherwise. */
export function mayLive(finding: Finding, pending: ReadonlySet<string>, steps: ReadonlyMap<string, Step>): boolean {
  return isSelectable(finding, pending, steps) && statusOf(finding, steps) !== "dead";
}

/** What it is now, a run included. */
export function statusOf(finding: Finding, steps: ReadonlyMap<string, Step>): FindingStatus {
  const step = steps.get(finding.tokenId);
  if (!step) return finding.status;
  return isProven(step.outcome) ? "dead" : step.outcome === "alive" ? "live" : "unchecked";
}

export function Findings({ findings, pending, steps, selected, onSelect, viewer, heading }: FindingsProps) {
  const [chip, setChip] = useState<(typeof chips)[number][0]>("all");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [size, setSize] = useState<number>(50);
  const [asked, setPage] = useState(1);

  const settled = pending.size === 0;
  const counts = useMemo(() => {
    const sum = { all: findings.length, live: 0, dead: 0, unchecked: 0 };
    for (const finding of findings) if (!pending.has(finding.tokenId)) sum[statusOf(finding, steps)] += 1;
    return sum;
  }, [findings, pending, steps]);
  const matched = useMemo(() => {
    const some = findings.filter(
      (finding) => chip === "all" || (!pending.has(finding.tokenId) && statusOf(finding, steps) === chip),
    );
    // While they are looked up they stay where they are.
    return settled ? some.sort((a, b) => order[statusOf(a, steps)] - order[statusOf(b, steps)]) : some;
  }, [findings, pending, steps, chip, settled]);
  const pageCount = Math.max(1, Math.ceil(matched.length / size));
  const page = Math.min(asked, pageCount);
  const shown = matched.slice((page - 1) * size, page * size);
  const alive = matched.filter((finding) => mayLive(finding, pending, steps));
  const chosen = alive.filter(({ tokenId }) => selected.has(tokenId)).length;

  function toggle<Value>(set: ReadonlySet<Value>, values: readonly Value[], on: boolean): ReadonlySet<Value> {
    const next = new Set(set);
    for (const value of values) {
      if (on) next.add(value);
      else next.delete(value);
    }
    return next;
  }

  return (
    <>
      <fieldset className="mb-3 flex flex-wrap gap-1.5">
        <legend className="sr-only">{texts.show}</legend>
        {chips.map(([name, text]) => (
          <button
            key={name}
            type="button"
            aria-pressed={chip === name}
            onClick={() => {
              setChip(name);
              setPage(1);
            }}
            className={clsx(
              "inline-flex h-7 pointer-coarse:h-10 items-center gap-1.5 rounded-full border px-2.5 text-xs transition-colors duration-100",
              chip === name
                ? "border-accent bg-accent-soft font-medium text-ink"
                : "border-line bg-surface text-dim hover:bg-hover hover:text-ink",
            )}
          >
            {text}
            <span className="tabular-nums">{formatCount(counts[name])}</span>
          </button>
        ))}
      </fieldset>
      <section aria-label={texts.label} className="overflow-hidden rounded-lg border border-line bg-surface">
        <table
          {...roles.table}
          aria-label={texts.label}
          className="w-full text-left text-sm max-md:block md:table-fixed"
        >
          <thead {...roles.group} className="max-md:block">
            <tr
              {...roles.row}
              className="border-line border-b bg-sunken max-md:flex max-md:h-9 max-md:items-center max-md:px-4"
            >
              <th scope="col" className="w-11 font-normal md:h-9 md:pl-4">
                {alive.length > 0 ? (
                  <RowCheckbox
                    aria-label={texts.selectAll}
                    checked={chosen === alive.length}
                    ref={(box) => {
                      if (box) box.indeterminate = chosen > 0 && chosen < alive.length;
                    }}
                    onChange={(event) =>
                      onSelect(
                        toggle(
                          selected,
                          alive.map(({ tokenId }) => tokenId),
                          event.target.checked,
                        ),
                      )
                    }
                  />
                ) : (
                  <span className="sr-only">{texts.selected}</span>
                )}
              </th>
              <th scope="col" className="w-46 px-2 font-medium text-dim text-xs max-md:px-0">
                <RichText
                  text={texts.token}
                  slots={{ place: <span className="font-normal text-faint">{texts.andWhere}</span> }}
                />
              </th>
              <th scope="col" className="w-40 px-2 font-medium text-dim text-xs max-md:hidden xl:w-48">
                {texts.status}
              </th>
              <th scope="col" className="px-2 font-medium text-dim text-xs max-md:hidden">
                {texts.whose}
              </th>
              <th scope="col" className="w-40 pr-4 pl-2 font-medium text-dim text-xs max-md:hidden xl:w-60">
                {texts.known}
              </th>
            </tr>
          </thead>
          <tbody {...roles.group} className="max-md:block">
            {shown.map((finding) => {
              const { tokenId } = finding;
              return (
                <FindingRow
                  key={tokenId}
                  finding={finding}
                  pending={pending.has(tokenId)}
                  step={steps.get(tokenId)}
                  selected={isSelectable(finding, pending, steps) ? selected.has(tokenId) : null}
                  open={open.has(tokenId)}
                  viewer={viewer}
                  onSelect={(on) => onSelect(toggle(selected, [tokenId], on))}
                  onOpen={(on) => setOpen(toggle(open, [tokenId], on))}
                />
              );
            })}
          </tbody>
        </table>
        {shown.length === 0 && <p className="px-4 py-8 text-center text-dim text-sm">{texts.none}</p>}
        {matched.length > sizes[0] && (
          <div className="border-line border-t">
            <Pagination
              page={page}
              pageCount={pageCount}
              size={size}
              sizes={sizes}
              matched={matched.length}
              onPage={(next) => {
                setPage(next);
                heading.current?.scrollIntoView({ block: "start" });
              }}
              onSize={(next) => {
                setSize(next);
                setPage(1);
              }}
            />
          </div>
        )}
      </section>
    </>
  );
}
