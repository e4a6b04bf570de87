"use client";

import clsx from "clsx";
import { SearchX, Users } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useMemo, useRef } from "react";
import { useServerTable } from "@/components/data-table/server-table";
import { SortSelect } from "@/components/data-table/sort-select";
import { TablePage } from "@/components/data-table/table-page";
import { CancelOrderDialog } from "@/components/team/cancel-order-dialog";
import { OrderDialog } from "@/components/team/order-dialog";
import { TeamActions, type TeamDialog } from "@/components/team/team-actions";
import { teamColumns, teamLayout, teamRow } from "@/components/team/team-columns";
import { useTokenSearch } from "@/components/tokens/token-search";
import { Button } from "@/components/ui/button";
import { useDialogs } from "@/components/ui/dialogs";
import { EmptyState } from "@/components/ui/empty-state";
import { Select } from "@/components/ui/field";
import { PageHeading } from "@/components/ui/page-heading";
import { PendingBar } from "@/components/ui/pending-bar";
import { RichText } from "@/components/ui/rich-text";
import { formatCount } from "@/lib/format";
import { type TeamPage, type TeamQuery, teamQueryString, teamSorts, teamViews } from "@/lib/team/schema";
import { teamTexts } from "@/lib/texts/team";
import { uiTexts } from "@/lib/texts/ui";

const texts = teamTexts.view;

const sorts = [
  ["owner asc", texts.sorts.ownerUp],
  ["label asc", texts.sorts.labelUp],
  ["firstSeen asc", texts.sorts.oldest],
  ["firstSeen desc", texts.sorts.newest],
  ["lastSeen asc", texts.sorts.notSeen],
  ["rotateBy asc", texts.sorts.rotateBy],
] as const;

type TeamViewProps = {
  page: TeamPage;
  query: TeamQuery;
  /** The calendar date in UTC, from the server, so that both sides agree. */
  today: string;
  /** Stands above the table. */
  children: ReactNode;
};

const pathOf = (query: TeamQuery) => `/team${teamQueryString(query)}`;

export function TeamView({ page, query: asked, today, children }: TeamViewProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { dialog, open, close, returnFocus } = useDialogs<TeamDialog>(heading, page.rows);

  const columns = useMemo(() => teamColumns(today), [today]);
  const { query, pending, go, table } = useServerTable({
    rows: page.rows,
    columns,
    query: asked,
    path: pathOf,
    sorts: teamSorts,
  });

  const filtered = query.q !== "" || query.owner !== null;
  return (
    <TeamActions value={open}>
      <PageHeading
        title={texts.title}
        headingRef={heading}
        facts={
          <span className="tabular-nums">
            <RichText
              text={texts.facts(page.matched)}
              slots={{ source: <span className="text-faint">{texts.source}</span> }}
            />
          </span>
        }
      />
      <p role="status" className="sr-only">
        {pending ? "" : texts.matches(page.matched, page.page, page.pageCount)}
      </p>
      {children}
      <Views query={query} counts={page.counts} onView={(view) => go({ view, page: 1 })} />
      <Toolbar query={query} owners={page.owners} onQuery={go} />
      <section aria-label={texts.tokens} className="relative rounded-lg border border-line bg-surface">
        {pending && <PendingBar />}
        {page.matched === 0 ? (
          <EmptyState
            icon={filtered ? <SearchX className="size-5" /> : <Users className="size-5" />}
            title={filtered ? texts.noMatch : texts.none}
            {...(filtered
              ? {
                  action: (
                    <Button onClick={() => go({ q: "", owner: null, page: 1 })}>{uiTexts.actions.clearFilters}</Button>
                  ),
                }
              : {})}
          >
            {filtered ? texts.noMatchWhy : texts.noneWhy}
          </EmptyState>
        ) : (
          <TablePage
            table={table}
            label={texts.tokens}
            layout={teamLayout}
            rowClass={teamRow}
            stale={pending}
            page={page}
            size={query.size}
            onGo={go}
            heading={heading}
          />
        )}
      </section>
      {dialog?.kind === "order" && <OrderDialog token={dialog.token} onClose={close} returnFocus={returnFocus} />}
      {dialog?.kind === "cancel" && dialog.token.order && (
        <CancelOrderDialog token={dialog.token} order={dialog.token.order} onClose={close} returnFocus={returnFocus} />
      )}
    </TeamActions>
  );
}

type ViewsProps = { query: TeamQuery; counts: TeamPage["counts"]; onView: (view: TeamQuery["view"]) => void };

function Views({ query, counts, onView }: ViewsProps) {
  return (
    <nav aria-label={texts.viewsLabel} className="-mx-1 mb-3 overflow-x-auto px-1">
      <ul className="flex min-w-max gap-1 border-line border-b">
        {teamViews.map((view) => {
          const here = query.view === view;
          return (
            <li key={view}>
              <Link
                href={pathOf({ ...query, view, page: 1 })}
                prefetch={false}
                scroll={false}
                aria-current={here ? "page" : undefined}
                onClick={(event) => {
                  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
                  event.preventDefault();
                  onView(view);
                }}
                className={clsx(
                  "-mb-px flex h-9 items-center gap-1.5 rounded-t border-b-2 px-2.5 text-sm transition-colors duration-100 focus-visible:-outline-offset-2",
                  here
                    ? "border-accent font-medium text-ink"
                    : "border-transparent text-dim hover:border-edge hover:text-ink",
                )}
              >
                {texts.views[view]}
                <span
                  className={clsx(
                    "rounded-full bg-hover px-1.5 text-2xs tabular-nums",
                    counts[view] === 0 ? "text-faint" : "text-dim",
                  )}
                >
                  {formatCount(counts[view])}
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

type ToolbarProps = { query: TeamQuery; owners: TeamPage["owners"]; onQuery: (patch: Partial<TeamQuery>) => void };

function Toolbar({ query, owners, onQuery }: ToolbarProps) {
  const { box, note } = useTokenSearch({
    label: texts.search,
    q: query.q,
    onSearch: (q) => onQuery({ q, page: 1 }),
  });
  return (
    <search className="mb-3 block">
      <div className="flex flex-wrap items-center gap-2">
        {box}
        <Select
          aria-label={texts.owner}
          value={query.owner ?? ""}
          onChange={(event) => onQuery({ owner: event.target.value || null, page: 1 })}
          className="w-full sm:w-56"
        >
          <option value="">{texts.allOwners}</option>
          {owners.map(({ id, name, tokens }) => (
            <option key={id} value={id}>
              {texts.ownerCount(name, tokens)}
            </option>
          ))}
        </Select>
        <SortSelect
          sort={query.sort}
          order={query.order}
          choices={sorts}
          onSort={(chosen) => onQuery({ ...chosen, page: 1 })}
        />
      </div>
      {note}
    </search>
  );
}
