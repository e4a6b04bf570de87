import { describe, expect, it } from "vitest";
import {
  type AuditView,
  auditPath,
  auditQueryOf,
  everything,
  filterEntries,
  newerPage,
  newestPage,
  olderPage,
  parseAuditView,
} from "@/components/audit/audit-view-query";
import { auditActions } from "@/lib/audit/schema";

const value = "aws80:c2353445-bc74-af1a-2850-1d55a371c0a9";

function reread(view: AuditView): AuditView {
  const url = new URL(auditPath(view), "http://localhost");
  return parseAuditView(Object.fromEntries(url.searchParams));
}

describe("the audit log's address", () => {
  it("says nothing when everything is shown", () => {
    expect(auditPath(everything)).toBe("/audit");
    expect(parseAuditView({})).toEqual(everything);
  });

  it("keeps every filter and the way back", () => {
    const view: AuditView = {
      actor: "ana+x@example.com",
      action: "token.revoke",
      outcome: "unknown",
      token: "tok_1-a",
      from: "2026-01-31",
      to: "2026-02-01",
      cursor: "YmVmb3JlOjQx",
      trail: ["a-b_c", "d"],
    };
    expect(reread(view)).toEqual(view);
    expect(auditQueryOf(view)).toEqual({
      actor: "ana+x@example.com",
      action: "token.revoke",
      outcome: "unknown",
      token: "tok_1-a",
      from: "2026-01-31",
      to: "2026-02-01",
      cursor: "YmVmb3JlOjQx",
      limit: 50,
    });
  });

  it("takes nonsense for nothing, one parameter at a time", () => {
    const nonsense = {
      actor: ["ana@example.com", "else"],
      action: "token.destroy",
      outcome: "",
      token: "x".repeat(65),
      from: "2026-02-30",
      to: "yesterday",
      cursor: "a b",
      trail: "a..b",
      page: "3",
    };
    expect(parseAuditView(nonsense)).toEqual({ ...everything, actor: "ana@example.com" });
  });

  it("takes every action that there is, for a filter shows each, and no other", () => {
    expect(parseAuditView({ action: "token.explode" })).toEqual(everything);
    for (const action of auditActions) expect(parseAuditView({ action })).toEqual({ ...everything, action });
  });

  it("never holds a token value", () => {
    for (const text of [value, value.slice(6), value.replace(":", "%3A")]) {
      const path = auditPath(parseAuditView({ actor: text, token: text }));
      expect(path).not.toContain("c2353445");
      expect(path).not.toContain("1d55a371");
    }
  });

  it("leads through the pages and back the same way", () => {
    const second = olderPage(everything, "c2");
    const third = olderPage(second, "c3");
    const fourth = olderPage(third, "c4");
    expect(reread(fourth)).toEqual({ ...everything, cursor: "c4", trail: ["c2", "c3"] });
    expect(newerPage(fourth)).toEqual(third);
    expect(newerPage(third)).toEqual(second);
    expect(newerPage(second)).toEqual(everything);
    expect(newestPage(fourth)).toEqual(everything);
  });

  it("stays short however far one goes, and still leads back", () => {
    let view: AuditView = { ...everything, action: "token.edit" };
    for (let page = 2; page < 500; page += 1) view = olderPage(view, `cursor-${page}-${"x".repeat(20)}`);
    expect(auditPath(view).length).toBeLessThan(1_000);
    expect(newerPage(view).cursor).toMatch(/^cursor-498-/);
    for (let back = 0; back < 30; back += 1) view = newerPage(view);
    expect(view).toEqual({ ...everything, action: "token.edit" });
    expect(filterEntries(view)).toEqual([["action", "token.edit"]]);
  });
});
