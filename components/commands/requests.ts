"use client";

import { type RefObject, useEffect, useRef } from "react";

/** What the palette and the keys ask of a page that may not be there yet. */
type Request = "palette" | "shortcuts" | "new-token";

const answering = new Map<Request, () => void>();
let waiting: Request | null = null;

/** False: nothing on this page answers. */
export function ask(request: Request): boolean {
  const answer = answering.get(request);
  answer?.();
  return answer !== undefined;
}

/** The next page that answers this does so as soon as it is there; none waits for longer than one navigation. */
export function askNextPage(request: Request | null): void {
  waiting = request;
}

/** Answers while it is mounted. */
export function useRequest(request: Request, answer: () => void): void {
  const latest = useRef(answer);
  useEffect(() => {
    latest.current = answer;
  });
  useEffect(() => {
    const call = () => latest.current();
    answering.set(request, call);
    if (waiting === request) {
      waiting = null;
      call();
    }
    return () => {
      if (answering.get(request) === call) answering.delete(request);
    };
  }, [request]);
}

/** A connection as the palette names it. `id`: as `onSwitch` takes it. */
type ConnectionChoice = { id: string; name: string; active: boolean };

type Switcher = {
  /** May be hidden: the header for wide screens and the one for narrow ones are both on the page. */
  trigger: RefObject<HTMLElement | null>;
  choices: readonly ConnectionChoice[];
  onSwitch: (id: string) => void;
  /** Opens it, as a press on its trigger does. */
  onOpen: () => void;
};

const switchers = new Set<RefObject<Switcher>>();

/** Lets the palette name the connections, and `c` open this switcher, while it is mounted. */
export function useConnectionSwitcher(switcher: Switcher): void {
  const latest = useRef(switcher);
  useEffect(() => {
    latest.current = switcher;
  });
  useEffect(() => {
    switchers.add(latest);
    return () => {
      switchers.delete(latest);
    };
  }, []);
}

/** Null: the page has none. `open` is null where none can be seen: there is nothing to open, but one may still switch. */
export function connectionSwitcher(): (Pick<Switcher, "choices" | "onSwitch"> & { open: (() => void) | null }) | null {
  const all = [...switchers].map(({ current }) => current);
  const seen = all.find(({ trigger }) => trigger.current?.checkVisibility());
  const one = seen ?? all[0];
  return one ? { choices: one.choices, onSwitch: one.onSwitch, open: seen?.onOpen ?? null } : null;
}
