"use client";

import { LogOut, Monitor, Smartphone, Terminal } from "lucide-react";
import { useRouter } from "next/navigation";
import { type ComponentType, useEffect, useRef, useState } from "react";
import { z } from "zod";
import { call, type Failure } from "@/components/http";
import { type AgentKind, agentKind, agentName } from "@/components/sessions/agent";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { Time } from "@/components/ui/time";
import { useToast } from "@/components/ui/toast";
import { plural } from "@/lib/format";
import type { SessionView } from "@/lib/session/schema";

/** What is to end. `others`: all but this one. */
type Ending = { what: "one"; session: SessionView } | { what: "others" } | { what: "all" };

const endedSchema = z.object({ ended: z.number() });

/** The person's sign-ins, and the way to end them. */
export function SessionsSection({ sessions }: { sessions: SessionView[] }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const opener = useRef<HTMLElement | null>(null);
  const [ending, setEnding] = useState<Ending | null>(null);
  const others = sessions.filter(({ current }) => !current).length;

  // The list arrives after the dialog was closed, and takes the row with the focus away.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is what it waits for
  useEffect(() => {
    const lost = opener.current !== null && !opener.current.isConnected && document.activeElement === document.body;
    if (!lost) return;
    opener.current = null;
    heading.current?.focus();
  }, [sessions]);

  function ask(next: Ending) {
    opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    setEnding(next);
  }

  return (
    <section aria-labelledby="sessions">
      <div className="mb-2 flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 id="sessions" ref={heading} tabIndex={-1} className="font-semibold text-base text-ink">
            Your sessions
          </h2>
          <p className="text-dim text-sm">Where you are signed in to Tokendesk. End what you do not know.</p>
        </div>
        <div className="flex flex-wrap gap-2">
          {others > 0 && <Button onClick={() => ask({ what: "others" })}>Sign out everywhere else</Button>}
          <Button onClick={() => ask({ what: "all" })}>Sign out everywhere</Button>
        </div>
      </div>
      <ul aria-label="Your sessions" className="divide-y divide-line rounded-lg border border-line bg-surface">
        {sessions.map((session) => (
          <SessionItem key={session.id} session={session} onEnd={() => ask({ what: "one", session })} />
        ))}
      </ul>
      {ending && (
        <EndDialog
          ending={ending}
          others={others}
          onClose={() => setEnding(null)}
          returnFocus={() => (opener.current?.isConnected ? opener.current : heading.current)?.focus()}
        />
      )}
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
          {current && <Badge tone="good">This session</Badge>}
          {address && <span className="font-mono text-faint text-xs">{address}</span>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-dim text-xs tabular-nums">
          <span>
            Signed in <Time iso={createdAt} as="instant" />
          </span>
          <span>
            Last seen <Time iso={seenAt} as="instant" />
          </span>
        </p>
      </div>
      <Button variant="ghost" size="sm" aria-label={`Sign out ${nameOf(session)}`} onClick={onEnd}>
        <LogOut className="size-3.5 sm:hidden" aria-hidden="true" />
        <span className="max-sm:hidden">Sign out</span>
      </Button>
    </li>
  );
}

/** Tells one from another when it is read aloud. */
function nameOf({ userAgent, address, current }: SessionView): string {
  const where = address ? `${agentName(userAgent)}, ${address}` : agentName(userAgent);
  return current ? `${where}, this session` : where;
}

type EndDialogProps = { ending: Ending; others: number; onClose: () => void; returnFocus: () => void };

function EndDialog({ ending, others, onClose, returnFocus }: EndDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const own = ending.what === "all" || (ending.what === "one" && ending.session.current);

  async function end() {
    setPending(true);
    setFailure(null);
    const path = ending.what === "one" ? `/api/sessions/${encodeURIComponent(ending.session.id)}` : "/api/sessions";
    const answer = await call(path, {
      method: "DELETE",
      ...(ending.what === "one" ? {} : { json: { others: ending.what === "others" } }),
      answer: endedSchema,
    });
    // A full page load: nothing of this person stays in the browser's memory.
    if (answer.ok && own) return location.assign("/sign-in?reason=signed-out");
    setPending(false);
    // Over already is what was asked for.
    if (!answer.ok && answer.failure.code !== "not_found") return setFailure(answer.failure);
    toast({ title: `Ended ${plural(answer.ok ? answer.value.ended : 1, "session")}` });
    onClose();
    router.refresh();
  }

  const { title, text } = wording(ending, others);
  return (
    <Dialog
      title={title}
      description={text}
      onClose={() => pending || onClose()}
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending}>
            Cancel
          </Button>
          <Button data-autofocus variant="primary" pending={pending} onClick={end}>
            {failure ? "Try again" : "Sign out"}
          </Button>
        </>
      }
    >
      {failure && <FailureNote failure={failure} />}
    </Dialog>
  );
}

function wording(ending: Ending, others: number): { title: string; text: string } {
  if (ending.what === "others") {
    return {
      title: "Sign out everywhere else?",
      text: `${plural(others, "other session")} of yours will end at once.`,
    };
  }
  if (ending.what === "all") {
    return { title: "Sign out everywhere?", text: "All of your sessions end at once, this one too." };
  }
  if (ending.session.current) {
    return { title: "Sign out of this session?", text: "You will have to sign in again in this browser." };
  }
  return { title: "Sign out of this session?", text: `${nameOf(ending.session)}. It ends at once.` };
}
