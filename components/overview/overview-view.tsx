import { ShieldCheck } from "lucide-react";
import Link from "next/link";
import { ActivityChart } from "@/components/overview/activity-chart";
import { AgeChart } from "@/components/overview/age-chart";
import { AliveChart } from "@/components/overview/alive-chart";
import { Attention } from "@/components/overview/attention";
import { CountTiles } from "@/components/overview/count-tiles";
import { buttonClass } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { Time } from "@/components/ui/time";
import { plural } from "@/lib/format";
import type { Overview } from "@/lib/team/schema";

export function OverviewView({ overview }: { overview: Overview }) {
  const { scope, live, counts, warnings, attention, alive, ages, activity } = overview;
  const nothingYet = attention.length === 0 && counts.active === 0 && alive.every(({ count }) => count === 0);
  return (
    <>
      <PageHeading
        title="Overview"
        facts={
          scope === "own" ? (
            <span>Your own tokens</span>
          ) : (
            <span className="tabular-nums">
              The main account: {plural(counts.active, "known token")} of {plural(counts.owners, "person", "people")}{" "}
              seen
            </span>
          )
        }
      />
      {!live && (
        <Callout tone="warn" title="RingCX did not answer" className="mb-4">
          <p>This is what Tokendesk remembers from its last look; your own list could not be read just now.</p>
        </Callout>
      )}
      {warnings.length > 0 && (
        <Callout tone="warn" title="Unusually many tokens at the incident desk" className="mb-4">
          <ul className="flex flex-col gap-1">
            {warnings.map(({ at, actor, tokens }) => (
              <li key={actor}>
                <Link
                  href={`/audit?actor=${encodeURIComponent(actor)}`}
                  prefetch={false}
                  className="text-ink underline"
                >
                  {actor}
                </Link>
                : {plural(tokens, "token")} within an hour, <Time iso={at} as="instant" />
              </li>
            ))}
          </ul>
        </Callout>
      )}
      {nothingYet ? (
        <section className="rounded-lg border border-line bg-surface">
          <EmptyState
            icon={<ShieldCheck className="size-5" />}
            title="There is no token to look after yet"
            action={
              <Link href="/tokens" prefetch={false} className={buttonClass("primary")}>
                Go to tokens
              </Link>
            }
          >
            When there is one, this page says first what needs attention, and then how things have gone.
          </EmptyState>
        </section>
      ) : (
        <div className="flex flex-col gap-6">
          <Attention items={attention} scope={scope} counts={counts} live={live} />
          <CountTiles counts={counts} scope={scope} />
          <section aria-label="How things have gone" className="grid gap-4 lg:grid-cols-2 2xl:grid-cols-3">
            <AliveChart alive={alive} />
            <ActivityChart activity={activity} />
            <AgeChart ages={ages} className="lg:col-span-2 2xl:col-span-1" />
          </section>
        </div>
      )}
    </>
  );
}
