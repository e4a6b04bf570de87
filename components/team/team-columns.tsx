"use client";

import { createColumnHelper } from "@tanstack/react-table";
import clsx from "clsx";
import Link from "next/link";
import type { Features } from "@/components/data-table/features";
import { TeamRowActions } from "@/components/team/team-row-actions";
import { HistoryLink } from "@/components/tokens/history-link";
import { Badge } from "@/components/ui/badge";
import { Time } from "@/components/ui/time";
import { daysAgo, formatDate } from "@/lib/format";
import type { TeamToken } from "@/lib/team/schema";
import { teamTexts } from "@/lib/texts/team";

const texts = teamTexts.table;

const helper = createColumnHelper<Features, TeamToken>();

/** The ids of the sortable columns are the names of the sorts in the address. */
export function teamColumns(today: string) {
  return helper.columns([
    helper.accessor((token) => token.owner, {
      id: "owner",
      header: texts.owner,
      cell: ({ row }) => (
        <span className="block truncate" title={row.original.owner ?? undefined}>
          {row.original.owner}
        </span>
      ),
    }),
    helper.accessor((token) => token.label, {
      id: "label",
      header: texts.label,
      cell: ({ row }) => (
        <span
          className={clsx("block truncate", row.original.label === null ? "text-faint" : "font-medium text-ink")}
          title={row.original.label ?? undefined}
        >
          {row.original.label ?? texts.noLabel}
        </span>
      ),
    }),
    helper.display({
      id: "hint",
      header: texts.token,
      enableSorting: false,
      cell: ({ row }) => <HistoryLink token={row.original} />,
    }),
    helper.accessor((token) => token.firstSeenAt, {
      id: "firstSeen",
      header: texts.firstSeen,
      cell: ({ row }) => row.original.firstSeenAt && <Ago iso={row.original.firstSeenAt} today={today} />,
    }),
    helper.accessor((token) => token.lastSeenAt, {
      id: "lastSeen",
      header: texts.lastSeen,
      cell: ({ row }) => row.original.lastSeenAt && <Ago iso={row.original.lastSeenAt} today={today} />,
    }),
    helper.accessor((token) => token.rotateBy, {
      id: "rotateBy",
      header: texts.rotateBy,
      cell: ({ row: { original: token } }) =>
        token.rotateBy && (
          <span
            className={clsx(
              "whitespace-nowrap tabular-nums max-md:before:text-faint max-md:before:text-xs max-md:before:content-[attr(data-name)_'_']",
              isOverdue(token, today) ? "text-danger" : "text-dim",
            )}
            data-name={texts.rotateBy}
          >
            {formatDate(token.rotateBy)}
          </span>
        ),
    }),
    helper.display({
      id: "state",
      header: texts.state,
      enableSorting: false,
      cell: ({ row }) => <State token={row.original} overdue={isOverdue(row.original, today)} />,
    }),
    helper.display({
      id: "actions",
      header: () => <span className="sr-only">{texts.actions}</span>,
      cell: ({ row }) => <TeamRowActions token={row.original} />,
    }),
  ]);
}

export const teamLayout: Record<string, { head: string; cell: string }> = {
  owner: { head: "w-[18%]", cell: "col-start-1 row-start-2 max-md:text-dim max-md:text-xs" },
  label: { head: "", cell: "col-span-2 col-start-1 row-start-1 max-md:flex max-md:min-h-7 max-md:items-center" },
  hint: { head: "w-30", cell: "col-start-2 row-start-2 max-md:self-center" },
  firstSeen: { head: "w-27 max-xl:hidden", cell: "max-xl:hidden" },
  lastSeen: { head: "w-27 max-[87.5rem]:hidden", cell: "max-[87.5rem]:hidden" },
  rotateBy: {
    head: "w-29",
    cell: "col-span-2 col-start-1 row-start-3 max-md:empty:hidden",
  },
  state: { head: "w-44", cell: "col-span-2 col-start-1 row-start-4 max-md:empty:hidden md:py-1" },
  actions: { head: "w-12", cell: "col-start-3 row-start-1 text-right" },
};

export const teamRow = "grid-cols-[auto_minmax(0,1fr)_auto] gap-x-3 gap-y-0.5 max-md:px-4 max-md:py-2";

function Ago({ iso, today }: { iso: string; today: string }) {
  return (
    <Time iso={iso} className="whitespace-nowrap text-dim tabular-nums">
      {daysAgo(iso, today)}
    </Time>
  );
}

function isOverdue({ rotateBy, status }: TeamToken, today: string): boolean {
  return rotateBy !== null && rotateBy < today && status === "active";
}

function State({ token, overdue }: { token: TeamToken; overdue: boolean }) {
  const { status, order, appearedAt, label, readiness, hint } = token;
  if (status !== "active") return <Badge>{status === "revoked" ? texts.revoked : texts.vanished}</Badge>;
  const { text, title } = texts.readiness[readiness];
  return (
    <span className="flex flex-wrap items-center gap-1">
      {order && (
        <span
          className="inline-flex max-w-full"
          title={[texts.orderedBy(order.orderedBy), order.reason, order.trouble].filter(Boolean).join(". ")}
        >
          <Badge tone="warn">{texts.ordered}</Badge>
        </span>
      )}
      {appearedAt && <Badge tone="warn">{texts.appeared}</Badge>}
      {overdue && <Badge tone="danger">{texts.overdue}</Badge>}
      {label === null && order === null && <Badge>{texts.unlabelled}</Badge>}
      <span className="block w-full truncate text-2xs text-dim" title={order?.trouble ?? title}>
        {order?.trouble ??
          (readiness === "paste" ? (
            <Link href="/incident" prefetch={false} className="text-accent underline-offset-2 hover:underline">
              {text}
              <span className="sr-only"> {texts.toRevoke(hint)}</span>
            </Link>
          ) : (
            text
          ))}
      </span>
    </span>
  );
}
