"use client";

import { useId } from "react";
import { Button } from "@/components/ui/button";
import { formatCount } from "@/lib/format";
import { maxFindings } from "@/lib/incidents/schema";

type SelectionBarProps = { count: number; onClear: () => void; onRevoke: () => void };

export function SelectionBar({ count, onClear, onRevoke }: SelectionBarProps) {
  const reasonId = useId();
  const tooMany = count > maxFindings;
  return (
    <div className="sticky bottom-[calc(var(--ribbon)+0.5rem)] z-10 px-2 pb-2">
      <div className="mx-auto flex w-fit max-w-full flex-wrap items-center justify-center gap-2 rounded-lg bg-surface py-1.5 pr-1.5 pl-3 shadow-overlay">
        <span className="text-sm tabular-nums">
          <span className="font-medium">{formatCount(count)}</span> selected
        </span>
        <Button variant="ghost" size="sm" onClick={onClear}>
          Clear
        </Button>
        <Button
          variant="danger"
          size="sm"
          disabled={tooMany}
          onClick={onRevoke}
          {...(tooMany ? { "aria-describedby": reasonId } : {})}
        >
          Revoke selected ({formatCount(count)})
        </Button>
        {tooMany && (
          <p id={reasonId} className="w-full text-balance text-center text-dim text-xs">
            At most {formatCount(maxFindings)} at once.
          </p>
        )}
      </div>
    </div>
  );
}
