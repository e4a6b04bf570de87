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
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import type { Overview } from "@/lib/team/schema";
import { overviewTexts } from "@/lib/texts/overview";

const texts = overviewTexts.view;

export function OverviewView({ overview }: { overview: Overview }) {
  const { scope, live, counts, warnings, attention, alive, ages, activity } = overview;
  const nothingYet = attention.length === 0 && counts.active === 0 && alive.every(({ count }) => count === 0);
  return (
    <>
      <PageHeading
        title={texts.title}
        facts={
          scope === "own" ? (
            <span>{texts.scopeOwn}</span>
          ) : (
            <span className="tabular-nums">{texts.scopeAccount(counts.active, counts.owners)}</span>
          )
        }
      />
      {!live && (
        <Callout tone="warn" title={texts.noAnswer} className="mb-4">
          <p>{texts.remembered}</p>
        </Callout>
      )}
      {warnings.length > 0 && (
        <Callout tone="warn" title={texts.unusual} className="mb-4">
          <ul className="flex flex-col gap-1">
            {warnings.map(({ at, actor, tokens }) => (
              <li key={actor}>
                <RichText
                  text={texts.unusualActor(tokens)}
                  slots={{
                    actor: (
                      <Link
                        href={`/audit?actor=${encodeURIComponent(actor)}`}
                        prefetch={false}
                        className="text-ink underline"
                      >
                        {actor}
                      </Link>
                    ),
                    time: <Time iso={at} as="instant" />,
                  }}
                />
              </li>
            ))}
          </ul>
        </Callout>
      )}
      {nothingYet ? (
        <section className="rounded-lg border border-line bg-surface">
          <EmptyState
            icon={<ShieldCheck className="size-5" />}
            title={texts.nothing}
            action={
              <Link href="/tokens" prefetch={false} className={buttonClass("primary")}>
                {texts.goToTokens}
              </Link>
            }
          >
            {texts.nothingYet}
          </EmptyState>
        </section>
      ) : (
        <div className="flex flex-col gap-6">
          <Attention items={attention} scope={scope} counts={counts} live={live} />
          <CountTiles counts={counts} scope={scope} />
          <section aria-label={texts.charts} className="grid gap-4 lg:grid-cols-2 2xl:grid-cols-3">
            <AliveChart alive={alive} />
            <ActivityChart activity={activity} />
            <AgeChart ages={ages} className="lg:col-span-2 2xl:col-span-1" />
          </section>
        </div>
      )}
    </>
  );
}
