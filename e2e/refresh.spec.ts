import type { Sandbox } from "../test/sandbox-control.ts";
import { expect, test } from "./fixtures.ts";
import { expectSignedIn, expiryOfNewest, signInFor, storm, until } from "./storm.ts";
import { expectProblem } from "./visitor.ts";

test.use({ appEnv: { RINGCX_TIMEOUT_MS: "3000" } });

const notice = "RingCX could not renew your session just now. You are still signed in; Tokendesk keeps trying.";
const postponed = "RingCX could not renew your session just now. You are still signed in; try again in a moment.";

test("a hundred requests at the expiry make one refresh and sign nobody out, and so at the next expiries", async ({
  sandbox,
  visitor,
}) => {
  test.slow();
  const first = await signInFor(1, sandbox, visitor);
  const oldest = visitor.cookieHeader();
  await until(first);

  // All with the same cookie.
  await sandbox.configure({ accessTokenSeconds: 12 });
  expectSignedIn(await Promise.all(storm([visitor], [oldest])));
  expect(await sandbox.journal("refresh")).toMatchObject([{ status: 200, effect: true }]);
  const renewed = visitor.cookieHeader();
  expect(renewed).not.toBe(oldest);

  // Half of them with the cookie of before the first refresh.
  await until(await expiryOfNewest(sandbox, 12));
  expectSignedIn(await Promise.all(storm([visitor], [oldest, renewed])));
  expect(await sandbox.journal("refresh")).toHaveLength(2);

  // And some are given up by the browser while the refresh is under way, so that their cookies are lost.
  await until(await expiryOfNewest(sandbox, 12));
  await sandbox.configure({ accessTokenSeconds: 300 });
  await sandbox.fault({ operation: "refresh", kind: "latency", ms: 400 });
  const current = visitor.cookieHeader();
  const aborts = Array.from({ length: 100 }, (_, index) => (index % 3 === 0 ? new AbortController() : undefined));
  const sent = storm(
    [visitor],
    [current, oldest],
    aborts.map((abort) => abort?.signal),
  );
  const settled = Promise.allSettled(sent);
  await expect.poll(async () => (await sandbox.journal("refresh")).length, { intervals: [10] }).toBe(3);
  for (const abort of aborts) abort?.abort();
  const outcomes = await settled;
  expect(outcomes.filter(({ status }) => status === "rejected").length).toBeGreaterThanOrEqual(30);
  expectSignedIn(outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : [])));
  expect(await sandbox.journal("refresh")).toHaveLength(3);

  // Whoever comes with any cookie of the three generations is still in, and nothing more is refreshed.
  for (const cookie of [oldest, renewed, current, visitor.cookieHeader()]) {
    expect((await visitor.get("/api/tokens", { cookie })).status).toBe(200);
  }
  expect((await sandbox.journal("refresh")).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test("a storm at the expiry of two users makes one refresh for each", async ({ sandbox, newVisitor }) => {
  const ana = newVisitor();
  const olga = newVisitor();
  await sandbox.configure({ accessTokenSeconds: 1 });
  await Promise.all([ana.signIn("ana@example.com"), olga.signIn("other@example.com")]);
  await until(Date.now() + 1000);
  await sandbox.configure({ accessTokenSeconds: 300 });
  const sent = [...storm([ana], [ana.cookieHeader()]), ...storm([olga], [olga.cookieHeader()])];
  expectSignedIn(await Promise.all(sent));
  expect((await sandbox.journal("refresh")).map(({ username }) => username).sort()).toEqual([
    "ana@example.com",
    "other@example.com",
  ]);
});

for (const [title, fault, wait] of [
  ["429", { kind: "http429" }, 2],
  ["429 with Retry-After", { kind: "http429", retryAfter: 3 }, 3],
  ["503", { kind: "status", status: 503, body: "try later" }, 2],
  ["an HTML page", { kind: "html502" }, 2],
  ["an HTML page that says 200", { kind: "status", status: 200, body: "<html></html>", contentType: "text/html" }, 2],
  ["an HTML page that says 403", { kind: "status", status: 403, body: "<html></html>", contentType: "text/html" }, 2],
  ["nothing at all", { kind: "hang" }, 2],
] as const) {
  test(`a refresh that is answered with ${title} signs nobody out, and is tried again after a pause`, async ({
    sandbox,
    visitor,
  }) => {
    await until(await signInFor(1, sandbox, visitor));
    await sandbox.configure({ accessTokenSeconds: 300 });
    await sandbox.fault({ operation: "refresh", ...fault, count: -1 });
    const cookie = visitor.cookieHeader();
    const sent = await Promise.all(storm([visitor], [cookie]));
    const told = Date.now();
    const attempts = await sandbox.journal("refresh");
    for (const [index, { at }] of attempts.slice(1).entries()) {
      expect(at - (attempts[index]?.at ?? 0), "one attempt, then a pause").toBeGreaterThanOrEqual(wait * 1000 - 50);
    }
    const waits: number[] = [];
    for (const { what, reply } of sent) {
      expect(reply.text, what).not.toContain("/sign-in?");
      expect(reply.headers.getSetCookie(), what).toEqual([]);
      if (what === "/api/tokens" || what === "/api/accounts") {
        expect(expectProblem(reply, 503, "upstream_unavailable").detail).toBe(postponed);
        waits.push(Number(reply.headers.get("retry-after")));
      } else {
        expect(reply.status, what).toBe(200);
      }
      if (what.startsWith("the page")) expect(reply.text).toContain(notice);
    }
    // A slow machine tells some of them late in the pause, or in the next one, which is longer.
    expect(Math.max(...waits)).toBeGreaterThanOrEqual(1);
    if (attempts.length === 1) expect(Math.max(...waits)).toBeLessThanOrEqual(wait);

    await sandbox.clearFaults();
    await until(told + Math.max(wait, 2 ** attempts.length) * 1000);
    const page = await visitor.get("/tokens");
    expect(page.status).toBe(200);
    expect(page.text).toContain("aws80:…");
    expect(page.text).not.toContain(notice);
    expect(await sandbox.journal("refresh")).toHaveLength(attempts.length + 1);
  });
}

test("while the access token still works, a refresh that fails costs no content", async ({ sandbox, visitor }) => {
  // RingCX counts from a whole second. Right after one there is the longest time between due and expired.
  await until(Math.ceil(Date.now() / 1000) * 1000);
  await sandbox.configure({ accessTokenSeconds: 20 });
  await visitor.signIn();
  // Due in the last tenth of its lifetime, which the dashboard counts from before RingCX was asked.
  const [asked] = await sandbox.journal("login");
  await until((asked?.at ?? 0) + 18_000);
  await sandbox.fault({ operation: "refresh", kind: "html502", count: -1 });
  const page = await visitor.get("/tokens");
  expect(await sandbox.journal("token.list"), "not expired yet").toMatchObject([{ status: 200 }]);
  expect(page.status).toBe(200);
  expect(page.text).toContain(notice);
  expect(page.text).toContain("aws80:…");
  expect(await sandbox.journal("refresh")).toHaveLength(1);
});

for (const [title, end] of [
  ["ended it", (sandbox: Sandbox) => sandbox.endSessions()],
  [
    "disabled the user",
    (sandbox: Sandbox) => sandbox.control<void>("POST", "users", { username: "ana@example.com", enabled: false }),
  ],
] as const) {
  test(`when RingCX has ${title}, everybody is led to sign-in once, with the way back`, async ({
    sandbox,
    visitor,
  }) => {
    await until(await signInFor(1, sandbox, visitor));
    await end(sandbox);
    const cookie = visitor.cookieHeader();
    const sent = await Promise.all(storm([visitor], [cookie]));
    expect(await sandbox.journal("refresh")).toHaveLength(1);
    for (const { what, reply } of sent) {
      if (what.startsWith("/api/")) {
        expectProblem(reply, 401, "session_expired");
      } else {
        expect(reply.status, what).toBe(307);
        const back = what.endsWith("/accounts") ? "&returnTo=%2Faccounts" : "";
        expect(reply.headers.get("location"), what).toBe(`/sign-in?reason=expired${back}`);
      }
    }

    // The cookies are cleared by the redirect; with one that was not, the sign-in page shows itself all the same.
    expect([...visitor.cookies.keys()].filter((name) => name === "tokendesk" || name.startsWith("tokendesk."))).toEqual(
      expect.not.arrayContaining(["tokendesk"]),
    );
    for (const jar of [visitor.cookieHeader(), cookie]) {
      const page = await visitor.get("/sign-in?reason=expired&returnTo=%2Faccounts", { cookie: jar });
      expect(page.status).toBe(200);
      expect(page.text).toContain("Your session has ended. Sign in to go on where you were.");
    }
    expect(await sandbox.journal("refresh")).toHaveLength(1);
  });
}

test("after an ended session the cookies are gone and a new sign-in works", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  await sandbox.endSessions();
  await sandbox.expireAccessTokens();
  expectProblem(await visitor.get("/api/tokens"), 401, "session_expired");
  const page = await visitor.get("/tokens");
  expect(page.status).toBe(307);
  expect(page.headers.get("location")).toBe("/sign-in?reason=expired");
  expect(visitor.cookies.has("tokendesk")).toBe(false);
  await visitor.signIn();
  expect(await visitor.tokens()).toHaveLength(3);
});

test("an access token that is refused early is renewed once, for a list as for a revocation", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn();
  await sandbox.expireAccessTokens();
  const [token] = await visitor.tokens();
  expect(await sandbox.journal("refresh")).toHaveLength(1);
  expect((await visitor.get("/api/accounts")).status).toBe(200);
  expect(await sandbox.journal("refresh")).toHaveLength(1);

  await sandbox.expireAccessTokens();
  const reply = await visitor.delete(`/api/tokens/${token?.id}`);
  expect(reply.json()).toMatchObject({ outcome: "revoked" });
  expect(await sandbox.journal("refresh")).toHaveLength(2);
  expect(await sandbox.tokens("ana@example.com")).toHaveLength(2);
});

test("a page whose access token is refused early is shown, after one refresh for all that it asks", async ({
  sandbox,
  visitor,
}) => {
  await visitor.signIn();
  const cookie = visitor.cookieHeader();
  await sandbox.expireAccessTokens();
  expectSignedIn(await Promise.all(storm([visitor], [cookie])));
  expect(await sandbox.journal("refresh")).toHaveLength(1);
});

test("a creation never goes out twice, whenever its access token is refused", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  await sandbox.expireAccessTokens();
  const created = await visitor.post("/api/tokens", { label: "CI" });
  expect(created.status, created.text).toBe(201);
  expect(await sandbox.journal("token.create")).toHaveLength(1);
  expect(await sandbox.journal("refresh")).toHaveLength(1);

  // Refused just between the list before it and the creation itself.
  await sandbox.clearJournal();
  await sandbox.fault({ operation: "token.create", kind: "jwtExpired" });
  const refused = await visitor.post("/api/tokens", { label: "CI" });
  expect(expectProblem(refused, 503, "upstream_unavailable").detail).toContain("Nothing was created.");
  expect(await sandbox.journal("token.create")).toMatchObject([{ effect: false }]);
  expect((await visitor.post("/api/tokens", { label: "CI" })).status).toBe(201);
  expect(await sandbox.journal("token.create")).toHaveLength(2);
  expect(await sandbox.tokens("ana@example.com")).toHaveLength(5);
});
