import type { RefObject } from "react";
import { DataTable, type DataTableProps } from "@/components/data-table/data-table";
import { Pagination } from "@/components/data-table/pagination";
import { pageSizes } from "@/lib/tokens/schema";

type Size = (typeof pageSizes)[number];

type TablePageProps<Row extends object> = DataTableProps<Row> & {
  page: { page: number; pageCount: number; matched: number };
  size: Size;
  onGo: (patch: { page: number; size?: Size }) => void;
  /** Comes into view with another page. */
  heading: RefObject<HTMLElement | null>;
};

/** One page of a table that the server cuts, and the way to the others. */
export function TablePage<Row extends object>({ page, size, onGo, heading, ...table }: TablePageProps<Row>) {
  return (
    <>
      <div className="overflow-hidden rounded-t-lg">
        <DataTable {...table} />
      </div>
      <div className="border-line border-t">
        <Pagination
          page={page.page}
          pageCount={page.pageCount}
          size={size}
          sizes={pageSizes}
          matched={page.matched}
          onPage={(number) => {
            onGo({ page: number });
            heading.current?.scrollIntoView({ block: "start" });
          }}
          onSize={(chosen) => onGo({ size: pageSizes.find((option) => option === chosen) ?? 50, page: 1 })}
        />
      </div>
    </>
  );
}
