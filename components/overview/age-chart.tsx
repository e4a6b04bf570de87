import { Chart } from "@/components/overview/chart";
import { formatCount } from "@/lib/format";
import type { Overview } from "@/lib/team/schema";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.ages;

const rowHeight = 32;
const barHeight = 14;

export function AgeChart({ ages, className }: { ages: Overview["ages"]; className?: string }) {
  const most = Math.max(1, ...ages.map(({ count }) => count));
  const total = ages.reduce((sum, { count }) => sum + count, 0);
  return (
    <Chart
      title={texts.title}
      summary={texts.summary(total)}
      columns={[texts.firstSeen, texts.activeTokens]}
      rows={ages.map(({ name, count }) => ({ name, values: [count] }))}
      height={ages.length * rowHeight}
      gutter="pl-25 pr-10"
      className={className}
    >
      {ages.map(({ name, count }, index) => {
        const middle = (index + 0.5) * rowHeight;
        const share = (100 * count) / most;
        return (
          <g key={name}>
            <title>{texts.bar(name, count)}</title>
            <text x="-10" y={middle} dy="0.34em" textAnchor="end" className="fill-dim text-2xs">
              {name}
            </text>
            <rect x="0" y={middle - barHeight / 2} width="100%" height={barHeight} rx="2" className="fill-sunken" />
            <rect
              x="0"
              y={middle - barHeight / 2}
              width={`${share}%`}
              height={barHeight}
              rx="2"
              className="fill-accent"
            />
            <text x={`${share}%`} y={middle} dx="6" dy="0.34em" className="fill-ink font-medium text-2xs tabular-nums">
              {formatCount(count)}
            </text>
          </g>
        );
      })}
    </Chart>
  );
}
