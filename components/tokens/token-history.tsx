import { ArrowLeft, ScrollText } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { RotateBy } from "@/components/tokens/rotate-by";
import { TokenHint } from "@/components/tokens/token-hint";
import { historyEntries } from "@/components/tokens/token-history-entries";
import { HistoryTimeline } from "@/components/tokens/token-history-timeline";
import { Badge } from "@/components/ui/badge";
import { buttonClass } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { CopyButton } from "@/components/ui/copy-button";
import { PageHeading } from "@/components/ui/page-heading";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import type { AuditEvent } from "@/lib/audit/schema";
import { tokensTexts } from "@/lib/texts/tokens";
import type { Milestone, Token } from "@/lib/tokens/schema";

const texts = tokensTexts.history;

type TokenHistoryProps = {
  token: Token;
  events: AuditEvent[];
  milestones: Milestone[];
  /** It is of another connection than the active one, whose audit log the page shows. */
  elsewhere: boolean;
  /** The calendar date in UTC. */
  today: string;
};

/** One token: what it is for, what is proven of it, and all that happened to it. */
export function TokenHistory({ token, events, milestones, elsewhere, today }: TokenHistoryProps) {
  return (
    <>
      <BackToTokens />
      <PageHeading
        title={token.label ?? texts.noLabel}
        facts={
          <>
            <TokenHint hint={token.hint} />
            <StatusBadge status={token.status} />
          </>
        }
      />
      {token.order && (
        <Callout tone="warn" title={texts.ordered(token.order.orderedBy)} className="mb-4">
          <p>
            <RichText
              text={texts.orderedAt}
              slots={{ time: <Time iso={token.order.orderedAt} as="instant" className="tabular-nums" /> }}
            />
          </p>
          {token.order.reason && <p>{texts.reason(token.order.reason)}</p>}
          {token.order.trouble && <p>{texts.lastTry(token.order.trouble)}</p>}
        </Callout>
      )}
      <div className="grid items-start gap-6 lg:grid-cols-[20rem_minmax(0,1fr)] xl:gap-8">
        <Summary token={token} milestones={milestones} today={today} />
        <section aria-labelledby="history" className="min-w-0">
          <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
            <h2 id="history" className="font-semibold text-base text-ink">
              {texts.title}
            </h2>
            {!elsewhere && (
              <Link
                href={`/audit?token=${encodeURIComponent(token.id)}`}
                prefetch={false}
                className={buttonClass("ghost", "sm")}
              >
                <ScrollText className="size-3.5" aria-hidden="true" />
                {texts.auditLog}
              </Link>
            )}
          </div>
          <div className="rounded-lg border border-line bg-surface px-4 py-4 sm:px-5">
            <HistoryTimeline entries={historyEntries(milestones, events)} />
          </div>
        </section>
      </div>
    </>
  );
}

export function BackToTokens() {
  return (
    <Link
      href="/tokens"
      prefetch={false}
      className="-ml-1 mb-2 inline-flex h-6 pointer-coarse:h-10 items-center gap-1 rounded px-1 text-dim text-xs hover:text-ink"
    >
      <ArrowLeft className="size-3.5" aria-hidden="true" />
      {texts.back}
    </Link>
  );
}

const statuses = {
  active: { name: texts.statuses.active, tone: "plain" },
  revoked: { name: texts.statuses.revoked, tone: "good" },
  vanished: { name: texts.statuses.vanished, tone: "warn" },
} as const;

function StatusBadge({ status }: { status: Token["status"] }) {
  return <Badge tone={statuses[status].tone}>{statuses[status].name}</Badge>;
}

type SummaryProps = { token: Token; milestones: Milestone[]; today: string };

function Summary({ token, milestones, today }: SummaryProps) {
  const revoked = milestones.find(({ kind }) => kind === "revoked");
  const aliveAgain = milestones.find(({ kind }) => kind === "alive_again");
  return (
    <section aria-label={texts.summary} className="rounded-lg border border-line bg-surface">
      <p className="border-line border-b px-4 py-3 text-dim text-sm">
        {token.status === "active" && (aliveAgain?.detail ?? texts.active)}
        {token.status === "revoked" && texts.dead(revoked?.detail ?? "")}
        {token.status === "vanished" && texts.vanished}
      </p>
      <dl className="flex flex-col gap-2.5 px-4 py-3 text-sm">
        <Row name={texts.owner}>{token.owner}</Row>
        <Row name={texts.environment}>{token.environment}</Row>
        <Row name={texts.purpose}>{token.purpose && <span className="whitespace-pre-wrap">{token.purpose}</span>}</Row>
        <Row name={texts.usedIn}>{token.usedIn && <span className="whitespace-pre-wrap">{token.usedIn}</span>}</Row>
        <Row name={texts.rotateBy}>
          {token.rotateBy &&
            (token.status === "active" ? <RotateBy date={token.rotateBy} today={today} /> : token.rotateBy)}
        </Row>
        <Row name={token.createdHere ? texts.createdHere : texts.firstSeen}>
          {token.firstSeenAt && <Time iso={token.firstSeenAt} as="instant" className="tabular-nums" />}
        </Row>
        <Row name={texts.lastSeen}>
          {token.lastSeenAt && <Time iso={token.lastSeenAt} as="instant" className="tabular-nums" />}
        </Row>
        <Row name={texts.id}>
          <span className="flex items-start gap-1">
            <span className="break-all font-mono text-xs leading-5">{token.id}</span>
            <CopyButton text={token.id} what={texts.idCopied} className="-my-0.5 shrink-0" />
          </span>
        </Row>
      </dl>
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[6.5rem_minmax(0,1fr)] gap-x-2">
      <dt className="text-faint">{name}</dt>
      <dd className="min-w-0 break-words text-ink">
        {children || <span className="text-faint">{texts.notSaid}</span>}
      </dd>
    </div>
  );
}
