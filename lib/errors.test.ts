import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTokendeskError, PROBLEMS, type ProblemCode, TokendeskError, toProblem } from "@/lib/errors";

const codes = Object.keys(PROBLEMS) as ProblemCode[];

test.each(codes)("%s becomes a problem with its own status, title and detail", (code) => {
  const problem = toProblem(new TokendeskError(code, "What to do."), "request-1");
  expect(problem).toEqual({
    type: `urn:tokendesk:problem:${code}`,
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    code,
    detail: "What to do.",
    requestId: "request-1",
  });
});

test("the codes of the contract are all there", () => {
  expect(codes).toEqual(
    expect.arrayContaining(
      (
        "invalid_credentials password_reset_required account_not_allowed not_signed_in session_expired forbidden invalid_input bad_origin rate_limited " +
        "token_not_found upstream_unavailable upstream_timeout upstream_rate_limited upstream_bad_response creation_unconfirmed revocation_unconfirmed audit_unavailable"
      ).split(" "),
    ),
  );
});

test("seconds to wait are whole and at least one, extensions are added, and the cause is told to nobody", () => {
  const cause = new Error("CANARY");
  const error = new TokendeskError("rate_limited", "Wait.", {
    retryAfter: 0.2,
    cause,
    extensions: { candidates: [1] },
  });
  const problem = toProblem(error, "r");
  expect(problem).toMatchObject({ retryAfter: 1, candidates: [1] });
  expect(JSON.stringify(problem)).not.toContain("CANARY");
  expect(error.cause).toBe(cause);
});

test("no extension overrules what a problem says of itself", () => {
  const extensions = { status: 200, code: "x", type: "x", title: "x", detail: "x", requestId: "x" };
  expect(toProblem(new TokendeskError("forbidden", "No.", { extensions }), "r")).toMatchObject({
    status: 403,
    code: "forbidden",
    detail: "No.",
    requestId: "r",
  });
});

describe("what is not ours", () => {
  const secret = "CANARY-secret";
  const thrown = fc.oneof(
    fc.anything({ withNullPrototype: true, withDate: true, withMap: true, withSet: true }),
    fc.string().map((text) => `${secret}${text}`),
    fc.string().map((text) => new Error(`${secret}${text}`)),
    fc.string().map((text) => new TypeError(`${secret}${text}`, { cause: new Error(secret) })),
    fc
      .record({
        name: fc.string(),
        code: fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString")),
      })
      .map((members) => Object.assign(new Error(secret), members)),
    fc.constantFrom(...codes).map((code) => ({ name: "TokendeskError", code, message: secret })),
    fc.constantFrom(...codes).map((code) => Object.assign(new Error(secret), { code })),
    fc.constant(Object.assign(new Error(secret), { name: "TokendeskError", code: "no such code" })),
  );

  test("becomes an internal error that says nothing of it", () => {
    fc.assert(
      fc.property(thrown, (error) => {
        expect(isTokendeskError(error)).toBe(false);
        const problem = toProblem(error, "request-1");
        expect(problem).toMatchObject({ status: 500, code: "internal_error", requestId: "request-1" });
        expect(Object.keys(problem).sort()).toEqual(["code", "detail", "requestId", "status", "title", "type"]);
        expect(JSON.stringify(problem)).not.toContain(secret);
      }),
      { numRuns: 1_000 },
    );
  });
});
