import { expect, test } from "vitest";
import { isSelectable, mayLive } from "@/components/incident/findings";
import type { Step } from "@/components/incident/revocation-run";
import type { Finding, FindingStatus, StepOutcome } from "@/lib/incidents/schema";

const finding = (status: FindingStatus) => ({ tokenId: "t", status }) as Finding;
const after = (outcome?: StepOutcome) => new Map(outcome ? [["t", { outcome } as Step]] : []);

test.each<[FindingStatus, StepOutcome | undefined, selectable: boolean, mayLive: boolean]>([
  ["live", undefined, true, true],
  ["unchecked", undefined, true, true],
  // One refusal is no proof: who doubts it can have it proven.
  ["dead", undefined, true, false],
  ["dead", "unknown", true, true],
  ["dead", "already_dead", false, false],
  ["live", "revoked", false, false],
  ["live", "alive", true, true],
])("what was found %s and then %s", (status, outcome, selectable, alive) => {
  const given = [finding(status), new Set<string>(), after(outcome)] as const;
  expect([isSelectable(...given), mayLive(...given)]).toEqual([selectable, alive]);
  expect(isSelectable(finding(status), new Set(["t"]), after(outcome))).toBe(false);
});
