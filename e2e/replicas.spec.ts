/** Two dashboards on one PostgreSQL, behind a balancer that is not sticky. */
import { setTimeout as sleep } from "node:timers/promises";
import { untilHealthy } from "../scripts/setup.ts";
import { startPostgres, type TestPostgres } from "../test/postgres.ts";
import { test as base, expect } from "./fixtures.ts";
import { type App, type AppOptions, startApp } from "./servers.ts";
import { expectSignedIn, expiryOfNewest, isSignedOut, signInFor, storm, until } from "./storm.ts";
import { expectProblem, type Visitor } from "./visitor.ts";

const test = base.extend<{ replica: (options?: AppOptions) => Promise<App> }, { postgres: TestPostgres }>({
  postgres: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the dependencies from the pattern
    async ({}, use) => {
      const postgres = await startPostgres();
      await use(postgres);
      await postgres.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],

  /** One more process of the same installation. It is watched from the moment when its database is there. */
  replica: async ({ postgres, sandbox, problems }, use) => {
    const env = {
      APP_URL: "http://tokendesk.example.com",
      DATABASE_URL: await postgres.createDatabase(),
      SESSION_SECRET: "s".repeat(40),
      FINGERPRINT_KEY: "f".repeat(40),
      RINGCX_TIMEOUT_MS: "4000",
    };
    const started: App[] = [];
    await use(async (options = {}) => {
      const app = await startApp(sandbox.url, { ...options, env: { ...env, ...options.env } });
      started.push(app);
      await untilHealthy(`${app.url}/api/ready`, AbortSignal.timeout(20_000));
      problems.watchApp(app, "now");
      return app;
    });
    for (const app of started) await problems.end(app);
  },
});

test.slow();

test("a hundred requests at the expiry, to either process, make one refresh and sign nobody out, and so at the next", async ({
  sandbox,
  replica,
  newVisitor,
}) => {
  const apps = [await replica(), await replica()];
  const visitors = apps.map((app) => newVisitor(app)) as [Visitor, Visitor];
  const [visitor, other] = visitors;
  const first = await signInFor(1, sandbox, visitor);
  const oldest = visitor.cookieHeader();
  for (const cookie of visitor.cookies) other.cookies.set(...cookie);
  await until(first);

  await sandbox.configure({ accessTokenSeconds: 12 });
  await sandbox.fault({ operation: "refresh", kind: "latency", ms: 300 });
  expectSignedIn(await Promise.all(storm(visitors, [oldest])));
  expect(await sandbox.journal("refresh")).toMatchObject([{ status: 200, effect: true }]);
  const renewed = visitor.cookieHeader();
  expect(renewed).not.toBe(oldest);

  // The cookie of the first process at the second, and half of the requests with the one of before it all.
  await until(await expiryOfNewest(sandbox, 12));
  await sandbox.configure({ accessTokenSeconds: 300 });
  await sandbox.fault({ operation: "refresh", kind: "latency", ms: 300 });
  expectSignedIn(await Promise.all(storm([other, visitor], [oldest, oldest, renewed, renewed])));
  expect(await sandbox.journal("refresh")).toHaveLength(2);

  for (const cookie of [oldest, renewed, visitor.cookieHeader(), other.cookieHeader()]) {
    for (const each of visitors) expect((await each.get("/api/tokens", { cookie })).status).toBe(200);
  }
  // A process that is new finds the way from the oldest state to the tokens in force as well.
  const third = newVisitor(await replica());
  expect((await third.get("/api/tokens", { cookie: oldest })).status).toBe(200);
  expect((await sandbox.journal("refresh")).map(({ status }) => status)).toEqual([200, 200]);
});

test("a refresh that fails is not tried by the other process before its pause is over", async ({
  sandbox,
  replica,
  newVisitor,
}) => {
  const visitors = [newVisitor(await replica()), newVisitor(await replica())] as const;
  await until(await signInFor(1, sandbox, visitors[0]));
  await sandbox.fault({ operation: "refresh", kind: "html503", count: -1 });
  const cookie = visitors[0].cookieHeader();
  const sent = await Promise.all(storm(visitors, [cookie]));
  const attempts = await sandbox.journal("refresh");
  for (const [index, { at }] of attempts.slice(1).entries()) {
    expect(at - (attempts[index]?.at ?? 0), "one attempt, then a pause").toBeGreaterThanOrEqual(1_950);
  }
  expect(sent.filter(isSignedOut)).toEqual([]);
});

test("who signs out at one process is out at the other at once, and after a restart", async ({
  replica,
  newVisitor,
}) => {
  const here = await replica();
  const there = newVisitor(await replica());
  const ana = newVisitor(here);
  await ana.signIn();
  const cookie = ana.cookieHeader();
  expect((await there.get("/api/session", { cookie })).status).toBe(200);
  await ana.signOut();
  expectProblem(await there.get("/api/session", { cookie }), 401, "session_expired");
  await here.stop();
  expectProblem(await newVisitor(await replica()).get("/api/session", { cookie }), 401, "session_expired");
});

test("ops end a member's session at one process, and it is over at the other", async ({
  sandbox,
  replica,
  newVisitor,
}) => {
  const env = { OPS_USERS: "new@example.com" };
  const [here, there] = [await replica({ env }), await replica({ env })];
  const ana = newVisitor(here);
  await ana.signIn();
  const ops = newVisitor(there);
  await ops.signIn("new@example.com");
  type Listed = { sessions: { id: string; user: { name: string }; current: boolean }[] };
  const { sessions } = (await ops.get("/api/sessions?scope=team")).json<Listed>();
  const hers = sessions.find(({ current }) => !current);
  expect(sessions).toHaveLength(2);
  expect((await ops.delete(`/api/sessions/${hers?.id}`)).json()).toEqual({ ended: 1 });
  await sandbox.clearJournal();
  expect(isSignedOut({ what: "the page", reply: await ana.get("/tokens") })).toBe(true);
  await expect.poll(async () => (await sandbox.journal("logout")).length).toBe(1);
  expectProblem(await ops.delete(`/api/sessions/${hers?.id}`), 404, "not_found");
});

/** `REFRESH_SEED=17 REFRESH_RUNS=50`: other moments, and more of them. */
const seed = Number(process.env.REFRESH_SEED ?? 1);
const runs = Number(process.env.REFRESH_RUNS ?? 5);

function random(run: number): () => number {
  let state = Math.imul(seed * 1000 + run, 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test(`the process that refreshes is killed: the other goes on, or asks for one sign-in, within 15 seconds (seed ${seed})`, async ({
  sandbox,
  replica,
  newVisitor,
}) => {
  test.setTimeout(60_000 + runs * 40_000);
  const survivor = newVisitor(await replica());
  let recovered = 0;
  for (let run = 0; run < runs; run += 1) {
    const next = random(run);
    next();
    const killed = await replica();
    const winner = newVisitor(killed);
    await until(await signInFor(1, sandbox, winner));
    await sandbox.configure({ accessTokenSeconds: 300 });
    await sandbox.clearJournal();
    // It never has an effect; or before the effect, or after it and before the answer, as the moment has it.
    const kinds = [
      { kind: "hang" },
      { kind: "latency", ms: 200 + Math.floor(next() * 800) },
      { kind: "slowBody", ms: 1 },
    ];
    const kind = kinds[run % kinds.length] as (typeof kinds)[number];
    await sandbox.fault({ operation: "refresh", ...kind });
    const wait = Math.floor(next() * 1500);
    const title = `run ${run} of REFRESH_SEED=${seed}: ${JSON.stringify(kind)}, killed after ${wait} ms`;

    const cookie = winner.cookieHeader();
    const lost = winner.get("/api/tokens", { cookie }).catch(() => null);
    await expect.poll(async () => (await sandbox.journal("refresh")).length, { intervals: [10] }).toBe(1);
    const asked = storm([survivor], [cookie]);
    const startedAt = performance.now();
    await sleep(wait);
    await killed.kill();
    const sent = await Promise.all(asked);
    expect(performance.now() - startedAt - wait, title).toBeLessThan(15_000);
    await lost;

    const out = sent.filter(isSignedOut);
    const [first] = await sandbox.journal("refresh");
    // Its refresh token was never used up: that the process is gone is no reason to sign anybody out.
    if (kind.kind === "hang") expect(first?.effect, title).toBe(false);
    if (first?.effect === false) expect(out, title).toEqual([]);
    if (out.length === 0) recovered += 1;
    if (out.length === 0) expectSignedIn(sent);
    else expect(out.length, `${title}: some were signed out, some not`).toBe(sent.length);
    expect((await sandbox.journal("refresh")).length, title).toBeLessThanOrEqual(2);
    // Whatever it was, a page comes, or a new sign-in works.
    if (out.length > 0) await winnerAgain(survivor);
    else expect((await survivor.get("/api/tokens", { cookie })).status, title).toBe(200);
    await sandbox.clearFaults();
    survivor.cookies.clear();
  }
  expect(recovered, "in how many runs nobody had to sign in again").toBeGreaterThan(0);
});

async function winnerAgain(visitor: Visitor): Promise<void> {
  visitor.cookies.clear();
  await visitor.signIn();
  expect(await visitor.tokens()).toHaveLength(3);
}
