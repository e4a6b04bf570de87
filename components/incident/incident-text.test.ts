import { describe, expect, it } from "vitest";
import {
  calmProgress,
  mayOpenHistory,
  otherTokens,
  siblingsText,
  timeLeft,
  verdictOf,
  viewerOf,
} from "@/components/incident/incident-text";
import type { Finding, RunSummary } from "@/lib/incidents/schema";

const contained: RunSummary = {
  incident: "3b0d5c2e-0f5a-4e0a-9d6d-1c2f3a4b5c6d",
  outcome: "contained",
  total: 12,
  revoked: 11,
  alreadyDead: 1,
  alive: 0,
  unknown: 0,
  secondsToProof: 40.6,
  logged: true,
};

describe("the verdict on a run", () => {
  it("is good only when every token is proven dead and none was left out", () => {
    expect(verdictOf(contained, { leftAlive: 0, partly: false })).toMatchObject({
      tone: "good",
      title: "Contained: 12 of 12 proven dead, 41 s after the paste",
    });
    const bad: [Partial<RunSummary>, number][] = [
      [{}, 1],
      [{ outcome: "partial", revoked: 10, unknown: 1 }, 0],
      [{ outcome: "partial", revoked: 10, alive: 1 }, 0],
      [{ outcome: "interrupted", revoked: 3 }, 0],
      // A server that contradicts itself is not believed.
      [{ revoked: 10 }, 0],
      [{ outcome: "partial" }, 0],
    ];
    for (const [change, leftAlive] of bad) {
      const { tone, title } = verdictOf({ ...contained, ...change }, { leftAlive, partly: false });
      expect(tone).not.toBe("good");
      expect(title).not.toMatch(/^Contained/);
    }
    expect(verdictOf(contained, { leftAlive: 0, partly: true })).toMatchObject({
      tone: "warn",
      title: "12 of 12 proven dead, 41 s after the paste",
    });
  });

  it("says how many are to be treated as alive", () => {
    const partial: RunSummary = { ...contained, outcome: "partial", revoked: 9, unknown: 2, secondsToProof: null };
    expect(verdictOf(partial, { leftAlive: 0, partly: false })).toEqual({
      tone: "danger",
      title: "Not contained: 10 of 12 proven dead",
      detail: "Treat the other 2 as alive until it is proven.",
    });
  });
});

const user = { id: "1111", login: "ana@example.com", name: "Ana Lima", enabled: true, roles: [] };

function finding(tokenId: string, more: Partial<Finding>): Finding {
  return {
    id: `${tokenId}.sealed`,
    tokenId,
    hint: "aws80:…c0a9",
    line: 1,
    places: [],
    count: 1,
    status: "live",
    why: "RingCX accepts it.",
    checkedAt: null,
    notChecked: [],
    known: null,
    ...more,
  };
}

describe("the other tokens of a user", () => {
  it("are counted once for each user, without those that are chosen", () => {
    const ofAna = (tokenId: string) => finding(tokenId, { user, siblingCount: 4, siblings: [] });
    const bo = finding("c", { user: { ...user, id: "2", name: "Bo" }, siblingCount: 0 });
    expect(otherTokens([ofAna("a")])).toBe(4);
    expect(otherTokens([ofAna("a"), ofAna("b"), bo])).toBe(3);
    expect(otherTokens([bo, finding("d", { status: "unchecked" })])).toBe(0);
  });

  it("are counted where RingCX does not name the user", () => {
    const sibling = (tokenId: string) => ({ tokenId, hint: "aws80:…c0a9", label: null, leaked: true });
    const a = finding("a", { siblingCount: 2, siblings: [sibling("b")] });
    const b = finding("b", { siblingCount: 2, siblings: [sibling("a")] });
    expect(otherTokens([a, b])).toBe(1);
  });

  it("are told in words", () => {
    expect(siblingsText(finding("a", { user, siblingCount: 2 }))).toBe("2 more tokens of Ana Lima");
    expect(siblingsText(finding("a", { siblingCount: 1 }))).toBe("1 more token of the same user");
    expect(siblingsText(finding("a", { user, siblingCount: 0 }))).toBeNull();
  });
});

it("the time that is left is told coarsely", () => {
  const told = [0, 3_000, 12_300, 80_000, 100_000, 1_000_000].map(timeLeft);
  expect(told).toEqual([
    "",
    "a few seconds left",
    "about 15 s left",
    "about 80 s left",
    "about 2 minutes left",
    "about 17 minutes left",
  ]);
});

it("who listens is told five times of any number", () => {
  const told = new Set(Array.from({ length: 501 }, (_, done) => calmProgress(done, 500, "Checking")));
  expect(told.size).toBe(5);
});

describe("the history of a token", () => {
  it("is offered to whom it belongs, and to ops and administrators", () => {
    const ana = viewerOf({ id: "ringcx:https://ringcx.ringcentral.com:888888:1111", role: "member" });
    expect(mayOpenHistory(ana, { id: "1111" })).toBe(true);
    for (const other of [{ id: "111" }, { id: "888888" }, null]) expect(mayOpenHistory(ana, other)).toBe(false);
    expect(mayOpenHistory(viewerOf({ id: "test", role: "member" }), null)).toBe(false);
    for (const role of ["ops", "admin"] as const) expect(mayOpenHistory({ ...ana, role }, null)).toBe(true);
  });
});
