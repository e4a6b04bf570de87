"use client";

import type { ReactTable } from "@tanstack/react-table";
import clsx from "clsx";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { Features } from "@/components/data-table/features";

export type DataTableProps<Row extends object> = {
  table: ReactTable<Features, Row>;
  /** Names the table. */
  label: string;
  /** By column id: where the cell stands on a narrow screen, its width on a wide one. */
  layout: Record<string, { head: string; cell: string }>;
  /** On a narrow screen, the grid of one row. */
  rowClass: string;
  /** The id of the column whose head stands above the rows of a narrow screen, too. */
  narrowHead?: string;
  /** A newer answer is on its way. */
  stale: boolean;
};

/*
 * On a narrow screen each row is a small grid. A table whose parts are not laid out as a table loses its roles in
 * some browsers, so they are said again.
 */
const roles = {
  table: { role: "table" },
  group: { role: "rowgroup" },
  row: { role: "row" },
  head: { role: "columnheader" },
  cell: { role: "cell" },
} as const;

export function DataTable<Row extends object>({
  table,
  label,
  layout,
  rowClass,
  narrowHead,
  stale,
}: DataTableProps<Row>) {
  return (
    <table
      {...roles.table}
      aria-label={label}
      aria-busy={stale || undefined}
      className="w-full text-left text-sm max-md:block md:table-fixed"
    >
      <thead {...roles.group} className={clsx(narrowHead === undefined ? "max-md:hidden" : "max-md:block")}>
        {table.getHeaderGroups().map((group) => (
          <tr
            {...roles.row}
            key={group.id}
            className="border-line border-b bg-sunken max-md:flex max-md:min-h-9 max-md:items-center max-md:px-4"
          >
            {group.headers.map((header) => {
              const sorted = header.column.getIsSorted();
              const content = <table.FlexRender header={header} />;
              const Arrow = sorted === "asc" ? ArrowUp : ArrowDown;
              return (
                <th
                  {...roles.head}
                  key={header.id}
                  scope="col"
                  aria-sort={sorted ? (sorted === "asc" ? "ascending" : "descending") : undefined}
                  className={clsx(
                    "font-medium text-dim text-xs md:h-9 md:px-3 md:first:pl-4 md:last:pr-3",
                    header.column.id !== narrowHead && "max-md:hidden",
                    layout[header.column.id]?.head,
                  )}
                >
                  {header.column.getCanSort() ? (
                    <button
                      type="button"
                      onClick={header.column.getToggleSortingHandler()}
                      className={clsx(
                        "group -mx-1.5 inline-flex h-6 max-w-full items-center gap-1 rounded px-1.5 hover:bg-hover hover:text-ink",
                        sorted && "text-ink",
                      )}
                    >
                      <span className="truncate">{content}</span>
                      <Arrow
                        className={clsx("size-3 shrink-0", sorted ? "text-accent" : "opacity-0 group-hover:opacity-40")}
                        aria-hidden="true"
                      />
                    </button>
                  ) : (
                    content
                  )}
                </th>
              );
            })}
          </tr>
        ))}
      </thead>
      <tbody
        {...roles.group}
        className={clsx("transition-opacity duration-150 max-md:block", stale && "opacity-55 delay-300")}
      >
        {table.getRowModel().rows.map((row) => (
          <tr
            {...roles.row}
            key={row.id}
            aria-selected={row.getIsSelected()}
            className={clsx(
              "group/row border-line border-b last:border-b-0 max-md:grid md:h-10",
              row.getIsSelected() ? "bg-accent-soft" : "hover:bg-hover/50",
              rowClass,
            )}
          >
            {row.getAllCells().map((cell) => (
              <td
                {...roles.cell}
                key={cell.id}
                className={clsx("min-w-0 md:px-3 md:first:pl-4 md:last:pr-3", layout[cell.column.id]?.cell)}
              >
                <table.FlexRender cell={cell} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
