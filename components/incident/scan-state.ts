"use client";

import { useEffect, useRef, useState } from "react";
import type { Failure } from "@/components/http";
import { runScan, type ScanInput, type ScanProgress } from "@/components/incident/scan-run";
import type { Finding, ScanResult } from "@/lib/incidents/schema";

export type Scan = {
  state: "running" | "done" | "stopped" | "failed";
  progress: ScanProgress;
  /** In the order of the text. */
  findings: Finding[];
  /** Token IDs of those that are still to be looked up; empty when it is over, however it ended. */
  pending: ReadonlySet<string>;
  result: ScanResult | null;
  failure: Failure | null;
  /** Epoch milliseconds. */
  startedAt: number;
};

/** Findings come faster than a page can be drawn. */
const drawnEvery = 120;

/** One scan at a time. Null: there was none yet. */
export function useScan() {
  const [scan, setScan] = useState<Scan | null>(null);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  /** Told of each finding that turns out to be alive. */
  async function start(input: ScanInput, onLive: (tokenIds: string[]) => void): Promise<Scan | null> {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const found = new Map<string, Finding>();
    const pending = new Set<string>();
    let live: string[] = [];
    const startedAt = Date.now();
    let progress: ScanProgress = { step: "matching", done: 0, total: 0 };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const now = (state: Scan["state"], more: Partial<Scan> = {}): Scan => ({
      state,
      progress,
      findings: [...found.values()],
      pending: new Set(pending),
      result: null,
      failure: null,
      startedAt,
      ...more,
    });
    const draw = () => {
      timer = undefined;
      if (running.current !== controller) return;
      setScan(now("running"));
      if (live.length > 0) onLive(live);
      live = [];
    };
    const soon = () => {
      timer ??= setTimeout(draw, drawnEvery);
    };
    setScan(now("running"));
    const end = await runScan({
      input,
      signal: controller.signal,
      onProgress: (next) => {
        progress = next;
        soon();
      },
      onFound: (findings) => {
        for (const finding of findings) {
          found.set(finding.tokenId, finding);
          pending.add(finding.tokenId);
        }
        soon();
      },
      onFinding: (finding) => {
        found.set(finding.tokenId, finding);
        pending.delete(finding.tokenId);
        if (finding.status === "live") live.push(finding.tokenId);
        soon();
      },
    });
    clearTimeout(timer);
    if (running.current !== controller) return null;
    if (live.length > 0) onLive(live);
    const last =
      "result" in end
        ? now("done", { findings: end.result.findings, pending: new Set(), result: end.result })
        : now(controller.signal.aborted ? "stopped" : "failed", { pending: new Set(), failure: end.failure });
    setScan(last);
    return last;
  }

  return {
    scan,
    start,
    stop: () => running.current?.abort(),
    clear: () => {
      running.current?.abort();
      running.current = undefined;
      setScan(null);
    },
  };
}
