import fc from "fast-check";
import { expect, test } from "vitest";
import { safeReturnPath, signInPath } from "@/lib/auth/return-path";

const origin = "https://tokendesk.example.com";

test.each(["/tokens", "/tokens?q=ivr&page=2", "/tokens/abc_-123", "/accounts?search=a%20b", "/audit?from=2026-01-01"])(
  "%s is a way back",
  (path) => {
    const back = new URL(safeReturnPath(path), origin);
    const wanted = new URL(path, origin);
    expect(back.pathname).toBe(wanted.pathname);
    expect([...back.searchParams]).toEqual([...wanted.searchParams]);
  },
);

const payloads = [
  null,
  undefined,
  "",
  "tokens",
  "/",
  "//evil.com",
  "///evil.com",
  "////evil.com/%2e%2e",
  "/\\evil.com",
  "\\\\evil.com",
  "/\\/evil.com",
  "/\t/evil.com",
  "/\n/evil.com",
  "/\r\n/evil.com",
  "\t//evil.com",
  " //evil.com",
  "/./\\evil.com",
  "/.//evil.com",
  "/x/..//evil.com",
  "/x/../\\evil.com",
  "/%2e//evil.com",
  "/x/%2e%2e//evil.com",
  "http://evil.com",
  "https:evil.com",
  "https:/evil.com",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "data:text/html,x",
  "//evil.com@tokendesk.example.com",
  "@evil.com",
  "/sign-in",
  "/sign-in?returnTo=/sign-in",
  "/x/../sign-in",
  "/sign-in/",
  "/api/session",
  "/api/auth/signout",
  "/x/../api/tokens",
  "/_next/data",
  `/${"a".repeat(2_000)}`,
];

test.each(payloads)("%j leads to the home page", (payload) => {
  expect(safeReturnPath(payload)).toBe("/tokens");
});

const piece = fc.constantFrom(
  "/",
  "\\",
  ".",
  "..",
  "%2e",
  "%2f",
  "%5c",
  "@",
  ":",
  "evil.com",
  "http:",
  "\t",
  "\n",
  "?",
  "#",
  "a",
  "sign-in",
  "api",
  ";",
  "é",
  "\u3002",
  "\uff0f",
  "%00",
);

test("whatever is asked for, the way back stays at this origin, and is no sign-in page and no API", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), fc.string({ unit: "binary", maxLength: 5 }), (pieces, tail) => {
      const back = safeReturnPath(`/${pieces.join("")}${tail}`);
      expect(back).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
      const url = new URL(back, origin);
      expect(url.origin).toBe(origin);
      expect(url.pathname).not.toMatch(/^\/(sign-in|api|_next)(\/|$)/);
      expect(safeReturnPath(back)).toBe(back);
    }),
    { numRuns: 3_000 },
  );
});

test("Next's own parameter is dropped, the others stay", () => {
  expect(safeReturnPath("/tokens?_rsc=1a2b3&page=2")).toBe("/tokens?page=2");
});

test("the sign-in page is told the reason and the way back, or no way when it is home", () => {
  expect(signInPath("expired", "/accounts?a=1&b=2")).toBe(
    "/sign-in?reason=expired&returnTo=%2Faccounts%3Fa%3D1%26b%3D2",
  );
  expect(signInPath("required", "//evil.com")).toBe("/sign-in");
  expect(signInPath("idle")).toBe("/sign-in?reason=idle");
});
