import clsx from "clsx";
import { pagesTexts } from "@/lib/texts/pages";

/** The mark: a hidden value and its last four. */
function BrandMark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={clsx("size-6 shrink-0", className)} aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-[oklch(0.26_0.025_258)] stroke-line" />
      <rect x="6" y="9" width="20" height="4" rx="2" fill="#5d6b7f" />
      <g fill="#7cc4ee">
        <rect x="6" y="18" width="3.5" height="5" rx="1.75" />
        <rect x="11.5" y="18" width="3.5" height="5" rx="1.75" />
        <rect x="17" y="18" width="3.5" height="5" rx="1.75" />
        <rect x="22.5" y="18" width="3.5" height="5" rx="1.75" />
      </g>
    </svg>
  );
}

export function Brand() {
  return (
    <span className="flex items-center gap-2 font-semibold text-base text-ink tracking-tight">
      <BrandMark />
      {pagesTexts.site.name}
    </span>
  );
}
