import clsx from "clsx";

/** A key, or keys one after the other: `["g", "t"]`. */
export function Keys({ keys, className }: { keys: readonly string[]; className?: string }) {
  return (
    <span className={clsx("inline-flex shrink-0 gap-1", className)}>
      {keys.map((key, index) => (
        <kbd
          // biome-ignore lint/suspicious/noArrayIndexKey: the same key may come twice, and the order is what it is
          key={index}
          className="flex h-5 min-w-5 items-center justify-center rounded border border-line bg-sunken px-1.5 font-sans text-2xs text-dim"
        >
          {key}
        </kbd>
      ))}
    </span>
  );
}
