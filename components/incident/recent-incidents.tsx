"use client";

import clsx from "clsx";
import { History } from "lucide-react";
import Link from "next/link";
import { incidentPath } from "@/components/incident/answers";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Time } from "@/components/ui/time";

import type { IncidentSummary } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.recent;

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
        {texts.title}
      </h2>
      {incidents === null ? (
        <p className="rounded-lg border border-line bg-surface px-4 py-4 text-dim text-sm">{texts.noDatabase}</p>
      ) : incidents.length === 0 ? (
        <p className="flex items-center gap-2.5 rounded-lg border border-line bg-surface px-4 py-4 text-dim text-sm">
          <History className="size-4 shrink-0 text-faint" aria-hidden="true" />
          {texts.none}
        </p>
      ) : (
        <ul aria-label={texts.title} className="divide-y divide-line rounded-lg border border-line bg-surface">
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

function sourceOf({ origin, via }: IncidentSummary): string | null {
  if (origin === "key") return via ? texts.from.key(via) : texts.from.someKey;
  return origin === "tokens" ? texts.from.tokens : null;
}

function Item({
  incident,
  onFollow,
}: {
  incident: IncidentSummary;
  onFollow: RecentIncidentsProps["onFollow"] | null;
}) {
  const { id, openedAt, openedBy, state, reason, unproven } = incident;
  const source = sourceOf(incident);
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
            {source && <span className="text-faint">{source}</span>}
          </span>
        </p>
        {reason && <p className="break-words text-dim text-xs">{reason}</p>}
        {state === "interrupted" && <p className="text-danger text-xs">{texts.interrupted}</p>}
      </div>
      <p className="text-dim text-xs leading-5 tabular-nums">
        {texts.counted(incident)}
        {unproven > 0 && <span className="text-danger">{texts.unproven(unproven)}</span>}
      </p>
      <span className={clsx("flex w-36 items-center justify-end gap-2", "max-sm:w-auto")}>
        {onFollow && (
          <Button size="sm" onClick={() => onFollow(id)}>
            {texts.follow}
          </Button>
        )}
        <Badge tone={tones[state]}>{incidentTexts.states[state]}</Badge>
      </span>
    </li>
  );
}
