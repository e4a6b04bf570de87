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
import { Time } from "@/components/ui/time";
import { useToast } from "@/components/ui/toast";
import type { Problem } from "@/lib/errors";
import { formatCount, plural } from "@/lib/format";
import type { SessionView } from "@/lib/session/schema";

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
        Active sessions
      </h2>
      <p className="mb-2 text-dim text-sm tabular-nums">
        {sessions === null
          ? "Who is signed in to Tokendesk."
          : `${value?.more ? "The latest " : ""}${plural(sessions.length, "sign-in")} to Tokendesk in this main account${value?.more ? "; there are more" : ""}.`}
      </p>
      {problem ? (
        <ProblemPanel problem={problem} />
      ) : (
        <ul aria-label="Active sessions" className="divide-y divide-line rounded-lg border border-line bg-surface">
          {shown.map((session) => (
            <li key={session.id} className="flex items-center gap-3 px-4 py-2 text-sm">
              <div className="grid min-w-0 flex-1 gap-x-4 md:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_minmax(0,1.2fr)] md:items-center">
                <p className="flex min-w-0 items-center gap-2">
                  <span className="truncate font-medium text-ink">{session.user.name}</span>
                  {session.current && <Badge tone="good">This session</Badge>}
                </p>
                <p className="truncate text-dim max-md:text-xs" title={session.userAgent ?? undefined}>
                  {agentName(session.userAgent)}
                  {session.address && <span className="ml-2 font-mono text-faint text-xs">{session.address}</span>}
                </p>
                <p className="truncate text-dim text-xs tabular-nums">
                  Last seen <Time iso={session.seenAt} as="instant" />
                </p>
              </div>
              <span className="flex w-24 shrink-0 justify-end">
                {session.mayEnd && !session.current && (
                  <Button variant="ghost" size="sm" onClick={() => open(session)}>
                    End session
                    <span className="sr-only">
                      {" "}
                      of {session.user.name}, {agentName(session.userAgent)}
                    </span>
                  </Button>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      {sessions !== null && sessions.length > shown.length && (
        <Button variant="ghost" size="sm" className="mt-2" onClick={() => setAll(true)}>
          Show {value?.more ? "the latest" : "all"} {formatCount(sessions.length)}
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
    toast({ title: "Session ended", detail: session.user.name });
    router.refresh();
    onClose();
  }

  return (
    <Dialog
      title="End session"
      description={
        <>
          <span className="font-medium text-ink">{session.user.name}</span> is signed out of it at once, and can sign in
          again.
        </>
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
            Done
          </Button>
        ) : (
          <>
            <Button data-autofocus onClick={onClose} disabled={pending}>
              Cancel
            </Button>
            <Button variant="danger" pending={pending} onClick={end}>
              End session
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-4 text-sm">
        {failure && (over ? <p role="status">It was over already.</p> : <FailureNote failure={failure} />)}
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 rounded-lg border border-line bg-sunken px-3 py-2.5">
          <dt className="text-faint">Where</dt>
          <dd className="truncate">{agentName(session.userAgent)}</dd>
          {session.address && (
            <>
              <dt className="text-faint">Address</dt>
              <dd className="truncate font-mono text-xs leading-5">{session.address}</dd>
            </>
          )}
          <dt className="text-faint">Signed in</dt>
          <dd className="tabular-nums">
            <Time iso={session.createdAt} as="instant" />
          </dd>
          <dt className="text-faint">Last seen</dt>
          <dd className="tabular-nums">
            <Time iso={session.seenAt} as="instant" />
          </dd>
        </dl>
      </div>
    </Dialog>
  );
}
