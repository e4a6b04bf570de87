import clsx from "clsx";
import { lastFour } from "@/components/tokens/hint";

/** A token as people know it: the prefix quietly, the last four plainly. */
export function TokenHint({ hint, className }: { hint: string; className?: string }) {
  const last = lastFour(hint);
  return (
    <span className={clsx("whitespace-nowrap font-mono text-xs", className)}>
      <span className="text-faint">{hint.slice(0, hint.length - last.length)}</span>
      <span className="font-medium text-ink">{last}</span>
    </span>
  );
}
