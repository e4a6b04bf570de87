import { OutcomeBadge } from "@/components/incident/finding-status";
import { dressText, mayOpenHistory, placeText, type Viewer } from "@/components/incident/incident-text";
import { inSeconds, Utc } from "@/components/incident/report-time";
import { HistoryLink } from "@/components/tokens/history-link";
import { TokenHint } from "@/components/tokens/token-hint";
import { Badge } from "@/components/ui/badge";
import type { FindingStatus, ReportToken } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.report.tokens;

/*
 * On a narrow screen, and on paper, each token is a block of its own. A table whose parts are not laid out as a table
 * loses its roles in some browsers, so they are said again.
 */
const roles = {
  table: { role: "table" },
  group: { role: "rowgroup" },
  row: { role: "row" },
  cell: { role: "cell" },
} as const;

const headings = [
  [texts.token, "w-1/4"],
  [texts.where, "w-1/5"],
  [texts.whenFound, ""],
  [texts.outcome, ""],
  [texts.times, "w-52"],
] as const;

export function ReportTokens({ tokens, viewer }: { tokens: ReportToken[]; viewer: Viewer }) {
  return (
    <table {...roles.table} aria-label={texts.label} className="w-full text-left text-sm max-lg:block lg:table-fixed">
      <thead {...roles.group} className="max-lg:hidden">
        <tr {...roles.row} className="border-line border-b bg-sunken">
          {headings.map(([name, width]) => (
            <th
              key={name}
              scope="col"
              className={`h-9 px-2 font-medium text-dim text-xs first:pl-4 last:pr-4 ${width}`}
            >
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody {...roles.group} className="max-lg:block">
        {tokens.map((token) => (
          <TokenRow key={token.tokenId} token={token} viewer={viewer} />
        ))}
      </tbody>
    </table>
  );
}

const statuses: Record<FindingStatus, { name: string; tone: "plain" | "warn" | "danger" }> = {
  live: { name: incidentTexts.statuses.live, tone: "danger" },
  dead: { name: incidentTexts.statuses.dead, tone: "plain" },
  unchecked: { name: incidentTexts.statuses.unchecked, tone: "warn" },
};

const cell = "min-w-0 break-words py-2.5 align-top max-lg:block max-lg:py-0 lg:px-2 lg:first:pl-4 lg:last:pr-4";

function TokenRow({ token, viewer }: { token: ReportToken; viewer: Viewer }) {
  const { tokenId, hint, fingerprint, label, owner, environment, status, why, outcome, detail, proof } = token;
  const known = owner !== null;
  return (
    <tr
      {...roles.row}
      className="break-inside-avoid border-line border-b last:border-b-0 max-lg:grid max-lg:gap-x-6 max-lg:gap-y-1.5 max-lg:px-4 max-lg:py-3 sm:max-lg:grid-cols-2"
    >
      <td {...roles.cell} className={cell}>
        {known && mayOpenHistory(viewer, token.user) ? (
          <HistoryLink token={{ id: tokenId, hint }} />
        ) : (
          <TokenHint hint={hint} />
        )}
        <p className="text-ink">{known ? (label ?? texts.noLabel) : texts.unknown}</p>
        {known && <p className="text-dim text-xs">{[owner, environment].filter(Boolean).join(", ")}</p>}
        <p className="break-all font-mono text-2xs text-faint" title={texts.fingerprint}>
          <span className="sr-only">{texts.fingerprint} </span>
          {fingerprint}
        </p>
      </td>
      <td {...roles.cell} className={cell}>
        <Places token={token} />
      </td>
      <td {...roles.cell} className={cell}>
        <Badge tone={outcome === "revoked" || outcome === "already_dead" ? "plain" : statuses[status].tone}>
          <span className="sr-only">{texts.whenFoundStatus} </span>
          {statuses[status].name}
        </Badge>
        <p className="mt-0.5 text-dim text-xs">{why}</p>
      </td>
      <td {...roles.cell} className={cell}>
        {outcome ? (
          <OutcomeBadge outcome={outcome} />
        ) : (
          <span className="text-dim text-xs">{detail ? "" : texts.notRevoked}</span>
        )}
        {detail && <p className="mt-0.5 text-dim text-xs">{detail}</p>}
        {proof && <p className="text-dim text-xs">{incidentTexts.proofs[proof]}</p>}
      </td>
      <td {...roles.cell} className={cell}>
        <Times token={token} />
      </td>
    </tr>
  );
}

const placesShown = 5;

function Places({ token: { places, leaked } }: { token: ReportToken }) {
  if (places.length === 0) {
    return <p className="text-dim text-xs">{leaked ? "" : texts.sibling}</p>;
  }
  return (
    <ul className="text-xs">
      {places.slice(0, placesShown).map((place) => (
        <li key={`${place.source} ${place.line} ${place.dress}`} className="break-all">
          <span className="font-mono text-ink">{placeText(place)}</span>{" "}
          <span className="break-normal text-faint">{dressText(place)}</span>
        </li>
      ))}
      {places.length > placesShown && <li className="text-faint">{texts.more(places.length - placesShown)}</li>}
    </ul>
  );
}

function Times({ token: { foundAt, checkedAt, deletedAt, provenAt, secondsToProof } }: { token: ReportToken }) {
  const times = [
    [texts.found, foundAt],
    [texts.checked, checkedAt],
    [texts.deleted, deletedAt],
    [texts.proven, provenAt],
  ] as const;
  return (
    <dl className="flex flex-col text-xs">
      {times.map(
        ([name, at]) =>
          at && (
            <div key={name} className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-2">
              <dt className="text-faint">{name}</dt>
              <dd className="text-dim">
                <Utc iso={at} as="clock" />
              </dd>
            </div>
          ),
      )}
      {secondsToProof !== null && (
        <div className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-2">
          <dt className="text-faint">{texts.fromPaste}</dt>
          <dd className="font-medium text-ink tabular-nums">{inSeconds(secondsToProof)}</dd>
        </div>
      )}
    </dl>
  );
}
