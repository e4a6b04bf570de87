"use client";

import { useHydrated } from "@/components/ui/hydrated";
import { formatClock, formatDay, formatInstant } from "@/lib/format";

const formats = { day: formatDay, clock: formatClock, instant: formatInstant } as const;

/** A moment in the reader's own zone, with UTC in the title. The server, which knows no zone, writes UTC. */
export function Time({ iso, as = "day", className }: { iso: string; as?: keyof typeof formats; className?: string }) {
  const zone = useHydrated() ? "local" : "utc";
  return (
    <time dateTime={iso} title={formatInstant(iso, "utc")} className={className}>
      {formats[as](iso, zone)}
    </time>
  );
}
