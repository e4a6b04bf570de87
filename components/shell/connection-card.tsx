import type { Connection } from "@/components/shell/person";

/** Which RingCX this is about: said on every page, because two tabs may show two customers. */
export function ConnectionCard({ connection }: { connection: Connection }) {
  const rows = [
    ["Main account", connection.mainAccountId],
    ["Platform", connection.platformId],
  ] as const;
  return (
    <section aria-label="Connection" className="rounded-md border border-line bg-surface px-2.5 py-2 text-xs">
      <p className="truncate font-medium text-ink" title={connection.host}>
        {connection.host.replace(/^https?:\/\//, "")}
      </p>
      <dl className="mt-1 flex flex-col gap-0.5">
        {rows.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-2">
            <dt className="text-faint">{name}</dt>
            <dd className="truncate font-mono text-dim tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
