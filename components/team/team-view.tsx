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
import { formatCount, plural } from "@/lib/format";
import { type TeamPage, type TeamQuery, teamQueryString, teamSorts, teamViews } from "@/lib/team/schema";

const viewNames: Record<TeamQuery["view"], string> = {
  all: "All active",
  unlabelled: "Unlabelled",
  overdue: "Overdue",
  appeared: "Appeared",
  ordered: "Revocation ordered",
  gone: "Gone",
};

const sorts = [
  ["owner asc", "Owner, A to Z"],
  ["label asc", "Label, A to Z"],
  ["firstSeen asc", "Oldest first seen"],
  ["firstSeen desc", "Newest first seen"],
  ["lastSeen asc", "Longest not seen"],
  ["rotateBy asc", "Rotate by, soonest"],
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
        title="Team"
        headingRef={heading}
        facts={
          <span className="tabular-nums">
            {plural(page.matched, "token")}{" "}
            <span className="text-faint">as remembered from each owner's last look</span>
          </span>
        }
      />
      <p role="status" className="sr-only">
        {pending
          ? ""
          : `${plural(page.matched, "token matches", "tokens match")}, page ${page.page} of ${page.pageCount}`}
      </p>
      {children}
      <Views query={query} counts={page.counts} onView={(view) => go({ view, page: 1 })} />
      <Toolbar query={query} owners={page.owners} onQuery={go} />
      <section aria-label="Team tokens" className="relative rounded-lg border border-line bg-surface">
        {pending && <PendingBar />}
        {page.matched === 0 ? (
          <EmptyState
            icon={filtered ? <SearchX className="size-5" /> : <Users className="size-5" />}
            title={filtered ? "No token matches" : "No token here"}
            {...(filtered
              ? { action: <Button onClick={() => go({ q: "", owner: null, page: 1 })}>Clear filters</Button> }
              : {})}
          >
            {filtered
              ? "None of the tokens of the main account fits this search, this owner and this view."
              : "Tokendesk has seen no such token in the lists of those who signed in."}
          </EmptyState>
        ) : (
          <TablePage
            table={table}
            label="Team tokens"
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
    <nav aria-label="Views" className="-mx-1 mb-3 overflow-x-auto px-1">
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
                {viewNames[view]}
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
    label: "Search team tokens",
    q: query.q,
    onSearch: (q) => onQuery({ q, page: 1 }),
  });
  return (
    <search className="mb-3 block">
      <div className="flex flex-wrap items-center gap-2">
        {box}
        <Select
          aria-label="Owner"
          value={query.owner ?? ""}
          onChange={(event) => onQuery({ owner: event.target.value || null, page: 1 })}
          className="w-full sm:w-56"
        >
          <option value="">All owners</option>
          {owners.map(({ id, name, tokens }) => (
            <option key={id} value={id}>
              {name} ({formatCount(tokens)})
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
