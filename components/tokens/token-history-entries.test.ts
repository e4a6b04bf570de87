import { describe, expect, it } from "vitest";
import { historyEntries } from "@/components/tokens/token-history-entries";
import type { AuditEvent } from "@/lib/audit/schema";
import type { Milestone } from "@/lib/tokens/schema";

const noon = Date.parse("2026-11-23T12:00:00Z");
const at = (seconds: number) => new Date(noon + seconds * 1_000).toISOString();

let seq = 0;
function event(correlationId: string, seconds: number, rest: Partial<AuditEvent>): AuditEvent {
  seq += 1;
  return {
    seq,
    id: `event-${seq}`,
    at: at(seconds),
    tenant: "host|1",
    action: "token.edit",
    outcome: "succeeded",
    actor: { id: "ana", name: "ana@example.com" },
    address: null,
    userAgent: null,
    requestId: null,
    correlationId,
    token: { id: "t", hint: "aws80:…c0a9" },
    reason: null,
    details: {},
    previousHash: "",
    hash: "",
    ...rest,
  };
}

function milestone(kind: Milestone["kind"], seconds: number): Milestone {
  return { kind, at: at(seconds), detail: `${kind}.` };
}

/** An entry in a word: what it is, its outcome, and the milestone that it stands for. */
function summaries(milestones: Milestone[], events: AuditEvent[]): string[] {
  return historyEntries(milestones, events).map((entry) =>
    entry.kind === "milestone"
      ? entry.milestone.kind
      : [entry.action, entry.outcome, entry.milestone?.kind].filter(Boolean).join(" "),
  );
}

describe("the entries of a token's history", () => {
  it("are the acts and the milestones, newest first, an intent and its outcome as one", () => {
    const events = [
      event("b", 60, { action: "token.reveal", outcome: "attempted" }),
      event("b", 61, { action: "token.reveal" }),
      event("c", 90, { action: "token.edit" }),
    ];
    expect(summaries([milestone("first_seen", 0), milestone("vanished", 70)], events)).toEqual([
      "token.edit succeeded",
      "vanished",
      "token.reveal succeeded",
      "first_seen",
    ]);
  });

  it("do not tell the same thing twice: a milestone goes with the act that it is the trace of", () => {
    const events = [
      event("a", 0, { action: "token.create", outcome: "attempted" }),
      event("a", 1, { action: "token.create" }),
      event("z", 500, { action: "token.revoke", outcome: "attempted" }),
      event("z", 510, { action: "token.revoke" }),
    ];
    expect(summaries([milestone("created_here", 0), milestone("revoked", 509)], events)).toEqual([
      "token.revoke succeeded revoked",
      "token.create succeeded created_here",
    ]);
  });

  it("keep a milestone apart from an act that did not bring it about", () => {
    const failed = event("a", 500, { action: "token.revoke", outcome: "failed" });
    const longAgo = event("b", 0, { action: "token.revoke" });
    expect(summaries([milestone("revoked", 501)], [failed, longAgo])).toEqual([
      "revoked",
      "token.revoke failed",
      "token.revoke succeeded",
    ]);
  });

  it("show an act without an outcome as it stands", () => {
    const open = event("a", 10, { action: "token.revoke", outcome: "attempted" });
    expect(summaries([], [open])).toEqual(["token.revoke attempted"]);
  });

  it("keep apart the acts of different kinds that share a correlation ID", () => {
    const events = [
      event("a", 1, { action: "token.order" }),
      event("a", 2, { action: "token.revoke", outcome: "attempted" }),
      event("a", 3, { action: "token.revoke", outcome: "unknown" }),
    ];
    expect(summaries([], events)).toEqual(["token.revoke unknown", "token.order succeeded"]);
  });

  it("stand where they happened when they were written down later", () => {
    const spooled = event("a", 5_000, { action: "token.revoke", details: { happenedAt: at(10) } });
    const entries = historyEntries([], [spooled, event("b", 20, {})]);
    expect(entries.map((entry) => entry.at)).toEqual([at(20), at(10)]);
  });

  it("know of what was left open that the token was proven dead later, and of nothing after that", () => {
    const events = [
      event("a", 1, { action: "token.revoke", outcome: "unknown" }),
      event("b", 2, { action: "token.revoke" }),
      event("c", 3, { action: "token.edit" }),
    ];
    const deadSince = (milestones: Milestone[], some: AuditEvent[]) =>
      historyEntries(milestones, some).map((entry) => entry.kind === "act" && entry.deadSince);
    expect(deadSince([], events)).toEqual([false, false, true]);
    expect(deadSince([], events.slice(0, 1))).toEqual([false]);
    expect(deadSince([milestone("revoked", 900)], events.slice(0, 1))).toEqual([false, true]);
    expect(deadSince([milestone("vanished", 900)], events.slice(0, 1))).toEqual([false, false]);
  });

  it("know of no proof from before the token was listed again", () => {
    const events = [
      event("a", 1, { action: "token.revoke", outcome: "unknown" }),
      event("b", 2, { action: "token.revoke" }),
    ];
    const entries = historyEntries([milestone("alive_again", 900)], events);
    expect(summaries([milestone("alive_again", 900)], events)).toEqual([
      "alive_again",
      "token.revoke succeeded",
      "token.revoke unknown",
    ]);
    expect(entries.some((entry) => entry.kind === "act" && entry.deadSince)).toBe(false);
  });
});
