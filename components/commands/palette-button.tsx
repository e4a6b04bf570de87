"use client";

import { Search } from "lucide-react";
import { ask } from "@/components/commands/requests";
import { useModifier } from "@/components/commands/shortcuts";
import { buttonClass } from "@/components/ui/button";
import { Keys } from "@/components/ui/key";
import { commandsTexts } from "@/lib/texts/commands";

const texts = commandsTexts.palette;

/** Opens the palette without a keyboard. */
export function PaletteButton({ compact = false }: { compact?: boolean }) {
  const modifier = useModifier();
  const keys = modifier === "⌘" ? "Meta+K" : "Control+K";
  return compact ? (
    <button
      type="button"
      aria-label={texts.title}
      aria-haspopup="dialog"
      aria-keyshortcuts={keys}
      onClick={() => ask("palette")}
      className={buttonClass("ghost", "icon")}
    >
      <Search className="size-4" aria-hidden="true" />
    </button>
  ) : (
    <button
      type="button"
      aria-haspopup="dialog"
      aria-keyshortcuts={keys}
      onClick={() => ask("palette")}
      className="-mt-1 flex h-8 items-center gap-2.5 rounded-md border border-line bg-surface px-2 text-dim text-sm transition-colors duration-100 hover:border-edge hover:text-ink"
    >
      <Search className="size-4 text-faint" aria-hidden="true" />
      {texts.title}
      <span className="ml-auto" aria-hidden="true">
        <Keys keys={[modifier, "K"]} />
      </span>
    </button>
  );
}
