import { Chart, DayAxis, dayName, heightOf, plotHeight, plotTop, ValueAxis } from "@/components/overview/chart";
import { ticksUpTo } from "@/components/overview/ticks";
import { formatDate } from "@/lib/format";
import type { Overview } from "@/lib/team/schema";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.alive;

export function AliveChart({ alive }: { alive: Overview["alive"] }) {
  const counts = alive.map(({ count }) => count);
  const ticks = ticksUpTo(Math.max(0, ...counts));
  const top = ticks.at(-1) ?? 1;
  const steps = Math.max(1, alive.length - 1);
  const [first = 0, last = 0] = [counts[0], counts.at(-1)];
  const line = counts.map((count, index) => `${index === 0 ? "M" : "L"}${index} ${top - count}`).join("");
  const at = (index: number) => (100 * index) / steps;
  return (
    <Chart
      title={texts.title}
      summary={texts.summary(last, last - first, dayName(alive[0]?.date ?? ""))}
      columns={[texts.day, texts.knownActive]}
      rows={[...alive].reverse().map(({ date, count }) => ({ name: formatDate(date), values: [count] }))}
    >
      <ValueAxis ticks={ticks} />
      <svg
        aria-hidden="true"
        x="0"
        y={plotTop}
        width="100%"
        height={plotHeight}
        viewBox={`0 0 ${steps} ${top}`}
        preserveAspectRatio="none"
        className="overflow-visible"
      >
        <path d={`${line}L${steps} ${top}L0 ${top}Z`} className="fill-accent/12" />
        <path
          d={line}
          className="fill-none stroke-accent"
          strokeWidth="1.75"
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <circle cx="100%" cy={heightOf(last, top)} r="3.5" className="fill-accent stroke-surface" strokeWidth="1.5" />
      {alive.map(({ date, count }, index) => (
        <rect
          key={date}
          x={`${at(index - 0.5)}%`}
          y={plotTop}
          width={`${at(1)}%`}
          height={plotHeight}
          className="fill-transparent hover:fill-ink/5"
        >
          <title>{texts.dot(dayName(date), count)}</title>
        </rect>
      ))}
      <DayAxis dates={alive.map(({ date }) => date)} at={at} />
    </Chart>
  );
}
