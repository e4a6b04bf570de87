"use client";

import clsx from "clsx";
import { History } from "lucide-react";
import Link from "next/link";
import { incidentPath } from "@/components/incident/answers";
import { stateTexts } from "@/components/incident/incident-text";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Time } from "@/components/ui/time";
import { formatCount, plural } from "@/lib/format";
import type { IncidentSummary } from "@/lib/incidents/schema";

const tones = { open: "plain", running: "warn", contained: "good", partial: "danger", interrupted: "danger" } as const;

type RecentIncidentsProps = {
  /** Null: they could not be read. */
  incidents: readonly IncidentSummary[] | null;
  /** The case that this page follows already. */
  followed: string | null;
  onFollow: (incident: string) => void;
};

export function RecentIncidents({ incidents, followed, onFollow }: RecentIncidentsProps) {
  return (
    <section aria-labelledby="recent" className="mt-8">
      <h2 id="recent" className="mb-2 font-semibold text-base">
        Recent incidents
      </h2>
      {incidents === null ? (
        <p className="rounded-lg border border-line bg-surface px-4 py-4 text-dim text-sm">
          They cannot be read now: Tokendesk cannot reach its database. Scanning and revoking work without it.
        </p>
      ) : incidents.length === 0 ? (
        <p className="flex items-center gap-2.5 rounded-lg border border-line bg-surface px-4 py-4 text-dim text-sm">
          <History className="size-4 shrink-0 text-faint" aria-hidden="true" />
          None yet. Each scan that finds something is listed here, with its report.
        </p>
      ) : (
        <ul aria-label="Recent incidents" className="divide-y divide-line rounded-lg border border-line bg-surface">
          {incidents.map((incident) => (
            <Item
              key={incident.id}
              incident={incident}
              onFollow={incident.state === "running" && incident.id !== followed ? onFollow : null}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

const origins = { desk: null, key: "reported by", tokens: "from the list of tokens" } as const;

function Item({
  incident,
  onFollow,
}: {
  incident: IncidentSummary;
  onFollow: RecentIncidentsProps["onFollow"] | null;
}) {
  const { id, openedAt, openedBy, origin, via, state, reason, found, live, revoked, unproven } = incident;
  const source = origin === "key" && via ? `${origins.key} ${via}` : origins[origin];
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-1.5 px-4 py-2.5 text-sm">
      <div className="min-w-0 flex-1 basis-64">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <Link
            href={incidentPath(id)}
            prefetch={false}
            className="font-medium text-ink tabular-nums underline-offset-2 hover:underline"
          >
            <Time iso={openedAt} as="instant" />
          </Link>
          <span className="text-dim">
            {openedBy}
            {source && <span className="text-faint">, {source}</span>}
          </span>
        </p>
        {reason && <p className="break-words text-dim text-xs">{reason}</p>}
        {state === "interrupted" && (
          <p className="text-danger text-xs">Paste the text again to go on; what is proven dead is not done again.</p>
        )}
      </div>
      <p className="text-dim text-xs leading-5 tabular-nums">
        {formatCount(found)} found, {formatCount(live)} live, {formatCount(revoked)} revoked
        {unproven > 0 && <span className="text-danger">, {plural(unproven, "not proven", "not proven")}</span>}
      </p>
      <span className={clsx("flex w-36 items-center justify-end gap-2", "max-sm:w-auto")}>
        {onFollow && (
          <Button size="sm" onClick={() => onFollow(id)}>
            Follow
          </Button>
        )}
        <Badge tone={tones[state]}>{stateTexts[state]}</Badge>
      </span>
    </li>
  );
}
