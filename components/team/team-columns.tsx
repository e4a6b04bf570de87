"use client";

import { createColumnHelper } from "@tanstack/react-table";
import clsx from "clsx";
import Link from "next/link";
import type { Features } from "@/components/data-table/features";
import { TeamRowActions } from "@/components/team/team-row-actions";
import { HistoryLink } from "@/components/tokens/history-link";
import { Badge } from "@/components/ui/badge";
import { daysAgo, formatDate, formatInstant } from "@/lib/format";
import type { Readiness, TeamToken } from "@/lib/team/schema";

const helper = createColumnHelper<Features, TeamToken>();

/** The ids of the sortable columns are the names of the sorts in the address. */
export function teamColumns(today: string) {
  return helper.columns([
    helper.accessor((token) => token.owner, {
      id: "owner",
      header: "Owner",
      cell: ({ row }) => (
        <span className="block truncate" title={row.original.owner ?? undefined}>
          {row.original.owner}
        </span>
      ),
    }),
    helper.accessor((token) => token.label, {
      id: "label",
      header: "Label",
      cell: ({ row }) => (
        <span
          className={clsx("block truncate", row.original.label === null ? "text-faint" : "font-medium text-ink")}
          title={row.original.label ?? undefined}
        >
          {row.original.label ?? "No label"}
        </span>
      ),
    }),
    helper.display({
      id: "hint",
      header: "Token",
      enableSorting: false,
      cell: ({ row }) => <HistoryLink token={row.original} />,
    }),
    helper.accessor((token) => token.firstSeenAt, {
      id: "firstSeen",
      header: "First seen",
      cell: ({ row }) => row.original.firstSeenAt && <Ago iso={row.original.firstSeenAt} today={today} />,
    }),
    helper.accessor((token) => token.lastSeenAt, {
      id: "lastSeen",
      header: "Last seen",
      cell: ({ row }) => row.original.lastSeenAt && <Ago iso={row.original.lastSeenAt} today={today} />,
    }),
    helper.accessor((token) => token.rotateBy, {
      id: "rotateBy",
      header: "Rotate by",
      cell: ({ row: { original: token } }) =>
        token.rotateBy && (
          <span
            className={clsx("whitespace-nowrap tabular-nums", isOverdue(token, today) ? "text-danger" : "text-dim")}
          >
            {formatDate(token.rotateBy)}
          </span>
        ),
    }),
    helper.display({
      id: "state",
      header: "State",
      enableSorting: false,
      cell: ({ row }) => <State token={row.original} overdue={isOverdue(row.original, today)} />,
    }),
    helper.display({
      id: "actions",
      header: () => <span className="sr-only">Actions</span>,
      cell: ({ row }) => <TeamRowActions token={row.original} />,
    }),
  ]);
}

export const teamLayout: Record<string, { head: string; cell: string }> = {
  owner: { head: "w-[14%]", cell: "col-start-1 row-start-2 max-md:text-dim max-md:text-xs" },
  label: { head: "", cell: "col-span-2 col-start-1 row-start-1 max-md:flex max-md:min-h-7 max-md:items-center" },
  hint: { head: "w-30", cell: "col-start-2 row-start-2 max-md:self-center" },
  firstSeen: { head: "w-27 max-lg:hidden", cell: "max-lg:hidden" },
  lastSeen: { head: "w-27 max-xl:hidden", cell: "max-xl:hidden" },
  rotateBy: {
    head: "w-29",
    cell: clsx(
      "col-span-2 col-start-1 row-start-3 max-md:empty:hidden",
      "max-md:before:text-faint max-md:before:text-xs max-md:before:content-['Rotate_by_']",
    ),
  },
  state: { head: "w-44", cell: "col-span-2 col-start-1 row-start-4 max-md:empty:hidden md:py-1" },
  actions: { head: "w-12", cell: "col-start-3 row-start-1 text-right" },
};

export const teamRow = "grid-cols-[auto_minmax(0,1fr)_auto] gap-x-3 gap-y-0.5 max-md:px-4 max-md:py-2";

function Ago({ iso, today }: { iso: string; today: string }) {
  return (
    <time dateTime={iso} title={formatInstant(iso, "utc")} className="whitespace-nowrap text-dim tabular-nums">
      {daysAgo(iso, today)}
    </time>
  );
}

/** How it can be revoked. */
const readinessTexts: Record<Readiness, { text: string; title: string }> = {
  now: { text: "Can be revoked now", title: "It is yours: its value is at hand" },
  owner: { text: "Needs owner sign-in", title: "To be revoked, its owner has to sign in here" },
  paste: {
    text: "Needs paste",
    title: "Its value is needed: RingCX says that its owner is disabled, so no list shows it to Tokendesk",
  },
};

function isOverdue({ rotateBy, status }: TeamToken, today: string): boolean {
  return rotateBy !== null && rotateBy < today && status === "active";
}

function State({ token, overdue }: { token: TeamToken; overdue: boolean }) {
  const { status, order, appearedAt, label, readiness, hint } = token;
  if (status !== "active") return <Badge>{status === "revoked" ? "Revoked" : "Vanished"}</Badge>;
  const { text, title } = readinessTexts[readiness];
  return (
    <span className="flex flex-wrap items-center gap-1">
      {order && (
        <span
          className="inline-flex max-w-full"
          title={[`Ordered by ${order.orderedBy}`, order.reason, order.trouble].filter(Boolean).join(". ")}
        >
          <Badge tone="warn">Revocation ordered</Badge>
        </span>
      )}
      {appearedAt && <Badge tone="warn">Appeared</Badge>}
      {overdue && <Badge tone="danger">Overdue</Badge>}
      {label === null && order === null && <Badge>Unlabelled</Badge>}
      <span className="block w-full truncate text-2xs text-dim" title={order?.trouble ?? title}>
        {order?.trouble ??
          (readiness === "paste" ? (
            <Link href="/incident" prefetch={false} className="text-accent underline-offset-2 hover:underline">
              {text}
              <span className="sr-only"> to revoke {hint}: open the incident desk</span>
            </Link>
          ) : (
            text
          ))}
      </span>
    </span>
  );
}
