import type { Operation } from "../sandbox/operations.ts";
import { details, everyFault, readOutcome, statuses } from "./faults.ts";
import { expect, test } from "./fixtures.ts";
import { expectProblem, hintOf } from "./visitor.ts";

// Far more than three attempts take on a busy machine: what is told of them is not that they took too long.
test.use({ appEnv: { RINGCX_TIMEOUT_MS: "3000" } });

const elsewhere = "/voice/api/v1/auth/isTokenValid?token=x";
/** For a read it makes no difference whether the sandbox also carried it out. */
const readFaults = everyFault(elsewhere).filter(({ title }) => !title.endsWith("after the effect"));

const reads: [operation: Operation, api: string, page: string, user: string, limited: [string, string]][] = [
  // A 429 pauses its user: these users are in no other test.
  ["token.list", "/api/tokens", "/tokens", "ana@example.com", ["child1@example.com", "child2@example.com"]],
  ["accounts", "/api/accounts", "/accounts", "ana@example.com", ["parent@example.com", "grandchild@example.com"]],
];

for (const [operation, api, page, user, [limited, limitedToo]] of reads) {
  for (const { title, kind, input } of readFaults) {
    const outcome = readOutcome(kind);
    test(`${operation} with ${title.replace(" without effect", "")} ${outcome ? `is told as ${outcome}` : "works"}, to the API and on the page`, async ({
      sandbox,
      visitor,
    }) => {
      const username = kind !== "http429" ? user : input.retryAfter === undefined ? limited : limitedToo;
      await visitor.signIn(username);
      await sandbox.fault({ operation, count: -1, ...input, kind });
      const [answer, html] = await Promise.all([visitor.get(api), visitor.get(page)]);
      if (outcome === null) {
        expect(answer.status, answer.text).toBe(200);
        const facts = operation === "accounts" ? ["RingForce Sales"] : (await sandbox.tokens(user)).map(hintOf);
        for (const fact of facts) {
          expect(answer.text).toContain(fact);
          expect(html.text).toContain(fact);
        }
      } else {
        expect(expectProblem(answer, statuses[outcome], outcome).detail).toBe(details[outcome]);
        expect(html.status).toBe(200);
        expect(html.text).toContain(outcome === "session_expired" ? "/sign-in?reason=expired" : details[outcome]);
        expect(html.text).not.toContain("aws80:…");
      }
      const calls = await sandbox.journal(operation);
      expect(calls.length).toBeGreaterThan(0);
      expect(calls.length).toBeLessThanOrEqual(6);
      expect(await sandbox.journal("isTokenValid"), "a redirect is not followed").toEqual([]);
      expect((await sandbox.journal("refresh")).length).toBe(outcome === "session_expired" ? 1 : 0);

      await sandbox.clearFaults();
      expect((await visitor.get("/api/session")).status, "the person stays signed in").toBe(200);
    });
  }
}

for (const { title, kind, takesEffect, input } of everyFault(elsewhere)) {
  const outcome = ["jwtExpired", "unauthorized"].includes(kind) ? "invalid_credentials" : readOutcome(kind);
  test(`login with ${title} ${outcome ? `is told as ${outcome}, and nobody is signed in` : "works"}`, async ({
    sandbox,
    visitor,
  }) => {
    await sandbox.fault({ operation: "login", ...input, kind });
    const reply = await visitor.attemptSignIn({ username: "new@example.com" });
    expect(await sandbox.journal("login"), "a sign-in is sent once").toMatchObject([{ effect: takesEffect }]);
    expect(await sandbox.journal("isTokenValid"), "a redirect is not followed").toEqual([]);
    if (outcome === null) {
      expect(reply.status, reply.text).toBe(200);
      expect((await visitor.get("/api/session")).status).toBe(200);
      return;
    }
    expectProblem(reply, statuses[outcome], outcome);
    expect([...visitor.cookies.keys()].filter((name) => name.startsWith("tokendesk"))).toEqual([]);
    await visitor.signIn("new@example.com");
  });
}

test("a failed sign-in does not tell the person that they are still signed in", async ({ sandbox, visitor }) => {
  for (const kind of ["html503", "hang"]) {
    await sandbox.fault({ operation: "login", kind });
    const { detail } = (await visitor.attemptSignIn({ username: "new@example.com" })).json<{ detail: string }>();
    expect(detail).not.toContain("still signed in");
  }
});

for (const { title, kind, input } of everyFault(elsewhere)) {
  const ends = kind === "jwtExpired" || kind === "unauthorized";
  const works = kind === "latency" || kind === "wrongContentType";
  test(`refresh with ${title} ${ends ? "ends the session" : works ? "works" : "keeps the session"}`, async ({
    sandbox,
    visitor,
  }) => {
    await visitor.signIn();
    await sandbox.expireAccessTokens();
    await sandbox.fault({ operation: "refresh", ...input, kind });
    const reply = await visitor.get("/api/tokens");
    expect(await sandbox.journal("refresh"), "one refresh").toHaveLength(1);
    expect(await sandbox.journal("isTokenValid"), "a redirect is not followed").toEqual([]);
    if (works) {
      expect(reply.status, reply.text).toBe(200);
    } else if (ends) {
      expect(expectProblem(reply, 401, "session_expired").detail).toBe(
        "RingCX has ended your session. Sign in again to go on.",
      );
      expectProblem(await visitor.get("/api/session"), 401, "session_expired");
      return;
    } else {
      expect(expectProblem(reply, 503, "upstream_unavailable").detail).toBe(
        "RingCX could not renew your session just now. You are still signed in; try again in a moment.",
      );
      expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect((await visitor.get("/api/session")).status).toBe(200);
  });
}
