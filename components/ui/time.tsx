"use client";

import { useHydrated } from "@/components/ui/hydrated";
import { useZone } from "@/components/ui/zone";
import { formatClock, formatDay, formatInstant, formatOffset } from "@/lib/format";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.time;

const formats = { day: formatDay, clock: formatClock, instant: formatInstant } as const;

type TimeProps = {
  iso: string;
  as?: keyof typeof formats;
  className?: string;
  /** Stands in place of the time: "3 days ago". */
  children?: string;
};

/** A moment in the zone that the reader chose, their own or UTC; the title says it in both. */
export function Time({ iso, as = "day", className, children }: TimeProps) {
  const zone = useZone();
  const hydrated = useHydrated();
  return (
    <time dateTime={iso} title={hydrated ? inBothZones(iso) : formatInstant(iso, "utc")} className={className}>
      {children ?? formats[as](iso, zone)}
    </time>
  );
}

/** The same moment in the other zone: UTC below a local time, the reader's own below UTC. */
export function OtherTime({ iso, className }: { iso: string; className?: string }) {
  const zone = useZone();
  const hydrated = useHydrated();
  return <span className={className}>{hydrated && zone === "utc" ? inOwnZone(iso) : formatInstant(iso, "utc")}</span>;
}

function inOwnZone(iso: string): string {
  return `${formatInstant(iso, "local")} ${formatOffset(iso)}`;
}

function inBothZones(iso: string): string {
  return texts.inBothZones(formatInstant(iso, "utc"), inOwnZone(iso));
}
