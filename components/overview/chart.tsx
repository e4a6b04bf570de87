import clsx from "clsx";
import { type ReactNode, useId } from "react";
import { formatCount, formatDate } from "@/lib/format";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.chart;

/** Heights of a chart in pixels; the widths are the page's, in percent, so that texts keep their size on a phone. */
export const plotTop = 8;
export const plotHeight = 148;
const axisHeight = 22;

type ChartProps = {
  title: string;
  /** What it shows, in a sentence: for those who do not see it, and below the title unless a legend stands there. */
  summary: string;
  legend?: ReactNode;
  /** The columns of the table that says the same; the first one names the row. */
  columns: readonly string[];
  rows: readonly { name: string; values: readonly number[] }[];
  /** Pixels; for a chart of another height than the plots with an axis. */
  height?: number;
  /** Room for the names beside the plot. */
  gutter?: string;
  className?: string | undefined;
  children: ReactNode;
};

/** A picture made on the server, and the same as a table. */
export function Chart({
  title,
  summary,
  legend,
  columns,
  rows,
  height = plotTop + plotHeight + axisHeight,
  gutter = "pl-9",
  className,
  children,
}: ChartProps) {
  const id = useId();
  return (
    <figure className={clsx("flex min-w-0 flex-col rounded-lg border border-line bg-surface p-4", className)}>
      <figcaption className="mb-3 text-dim text-xs tabular-nums">
        <h2 className="font-semibold text-ink text-sm">{title}</h2>
        {legend ?? <p>{summary}</p>}
      </figcaption>
      <div className={clsx("pr-1", gutter)}>
        <svg
          role="img"
          aria-labelledby={`${id}title ${id}desc`}
          width="100%"
          height={height}
          className="block overflow-visible"
        >
          <title id={`${id}title`}>{title}</title>
          <desc id={`${id}desc`}>{summary}</desc>
          {children}
        </svg>
      </div>
      <details className="mt-2">
        <summary className="-mx-1.5 w-fit rounded px-1.5 py-0.5 text-dim text-xs hover:bg-hover hover:text-ink">
          {texts.showTable}
        </summary>
        <ChartTable title={title} columns={columns} rows={rows} />
      </details>
    </figure>
  );
}

function ChartTable({ title, columns, rows }: Pick<ChartProps, "title" | "columns" | "rows">) {
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={texts.table(title)}
      className="mt-2 max-h-64 overflow-y-auto rounded border border-line"
    >
      <table className="w-full text-left text-xs tabular-nums">
        <caption className="sr-only">{title}</caption>
        <thead>
          <tr className="bg-sunken text-dim">
            {columns.map((column, index) => (
              <th
                key={column}
                scope="col"
                className={clsx("sticky top-0 bg-sunken px-2.5 py-1.5 font-medium", index > 0 && "text-right")}
              >
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, values }) => (
            <tr key={name} className="border-line border-t">
              <th scope="row" className="px-2.5 py-1 font-normal text-dim">
                {name}
              </th>
              {values.map((value, index) => (
                <td key={columns[index + 1]} className="px-2.5 py-1 text-right">
                  {formatCount(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** From a value to its pixel, top down. */
export function heightOf(value: number, top: number): number {
  return plotTop + plotHeight * (1 - value / top);
}

/** The lines across a plot, with their values beside it. */
export function ValueAxis({ ticks }: { ticks: readonly number[] }) {
  const top = ticks.at(-1) ?? 1;
  return ticks.map((tick) => (
    <g key={tick}>
      <line
        x1="0"
        x2="100%"
        y1={heightOf(tick, top)}
        y2={heightOf(tick, top)}
        className={tick === 0 ? "stroke-edge" : "stroke-line"}
        shapeRendering="crispEdges"
      />
      <text x="-8" y={heightOf(tick, top)} dy="0.32em" textAnchor="end" className="fill-faint text-2xs tabular-nums">
        {formatCount(tick)}
      </text>
    </g>
  ));
}

/** The first day, the last, and some between, below a plot. `at`: from a day's number to its place in percent. */
export function DayAxis({ dates, at }: { dates: readonly string[]; at: (index: number) => number }) {
  const last = dates.length - 1;
  const shown = [0, Math.round(last / 3), Math.round((2 * last) / 3), last];
  return shown.map((index) => (
    <text
      key={index}
      x={`${at(index)}%`}
      y={plotTop + plotHeight + 18}
      textAnchor={index === 0 ? "start" : index === last ? "end" : "middle"}
      className="fill-faint text-2xs tabular-nums"
    >
      {dayName(dates[index] ?? "")}
    </text>
  ));
}

/** `2026-11-23` -> `23 Nov`. */
export function dayName(date: string): string {
  return formatDate(date).replace(/ \d+$/, "");
}
