import { Chart, DayAxis, dayName, heightOf, plotHeight, ValueAxis } from "@/components/overview/chart";
import { ticksUpTo } from "@/components/overview/ticks";
import { formatCount, formatDate } from "@/lib/format";
import type { Overview } from "@/lib/team/schema";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.activity;

type Series = Exclude<keyof Overview["activity"][number], "date">;

/** From the bottom up. */
const series: { key: Series; name: string; fill: string; swatch: string }[] = [
  { key: "created", name: texts.created.name, fill: "fill-accent", swatch: "bg-accent" },
  { key: "revoked", name: texts.revoked.name, fill: "fill-danger", swatch: "bg-danger" },
  { key: "revealed", name: texts.revealed.name, fill: "fill-warn", swatch: "bg-warn" },
  { key: "other", name: texts.other.name, fill: "fill-edge", swatch: "bg-edge" },
];

export function ActivityChart({ activity }: { activity: Overview["activity"] }) {
  const totalOf = (day: Overview["activity"][number]) => series.reduce((sum, { key }) => sum + day[key], 0);
  const ticks = ticksUpTo(Math.max(0, ...activity.map(totalOf)));
  const top = ticks.at(-1) ?? 1;
  const slot = 100 / Math.max(1, activity.length);
  const sum = (key: Series) => activity.reduce((total, day) => total + day[key], 0);
  const said = series.map(({ key }) => texts.part(sum(key), texts[key].within)).join(", ");
  return (
    <Chart
      title={texts.title}
      summary={texts.summary(activity.length, said)}
      legend={
        <ul className="flex flex-wrap gap-x-3">
          {series.map(({ key, name, swatch }) => (
            <li key={key} className="flex items-center gap-1.5">
              <span className={`size-2 rounded-xs forced-color-adjust-none ${swatch}`} aria-hidden="true" />
              {name} <span className="text-faint">{formatCount(sum(key))}</span>
            </li>
          ))}
        </ul>
      }
      columns={[texts.day, ...series.map(({ name }) => name)]}
      rows={[...activity]
        .reverse()
        .map((day) => ({ name: formatDate(day.date), values: series.map(({ key }) => day[key]) }))}
    >
      <ValueAxis ticks={ticks} />
      {activity.map((day, index) => {
        let below = 0;
        const parts = series.filter(({ key }) => day[key] > 0);
        return (
          <g key={day.date}>
            <title>
              {texts.bar(
                dayName(day.date),
                parts.map(({ key }) => texts.part(day[key], texts[key].within)),
              )}
            </title>
            <rect
              x={`${index * slot}%`}
              y={heightOf(top, top)}
              width={`${slot}%`}
              height={plotHeight}
              className="fill-transparent hover:fill-ink/5"
            />
            {parts.map(({ key, fill }) => {
              below += day[key];
              return (
                <rect
                  key={key}
                  x={`${(index + 0.16) * slot}%`}
                  y={heightOf(below, top)}
                  width={`${0.68 * slot}%`}
                  // A hair of the ground between what lies on each other.
                  height={Math.max(1, (plotHeight * day[key]) / top - 1)}
                  rx="1"
                  className={`pointer-events-none ${fill}`}
                />
              );
            })}
          </g>
        );
      })}
      <DayAxis
        dates={activity.map(({ date }) => date)}
        at={(index) => (index + (index === 0 ? 0 : index === activity.length - 1 ? 1 : 0.5)) * slot}
      />
    </Chart>
  );
}
