import type { AuditAction, AuditEvent, AuditOutcome } from "@/lib/audit/schema";
import type { Milestone } from "@/lib/tokens/schema";

/** A moment of the timeline: an act (its intent and its outcome are one), or a milestone that no act stands for. */
export type HistoryEntry =
  | { kind: "milestone"; at: string; milestone: Milestone }
  | {
      kind: "act";
      /** When it was settled, or else begun. */
      at: string;
      action: AuditAction;
      outcome: AuditOutcome;
      /** The record that tells the most: the outcome, or else the intent. */
      event: AuditEvent;
      attemptedAt: string | null;
      /** What the inventory knows of the same moment. */
      milestone: Milestone | null;
      /** What it left open is settled: the token was proven dead afterwards. */
      deadSince: boolean;
    };

/** The acts that a milestone may be the trace of. */
const acts: Record<Milestone["kind"], AuditAction[]> = {
  first_seen: [],
  appeared: [],
  vanished: [],
  created_here: ["token.create", "token.rotate"],
  adopted: ["token.adopt"],
  revoked: ["token.revoke", "incident.revoke"],
  alive_again: [],
};

/** The two are written down by different steps of one request, which may wait for RingCX in between. */
const sameMomentMs = 120_000;

/** Newest first. */
export function historyEntries(milestones: readonly Milestone[], events: readonly AuditEvent[]): HistoryEntry[] {
  const byAct = Map.groupBy(events, (event) => `${event.correlationId} ${event.action}`);
  const entries: HistoryEntry[] = [...byAct.values()].flatMap((records) => {
    const attempted = records.find((event) => event.outcome === "attempted");
    const settled = records.filter((event) => event.outcome !== "attempted");
    return (settled.length > 0 ? settled : attempted ? [attempted] : []).map((event) => ({
      kind: "act" as const,
      at: happened(event),
      action: event.action,
      outcome: event.outcome,
      event,
      attemptedAt: attempted && attempted !== event ? happened(attempted) : null,
      milestone: null,
      deadSince: false,
    }));
  });
  for (const milestone of milestones) {
    const at = Date.parse(milestone.at);
    const act = entries.find(
      (entry) =>
        entry.kind === "act" &&
        entry.outcome === "succeeded" &&
        entry.milestone === null &&
        acts[milestone.kind].includes(entry.action) &&
        Math.abs(Date.parse(entry.at) - at) <= sameMomentMs,
    );
    if (act?.kind === "act") act.milestone = milestone;
    else entries.push({ kind: "milestone", at: milestone.at, milestone });
  }
  entries.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  let dead = false;
  for (const entry of entries) {
    // Every proof before that was none.
    if (entry.kind === "milestone" && entry.milestone.kind === "alive_again") break;
    if (entry.kind === "act") entry.deadSince = dead;
    dead ||= isProof(entry);
  }
  return entries;
}

function isProof(entry: HistoryEntry): boolean {
  if (entry.kind === "milestone") return entry.milestone.kind === "revoked";
  return entry.outcome === "succeeded" && acts.revoked.includes(entry.action);
}

/** What was spooled was written down later than it happened. */
function happened({ at, details }: AuditEvent): string {
  return typeof details.happenedAt === "string" && !Number.isNaN(Date.parse(details.happenedAt))
    ? details.happenedAt
    : at;
}
