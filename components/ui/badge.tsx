import clsx from "clsx";
import type { ReactNode } from "react";

const tones = {
  plain: "border-line text-dim",
  warn: "border-transparent bg-warn-soft text-warn",
  danger: "border-transparent bg-danger-soft text-danger",
  good: "border-transparent bg-good-soft text-good",
} as const;

export function Badge({ tone = "plain", children }: { tone?: keyof typeof tones; children: ReactNode }) {
  return (
    <span
      className={clsx(
        "inline-flex h-5 max-w-full items-center truncate rounded border px-1.5 font-medium text-2xs",
        tones[tone],
      )}
    >
      <span className="truncate">{children}</span>
    </span>
  );
}
