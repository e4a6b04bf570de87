"use client";

import {
  functionalUpdate,
  type RowSelectionState,
  type SortingState,
  type TableOptions,
  type Updater,
  useTable,
} from "@tanstack/react-table";
import { useCallback } from "react";
import { useViewInAddress } from "@/components/data-table/address";
import { type Features, features } from "@/components/data-table/features";

type TableQuery = { q: string; sort: string; order: "asc" | "desc"; page: number };

type ServerTable<Row extends { id: string }, Query extends TableQuery> = {
  /** One page of the answer. */
  rows: Row[];
  /** What tells a row from all others; its ID, unless this is given. Defined once. */
  rowId?: (row: Row) => string;
  columns: TableOptions<Features, Row>["columns"];
  /** What was asked for. */
  query: Query;
  /** The address of a query. Defined once: it must not change. */
  path: (query: Query) => string;
  sorts: readonly Query["sort"][];
  /** None: no row can be selected. */
  selection?: { selected: RowSelectionState; onSelect: (updater: Updater<RowSelectionState>) => void };
};

const idOf = ({ id }: { id: string }) => id;

/** A table that the server searches, sorts and cuts; what is asked for lives in the address. */
export function useServerTable<Row extends { id: string }, Query extends TableQuery>({
  rows,
  rowId = idOf,
  columns,
  query: asked,
  path,
  sorts,
  selection,
}: ServerTable<Row, Query>) {
  const { view: query, latest, pending, visit } = useViewInAddress<Query>(asked, path);
  const go = useCallback(
    // What is typed into the search is one step of the history, whatever its length.
    (patch: Partial<Query>) => visit({ ...latest.current, ...patch }, patch.q === undefined ? "push" : "replace"),
    [latest, visit],
  );

  const sorting: SortingState = [{ id: query.sort, desc: query.order === "desc" }];
  const table = useTable({
    features,
    columns,
    data: rows,
    getRowId: rowId,
    manualSorting: true,
    manualPagination: true,
    enableSortingRemoval: false,
    enableMultiSort: false,
    sortDescFirst: false,
    state: {
      sorting,
      pagination: { pageIndex: 0, pageSize: rows.length },
      ...(selection ? { rowSelection: selection.selected } : {}),
    },
    onSortingChange: (updater) => {
      const [first] = functionalUpdate(updater, sorting);
      const sort = sorts.find((name) => name === first?.id);
      if (sort) visit({ ...latest.current, sort, order: first?.desc ? "desc" : "asc", page: 1 }, "push");
    },
    ...(selection ? { onRowSelectionChange: selection.onSelect } : {}),
  });

  return { query, pending, go, table };
}
