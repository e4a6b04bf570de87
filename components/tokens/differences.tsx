"use client";

import { CircleMinus, CirclePlus } from "lucide-react";
import { useRouter } from "next/navigation";
import { type ReactNode, useRef, useState } from "react";
import { call } from "@/components/http";
import { useSubmission } from "@/components/submission";
import { changedSchema, tokenPath } from "@/components/tokens/answers";
import { HistoryLink } from "@/components/tokens/history-link";
import { useTokenActions } from "@/components/tokens/token-actions";
import { Button } from "@/components/ui/button";
import { FailureNote } from "@/components/ui/failure-note";
import { Time } from "@/components/ui/time";
import { formatCount, plural } from "@/lib/format";
import { rowKey, type Token, type Differences as TokenDifferences } from "@/lib/tokens/schema";

const shownAtFirst = 5;

type DifferencesProps = {
  differences: TokenDifferences;
  /** The table below shows the ones that appeared, and nothing else. */
  listed: boolean;
  onShowAppeared: () => void;
  /** Where the focus goes when the last line is gone. */
  onEmptied: () => void;
};

/** What changed outside Tokendesk since the last look, until its owner says that they know. */
export function Differences({ differences, listed, onShowAppeared, onEmptied }: DifferencesProps) {
  const { appeared, appearedTotal, vanished, vanishedTotal } = differences;
  const showAppeared = appearedTotal > 0 && !listed;
  if (!showAppeared && vanishedTotal === 0) return null;
  return (
    <section
      aria-label="Changes outside Tokendesk"
      className="mb-4 divide-y divide-line rounded-lg border border-line bg-surface"
    >
      {showAppeared && <Appeared tokens={appeared} total={appearedTotal} onShowAll={onShowAppeared} />}
      {vanishedTotal > 0 && <Vanished tokens={vanished} total={vanishedTotal} onEmptied={onEmptied} />}
    </section>
  );
}

function Appeared({ tokens, total, onShowAll }: { tokens: Token[]; total: number; onShowAll: () => void }) {
  const open = useTokenActions();
  const one = total === 1;
  return (
    <div className="px-4 py-3">
      <Heading icon={<CirclePlus className="size-4 text-warn" aria-hidden="true" />}>
        {one
          ? "1 token appeared outside Tokendesk: yours?"
          : `${formatCount(total)} tokens appeared outside Tokendesk: yours?`}
      </Heading>
      <p className="mt-0.5 ml-6 text-dim text-xs">
        Adopt what you know, with a label. Revoke what nobody knows: it works with your permissions.
      </p>
      <ul className="mt-2 flex flex-col">
        {tokens.slice(0, shownAtFirst).map((token) => (
          <Line key={rowKey(token)} token={token} when="First seen" at={token.appearedAt ?? token.firstSeenAt}>
            <Button size="sm" onClick={() => open({ kind: "adopt", token })}>
              Adopt<span className="sr-only"> {token.hint}</span>
            </Button>
            <Button variant="ghost-danger" size="sm" onClick={() => open({ kind: "revoke", token })}>
              Revoke<span className="sr-only"> {token.hint}</span>
            </Button>
          </Line>
        ))}
      </ul>
      {total > shownAtFirst && (
        <Button variant="ghost" size="sm" className="mt-1 ml-3.5" onClick={onShowAll}>
          Show all {formatCount(total)} in the list
        </Button>
      )}
    </div>
  );
}

type VanishedProps = { tokens: Token[]; total: number; onEmptied: () => void };

function Vanished({ tokens, total, onEmptied }: VanishedProps) {
  const router = useRouter();
  const list = useRef<HTMLUListElement>(null);
  const [noted, setNoted] = useState<ReadonlySet<string>>(new Set());
  const [noting, setNoting] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const { failure, submit } = useSubmission();
  // One that comes back and vanishes again is another change.
  const change = (token: Token) => `${rowKey(token)} ${token.lastSeenAt}`;
  const open = tokens.filter((token) => !noted.has(change(token)));
  const left = total - (tokens.length - open.length);
  if (left <= 0) return null;

  async function note(token: Token, next: HTMLElement | null) {
    setNoting(rowKey(token));
    const done = await submit(() => call(tokenPath(token, "dismiss"), { method: "POST", answer: changedSchema }));
    setNoting(null);
    if (done === null) return;
    setNoted((before) => new Set(before).add(change(token)));
    if (next?.isConnected) next.focus();
    else onEmptied();
    router.refresh();
  }

  return (
    <div className="px-4 py-3">
      <Heading icon={<CircleMinus className="size-4 text-faint" aria-hidden="true" />}>
        {left === 1 ? "1 token vanished" : `${formatCount(left)} tokens vanished`}
      </Heading>
      <p className="mt-0.5 ml-6 text-dim text-xs">
        {left === 1 ? "It is" : "They are"} no longer in your list at RingCX, and no revocation here is proven.
      </p>
      {failure && (
        <div className="mt-2 ml-6">
          <FailureNote failure={failure} />
        </div>
      )}
      <ul ref={list} className="mt-2 flex flex-col">
        {(all ? open : open.slice(0, shownAtFirst)).map((token) => (
          <Line key={rowKey(token)} token={token} when="Last seen" at={token.lastSeenAt}>
            <Button
              size="sm"
              pending={noting === rowKey(token)}
              onClick={(event) => {
                const line = event.currentTarget.closest("li");
                const beside = line?.nextElementSibling ?? line?.previousElementSibling;
                void note(token, beside?.querySelector("button") ?? null);
              }}
            >
              Noted<span className="sr-only">, {token.hint} vanished</span>
            </Button>
          </Line>
        ))}
      </ul>
      {open.length > shownAtFirst && !all && (
        <Button
          variant="ghost"
          size="sm"
          className="mt-1 ml-3.5"
          onClick={() => {
            list.current?.querySelector("button")?.focus();
            setAll(true);
          }}
        >
          Show all {formatCount(open.length)}
        </Button>
      )}
      {all && left > open.length && (
        <p className="mt-1 ml-6 text-faint text-xs">{plural(left - open.length, "older one")} after these</p>
      )}
    </div>
  );
}

function Heading({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <h2 className="flex items-center gap-2 font-medium text-sm">
      {icon}
      {children}
    </h2>
  );
}

type LineProps = { token: Token; when: string; at: string | null; children: ReactNode };

function Line({ token, when, at, children }: LineProps) {
  return (
    <li className="flex min-h-9 flex-wrap items-center gap-x-3 rounded-md py-1 pl-6 text-sm">
      <HistoryLink token={token} />
      <span className="min-w-0 truncate">{token.label ?? <span className="text-faint">No label</span>}</span>
      <span className="ml-auto flex items-center gap-1.5">
        {at && (
          <span className="mr-1.5 whitespace-nowrap text-faint text-xs">
            {when} <Time iso={at} className="tabular-nums" />
          </span>
        )}
        {children}
      </span>
    </li>
  );
}
