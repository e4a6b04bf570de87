import clsx from "clsx";

export function Skeleton({ className }: { className?: string }) {
  return <span className={clsx("block animate-breathe rounded bg-hover", className)} />;
}

/** The outline of a list view while the server asks RingCX. */
export function ListSkeleton({ label, rows = 12 }: { label: string; rows?: number }) {
  return (
    <div role="status" aria-label={label}>
      <h1 className="sr-only">{label}</h1>
      <div aria-hidden="true">
        <div className="flex items-start justify-between">
          <div className="flex h-13.5 flex-col justify-around">
            <Skeleton className="h-6 w-36" />
            <Skeleton className="h-4 w-56" />
          </div>
          <Skeleton className="h-8 w-28" />
        </div>
        <div className="mt-5 flex gap-2">
          <Skeleton className="h-8 w-72 max-w-full" />
          <Skeleton className="hidden h-8 w-36 sm:block" />
        </div>
        <div className="mt-3 overflow-hidden rounded-lg border border-line bg-surface">
          <div className="h-9 border-line border-b bg-sunken" />
          {Array.from({ length: rows }, (_, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the rows have no identity and no state
            <div key={row} className="flex h-10 items-center gap-6 border-line border-b px-4 last:border-b-0">
              <Skeleton className="h-3.5 w-1/4" />
              <Skeleton className="h-3.5 w-28" />
              <Skeleton className="ml-auto h-3.5 w-20" />
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
