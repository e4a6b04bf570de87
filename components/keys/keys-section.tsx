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
import { Time } from "@/components/ui/time";
import type { Problem } from "@/lib/errors";
import { formatDate, plural } from "@/lib/format";
import type { ApiKey } from "@/lib/keys/schema";

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
            API keys
          </h2>
          <p className="text-dim text-sm">Secret scanners and CI jobs report leaked tokens with them.</p>
        </div>
        {value !== null && (
          <Button onClick={() => open({ what: "new" })}>
            <Plus className="size-3.5" aria-hidden="true" />
            New API key
          </Button>
        )}
      </div>
      {problem ? (
        <ProblemPanel problem={problem} />
      ) : (
        <div className="rounded-lg border border-line bg-surface">
          {working.length === 0 ? (
            <EmptyState icon={<KeyRound className="size-5" />} title="No API key works at the moment">
              <p>Make one for each scanner or job, so that each can be revoked by itself.</p>
            </EmptyState>
          ) : (
            <ul aria-label="API keys" className="divide-y divide-line">
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
            {past ? "Hide" : "Show"} {plural(over.length, "revoked or expired key")}
          </Button>
          {past && (
            <ul
              aria-label="Revoked and expired API keys"
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
          {scopes.includes("revoke") ? <Badge tone="warn">Revokes automatically</Badge> : <Badge>Reports only</Badge>}
          {isOver(apiKey, now) && <Badge tone="danger">{revokedAt === null ? "Expired" : "Revoked"}</Badge>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-dim text-xs tabular-nums">
          <span>
            Made by {createdBy}, <Time iso={createdAt} />
          </span>
          <span>{lastUsedAt === null ? "Never used" : <LastUsed iso={lastUsedAt} />}</span>
          {revokedAt !== null ? (
            <span>
              Revoked <Time iso={revokedAt} as="instant" />
            </span>
          ) : (
            expiresAt !== null && <span>Last day {formatDate(lastDay(expiresAt))}, UTC</span>
          )}
        </p>
      </div>
      {onRevoke && (
        <Button variant="ghost" size="sm" aria-label={`Revoke API key ${name}`} onClick={onRevoke}>
          Revoke
        </Button>
      )}
    </li>
  );
}

function LastUsed({ iso }: { iso: string }) {
  return (
    <>
      Last used <Time iso={iso} as="instant" />
    </>
  );
}

/** A key ends with the midnight after its last day. */
function lastDay(expiresAt: string): string {
  return new Date(Date.parse(expiresAt) - 1).toISOString().slice(0, 10);
}
