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
import { Time } from "@/components/ui/time";
import type { AuditEvent } from "@/lib/audit/schema";
import type { Milestone, Token } from "@/lib/tokens/schema";

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
        title={token.label ?? "No label"}
        facts={
          <>
            <TokenHint hint={token.hint} />
            <StatusBadge status={token.status} />
          </>
        }
      />
      {token.order && (
        <Callout tone="warn" title={`${token.order.orderedBy} ordered that it be revoked`} className="mb-4">
          <p>
            Ordered <Time iso={token.order.orderedAt} as="instant" className="tabular-nums" />. It happens when its
            owner next looks at their list here.
          </p>
          {token.order.reason && <p>Reason: {token.order.reason}</p>}
          {token.order.trouble && <p>The last try: {token.order.trouble}</p>}
        </Callout>
      )}
      <div className="grid items-start gap-6 lg:grid-cols-[20rem_minmax(0,1fr)] xl:gap-8">
        <Summary token={token} milestones={milestones} today={today} />
        <section aria-labelledby="history" className="min-w-0">
          <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
            <h2 id="history" className="font-semibold text-base text-ink">
              History
            </h2>
            {!elsewhere && (
              <Link
                href={`/audit?token=${encodeURIComponent(token.id)}`}
                prefetch={false}
                className={buttonClass("ghost", "sm")}
              >
                <ScrollText className="size-3.5" aria-hidden="true" />
                Show in the audit log
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
      className="-ml-1 mb-2 inline-flex h-6 items-center gap-1 rounded px-1 text-dim text-xs hover:text-ink"
    >
      <ArrowLeft className="size-3.5" aria-hidden="true" />
      Tokens
    </Link>
  );
}

const statuses = {
  active: { name: "Active", tone: "plain" },
  revoked: { name: "Revoked", tone: "good" },
  vanished: { name: "Vanished", tone: "warn" },
} as const;

function StatusBadge({ status }: { status: Token["status"] }) {
  return <Badge tone={statuses[status].tone}>{statuses[status].name}</Badge>;
}

type SummaryProps = { token: Token; milestones: Milestone[]; today: string };

function Summary({ token, milestones, today }: SummaryProps) {
  const revoked = milestones.find(({ kind }) => kind === "revoked");
  const aliveAgain = milestones.find(({ kind }) => kind === "alive_again");
  return (
    <section aria-label="Summary" className="rounded-lg border border-line bg-surface">
      <p className="border-line border-b px-4 py-3 text-dim text-sm">
        {token.status === "active" &&
          (aliveAgain?.detail ?? "RingCX listed it when Tokendesk last looked. It does not expire.")}
        {token.status === "revoked" && <>Proven dead. {revoked?.detail}</>}
        {token.status === "vanished" &&
          "It is no longer in its owner's list. Who removed it is not known, and Tokendesk has not proven it dead."}
      </p>
      <dl className="flex flex-col gap-2.5 px-4 py-3 text-sm">
        <Row name="Owner">{token.owner}</Row>
        <Row name="Environment">{token.environment}</Row>
        <Row name="Purpose">{token.purpose && <span className="whitespace-pre-wrap">{token.purpose}</span>}</Row>
        <Row name="Where used">{token.usedIn && <span className="whitespace-pre-wrap">{token.usedIn}</span>}</Row>
        <Row name="Rotate by">
          {token.rotateBy &&
            (token.status === "active" ? <RotateBy date={token.rotateBy} today={today} /> : token.rotateBy)}
        </Row>
        <Row name={token.createdHere ? "Created here" : "First seen"}>
          {token.firstSeenAt && <Time iso={token.firstSeenAt} as="instant" className="tabular-nums" />}
        </Row>
        <Row name="Last seen">
          {token.lastSeenAt && <Time iso={token.lastSeenAt} as="instant" className="tabular-nums" />}
        </Row>
        <Row name="Token ID">
          <span className="flex items-start gap-1">
            <span className="break-all font-mono text-xs leading-5">{token.id}</span>
            <CopyButton text={token.id} what="token ID" className="-my-0.5 shrink-0" />
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
      <dd className="min-w-0 break-words text-ink">{children || <span className="text-faint">Not said</span>}</dd>
    </div>
  );
}
