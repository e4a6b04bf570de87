import Link from "next/link";
import type { ReactNode } from "react";
import { dressText, mayOpenHistory, nameOf, placeText, type Viewer } from "@/components/incident/incident-text";
import { historyPath } from "@/components/tokens/answers";
import { TokenHint } from "@/components/tokens/token-hint";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import { groupByMainAccount } from "@/lib/accounts/schema";
import type { Finding } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.details;

const shown = 20;

/** All that is known of a finding. */
export function FindingDetails({ finding, viewer }: { finding: Finding; viewer: Viewer }) {
  const {
    places,
    count,
    user,
    accounts = [],
    accountCount = accounts.length,
    siblings = [],
    siblingCount,
    notChecked,
    known,
    checkedAt,
  } = finding;
  const others = siblingCount ?? siblings.length;
  return (
    <dl className="grid gap-x-8 gap-y-3 text-sm md:grid-cols-2 xl:grid-cols-3">
      <Part name={texts.places(count)}>
        <ul className="text-xs">
          {places.map((place, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: one line may hold it twice
            <li key={index} className="break-words">
              <span className="font-mono">{placeText(place)}</span>
              {dressText(place) !== "" && <span className="text-faint"> {dressText(place)}</span>}
            </li>
          ))}
          {count > places.length && <li className="text-faint">{texts.more(count - places.length)}</li>}
        </ul>
      </Part>
      {accounts.length > 0 && (
        <Part name={texts.reaches}>
          <ul className="text-xs">
            {groupByMainAccount(accounts).map(({ mainAccountId, mainAccountName, subAccounts }) => (
              <li key={mainAccountId}>
                {mainAccountName} <span className="font-mono text-faint">{mainAccountId}</span>
                <ul className="border-line border-l pl-2.5">
                  {subAccounts.slice(0, shown).map(({ accountId, accountName }) => (
                    <li key={accountId} className="text-dim">
                      {accountName} <span className="font-mono text-faint">{accountId}</span>
                    </li>
                  ))}
                  {subAccounts.length > shown && (
                    <li className="text-faint">{texts.more(subAccounts.length - shown)}</li>
                  )}
                </ul>
              </li>
            ))}
            {accountCount > accounts.length && (
              <li className="text-faint">{texts.moreAccounts(accountCount - accounts.length)}</li>
            )}
          </ul>
        </Part>
      )}
      {user && (
        <Part name={texts.user}>
          <p className="text-xs">
            {nameOf(user)}
            {user.login && <span className="text-dim">{texts.login(user.login)}</span>}
            {!user.enabled && <span className="text-warn">{texts.disabled}</span>}
          </p>
          <p className="text-dim text-xs">{user.roles.length === 0 ? texts.noRoles : user.roles.join(", ")}</p>
        </Part>
      )}
      {others > 0 && (
        <Part name={texts.others(others)}>
          <ul className="text-xs">
            {siblings.map(({ tokenId, hint, label, leaked }) => (
              <li key={tokenId} className="flex min-w-0 items-baseline gap-2">
                <TokenHint hint={hint} />
                {label && <span className="truncate text-dim">{label}</span>}
                {leaked && <span className="shrink-0 text-danger">{texts.leaked}</span>}
              </li>
            ))}
            {others > siblings.length && <li className="text-faint">{texts.more(others - siblings.length)}</li>}
          </ul>
        </Part>
      )}
      {known && (
        <Part name={texts.known}>
          <ul className="text-dim text-xs">
            {known.usedIn && <li>{texts.usedIn(known.usedIn)}</li>}
            {known.purpose && <li>{known.purpose}</li>}
            <li>
              <RichText
                text={known.createdHere ? texts.firstSeenHere : texts.firstSeenElsewhere}
                slots={{ time: <Time iso={known.firstSeenAt} /> }}
              />
            </li>
            {known.endedAt && (
              <li>
                <RichText
                  text={known.status === "vanished" ? texts.vanished : texts.revoked}
                  slots={{ time: <Time iso={known.endedAt} as="instant" /> }}
                />
              </li>
            )}
            {mayOpenHistory(viewer, user ?? null) && (
              <li>
                <Link
                  href={historyPath({ id: finding.tokenId })}
                  prefetch={false}
                  target="_blank"
                  className="text-accent underline-offset-2 hover:underline"
                >
                  {texts.history}
                  <span className="sr-only"> {texts.historyOf(finding.hint)}</span>
                </Link>
              </li>
            )}
          </ul>
        </Part>
      )}
      <Part name={texts.notChecked}>
        {notChecked.length === 0 ? (
          <p className="text-dim text-xs">{finding.status === "live" ? texts.nothingLeftOut : texts.nothingBeyond}</p>
        ) : (
          <ul className="text-dim text-xs">
            {notChecked.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        )}
        {checkedAt && (
          <p className="mt-1 text-faint text-xs">
            <RichText text={texts.checked} slots={{ time: <Time iso={checkedAt} as="instant" /> }} />
          </p>
        )}
      </Part>
    </dl>
  );
}

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="mb-0.5 text-faint text-xs">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
