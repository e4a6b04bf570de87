/** The sandbox's faults, for tests that go through all of them. */

import type { Pace } from "@/lib/incidents/revocation";
import type { FaultKind } from "../sandbox/faults.ts";

/** Each kind, with what it needs to be told. */
export const everyKind: Record<FaultKind, Record<string, unknown>> = {
  latency: { ms: 1 },
  hang: {},
  resetBefore: {},
  resetAfter: {},
  cutBody: {},
  html502: {},
  html503: {},
  html504: {},
  http429: { retryAfter: 0 },
  false200: {},
  wrongContentType: {},
  quotedToken: {},
  emptyBody: {},
  hugeBody: { bytes: 17_000_000 },
  malformedJson: {},
  status: {},
  redirect: { location: "/elsewhere" },
  jwtExpired: {},
  slowBody: { ms: 60_000 },
  unauthorized: {},
};

const optional: FaultKind[] = ["hang", "html502", "html503", "html504", "hugeBody", "status", "redirect"];

/** Each kind without, and where it can be had with, the effect of the call: for `test.each`. */
export const kinds: (readonly [FaultKind, Record<string, unknown>])[] = [
  ...(Object.keys(everyKind) as FaultKind[]).map((kind) => [kind, {}] as const),
  ...optional.map((kind) => [kind, { effect: true }] as const),
];

/** A revocation run in a hurry. */
export const quick: Pace = {
  inFlight: 12,
  rounds: 4,
  firstBackoffMs: 20,
  maxBackoffMs: 60,
  spacingMs: 30,
  batch: 25,
  batchMs: 150,
  lastAfterMs: 1_000,
  listMs: 5_000,
  graceMs: 100,
};
