"use client";

import { createColumnHelper } from "@tanstack/react-table";
import Link from "next/link";
import type { ReactNode } from "react";
import { bareHost } from "@/components/connections/connection-text";
import { useSeveral } from "@/components/connections/listed";
import type { Features } from "@/components/data-table/features";
import { HistoryLink, useHistoryPath } from "@/components/tokens/history-link";
import { RotateBy } from "@/components/tokens/rotate-by";
import { RotationBadges } from "@/components/tokens/rotation-badges";
import { RowActions } from "@/components/tokens/row-actions";
import { useTokenActions } from "@/components/tokens/token-actions";
import { Badge } from "@/components/ui/badge";
import { CopyButton } from "@/components/ui/copy-button";
import { RowCheckbox } from "@/components/ui/field";
import { Time } from "@/components/ui/time";
import { tokensTexts } from "@/lib/texts/tokens";
import type { RevocationOrder, Token } from "@/lib/tokens/schema";

const texts = tokensTexts.table;

const helper = createColumnHelper<Features, Token>();

/** The ids of the sortable columns are the names of the sorts in the address. */
export function tokenColumns(today: string, several: boolean) {
  return helper.columns([
    helper.display({
      id: "select",
      header: ({ table }) => (
        <RowCheckbox
          aria-label={texts.selectAll}
          checked={table.getIsAllPageRowsSelected()}
          ref={(box) => {
            if (box) box.indeterminate = table.getIsSomePageRowsSelected() && !table.getIsAllPageRowsSelected();
          }}
          onChange={table.getToggleAllPageRowsSelectedHandler()}
        >
          <span className="md:hidden" aria-hidden="true">
            {texts.selectAll}
          </span>
        </RowCheckbox>
      ),
      cell: ({ row }) => (
        <RowCheckbox
          aria-label={texts.select(row.original.hint)}
          checked={row.getIsSelected()}
          onChange={row.getToggleSelectedHandler()}
        />
      ),
    }),
    helper.accessor((token) => token.label, {
      id: "label",
      header: texts.label,
      cell: ({ row }) => (
        <>
          <Label token={row.original} />
          <RotationBadges token={row.original} />
          {row.original.order && <Ordered order={row.original.order} />}
        </>
      ),
    }),
    helper.accessor((token) => token.hint, {
      id: "hint",
      header: texts.token,
      cell: ({ row }) => (
        <span className="flex items-center gap-1">
          <HistoryLink token={row.original} />
          <CopyButton
            text={row.original.hint}
            what={texts.hintCopied(row.original.hint)}
            // For the mouse; the row's menu has the same for everyone.
            tabIndex={-1}
            className="opacity-0 focus:opacity-100 group-hover/row:opacity-100 pointer-coarse:hidden"
          />
        </span>
      ),
    }),
    ...(several
      ? [
          helper.display({
            id: "connection",
            header: texts.connection,
            enableSorting: false,
            cell: ({ row }) => <ConnectionOf token={row.original} />,
          }),
        ]
      : []),
    helper.accessor((token) => token.environment, {
      id: "environment",
      header: texts.environment,
      cell: ({ row }) => row.original.environment && <Badge>{row.original.environment}</Badge>,
    }),
    helper.display({
      id: "purpose",
      header: texts.purpose,
      enableSorting: false,
      cell: ({ row }) => (
        <span className="block truncate text-dim" title={row.original.purpose ?? undefined}>
          {row.original.purpose}
        </span>
      ),
    }),
    helper.accessor((token) => token.firstSeenAt, {
      id: "firstSeen",
      header: texts.firstSeen,
      cell: ({ row }) =>
        row.original.firstSeenAt && (
          <Time iso={row.original.firstSeenAt} className="whitespace-nowrap text-dim tabular-nums" />
        ),
    }),
    helper.accessor((token) => token.rotateBy, {
      id: "rotateBy",
      header: texts.rotateBy,
      cell: ({ row }) =>
        row.original.rotateBy && (
          <Named name={texts.rotateBy}>
            <RotateBy date={row.original.rotateBy} today={today} />
          </Named>
        ),
    }),
    helper.display({
      id: "actions",
      header: () => <span className="sr-only">{texts.actions}</span>,
      cell: ({ row }) => <RowActions token={row.original} />,
    }),
  ]);
}

export const tokenLayout: Record<string, { head: string; cell: string }> = {
  select: { head: "md:w-11", cell: "row-start-1 max-md:pt-1.5" },
  label: {
    head: "",
    cell: "col-span-2 col-start-2 row-start-1 max-md:flex max-md:min-h-7 max-md:flex-col max-md:justify-center md:py-1",
  },
  hint: { head: "w-36", cell: "col-start-2 row-start-2 max-md:self-center" },
  connection: {
    head: "w-40",
    cell: "col-span-2 col-start-2 row-start-4",
  },
  environment: { head: "w-32", cell: "col-start-3 row-start-2 max-md:self-center" },
  purpose: { head: "w-[18%] max-[87.5rem]:hidden", cell: "max-[87.5rem]:hidden" },
  firstSeen: { head: "w-30 max-xl:hidden", cell: "max-xl:hidden" },
  rotateBy: {
    head: "w-44",
    cell: "col-span-2 col-start-2 row-start-3 max-md:empty:hidden",
  },
  actions: { head: "w-12", cell: "col-start-4 row-start-1 text-right" },
};

/** With a column more, the others give way. */
export const layoutOfSeveral: typeof tokenLayout = {
  ...tokenLayout,
  environment: { head: "w-32 md:max-xl:hidden", cell: `${tokenLayout.environment?.cell} md:max-xl:hidden` },
  purpose: { head: "w-[18%] max-2xl:hidden", cell: "max-2xl:hidden" },
  rotateBy: { head: "w-40", cell: tokenLayout.rotateBy?.cell ?? "" },
};

export const tokenRow = "grid-cols-[1.5rem_auto_minmax(0,1fr)_auto] gap-x-2 gap-y-0.5 max-md:px-4 max-md:py-2";

function ConnectionOf({ token }: { token: Token }) {
  const connection = useSeveral().find(({ id }) => id === token.connection);
  if (!connection) return null;
  const { username, mainAccountId, host } = connection;
  return (
    <Named name={texts.connection}>
      <span className="inline-block min-w-0 max-w-full align-top text-dim text-xs leading-tight" title={bareHost(host)}>
        <span className="block truncate">{username}</span>
        <span className="block truncate text-faint tabular-nums">
          {mainAccountId}, {bareHost(host)}
        </span>
      </span>
    </Named>
  );
}

/** On a narrow screen the column's name stands before the cell: to be seen, since the cell is read with its column. */
function Named({ name, children }: { name: string; children: ReactNode }) {
  return (
    <span
      data-name={name}
      className="max-md:before:text-faint max-md:before:text-xs max-md:before:content-[attr(data-name)_'_'] md:contents"
    >
      {children}
    </span>
  );
}

function Label({ token }: { token: Token }) {
  const open = useTokenActions();
  const history = useHistoryPath(token);
  const appeared = token.appearedAt !== null && (
    <span title={texts.appearedOutside}>
      <Badge tone="warn">{texts.appeared}</Badge>
    </span>
  );
  if (token.label !== null) {
    return (
      <span className="flex min-w-0 items-center gap-2">
        {/* For the mouse; the hint beside it is the same link for everyone. */}
        <Link
          href={history}
          prefetch={false}
          tabIndex={-1}
          title={token.label}
          className="truncate font-medium text-ink underline-offset-2 hover:underline"
        >
          {token.label}
        </Link>
        {appeared}
      </span>
    );
  }
  return (
    <span className="flex flex-wrap items-center gap-x-2">
      <span className="text-faint">{texts.noLabel}</span>
      {appeared}
      <button
        type="button"
        onClick={() => open({ kind: "edit", token })}
        className="-ml-1.5 inline-flex h-6 pointer-coarse:h-10 shrink-0 items-center rounded px-1.5 text-accent text-xs hover:bg-accent-soft"
      >
        {texts.addLabel}
        <span className="sr-only"> {texts.addLabelTo(token.hint)}</span>
      </button>
    </span>
  );
}

function Ordered({ order }: { order: RevocationOrder }) {
  return (
    <span
      className="block truncate text-2xs text-warn"
      title={[order.reason, order.trouble].filter(Boolean).join(". ")}
    >
      {texts.ordered(order.orderedBy)}
      {order.trouble && texts.lastTry(order.trouble)}
    </span>
  );
}
