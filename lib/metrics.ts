import "server-only";
import { collectDefaultMetrics, Histogram, Registry } from "prom-client";

/** What a process counts, for Prometheus. Labels are names of ours: never a path, a person or a token. */
type Metrics = {
  registry: Registry;
  requests: Histogram<"route" | "method" | "status">;
  upstream: Histogram<"operation" | "outcome">;
};

// The proxy, the route handlers and the server components are separate bundles of one process.
const slot = Symbol.for("tokendesk.metrics");
type Slot = { [slot]?: Metrics };

function metrics(): Metrics {
  const holder = globalThis as Slot;
  holder[slot] ??= create();
  return holder[slot];
}

function create(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requests: new Histogram({
      name: "tokendesk_request_duration_seconds",
      help: "Requests to the HTTP API, by route pattern",
      labelNames: ["route", "method", "status"],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    upstream: new Histogram({
      name: "tokendesk_upstream_duration_seconds",
      help: "Calls to RingCX, each attempt, by operation and outcome; the wait for the rate limit included",
      labelNames: ["operation", "outcome"],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
  };
}

export function observeRequest(route: string, method: string, status: number, ms: number): void {
  metrics().requests.observe({ route, method, status: String(status) }, ms / 1000);
}

/** @param outcome `ok`, or why the attempt failed */
export function observeUpstream(operation: string, outcome: string, ms: number): void {
  metrics().upstream.observe({ operation, outcome }, ms / 1000);
}

/** The text that Prometheus reads. */
export async function metricsText(): Promise<{ text: string; contentType: string }> {
  const { registry } = metrics();
  return { text: await registry.metrics(), contentType: registry.contentType };
}
