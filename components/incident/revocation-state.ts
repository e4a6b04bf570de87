"use client";

import { useEffect, useRef, useState } from "react";
import type { Failure } from "@/components/http";
import { type Pace, type RunTarget, runRevocation, type Step } from "@/components/incident/revocation-run";
import type { RunSummary } from "@/lib/incidents/schema";

/** A token that the run is about, as far as it is known beforehand. */
export type RunToken = { tokenId: string; hint: string; label: string | null; user: string | null };

export type Revocation = {
  target: RunTarget;
  state: "running" | "over" | "stopped";
  tokens: readonly RunToken[];
  /** By token ID. */
  steps: ReadonlyMap<string, Step>;
  pace: Pace;
  /** Seconds until the connection is tried again; null: it is there. */
  broken: number | null;
  summary: RunSummary | null;
  failure: Failure | null;
  /** When the text was scanned, epoch milliseconds; null: not here. */
  pastedAt: number | null;
};

type Start = { target: RunTarget; tokens: readonly RunToken[]; pastedAt: number | null };

const drawnEvery = 120;

/** One run at a time, as this page sees it. Leaving the page does not stop it. Null: there is none. */
export function useRevocation() {
  const [revocation, setRevocation] = useState<Revocation | null>(null);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  async function start({ target, tokens, pastedAt }: Start, before?: ReadonlyMap<string, Step>): Promise<void> {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const steps = new Map<string, Step>([...(before ?? [])].filter(([, { outcome }]) => isProven(outcome)));
    let pace: Pace = { done: steps.size, total: tokens.length, etaMs: 0 };
    let broken: number | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const now = (state: Revocation["state"], more: Partial<Revocation> = {}): Revocation => ({
      target,
      state,
      tokens,
      steps: new Map(steps),
      pace,
      broken,
      summary: null,
      failure: null,
      pastedAt,
      ...more,
    });
    const draw = () => {
      timer = undefined;
      if (running.current === controller) setRevocation(now("running"));
    };
    const soon = () => {
      timer ??= setTimeout(draw, drawnEvery);
    };
    setRevocation(now("running"));
    const end = await runRevocation({
      target,
      signal: controller.signal,
      onStep: (step) => {
        steps.set(step.tokenId, step);
        soon();
      },
      onPace: ({ done, total, etaMs }) => {
        pace = { done, total, etaMs };
        soon();
      },
      onBroken: (seconds) => {
        if (seconds === broken) return;
        broken = seconds;
        soon();
      },
    });
    clearTimeout(timer);
    if (running.current !== controller) return;
    broken = null;
    setRevocation("summary" in end ? now("over", { summary: end.summary }) : now("stopped", { failure: end.failure }));
  }

  return {
    revocation,
    start,
    clear: () => {
      running.current?.abort();
      running.current = undefined;
      setRevocation(null);
    },
  };
}

export const isProven = (outcome: Step["outcome"]) => outcome === "revoked" || outcome === "already_dead";
