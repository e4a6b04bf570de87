import { Badge } from "@/components/ui/badge";
import { daysBetween, formatDate } from "@/lib/format";
import { tokensTexts } from "@/lib/texts/tokens";
import { dueDays } from "@/lib/tokens/schema";

const texts = tokensTexts.rotateBy;

/** A date to rotate by, and how near it is. */
export function RotateBy({ date, today }: { date: string; today: string }) {
  const days = daysBetween(today, date);
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2 gap-y-0.5 whitespace-nowrap tabular-nums">
      <span className={days < 0 ? "text-danger" : "text-dim"}>{formatDate(date)}</span>
      {days < 0 && (
        <span title={texts.overdueFor(-days)}>
          <Badge tone="danger">{texts.overdue}</Badge>
        </span>
      )}
      {days >= 0 && days <= dueDays && <Badge tone="warn">{days === 0 ? texts.today : texts.inDays(days)}</Badge>}
    </span>
  );
}
