import { Skeleton } from "@/components/ui/skeleton";
import type { Coverage } from "@/lib/team/schema";
import { teamTexts } from "@/lib/texts/team";

const texts = teamTexts.coverage;

type CoverageMeterProps = {
  coverage: Coverage;
  /** The calendar date in UTC. */
  today: string;
};

/** How much of the main account this page knows: only lists that were read. */
export function CoverageMeter({ coverage, today }: CoverageMeterProps) {
  const { seen, users, unavailable, oldestLookAt, unseen } = coverage;
  const count = texts.seen(seen, users);
  const age = oldestLookAt === null ? "" : texts.oldestLook(oldestLookAt, today);
  const share = users === null || users === 0 ? 0 : Math.min(100, (100 * seen) / users);
  return (
    <section aria-labelledby="coverage" className="mb-4 rounded-lg border border-line bg-surface px-4 py-3">
      <div className="flex flex-wrap items-baseline gap-x-3">
        <h2 id="coverage" className="font-semibold text-sm">
          {texts.title}
        </h2>
        <p className="text-sm tabular-nums">
          {count}
          <span className="text-dim">{age}</span>
        </p>
      </div>
      {users !== null && (
        <>
          <meter className="sr-only" aria-label={texts.meter} min={0} max={users} value={seen}>
            {count}
          </meter>
          <div className="mt-2 h-1.5 overflow-hidden rounded-full bg-hover forced-color-adjust-none" aria-hidden="true">
            <div
              className={`h-full rounded-full ${share >= 100 ? "bg-good" : "bg-accent"}`}
              style={{ width: `${share}%` }}
            />
          </div>
        </>
      )}
      <p className="mt-2 max-w-3xl text-dim text-xs">
        {unavailable === null ? texts.why : texts.unavailable[unavailable]}
      </p>
      {users !== null && users > seen && unseen.length > 0 && (
        <details className="mt-1.5 text-xs">
          <summary className="-mx-1.5 w-fit rounded px-1.5 py-0.5 text-dim hover:bg-hover hover:text-ink">
            {texts.neverSeen(users - seen)}
          </summary>
          <ul className="mt-1.5 flex max-w-4xl flex-wrap gap-x-4 gap-y-1 text-dim">
            {unseen.map((name) => (
              <li key={name}>{name}</li>
            ))}
            {users - seen > unseen.length && <li>{texts.more(users - seen - unseen.length)}</li>}
          </ul>
        </details>
      )}
    </section>
  );
}

export function CoverageSkeleton() {
  return (
    <div className="mb-4 rounded-lg border border-line bg-surface px-4 py-3" aria-hidden="true">
      <Skeleton className="h-5 w-56" />
      <Skeleton className="mt-2 h-1.5 w-full" />
      <Skeleton className="mt-2.5 h-3.5 w-96 max-w-full" />
    </div>
  );
}
