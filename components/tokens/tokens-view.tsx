"use client";

import { functionalUpdate, type RowSelectionState } from "@tanstack/react-table";
import { KeyRound, Plus, SearchX } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useRequest } from "@/components/commands/requests";
import { useShortcutsOn } from "@/components/commands/shortcuts";
import { Listed } from "@/components/connections/listed";
import { ConnectionProblems } from "@/components/connections/problems";
import { useServerTable } from "@/components/data-table/server-table";
import { TablePage } from "@/components/data-table/table-page";
import { AdoptDialog } from "@/components/tokens/adopt-dialog";
import { Differences } from "@/components/tokens/differences";
import { EditDialog } from "@/components/tokens/edit-dialog";
import { LegacyNote } from "@/components/tokens/legacy-note";
import { NewTokenDialog } from "@/components/tokens/new-token-dialog";
import { RevealDialog } from "@/components/tokens/reveal-dialog";
import { RevokeDialog } from "@/components/tokens/revoke-dialog";
import { RevokeSelectedDialog } from "@/components/tokens/revoke-selected-dialog";
import { RotateDialog } from "@/components/tokens/rotate-dialog";
import { Rotations } from "@/components/tokens/rotation-badges";
import { RotationDialog } from "@/components/tokens/rotation-dialog";
import { SelectionBar } from "@/components/tokens/selection-bar";
import { TokenActions, type TokenDialog } from "@/components/tokens/token-actions";
import { layoutOfSeveral, tokenColumns, tokenLayout, tokenRow } from "@/components/tokens/token-columns";
import { TokenToolbar } from "@/components/tokens/token-toolbar";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { useDialogs } from "@/components/ui/dialogs";
import { EmptyState } from "@/components/ui/empty-state";
import { Freshness } from "@/components/ui/freshness";
import { PageHeading } from "@/components/ui/page-heading";
import { PendingBar } from "@/components/ui/pending-bar";
import { ViewsMenu } from "@/components/views/views-menu";
import type { ListedConnection } from "@/lib/session/schema";
import { tokensTexts } from "@/lib/texts/tokens";
import { uiTexts } from "@/lib/texts/ui";
import {
  type OwnRotation,
  rowKey,
  type Token,
  type Differences as TokenDifferences,
  type TokenPage,
  type TokenQuery,
  tokenQueryString,
  tokenSorts,
} from "@/lib/tokens/schema";

const texts = tokensTexts.view;

type TokensViewProps = {
  page: TokenPage;
  /** Those of the owner that are under way. */
  rotations: readonly OwnRotation[];
  query: TokenQuery;
  differences: TokenDifferences;
  /** Where the tokens are from, the active one first. */
  connections: readonly ListedConnection[];
  fetchedAt: string;
  /** Whether labels and dates could be read; the tokens themselves are RingCX's. */
  remembered: boolean;
  /** Entries of RingCX's list that made no sense and are left out. */
  unreadable: number;
  /** The calendar date in UTC, from the server, so that both sides agree on what is overdue. */
  today: string;
};

const pathOf = (query: TokenQuery) => `/tokens${tokenQueryString(query)}`;

export function TokensView({
  page,
  rotations,
  query: asked,
  differences,
  connections,
  fetchedAt,
  remembered,
  unreadable,
  today,
}: TokensViewProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [selected, setSelected] = useState<ReadonlyMap<string, Token>>(new Map());
  const { dialog, open, close, returnFocus } = useDialogs<TokenDialog>(heading, page.rows);

  const keysOn = useShortcutsOn();
  useRequest("new-token", () => open({ kind: "new" }));

  const several = connections.length > 1;
  const columns = useMemo(() => tokenColumns(today, several), [today, several]);
  const rowSelection = useMemo<RowSelectionState>(
    () => Object.fromEntries([...selected.keys()].map((id) => [id, true])),
    [selected],
  );
  const { query, pending, go, table } = useServerTable({
    rows: page.rows,
    rowId: rowKey,
    columns,
    query: asked,
    path: pathOf,
    sorts: tokenSorts,
    selection: {
      selected: rowSelection,
      onSelect: (updater) => {
        const keys = Object.keys(functionalUpdate(updater, rowSelection));
        const known = new Map([...selected, ...page.rows.map((token) => [rowKey(token), token] as const)]);
        setSelected(new Map(keys.flatMap((key) => (known.has(key) ? [[key, known.get(key) as Token] as const] : []))));
      },
    },
  });

  function unselect(token: Token) {
    setSelected((before) => {
      const after = new Map(before);
      after.delete(rowKey(token));
      return after;
    });
  }

  const unfiltered = { q: "", environment: null, connection: null, labelled: null, state: null, page: 1 } as const;
  const filtered =
    query.q !== "" || [query.environment, query.connection, query.labelled, query.state].some((one) => one !== null);
  const newToken = (
    <Button variant="primary" {...(keysOn ? { "aria-keyshortcuts": "n" } : {})} onClick={() => open({ kind: "new" })}>
      <Plus className="size-4" aria-hidden="true" />
      {texts.newToken}
    </Button>
  );

  return (
    <TokenActions value={open}>
      <Listed value={connections}>
        <Rotations value={rotations}>
          <PageHeading
            title={texts.title}
            headingRef={heading}
            facts={
              <>
                <span className="tabular-nums">{texts.facts(page.matched, page.total)}</span>
                <Freshness fetchedAt={fetchedAt} />
              </>
            }
            actions={
              page.total > 0 && (
                <>
                  <ViewsMenu page="/tokens" query={tokenQueryString({ ...query, page: 1 })} />
                  {newToken}
                </>
              )
            }
          />
          <p role="status" className="sr-only">
            {pending ? "" : texts.matches(page.matched, page.page, page.pageCount)}
          </p>

          {!remembered && (
            <Callout tone="warn" title={texts.noDatabase} className="mb-4">
              <p>{texts.noDatabaseWhy(unreadable === 0)}</p>
            </Callout>
          )}
          {unreadable > 0 && (
            <Callout tone="warn" title={texts.incomplete} className="mb-4">
              <p>{texts.unreadable(unreadable)}</p>
            </Callout>
          )}
          <ConnectionProblems listed={connections} what={texts.title} />
          <LegacyNote connections={connections} differences={differences} />
          <Differences
            differences={differences}
            listed={query.state === "appeared"}
            onShowAppeared={() => go({ ...unfiltered, state: "appeared" })}
            onEmptied={() => heading.current?.focus()}
          />
          {page.total === 0 ? (
            <section className="rounded-lg border border-line bg-surface">
              <EmptyState icon={<KeyRound className="size-5" />} title={texts.none} action={newToken}>
                {texts.noneWhy}
              </EmptyState>
            </section>
          ) : (
            <>
              <TokenToolbar query={query} environments={page.environments} onQuery={go} />
              <section aria-label={texts.list} className="relative rounded-lg border border-line bg-surface">
                {pending && <PendingBar />}
                {page.matched === 0 ? (
                  <EmptyState
                    icon={<SearchX className="size-5" />}
                    title={texts.noMatch}
                    action={<Button onClick={() => go(unfiltered)}>{uiTexts.actions.clearFilters}</Button>}
                  >
                    {filtered ? texts.noMatchWhy : texts.refresh}
                  </EmptyState>
                ) : (
                  <TablePage
                    table={table}
                    label={texts.title}
                    layout={several ? layoutOfSeveral : tokenLayout}
                    rowClass={tokenRow}
                    narrowHead="select"
                    stale={pending}
                    page={page}
                    size={query.size}
                    onGo={go}
                    heading={heading}
                  />
                )}
              </section>
              {selected.size > 0 && (
                <SelectionBar
                  count={selected.size}
                  onClear={() => {
                    setSelected(new Map());
                    heading.current?.focus();
                  }}
                  onRevoke={() => open({ kind: "revoke-selected", tokens: [...selected.values()] })}
                />
              )}
            </>
          )}

          {dialog?.kind === "new" && (
            <NewTokenDialog connections={connections} today={today} onClose={close} returnFocus={returnFocus} />
          )}
          {dialog?.kind === "reveal" && <RevealDialog token={dialog.token} onClose={close} returnFocus={returnFocus} />}
          {dialog?.kind === "edit" && (
            <EditDialog token={dialog.token} today={today} onClose={close} returnFocus={returnFocus} />
          )}
          {dialog?.kind === "adopt" && (
            <AdoptDialog token={dialog.token} today={today} onClose={close} returnFocus={returnFocus} />
          )}
          {dialog?.kind === "rotate" && (
            <RotateDialog
              token={dialog.token}
              today={today}
              onClose={close}
              onContinue={() =>
                open({ kind: "rotation", old: { connection: dialog.token.connection, old: dialog.token } })
              }
              onRevokeOld={() => open({ kind: "revoke", token: dialog.token })}
              returnFocus={returnFocus}
            />
          )}
          {dialog?.kind === "rotation" && (
            <RotationDialog
              key={`${dialog.old.connection} ${dialog.old.old.id}`}
              oldId={dialog.old.old.id}
              connection={dialog.old.connection}
              known={
                rotations.find(
                  ({ connection, old }) => old.id === dialog.old.old.id && connection === dialog.old.connection,
                ) ?? null
              }
              onClose={close}
              onRevokeOld={(token) =>
                open({ kind: "revoke", token: page.rows.find((row) => rowKey(row) === rowKey(token)) ?? token })
              }
              returnFocus={returnFocus}
            />
          )}
          {dialog?.kind === "revoke" && (
            <RevokeDialog token={dialog.token} onClose={close} onRevoked={unselect} returnFocus={returnFocus} />
          )}
          {dialog?.kind === "revoke-selected" && (
            <RevokeSelectedDialog
              tokens={dialog.tokens}
              onClose={close}
              onRevoked={unselect}
              returnFocus={returnFocus}
            />
          )}
        </Rotations>
      </Listed>
    </TokenActions>
  );
}
