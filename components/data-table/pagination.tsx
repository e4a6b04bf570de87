"use client";

import { ChevronLeft, ChevronRight, ChevronsLeft, ChevronsRight } from "lucide-react";
import { useId } from "react";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/field";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.table;

type PaginationProps = {
  page: number;
  pageCount: number;
  size: number;
  sizes: readonly number[];
  matched: number;
  onPage: (page: number) => void;
  onSize: (size: number) => void;
};

export function Pagination({ page, pageCount, size, sizes, matched, onPage, onSize }: PaginationProps) {
  const sizeId = useId();
  const first = matched === 0 ? 0 : (page - 1) * size + 1;
  const steps = [
    { name: texts.first, to: 1, icon: ChevronsLeft, off: page <= 1 },
    { name: texts.previous, to: page - 1, icon: ChevronLeft, off: page <= 1 },
    { name: texts.next, to: page + 1, icon: ChevronRight, off: page >= pageCount },
    { name: texts.last, to: pageCount, icon: ChevronsRight, off: page >= pageCount },
  ];
  return (
    <nav
      aria-label={texts.pagination}
      className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2 text-dim text-xs tabular-nums"
    >
      <span>{texts.extent(first, Math.min(page * size, matched), matched)}</span>
      <div className="flex items-center gap-2">
        <label htmlFor={sizeId}>{texts.size}</label>
        <Select
          id={sizeId}
          value={size}
          onChange={(event) => onSize(Number(event.target.value))}
          className="w-17 pointer-coarse:w-20 [&>select]:h-7 pointer-coarse:[&>select]:h-10 [&>select]:text-xs"
        >
          {sizes.map((option) => (
            <option key={option} value={option}>
              {option}
            </option>
          ))}
        </Select>
      </div>
      <div className="ml-auto flex items-center gap-1">
        <span className="mr-1">{texts.page(page, pageCount)}</span>
        {steps.map(({ name, to, icon: Icon, off }) => (
          <Button key={name} variant="ghost" size="icon-sm" aria-label={name} disabled={off} onClick={() => onPage(to)}>
            <Icon className="size-4" aria-hidden="true" />
          </Button>
        ))}
      </div>
    </nav>
  );
}
