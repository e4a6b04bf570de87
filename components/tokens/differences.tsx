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
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import { tokensTexts } from "@/lib/texts/tokens";
import { rowKey, type Token, type Differences as TokenDifferences } from "@/lib/tokens/schema";

const texts = tokensTexts.differences;

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
    <section aria-label={texts.title} className="mb-4 divide-y divide-line rounded-lg border border-line bg-surface">
      {showAppeared && <Appeared tokens={appeared} total={appearedTotal} onShowAll={onShowAppeared} />}
      {vanishedTotal > 0 && <Vanished tokens={vanished} total={vanishedTotal} onEmptied={onEmptied} />}
    </section>
  );
}

function Appeared({ tokens, total, onShowAll }: { tokens: Token[]; total: number; onShowAll: () => void }) {
  const open = useTokenActions();
  return (
    <div className="px-4 py-3">
      <Heading icon={<CirclePlus className="size-4 text-warn" aria-hidden="true" />}>{texts.appeared(total)}</Heading>
      <p className="mt-0.5 ml-6 text-dim text-xs">{texts.appearedHelp}</p>
      <ul className="mt-2 flex flex-col">
        {tokens.slice(0, shownAtFirst).map((token) => (
          <Line key={rowKey(token)} token={token} when={texts.firstSeen} at={token.appearedAt ?? token.firstSeenAt}>
            <Button size="sm" onClick={() => open({ kind: "adopt", token })}>
              {texts.adopt}
              <span className="sr-only"> {token.hint}</span>
            </Button>
            <Button variant="ghost-danger" size="sm" onClick={() => open({ kind: "revoke", token })}>
              {texts.revoke}
              <span className="sr-only"> {token.hint}</span>
            </Button>
          </Line>
        ))}
      </ul>
      {total > shownAtFirst && (
        <Button variant="ghost" size="sm" className="mt-1 ml-3.5" onClick={onShowAll}>
          {texts.showAllInList(total)}
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
      <Heading icon={<CircleMinus className="size-4 text-faint" aria-hidden="true" />}>{texts.vanished(left)}</Heading>
      <p className="mt-0.5 ml-6 text-dim text-xs">{texts.vanishedHelp(left)}</p>
      {failure && (
        <div className="mt-2 ml-6">
          <FailureNote failure={failure} />
        </div>
      )}
      <ul ref={list} className="mt-2 flex flex-col">
        {(all ? open : open.slice(0, shownAtFirst)).map((token) => (
          <Line key={rowKey(token)} token={token} when={texts.lastSeen} at={token.lastSeenAt}>
            <Button
              size="sm"
              pending={noting === rowKey(token)}
              onClick={(event) => {
                const line = event.currentTarget.closest("li");
                const beside = line?.nextElementSibling ?? line?.previousElementSibling;
                void note(token, beside?.querySelector("button") ?? null);
              }}
            >
              {texts.noted}
              <span className="sr-only">{texts.notedWhat(token.hint)}</span>
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
          {texts.showAll(open.length)}
        </Button>
      )}
      {all && left > open.length && <p className="mt-1 ml-6 text-faint text-xs">{texts.older(left - open.length)}</p>}
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
      <span className="min-w-0 truncate">{token.label ?? <span className="text-faint">{texts.noLabel}</span>}</span>
      <span className="ml-auto flex items-center gap-1.5">
        {at && (
          <span className="mr-1.5 whitespace-nowrap text-faint text-xs">
            <RichText text={when} slots={{ time: <Time iso={at} className="tabular-nums" /> }} />
          </span>
        )}
        {children}
      </span>
    </li>
  );
}
