"use client";

import { useEffect, useRef, useState } from "react";
import type { Failure } from "@/components/http";
import { type Pace, runRevocation, type Step } from "@/components/incident/revocation-run";
import { isProven } from "@/components/incident/revocation-state";
import type { RunSummary } from "@/lib/incidents/schema";
import { rowKey, type Token } from "@/lib/tokens/schema";

type BulkRevocation = {
  running: boolean;
  /** Keys of the rows that are being worked on. */
  inRun: ReadonlySet<string>;
  /** By the key of the row. */
  steps: ReadonlyMap<string, Step>;
  pace: Pace;
  /** Seconds until a connection that broke is tried again; null: all are there. */
  broken: number | null;
  /** One for each connection whose run is over. */
  summaries: readonly { connection: string | null; summary: RunSummary }[];
  /** The first that ended a run before its end. */
  failure: Failure | null;
};

const drawnEvery = 120;

/** Tokens of one or several connections as one revocation: a run for each, at the same time. Null: there is none. */
export function useBulkRevocation() {
  const [revocation, setRevocation] = useState<BulkRevocation | null>(null);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  async function start(tokens: readonly Token[], reason: string | null): Promise<void> {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const steps = new Map([...(revocation?.steps ?? [])].filter(([, { outcome }]) => isProven(outcome)));
    const byConnection = new Map<string | null, Token[]>();
    for (const token of tokens) {
      byConnection.set(token.connection, [...(byConnection.get(token.connection) ?? []), token]);
    }
    const runs = [...byConnection].map(([connection, own]) => ({
      connection,
      ids: own.map(({ id }) => id),
      pace: { done: 0, total: own.length, etaMs: 0 },
      broken: null as number | null,
      summary: null as RunSummary | null,
      failure: null as Failure | null,
    }));
    const inRun = new Set(tokens.map(rowKey));
    const now = (over: boolean): BulkRevocation => ({
      running: !over,
      inRun: over ? new Set() : inRun,
      steps: new Map(steps),
      pace: {
        done: runs.reduce((sum, { pace }) => sum + pace.done, 0),
        total: runs.reduce((sum, { pace }) => sum + pace.total, 0),
        etaMs: Math.max(0, ...runs.map(({ pace, summary }) => (summary ? 0 : pace.etaMs))),
      },
      broken: runs.find(({ broken }) => broken !== null)?.broken ?? null,
      summaries: runs.flatMap(({ connection, summary }) => (summary ? [{ connection, summary }] : [])),
      failure: runs.find(({ failure }) => failure !== null)?.failure ?? null,
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (running.current === controller) setRevocation(now(false));
      }, drawnEvery);
    };
    setRevocation(now(false));
    await Promise.all(
      runs.map(async (run) => {
        const end = await runRevocation({
          target: { tokens: { ids: run.ids, reason }, connection: run.connection },
          signal: controller.signal,
          onStep: (step) => {
            steps.set(rowKey({ connection: run.connection, id: step.tokenId }), step);
            soon();
          },
          onPace: ({ done, total, etaMs }) => {
            run.pace = { done, total, etaMs };
            soon();
          },
          onBroken: (seconds) => {
            if (seconds === run.broken) return;
            run.broken = seconds;
            soon();
          },
        });
        run.broken = null;
        if ("summary" in end) run.summary = end.summary;
        else run.failure = end.failure;
        soon();
      }),
    );
    clearTimeout(timer);
    if (running.current === controller) setRevocation(now(true));
  }

  return { revocation, start };
}
