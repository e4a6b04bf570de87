"use client";

import { KeyRound, Plus } from "lucide-react";
import { useRef, useState } from "react";
import { NewKeyDialog } from "@/components/keys/new-key-dialog";
import { RevokeKeyDialog } from "@/components/keys/revoke-key-dialog";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { useDialogs } from "@/components/ui/dialogs";
import { EmptyState } from "@/components/ui/empty-state";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import type { Problem } from "@/lib/errors";
import { formatDate } from "@/lib/format";
import type { ApiKey } from "@/lib/keys/schema";
import { keysTexts } from "@/lib/texts/keys";

const texts = keysTexts.section;

/** The keys, or why they could not be read. `now`: when they were, ISO 8601. */
type KeysSectionProps = {
  found: { value: ApiKey[]; problem: null } | { value: null; problem: Problem };
  now: string;
  host: string;
};

type Open = { what: "new" } | { what: "revoke"; key: ApiKey };

export function KeysSection({ found: { value, problem }, now, host }: KeysSectionProps) {
  const keys = value ?? [];
  const heading = useRef<HTMLHeadingElement>(null);
  const { dialog, open, close, returnFocus } = useDialogs<Open>(heading, keys);
  const [past, setPast] = useState(false);
  const working = keys.filter((key) => !isOver(key, now));
  const over = keys.filter((key) => isOver(key, now));
  return (
    <section aria-labelledby="api-keys">
      <div className="mb-2 flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 id="api-keys" ref={heading} tabIndex={-1} className="font-semibold text-base text-ink">
            {texts.title}
          </h2>
          <p className="text-dim text-sm">{texts.about}</p>
        </div>
        {value !== null && (
          <Button onClick={() => open({ what: "new" })}>
            <Plus className="size-3.5" aria-hidden="true" />
            {texts.create}
          </Button>
        )}
      </div>
      {problem ? (
        <ProblemPanel problem={problem} />
      ) : (
        <div className="rounded-lg border border-line bg-surface">
          {working.length === 0 ? (
            <EmptyState icon={<KeyRound className="size-5" />} title={texts.none}>
              <p>{texts.noneYet}</p>
            </EmptyState>
          ) : (
            <ul aria-label={texts.title} className="divide-y divide-line">
              {working.map((key) => (
                <KeyItem key={key.id} apiKey={key} now={now} onRevoke={() => open({ what: "revoke", key })} />
              ))}
            </ul>
          )}
        </div>
      )}
      {over.length > 0 && (
        <>
          <Button variant="ghost" size="sm" className="mt-2" aria-expanded={past} onClick={() => setPast(!past)}>
            {texts.past(past, over.length)}
          </Button>
          {past && (
            <ul
              aria-label={texts.pastKeys}
              className="mt-2 divide-y divide-line rounded-lg border border-line bg-surface"
            >
              {over.map((key) => (
                <KeyItem key={key.id} apiKey={key} now={now} />
              ))}
            </ul>
          )}
        </>
      )}
      {dialog?.what === "new" && (
        <NewKeyDialog today={now.slice(0, 10)} host={host} onClose={close} returnFocus={returnFocus} />
      )}
      {dialog?.what === "revoke" && <RevokeKeyDialog apiKey={dialog.key} onClose={close} returnFocus={returnFocus} />}
    </section>
  );
}

function isOver({ revokedAt, expiresAt }: ApiKey, now: string): boolean {
  return revokedAt !== null || (expiresAt !== null && expiresAt <= now);
}

type KeyItemProps = { apiKey: ApiKey; now: string; onRevoke?: () => void };

function KeyItem({ apiKey, now, onRevoke }: KeyItemProps) {
  const { name, hint, scopes, createdBy, createdAt, lastUsedAt, expiresAt, revokedAt } = apiKey;
  return (
    <li className="flex items-center gap-3 px-4 py-2.5 text-sm">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
          <span className="min-w-0 break-words font-medium text-ink">{name}</span>
          <span className="font-mono text-faint text-xs">{hint}</span>
          {scopes.includes("revoke") ? <Badge tone="warn">{texts.revokes}</Badge> : <Badge>{texts.reportsOnly}</Badge>}
          {isOver(apiKey, now) && <Badge tone="danger">{revokedAt === null ? texts.expired : texts.revoked}</Badge>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-dim text-xs tabular-nums">
          <span>
            <RichText text={texts.madeBy} slots={{ name: createdBy, time: <Time iso={createdAt} /> }} />
          </span>
          <span>{lastUsedAt === null ? texts.neverUsed : <LastUsed iso={lastUsedAt} />}</span>
          {revokedAt !== null ? (
            <span>
              <RichText text={texts.revokedAt} slots={{ time: <Time iso={revokedAt} as="instant" /> }} />
            </span>
          ) : (
            expiresAt !== null && <span>{texts.lastDay(formatDate(lastDay(expiresAt)))}</span>
          )}
        </p>
      </div>
      {onRevoke && (
        <Button variant="ghost" size="sm" aria-label={texts.revokeKey(name)} onClick={onRevoke}>
          {texts.revoke}
        </Button>
      )}
    </li>
  );
}

function LastUsed({ iso }: { iso: string }) {
  return <RichText text={texts.lastUsed} slots={{ time: <Time iso={iso} as="instant" /> }} />;
}

/** A key ends with the midnight after its last day. */
function lastDay(expiresAt: string): string {
  return new Date(Date.parse(expiresAt) - 1).toISOString().slice(0, 10);
}
