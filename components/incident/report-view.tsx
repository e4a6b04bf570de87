import clsx from "clsx";
import { ArrowLeft, FileSearch } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { stateTexts, type Viewer } from "@/components/incident/incident-text";
import { ReportActions } from "@/components/incident/report-actions";
import { inSeconds, Utc } from "@/components/incident/report-time";
import { ReportTokens } from "@/components/incident/report-tokens";
import { Badge } from "@/components/ui/badge";
import { Callout } from "@/components/ui/callout";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeading } from "@/components/ui/page-heading";
import { formatCount } from "@/lib/format";
import type { IncidentReport, IncidentState, ReportUser, ReportVerdict, VendorChanges } from "@/lib/incidents/schema";

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
        title="Incident report"
        facts={
          <>
            <Badge tone={stateTones[incident.state]}>{stateTexts[incident.state]}</Badge>
            <span>
              <Utc iso={incident.openedAt} />, {incident.openedBy}
            </span>
          </>
        }
      />
      <Callout tone={verdict.tone} title={<span className="text-base">{verdict.text}</span>} className="mb-4">
        {incident.state === "running" && (
          <p className="print:hidden">
            <Link href="/incident" prefetch={false} className="font-medium text-ink underline underline-offset-2">
              Follow
            </Link>{" "}
            the revocation at the incident desk. This page shows how far it was at <Utc iso={report.generatedAt} />.
          </p>
        )}
        {incident.state === "interrupted" && (
          <p>
            Paste the text again at the{" "}
            <Link href="/incident" prefetch={false} className="font-medium text-ink underline underline-offset-2">
              incident desk
            </Link>{" "}
            to go on. What is proven dead is not done again.
          </p>
        )}
      </Callout>
      <ReportActions id={incident.id} summary={summary} />
      <Totals report={report} />
      <Facts report={report} />
      <Part title="Tokens" id="tokens">
        {tokens.length === 0 ? (
          <EmptyState icon={<FileSearch className="size-5" />} title="No token is written down">
            {report.totals.found === 0
              ? "Nothing that looks like a RingCX token was found."
              : "Tokendesk's database was away when they were found."}
          </EmptyState>
        ) : (
          <ReportTokens tokens={tokens} viewer={viewer} />
        )}
      </Part>
      {users.length > 0 && (
        <Part title="Who is behind them" id="users">
          <ul className="divide-y divide-line">
            {users.map((user) => (
              <UserItem key={`${user.login} ${user.name} ${user.accounts.join()}`} user={user} />
            ))}
          </ul>
        </Part>
      )}
      <Part title="Timeline" id="timeline">
        <ol aria-label="Timeline" className="flex flex-col gap-1.5 px-4 py-3 text-sm">
          {timeline.map(({ at, what }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: nothing moves in it, and lines may be the same
            <li key={index} className="grid gap-x-4 sm:grid-cols-[11.5rem_minmax(0,1fr)]">
              <Utc iso={at} className="text-faint text-xs leading-5" />
              <span className="min-w-0 break-words text-ink">{what}</span>
            </li>
          ))}
        </ol>
      </Part>
      <Part title="What the users changed, as RingCX tells it" id="changes">
        {vendorChanges.length === 0 ? (
          <p className="px-4 py-3 text-dim text-sm">RingCX's audit log was not asked.</p>
        ) : (
          <ul className="divide-y divide-line">
            {vendorChanges.map((changes) => (
              <ChangesItem key={changes.user} changes={changes} />
            ))}
          </ul>
        )}
      </Part>
      <Part title="What was not checked" id="not-checked">
        <Lines lines={notChecked} className="px-4 py-3" />
      </Part>
      <p className="mt-4 max-w-2xl text-faint text-xs">
        A token is shown by its prefix and its last four characters. Its fingerprint is made with a key of this
        installation and does not lead back to the value. Seconds are counted from when the text came in. Made{" "}
        <Utc iso={report.generatedAt} /> from what is known by then.
      </p>
    </>
  );
}

export function BackToIncident() {
  return (
    <Link
      href="/incident"
      prefetch={false}
      className="-ml-1 mb-2 inline-flex h-6 items-center gap-1 rounded px-1 text-dim text-xs hover:text-ink print:hidden"
    >
      <ArrowLeft className="size-3.5" aria-hidden="true" />
      Incident
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
    ["Found", formatCount(totals.found)],
    [beside ? "Live, with siblings" : "Live", formatCount(totals.live)],
    ["Could not be checked", formatCount(totals.unchecked), totals.unchecked > 0 ? "text-warn" : undefined],
    ["Revoked", formatCount(totals.revoked), totals.revoked > 0 ? "text-good" : undefined],
    ["Not proven dead", formatCount(open), open > 0 ? "text-danger" : undefined],
    ["Until the last proof", secondsToContainment === null ? "–" : inSeconds(secondsToContainment)],
  ];
  return (
    <dl
      aria-label="Totals"
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
    desk: "The incident desk",
    key: `The API key ${incident.via ?? ""}`,
    tokens: "The list of tokens",
  };
  return (
    <dl className="mb-6 grid gap-x-8 gap-y-2 rounded-lg border border-line bg-surface px-4 py-3 text-sm md:grid-cols-2">
      <Fact name="Opened by">{incident.openedBy}</Fact>
      <Fact name="Came in through">{through[incident.origin]}</Fact>
      <Fact name="Opened">
        <Utc iso={incident.openedAt} />
      </Fact>
      <Fact name="RingCX">{host.replace(/^https?:\/\//, "")}</Fact>
      <Fact name="Confirmed">
        {confirmedAt ? (
          <>
            <Utc iso={confirmedAt} />, {confirmedBy}
          </>
        ) : (
          "Nobody has confirmed a revocation"
        )}
      </Fact>
      <Fact name="Siblings">{siblings ? "Part of the revocation" : "Not part of the revocation"}</Fact>
      <Fact name="Finished">{finishedAt ? <Utc iso={finishedAt} /> : "–"}</Fact>
      <Fact name="Incident">
        <span className="break-all font-mono text-xs">{incident.id}</span>
      </Fact>
      <Fact name="Reason" className="md:col-span-2">
        {incident.reason ?? "–"}
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
        {!enabled && <Badge tone="warn">Disabled</Badge>}
      </p>
      {reach.map((sentence) => (
        <p key={sentence} className="mt-0.5 text-ink">
          {sentence}
        </p>
      ))}
      <dl className="mt-1.5 flex flex-col gap-1">
        <Fact name="Sub-accounts">{accounts.length > 0 ? accounts.join("; ") : "None is named"}</Fact>
        <Fact name="Roles">{roles.length > 0 ? roles.join(", ") : "None is named"}</Fact>
        <Fact name="Tokens">
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
        Asked for {from} to {to}
      </p>
      {unavailable ? (
        <p className="mt-1 text-dim">{unavailable}</p>
      ) : changes.length === 0 ? (
        <p className="mt-1 text-dim">It shows no change by this user.</p>
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
      {truncated && <p className="mt-1 text-dim">Only the newest {formatCount(changes.length)} are kept.</p>}
      {notChecked.length > 0 && (
        <>
          <p className="mt-1.5 text-dim">Not covered:</p>
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
