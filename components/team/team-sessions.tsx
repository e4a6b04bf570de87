"use client";

import { useRouter } from "next/navigation";
import { useRef, useState } from "react";
import { z } from "zod";
import { call } from "@/components/http";
import { agentName } from "@/components/sessions/agent";
import { useSubmission } from "@/components/submission";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { useDialogs } from "@/components/ui/dialogs";
import { FailureNote } from "@/components/ui/failure-note";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import { useToast } from "@/components/ui/toast";
import type { Problem } from "@/lib/errors";
import type { SessionView } from "@/lib/session/schema";
import { teamTexts } from "@/lib/texts/team";
import { uiTexts } from "@/lib/texts/ui";

const texts = teamTexts.sessions;

const shownAtFirst = 15;

/** The sessions, or why they could not be read. `more`: they are the latest of more. */
type TeamSessionsProps = {
  found: { value: { sessions: SessionView[]; more: boolean }; problem: null } | { value: null; problem: Problem };
};

export function TeamSessions({ found: { value, problem } }: TeamSessionsProps) {
  const sessions = value?.sessions ?? null;
  const heading = useRef<HTMLHeadingElement>(null);
  const { dialog: ending, open, close, returnFocus } = useDialogs<SessionView>(heading, sessions ?? []);
  const [all, setAll] = useState(false);
  const shown = sessions === null || all ? (sessions ?? []) : sessions.slice(0, shownAtFirst);
  return (
    <section aria-labelledby="team-sessions" className="mt-8">
      <h2 id="team-sessions" ref={heading} tabIndex={-1} className="font-semibold text-base text-ink">
        {texts.title}
      </h2>
      <p className="mb-2 text-dim text-sm tabular-nums">
        {sessions === null ? texts.about : texts.counted(sessions.length, value?.more ?? false)}
      </p>
      {problem ? (
        <ProblemPanel problem={problem} />
      ) : (
        <ul aria-label={texts.title} className="divide-y divide-line rounded-lg border border-line bg-surface">
          {shown.map((session) => (
            <li key={session.id} className="flex items-center gap-3 px-4 py-2 text-sm">
              <div className="flex min-w-0 flex-1 flex-wrap gap-x-4 xl:grid xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_minmax(0,1.2fr)] xl:items-center">
                <p className="flex w-full min-w-0 items-center gap-2">
                  <span className="truncate font-medium text-ink">{session.user.name}</span>
                  {session.current && (
                    <span className="flex shrink-0">
                      <Badge tone="good">{texts.current}</Badge>
                    </span>
                  )}
                </p>
                <p className="truncate text-dim max-xl:text-xs" title={session.userAgent ?? undefined}>
                  {agentName(session.userAgent)}
                  {session.address && <span className="ml-2 font-mono text-faint text-xs">{session.address}</span>}
                </p>
                <p className="truncate text-dim text-xs tabular-nums">
                  <RichText text={texts.lastSeenAt} slots={{ time: <Time iso={session.seenAt} as="instant" /> }} />
                </p>
              </div>
              <span className="flex w-24 shrink-0 justify-end">
                {session.mayEnd && !session.current && (
                  <Button variant="ghost" size="sm" onClick={() => open(session)}>
                    {texts.end}
                    <span className="sr-only"> {texts.whose(session.user.name, agentName(session.userAgent))}</span>
                  </Button>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      {sessions !== null && sessions.length > shown.length && (
        <Button variant="ghost" size="sm" className="mt-2" onClick={() => setAll(true)}>
          {texts.show(sessions.length, value?.more ?? false)}
        </Button>
      )}
      {ending && <EndSessionDialog session={ending} onClose={close} returnFocus={returnFocus} />}
    </section>
  );
}

type EndSessionDialogProps = { session: SessionView; onClose: () => void; returnFocus: () => void };

function EndSessionDialog({ session, onClose, returnFocus }: EndSessionDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const { pending, failure, submit } = useSubmission();
  // Over already is what was asked for.
  const over = failure?.code === "not_found";

  async function end() {
    const path = `/api/sessions/${encodeURIComponent(session.id)}`;
    const answer = await submit(() => call(path, { method: "DELETE", answer: z.object({ ended: z.number() }) }));
    if (answer === null) return;
    toast({ title: texts.ended, detail: session.user.name });
    router.refresh();
    onClose();
  }

  return (
    <Dialog
      title={texts.end}
      description={
        <RichText
          text={texts.signedOut}
          slots={{ name: <span className="font-medium text-ink">{session.user.name}</span> }}
        />
      }
      onClose={() => pending || onClose()}
      returnFocus={returnFocus}
      footer={
        over ? (
          <Button
            data-autofocus
            variant="primary"
            onClick={() => {
              router.refresh();
              onClose();
            }}
          >
            {uiTexts.actions.done}
          </Button>
        ) : (
          <>
            <Button data-autofocus onClick={onClose} disabled={pending}>
              {uiTexts.actions.cancel}
            </Button>
            <Button variant="danger" pending={pending} onClick={end}>
              {texts.end}
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-4 text-sm">
        {failure && (over ? <p role="status">{texts.over}</p> : <FailureNote failure={failure} />)}
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 rounded-lg border border-line bg-sunken px-3 py-2.5">
          <dt className="text-faint">{texts.where}</dt>
          <dd className="truncate">{agentName(session.userAgent)}</dd>
          {session.address && (
            <>
              <dt className="text-faint">{texts.address}</dt>
              <dd className="truncate font-mono text-xs leading-5">{session.address}</dd>
            </>
          )}
          <dt className="text-faint">{texts.signedIn}</dt>
          <dd className="tabular-nums">
            <Time iso={session.createdAt} as="instant" />
          </dd>
          <dt className="text-faint">{texts.lastSeen}</dt>
          <dd className="tabular-nums">
            <Time iso={session.seenAt} as="instant" />
          </dd>
        </dl>
      </div>
    </Dialog>
  );
}
