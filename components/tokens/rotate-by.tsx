import { Badge } from "@/components/ui/badge";
import { daysBetween, formatDate, plural } from "@/lib/format";
import { dueDays } from "@/lib/tokens/schema";

/** A date to rotate by, and how near it is. */
export function RotateBy({ date, today }: { date: string; today: string }) {
  const days = daysBetween(today, date);
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap tabular-nums">
      <span className={days < 0 ? "text-danger" : "text-dim"}>{formatDate(date)}</span>
      {days < 0 && (
        <span title={`${plural(-days, "day")} overdue`}>
          <Badge tone="danger">Overdue</Badge>
        </span>
      )}
      {days >= 0 && days <= dueDays && <Badge tone="warn">{days === 0 ? "Today" : `In ${plural(days, "day")}`}</Badge>}
    </span>
  );
}
