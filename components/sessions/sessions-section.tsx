"use client";

import { LogOut, Monitor, Smartphone, Terminal } from "lucide-react";
import { useRouter } from "next/navigation";
import { type ComponentType, useRef, useState } from "react";
import { z } from "zod";
import { call } from "@/components/http";
import { type AgentKind, agentKind, agentName } from "@/components/sessions/agent";
import { useSubmission } from "@/components/submission";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { useDialogs } from "@/components/ui/dialogs";
import { FailureNote } from "@/components/ui/failure-note";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import { useToast } from "@/components/ui/toast";

import type { SessionView } from "@/lib/session/schema";
import { sessionsTexts } from "@/lib/texts/sessions";
import { uiTexts } from "@/lib/texts/ui";

const texts = sessionsTexts.section;

/** What is to end. `others`: all but this one. */
type Ending = { what: "one"; session: SessionView } | { what: "others" } | { what: "all" };

const endedSchema = z.object({ ended: z.number() });

/** The person's sign-ins, and the way to end them. `more`: these are the latest of more. */
export function SessionsSection({ sessions, more }: { sessions: SessionView[]; more: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { dialog: ending, open, close, returnFocus } = useDialogs<Ending>(heading, sessions);
  const others = sessions.filter(({ current }) => !current).length;
  return (
    <section aria-labelledby="sessions">
      <div className="mb-2 flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 id="sessions" ref={heading} tabIndex={-1} className="font-semibold text-base text-ink">
            {texts.title}
          </h2>
          <p className="text-dim text-sm">{texts.about(more ? sessions.length : null)}</p>
        </div>
        <div className="flex flex-wrap gap-2">
          {others > 0 && <Button onClick={() => open({ what: "others" })}>{texts.elsewhere}</Button>}
          <Button onClick={() => open({ what: "all" })}>{texts.everywhere}</Button>
        </div>
      </div>
      <ul aria-label={texts.title} className="divide-y divide-line rounded-lg border border-line bg-surface">
        {sessions.map((session) => (
          <SessionItem key={session.id} session={session} onEnd={() => open({ what: "one", session })} />
        ))}
      </ul>
      {ending && <EndDialog ending={ending} others={more ? null : others} onClose={close} returnFocus={returnFocus} />}
    </section>
  );
}

const kindIcons: Record<AgentKind, ComponentType<{ className?: string }>> = {
  desktop: Monitor,
  mobile: Smartphone,
  program: Terminal,
};

function SessionItem({ session, onEnd }: { session: SessionView; onEnd: () => void }) {
  const { userAgent, address, createdAt, seenAt, current } = session;
  const name = agentName(userAgent);
  const Icon = kindIcons[agentKind(userAgent)];
  return (
    <li className="flex items-center gap-3 px-4 py-2.5 text-sm">
      <span
        className="flex size-8 shrink-0 items-center justify-center rounded-md border border-line bg-sunken text-dim max-sm:self-start"
        aria-hidden="true"
      >
        <Icon className="size-4" />
      </span>
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
          <span className="truncate font-medium text-ink" title={userAgent ?? undefined}>
            {name}
          </span>
          {current && <Badge tone="good">{texts.current}</Badge>}
          {address && <span className="font-mono text-faint text-xs">{address}</span>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-dim text-xs tabular-nums">
          <span>
            <RichText text={texts.signedInAt} slots={{ time: <Time iso={createdAt} as="instant" /> }} />
          </span>
          <span>
            <RichText text={texts.lastSeenAt} slots={{ time: <Time iso={seenAt} as="instant" /> }} />
          </span>
        </p>
      </div>
      <Button variant="ghost" size="sm" aria-label={texts.signOutOf(nameOf(session))} onClick={onEnd}>
        <LogOut className="size-3.5 sm:hidden" aria-hidden="true" />
        <span className="max-sm:hidden">{texts.signOut}</span>
      </Button>
    </li>
  );
}

/** Tells one from another when it is read aloud. */
function nameOf({ userAgent, address, current }: SessionView): string {
  const where = address ? `${agentName(userAgent)}, ${address}` : agentName(userAgent);
  return current ? texts.thisOne(where) : where;
}

type EndDialogProps = {
  ending: Ending;
  /** How many there are besides this one. Null: not known. */
  others: number | null;
  onClose: () => void;
  returnFocus: () => void;
};

function EndDialog({ ending, others, onClose, returnFocus }: EndDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const { pending, failure, submit } = useSubmission();
  const [leaving, setLeaving] = useState(false);
  const own = ending.what === "all" || (ending.what === "one" && ending.session.current);
  // Over already is what was asked for.
  const over = failure?.code === "not_found";

  async function end() {
    const path = ending.what === "one" ? `/api/sessions/${encodeURIComponent(ending.session.id)}` : "/api/sessions";
    const answer = await submit(() =>
      call(path, {
        method: "DELETE",
        ...(ending.what === "one" ? {} : { json: { others: ending.what === "others" } }),
        answer: endedSchema,
      }),
    );
    if (answer === null) return;
    if (own) {
      setLeaving(true);
      // A full page load: nothing of this person stays in the browser's memory.
      return location.assign("/sign-in?reason=signed-out");
    }
    toast({ title: texts.ended(answer.ended) });
    onClose();
    router.refresh();
  }

  function dismiss() {
    onClose();
    if (over) router.refresh();
  }

  const busy = pending || leaving;
  const { title, text } = wording(ending, others);
  return (
    <Dialog
      title={title}
      description={text}
      onClose={() => busy || dismiss()}
      returnFocus={returnFocus}
      footer={
        over ? (
          <Button ref={focusOnMount} variant="primary" onClick={dismiss}>
            {uiTexts.actions.done}
          </Button>
        ) : (
          <>
            <Button onClick={onClose} disabled={busy}>
              {uiTexts.actions.cancel}
            </Button>
            <Button data-autofocus variant="primary" pending={busy} onClick={end}>
              {failure ? uiTexts.actions.tryAgain : texts.signOut}
            </Button>
          </>
        )
      }
    >
      {failure && (over ? <p role="status">{texts.over}</p> : <FailureNote failure={failure} />)}
    </Dialog>
  );
}

function wording(ending: Ending, others: number | null): { title: string; text: string } {
  if (ending.what === "others") {
    return {
      title: texts.endOthers.title,
      text: texts.endOthers.text(others),
    };
  }
  if (ending.what === "all") {
    return { title: texts.endAll.title, text: texts.endAll.text };
  }
  if (ending.session.current) {
    return { title: texts.endOne.title, text: texts.endOne.current };
  }
  return { title: texts.endOne.title, text: texts.endOne.text(nameOf(ending.session)) };
}
