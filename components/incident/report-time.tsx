import { formatClock, formatInstant, formatSeconds } from "@/lib/format";

/** A moment in UTC, wherever it is read: in a document that goes from hand to hand. */
export function Utc({ iso, as = "instant", className = "" }: UtcProps) {
  return (
    <time dateTime={iso} className={`tabular-nums ${className}`}>
      {as === "clock" ? formatClock(iso, "utc") : formatInstant(iso, "utc")}
    </time>
  );
}

type UtcProps = { iso: string; as?: "instant" | "clock"; className?: string };

/** `0.4 s`, `41 s`, `4 min 12 s`: tenths only where they matter. */
export function inSeconds(seconds: number): string {
  return formatSeconds(seconds < 10 ? seconds : Math.round(seconds));
}
