"use client";

import clsx from "clsx";
import { Building2, ChevronRight, Search, SearchX } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { useSearchKey } from "@/components/commands/shortcuts";
import { bareHost, connectionName } from "@/components/connections/connection-text";
import { ConnectionProblems } from "@/components/connections/problems";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { CopyButton } from "@/components/ui/copy-button";
import { EmptyState } from "@/components/ui/empty-state";
import { TextInput } from "@/components/ui/field";
import { Freshness } from "@/components/ui/freshness";
import { PageHeading } from "@/components/ui/page-heading";
import type { MainAccount } from "@/lib/accounts/schema";
import type { ListedConnection } from "@/lib/session/schema";
import { accountsTexts } from "@/lib/texts/accounts";

const texts = accountsTexts.view;

type Group = { connection: string | null; mains: MainAccount[] };

type AccountsViewProps = {
  /** One for each connection that answered, the active one first. */
  groups: Group[];
  connections: readonly ListedConnection[];
  /** Entries of RingCX's list that made no sense and are left out. */
  unreadable: number;
  fetchedAt: string;
};

export function AccountsView({ groups, connections, unreadable, fetchedAt }: AccountsViewProps) {
  const searchKey = useSearchKey();
  const [search, setSearch] = useState("");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const mains = groups.flatMap((group) => group.mains.map((main) => ({ main, key: keyOf(group, main) })));
  const shown = groups.flatMap((group) => {
    const found = words.length === 0 ? group.mains : group.mains.flatMap((main) => matching(main, words));
    return found.length > 0 || (words.length === 0 && groups.length > 1) ? [{ ...group, mains: found }] : [];
  });
  const count = (all: readonly MainAccount[]) => all.reduce((sum, main) => sum + main.subAccounts.length, 0);
  const total = count(mains.map(({ main }) => main));
  const found = count(shown.flatMap((group) => group.mains));
  const allClosed = mains.length > 0 && mains.every(({ key }) => closed.has(key));

  function toggle(id: string) {
    setClosed((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  }

  return (
    <>
      <PageHeading
        title={texts.title}
        facts={
          <>
            <span className="tabular-nums">{texts.facts(total, mains.length)}</span>
            <Freshness fetchedAt={fetchedAt} />
          </>
        }
      />
      <ConnectionProblems listed={connections} what={texts.title} />
      {unreadable > 0 && (
        <Callout tone="warn" title={texts.incomplete} className="mb-4">
          <p>{texts.unreadable(unreadable)}</p>
        </Callout>
      )}
      {mains.length === 0 ? (
        <section className="rounded-lg border border-line bg-surface">
          <EmptyState icon={<Building2 className="size-5" />} title={texts.none}>
            {texts.noneWhy}
          </EmptyState>
        </section>
      ) : (
        <>
          <search className="mb-3 flex flex-wrap items-center gap-2">
            <div className="relative w-full sm:w-80">
              <Search
                className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-faint"
                aria-hidden="true"
              />
              <TextInput
                type="text"
                {...searchKey}
                inputMode="search"
                aria-label={texts.search}
                placeholder={texts.search}
                autoComplete="off"
                spellCheck={false}
                value={search}
                onChange={(event) => setSearch(event.target.value)}
                onKeyDown={(event) => {
                  if (event.key === "Escape") setSearch("");
                }}
                className="pl-8"
              />
            </div>
            {mains.length > 1 && words.length === 0 && (
              <Button
                variant="ghost"
                onClick={() => setClosed(allClosed ? new Set() : new Set(mains.map(({ key }) => key)))}
              >
                {allClosed ? texts.expandAll : texts.collapseAll}
              </Button>
            )}
            <p role="status" className={clsx("text-dim text-sm tabular-nums", words.length === 0 && "sr-only")}>
              {words.length > 0 && texts.matches(found)}
            </p>
          </search>
          {shown.length === 0 ? (
            <section className="rounded-lg border border-line bg-surface">
              <EmptyState
                icon={<SearchX className="size-5" />}
                title={texts.noMatch}
                action={<Button onClick={() => setSearch("")}>{texts.clearSearch}</Button>}
              >
                {texts.noMatchWhy}
              </EmptyState>
            </section>
          ) : (
            shown.map((group) => (
              <GroupOfAccounts
                key={group.connection}
                connection={connections.length > 1 ? connections.find(({ id }) => id === group.connection) : undefined}
              >
                {group.mains.map((main) => {
                  const key = keyOf(group, main);
                  return (
                    <MainAccountItem
                      key={key}
                      main={main}
                      open={words.length > 0 || !closed.has(key)}
                      onToggle={() => toggle(key)}
                    />
                  );
                })}
              </GroupOfAccounts>
            ))
          )}
          <p className="mt-4 max-w-2xl text-faint text-xs">{texts.explanation}</p>
        </>
      )}
    </>
  );
}

function keyOf({ connection }: Group, { mainAccountId }: MainAccount): string {
  return `${connection} ${mainAccountId}`;
}

/** Under the connection that they were seen through, when there are several. */
function GroupOfAccounts({
  connection,
  children,
}: {
  connection: ListedConnection | undefined;
  children: ReactNode[];
}) {
  const list = <ul className="flex flex-col gap-3">{children}</ul>;
  if (!connection) return list;
  const name = connectionName(connection);
  return (
    <section aria-label={name} className="mb-6">
      <p className="mb-1.5 text-sm">
        <span className="font-medium">{connection.username}</span>{" "}
        <span className="text-dim">{texts.at(bareHost(connection.host))}</span>
      </p>
      {children.length > 0 ? list : <p className="text-dim text-sm">{texts.noneOfConnection}</p>}
    </section>
  );
}

function MainAccountItem({ main, open, onToggle }: { main: MainAccount; open: boolean; onToggle: () => void }) {
  const listId = useId();
  return (
    <li className="overflow-hidden rounded-lg border border-line bg-surface">
      <div className={clsx("flex items-center gap-2 bg-sunken py-1.5 pr-4 pl-2", open && "border-line border-b")}>
        <h2 className="min-w-0 flex-1">
          <button
            type="button"
            aria-expanded={open}
            aria-controls={listId}
            onClick={onToggle}
            className="flex min-h-8 w-full items-center gap-1.5 rounded pointer-coarse:min-h-10 px-1 text-left text-sm hover:bg-hover"
          >
            <ChevronRight
              className={clsx("size-4 shrink-0 text-faint transition-transform duration-100", open && "rotate-90")}
              aria-hidden="true"
            />
            <span className="truncate font-semibold">{main.mainAccountName}</span>
            <span className="shrink-0 text-faint text-xs tabular-nums">
              {texts.subAccounts(main.subAccounts.length)}
            </span>
          </button>
        </h2>
        <AccountId id={main.mainAccountId} what={texts.mainAccountId(main.mainAccountId)} />
      </div>
      <ul id={listId} hidden={!open} className="divide-y divide-line">
        {main.subAccounts.map((account) => (
          <li
            key={account.accountId}
            className="flex min-h-9 items-center gap-2 py-1 pr-4 pl-9 text-sm hover:bg-hover/50"
          >
            <span className="min-w-0 flex-1 truncate" title={account.accountName}>
              {account.accountName}
            </span>
            <AccountId id={account.accountId} what={texts.accountId(account.accountId)} />
          </li>
        ))}
      </ul>
    </li>
  );
}

function AccountId({ id, what }: { id: string; what: string }) {
  return (
    <span className="flex shrink-0 items-center gap-1">
      <span className="font-mono text-dim text-xs tabular-nums">{id}</span>
      <CopyButton text={id} what={what} />
    </span>
  );
}

/** The main account with the sub-accounts that match; with all of them when it matches itself. Else nothing. */
function matching(main: MainAccount, words: string[]): MainAccount[] {
  const has = (...texts: string[]) => words.every((word) => texts.join("\n").toLowerCase().includes(word));
  if (has(main.mainAccountName, main.mainAccountId)) return [main];
  const subAccounts = main.subAccounts.filter((account) =>
    has(account.accountName, account.accountId, main.mainAccountName, main.mainAccountId),
  );
  return subAccounts.length === 0 ? [] : [{ ...main, subAccounts }];
}
