import clsx from "clsx";
import { ArrowLeft, FileSearch } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import type { Viewer } from "@/components/incident/incident-text";
import { ReportActions } from "@/components/incident/report-actions";
import { inSeconds, Utc } from "@/components/incident/report-time";
import { ReportTokens } from "@/components/incident/report-tokens";
import { Badge } from "@/components/ui/badge";
import { Callout } from "@/components/ui/callout";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { RichText } from "@/components/ui/rich-text";
import { formatCount } from "@/lib/format";
import type { IncidentReport, IncidentState, ReportUser, ReportVerdict, VendorChanges } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.report;

type ReportViewProps = {
  report: IncidentReport;
  viewer: Viewer;
  verdict: ReportVerdict;
  /** For a chat. */
  summary: string;
  users: ReportUser[];
  /** What was not checked, a sentence each, of the case and of its tokens. */
  notChecked: string[];
};

/** A case as a document: all times are UTC, since it is read by people who sit elsewhere. */
export function ReportView({ report, viewer, verdict, summary, users, notChecked }: ReportViewProps) {
  const { incident, tokens, timeline, vendorChanges } = report;
  return (
    <>
      <BackToIncident />
      <PageHeading
        title={texts.title}
        facts={
          <>
            <Badge tone={stateTones[incident.state]}>{incidentTexts.states[incident.state]}</Badge>
            <span>
              <RichText
                text={texts.opened}
                slots={{ time: <Utc iso={incident.openedAt} />, name: incident.openedBy }}
              />
            </span>
          </>
        }
      />
      <Callout tone={verdict.tone} title={<span className="text-base">{verdict.text}</span>} className="mb-4">
        {incident.state === "running" && (
          <p className="print:hidden">
            <RichText
              text={texts.running}
              slots={{
                follow: (
                  <Link href="/incident" prefetch={false} className="font-medium text-ink underline underline-offset-2">
                    {texts.follow}
                  </Link>
                ),
                time: <Utc iso={report.generatedAt} />,
              }}
            />
          </p>
        )}
        {incident.state === "interrupted" && (
          <p>
            <RichText
              text={texts.interrupted}
              slots={{
                desk: (
                  <Link href="/incident" prefetch={false} className="font-medium text-ink underline underline-offset-2">
                    {texts.desk}
                  </Link>
                ),
              }}
            />
          </p>
        )}
      </Callout>
      <ReportActions id={incident.id} summary={summary} />
      <Totals report={report} />
      <Facts report={report} />
      <Part title={texts.tokensTitle} id="tokens">
        {tokens.length === 0 ? (
          <EmptyState icon={<FileSearch className="size-5" />} title={texts.noToken}>
            {report.totals.found === 0 ? texts.nothingFound : texts.databaseAway}
          </EmptyState>
        ) : (
          <ReportTokens tokens={tokens} viewer={viewer} />
        )}
      </Part>
      {users.length > 0 && (
        <Part title={texts.users} id="users">
          <ul className="divide-y divide-line">
            {users.map((user) => (
              <UserItem key={`${user.login} ${user.name} ${user.accounts.join()}`} user={user} />
            ))}
          </ul>
        </Part>
      )}
      <Part title={texts.timeline} id="timeline">
        <ol aria-label={texts.timeline} className="flex flex-col gap-1.5 px-4 py-3 text-sm">
          {timeline.map(({ at, what }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: nothing moves in it, and lines may be the same
            <li key={index} className="grid gap-x-4 sm:grid-cols-[11.5rem_minmax(0,1fr)]">
              <Utc iso={at} className="text-faint text-xs leading-5" />
              <span className="min-w-0 break-words text-ink">{what}</span>
            </li>
          ))}
        </ol>
      </Part>
      <Part title={texts.changes} id="changes">
        {vendorChanges.length === 0 ? (
          <p className="px-4 py-3 text-dim text-sm">{texts.notAsked}</p>
        ) : (
          <ul className="divide-y divide-line">
            {vendorChanges.map((changes) => (
              <ChangesItem key={changes.user} changes={changes} />
            ))}
          </ul>
        )}
      </Part>
      <Part title={texts.notChecked} id="not-checked">
        <Lines lines={notChecked} className="px-4 py-3" />
      </Part>
      <p className="mt-4 max-w-2xl text-faint text-xs">
        <RichText text={texts.about} slots={{ time: <Utc iso={report.generatedAt} /> }} />
      </p>
    </>
  );
}

export function BackToIncident() {
  return (
    <Link
      href="/incident"
      prefetch={false}
      className="-ml-1 mb-2 inline-flex h-6 pointer-coarse:h-10 items-center gap-1 rounded px-1 text-dim text-xs hover:text-ink print:hidden"
    >
      <ArrowLeft className="size-3.5" aria-hidden="true" />
      {texts.back}
    </Link>
  );
}

const stateTones: Record<IncidentState, "plain" | "good" | "warn" | "danger"> = {
  open: "plain",
  running: "plain",
  contained: "good",
  partial: "danger",
  interrupted: "warn",
};

function Totals({ report: { totals, tokens, secondsToContainment } }: { report: IncidentReport }) {
  const open = totals.alive + totals.unknown;
  const beside = tokens.some(({ leaked }) => !leaked);
  const tiles: [name: string, value: string, tone?: string | undefined][] = [
    [texts.totals.found, formatCount(totals.found)],
    [beside ? texts.totals.liveWithSiblings : texts.totals.live, formatCount(totals.live)],
    [texts.totals.unchecked, formatCount(totals.unchecked), totals.unchecked > 0 ? "text-warn" : undefined],
    [texts.totals.revoked, formatCount(totals.revoked), totals.revoked > 0 ? "text-good" : undefined],
    [texts.totals.open, formatCount(open), open > 0 ? "text-danger" : undefined],
    [texts.totals.seconds, secondsToContainment === null ? texts.totals.none : inSeconds(secondsToContainment)],
  ];
  return (
    <dl
      aria-label={texts.totals.label}
      className="mb-4 grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-3 xl:grid-cols-6"
    >
      {tiles.map(([name, value, tone]) => (
        <div key={name} className="bg-surface px-4 py-2.5">
          <dt className="text-dim text-xs">{name}</dt>
          <dd className={`font-semibold text-lg tabular-nums ${tone ?? "text-ink"}`}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Facts({ report }: { report: IncidentReport }) {
  const { incident, confirmedAt, confirmedBy, finishedAt, siblings, host } = report;
  const through = {
    desk: texts.facts.desk,
    key: texts.facts.key(incident.via ?? ""),
    tokens: texts.facts.tokensList,
  };
  return (
    <dl className="mb-6 grid gap-x-8 gap-y-2 rounded-lg border border-line bg-surface px-4 py-3 text-sm md:grid-cols-2">
      <Fact name={texts.facts.openedBy}>{incident.openedBy}</Fact>
      <Fact name={texts.facts.through}>{through[incident.origin]}</Fact>
      <Fact name={texts.facts.opened}>
        <Utc iso={incident.openedAt} />
      </Fact>
      <Fact name={texts.facts.host}>{host.replace(/^https?:\/\//, "")}</Fact>
      <Fact name={texts.facts.confirmed}>
        {confirmedAt ? (
          <RichText text={texts.facts.confirmedBy} slots={{ time: <Utc iso={confirmedAt} />, name: confirmedBy }} />
        ) : (
          texts.facts.nobodyConfirmed
        )}
      </Fact>
      <Fact name={texts.facts.siblings}>{siblings ? texts.facts.siblingsIn : texts.facts.siblingsOut}</Fact>
      <Fact name={texts.facts.finished}>{finishedAt ? <Utc iso={finishedAt} /> : texts.facts.none}</Fact>
      <Fact name={texts.facts.incident}>
        <span className="break-all font-mono text-xs">{incident.id}</span>
      </Fact>
      <Fact name={texts.facts.reason} className="md:col-span-2">
        {incident.reason ?? texts.facts.none}
      </Fact>
    </dl>
  );
}

function Fact({ name, className, children }: { name: string; className?: string; children: ReactNode }) {
  return (
    <div className={clsx("grid grid-cols-[7.5rem_minmax(0,1fr)] gap-x-2", className)}>
      <dt className="text-faint">{name}</dt>
      <dd className="min-w-0 break-words text-ink">{children}</dd>
    </div>
  );
}

function Part({ title, id, children }: { title: string; id: string; children: ReactNode }) {
  return (
    <section aria-labelledby={id} className="mb-6">
      <h2 id={id} className="mb-2 font-semibold text-base text-ink">
        {title}
      </h2>
      <div className="overflow-hidden rounded-lg border border-line bg-surface print:overflow-visible">{children}</div>
    </section>
  );
}

function UserItem({ user: { name, login, enabled, roles, accounts, reach, hints } }: { user: ReportUser }) {
  return (
    <li className="break-inside-avoid px-4 py-3 text-sm">
      <p className="flex flex-wrap items-center gap-x-2">
        <span className="font-medium text-ink">{name}</span>
        {login && login !== name && <span className="text-dim">{login}</span>}
        {!enabled && <Badge tone="warn">{texts.user.disabled}</Badge>}
      </p>
      {reach.map((sentence) => (
        <p key={sentence} className="mt-0.5 text-ink">
          {sentence}
        </p>
      ))}
      <dl className="mt-1.5 flex flex-col gap-1">
        <Fact name={texts.user.accounts}>{accounts.length > 0 ? accounts.join("; ") : texts.user.noneNamed}</Fact>
        <Fact name={texts.user.roles}>{roles.length > 0 ? roles.join(", ") : texts.user.noneNamed}</Fact>
        <Fact name={texts.user.tokens}>
          <span className="font-mono text-xs">{hints.join(", ")}</span>
        </Fact>
      </dl>
    </li>
  );
}

function ChangesItem({ changes: { user, from, to, unavailable, changes, truncated, notChecked } }: ChangesItemProps) {
  return (
    <li className="px-4 py-3 text-sm">
      <p className="font-medium text-ink">{user}</p>
      <p className="text-faint text-xs">
        <RichText text={texts.vendor.asked} slots={{ from, to }} />
      </p>
      {unavailable ? (
        <p className="mt-1 text-dim">{unavailable}</p>
      ) : changes.length === 0 ? (
        <p className="mt-1 text-dim">{texts.vendor.none}</p>
      ) : (
        <ol className="mt-1.5 flex flex-col gap-1">
          {changes.map(({ at, account, action, what }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: nothing moves in it, and changes may look the same
            <li key={index} className="grid gap-x-4 sm:grid-cols-[11.5rem_minmax(0,1fr)]">
              <Utc iso={at} className="text-faint text-xs leading-5" />
              <span className="min-w-0 break-words">
                <span className="font-mono text-xs">{action}</span> {what}{" "}
                <span className="text-faint text-xs">{account}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
      {truncated && <p className="mt-1 text-dim">{texts.vendor.newest(changes.length)}</p>}
      {notChecked.length > 0 && (
        <>
          <p className="mt-1.5 text-dim">{texts.vendor.notCovered}</p>
          <Lines lines={notChecked} />
        </>
      )}
    </li>
  );
}

type ChangesItemProps = { changes: VendorChanges };

function Lines({ lines, className = "" }: { lines: string[]; className?: string }) {
  return (
    <ul className={`list-disc space-y-1 text-sm ${className}`}>
      {lines.map((line) => (
        <li key={line} className="ml-4 break-words text-ink marker:text-faint">
          {line}
        </li>
      ))}
    </ul>
  );
}
