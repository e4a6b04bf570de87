"use client";

import { useEffect, useEffectEvent, useState } from "react";
import { auditPageSchema } from "@/components/audit/answers";
import { type AuditView, filterEntries } from "@/components/audit/audit-view-query";
import { call, type Failure, needsSignIn } from "@/components/http";
import type { AuditEvent } from "@/lib/audit/schema";

const period = 3_000;
const longestPeriod = 30_000;
const most = 100;
/** Asking keeps the session alive, so it ends when nobody is there: the idle limit is for exactly that. */
const unattended = 15 * 60_000;

type LiveTail = {
  on: boolean;
  view: AuditView;
  /** The newest event that is shown; 0: there is none. */
  newest: number;
  /** Newest first. `gap`: there may be more between them and what is shown. */
  onEvents: (events: AuditEvent[], gap: boolean) => void;
  /** It cannot go on. `unattended`: nobody was there. */
  onStop: (reason: "signed_out" | "unattended") => void;
};

/** Asks for newer events while it is on and the page can be seen. Gives what went wrong the last time, or null. */
export function useLiveTail({ on, view, newest, onEvents, onStop }: LiveTail): Failure | null {
  const [failure, setFailure] = useState<Failure | null>(null);
  const filter = new URLSearchParams(filterEntries(view)).toString();

  const ask = useEffectEvent(async (signal: AbortSignal): Promise<boolean> => {
    const parameters = new URLSearchParams([
      ...filterEntries(view),
      ["after", String(newest)],
      ["limit", String(most)],
    ]);
    const answer = await call(`/api/audit?${parameters}`, { method: "GET", answer: auditPageSchema, signal });
    if (signal.aborted) return false;
    setFailure(answer.ok ? null : answer.failure);
    if (!answer.ok) {
      if (needsSignIn(answer.failure)) onStop("signed_out");
      return false;
    }
    const { events } = answer.value;
    if (events.length > 0) onEvents(events, events.length === most);
    return true;
  });
  const stop = useEffectEvent(() => onStop("unattended"));

  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another tail
  useEffect(() => {
    if (!on) return;
    const ended = new AbortController();
    const { signal } = ended;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    let wait = period;
    let touchedAt = Date.now();

    async function poll() {
      if (asking || document.hidden) return;
      if (Date.now() - touchedAt > unattended) return stop();
      asking = true;
      const fine = await ask(signal);
      asking = false;
      if (signal.aborted) return;
      wait = fine ? period : Math.min(wait * 2, longestPeriod);
      timer = setTimeout(poll, wait);
    }
    const look = () => {
      clearTimeout(timer);
      void poll();
    };
    const touch = () => {
      touchedAt = Date.now();
    };
    document.addEventListener("visibilitychange", look, { signal });
    for (const event of ["pointermove", "keydown", "wheel", "touchstart"]) {
      document.addEventListener(event, touch, { signal, passive: true });
    }
    look();
    return () => {
      ended.abort();
      clearTimeout(timer);
      setFailure(null);
    };
  }, [on, filter]);

  return failure;
}
