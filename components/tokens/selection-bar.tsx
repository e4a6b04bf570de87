"use client";

import { useId } from "react";
import { Button } from "@/components/ui/button";
import { RichText } from "@/components/ui/rich-text";
import { formatCount } from "@/lib/format";
import { maxFindings } from "@/lib/incidents/schema";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.selection;

type SelectionBarProps = { count: number; onClear: () => void; onRevoke: () => void };

export function SelectionBar({ count, onClear, onRevoke }: SelectionBarProps) {
  const reasonId = useId();
  const tooMany = count > maxFindings;
  return (
    <div className="sticky bottom-[calc(var(--ribbon)+0.5rem)] z-10 px-2 pb-2">
      <div className="mx-auto flex w-fit max-w-full flex-wrap items-center justify-center gap-2 rounded-lg bg-surface py-1.5 pr-1.5 pl-3 shadow-overlay">
        <span className="text-sm tabular-nums">
          <RichText
            text={texts.selected}
            slots={{ count: <span className="font-medium">{formatCount(count)}</span> }}
          />
        </span>
        <Button variant="ghost" size="sm" onClick={onClear}>
          {texts.clear}
        </Button>
        <Button
          variant="danger"
          size="sm"
          disabled={tooMany}
          onClick={onRevoke}
          {...(tooMany ? { "aria-describedby": reasonId } : {})}
        >
          {texts.revoke(count)}
        </Button>
        {tooMany && (
          <p id={reasonId} className="w-full text-balance text-center text-dim text-xs">
            {texts.atMost(maxFindings)}
          </p>
        )}
      </div>
    </div>
  );
}
