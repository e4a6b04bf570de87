/** The database is lost while people work: nothing is changed unrecorded, what can be read is shown, and it comes back. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase, startPostgres, type TestPostgres } from "../test/postgres.ts";
import type { Sandbox } from "../test/sandbox-control.ts";
import { expect, test } from "./fixtures.ts";
import { type LogFile, postgresLog, sqliteLog } from "./log-file.ts";
import { type Disk, smallDisk, startServerGate, takeAway } from "./outages.ts";
import type { Problems } from "./problems.ts";
import type { App, AppOptions } from "./servers.ts";
import { expectProblem, hintOf, type ListedToken, type Visitor } from "./visitor.ts";

const owner = "ana@example.com";

type Outage = {
  /** Gives the process that goes on with the work. */
  begin(app: App): Promise<App>;
  end(app: App): Promise<void> | void;
  log: LogFile;
  /** What cannot be read either. */
  unreadable: boolean;
  /** Whether records can be put aside in a file meanwhile. */
  spools: boolean;
};

type Call = [method: string, path: string, body?: Record<string, unknown>];

/** A person in the midst of their work, and all that they could do next that changes something. */
async function atWork(sandbox: Sandbox, app: App, newVisitor: (app: App) => Visitor) {
  const ana = await newVisitor(app).signIn(owner);
  const laptop = await newVisitor(app).signIn(owner);
  await ana.tokens();
  const gone = await sandbox.addToken(owner);
  await ana.tokens();
  await sandbox.control("DELETE", "tokens", { value: gone });
  const appeared = hintOf(await sandbox.addToken(owner));
  const list = await ana.get("/api/tokens");
  const { tokens, differences } = list.json<{ tokens: ListedToken[]; differences: { vanished: ListedToken[] } }>();
  const vanished = differences.vanished.find(({ hint }) => hint === hintOf(gone))?.id;
  const adoptable = tokens.find(({ hint }) => hint === appeared)?.id;
  const [id, other] = tokens.map((token) => token.id);
  // Of somebody who does not look at their list meanwhile.
  const [theirs] = await (await newVisitor(app).signIn("password@example.com")).tokens();
  const order = await ana.post("/api/team/orders", { tokenId: theirs?.id, reason: "left the company" });
  expect(order.status, order.text).toBe(201);
  const { id: orderId } = order.json<{ order: { id: string } }>().order;
  const { sessions } = (await ana.get("/api/sessions")).json<{ sessions: { id: string; current: boolean }[] }>();
  const elsewhere = sessions.find(({ current }) => !current)?.id;
  for (const found of [vanished, adoptable, id, other, elsewhere]) expect(found).toBeTruthy();

  const mutations: Call[] = [
    ["POST", "/api/tokens", { label: "CI" }],
    ["PATCH", `/api/tokens/${id}`, { label: "CI" }],
    ["POST", `/api/tokens/${id}/reveal`],
    ["POST", `/api/tokens/${id}/rotate`, { label: "CI" }],
    ["POST", `/api/tokens/${adoptable}/adopt`, { label: "CI" }],
    ["POST", `/api/tokens/${vanished}/dismiss`],
    ["DELETE", `/api/tokens/${id}`, { reason: "old" }],
    ["DELETE", `/api/tokens/${id}`, { reason: "old", urgent: false }],
    ["POST", "/api/team/orders", { tokenId: other }],
    ["DELETE", `/api/team/orders/${orderId}`],
    ["DELETE", `/api/sessions/${elsewhere}`],
    ["DELETE", "/api/sessions", { others: true }],
    ["POST", "/api/audit/verify"],
    ["GET", "/api/audit/export?format=jsonl"],
  ];
  return { ana, laptop, id: id ?? "", other: other ?? "", mutations };
}

async function expectRefused(sandbox: Sandbox, ana: Visitor, calls: Call[]): Promise<void> {
  await sandbox.clearJournal();
  const before = await sandbox.tokens(owner);
  for (const [method, path, body] of calls) {
    const reply = await ana.send(path, { method, body });
    expect(expectProblem(reply, 503, "audit_unavailable").detail, `${method} ${path}`).not.toMatch(/sqlite|postgres/i);
  }
  expect(await sandbox.journal(), "RingCX was asked for nothing").toEqual([]);
  expect(await sandbox.tokens(owner)).toEqual(before);
}

/** What needs only RingCX goes on, and what needs the database says so. */
async function expectReads(sandbox: Sandbox, ana: Visitor, unreadable: boolean): Promise<void> {
  const hints = (await sandbox.tokens(owner)).map(hintOf).sort();
  const list = await ana.get("/api/tokens");
  expect(list.status, list.text).toBe(200);
  const { tokens, inventory } = list.json<{ tokens: ListedToken[]; inventory: string }>();
  expect(tokens.map(({ hint }) => hint).sort()).toEqual(hints);
  if (unreadable) expect(inventory).toBe("unavailable");
  for (const path of ["/api/accounts", "/api/session"]) expect((await ana.get(path)).status, path).toBe(200);
  const page = await ana.get("/tokens");
  expect(page.status).toBe(200);
  for (const hint of hints) expect(page.text).toContain(hint);
  for (const path of ["/accounts", "/overview", "/audit", "/team", "/settings"]) {
    const reply = await ana.get(path);
    expect(reply.status, path).toBe(200);
    expect(reply.text, path).toContain("<main");
  }
  if (!unreadable) return;
  for (const path of ["/api/audit", "/api/sessions"]) {
    expectProblem(await ana.get(path), 503, "audit_unavailable");
  }
  expect((await ana.get("/api/ready")).status).toBe(503);
}

async function endure(
  { sandbox, newVisitor, problems }: { sandbox: Sandbox; newVisitor: (app?: App) => Visitor; problems: Problems },
  first: App,
  { begin, end, log, unreadable, spools }: Outage,
  choose: (calls: Call[]) => Call[] = (calls) => calls,
): Promise<void> {
  problems.expect(/"audit spooled"/);
  const { ana, laptop, id, other, mutations } = await atWork(sandbox, first, newVisitor);
  const lastBefore = (await log.events()).at(-1)?.seq ?? 0;
  const app = await begin(first);

  await expectRefused(sandbox, ana, choose(mutations));
  await expectReads(sandbox, ana, unreadable);

  const newcomer = await newVisitor(app).signIn("new@example.com");
  expect((await newcomer.get("/api/tokens")).status).toBe(200);

  // The one change that does not wait for the log.
  const list = await sandbox.tokens(owner);
  const urgent = await ana.delete(`/api/tokens/${id}`, { body: { reason: "leaked", urgent: true } });
  expect(urgent.status, urgent.text).toBe(200);
  expect(urgent.json()).toMatchObject({ outcome: "revoked", proof: { method: "token_refused" } });
  expect(await sandbox.tokens(owner)).toHaveLength(list.length - 1);
  const records = (text: string) => text.split("\n").filter((line) => /"token\.revoke".*"leaked"/.test(line));
  expect(records(app.output.stdout).filter((line) => line.includes('"audit spooled"'))).toHaveLength(2);
  if (spools) expect(records(spoolOf(app))).toHaveLength(2);
  const signOut = await laptop.signOut();
  expect(signOut.status).toBe(200);

  await end(app);
  await expect
    .poll(async () => (await ana.patch(`/api/tokens/${other}`, { label: "Works again" })).status, { timeout: 15_000 })
    .toBe(200);
  // The next act's records come behind those that wait.
  expect((await ana.post(`/api/tokens/${other}/reveal`)).status).toBe(200);
  expect((await ana.get("/api/ready")).status).toBe(200);
  expect((await laptop.get("/api/session")).status, "who signed out meanwhile stays so").toBe(401);
  await expect
    .poll(async () => (await log.events(lastBefore)).filter(isLate).length, { timeout: 35_000 })
    .toBeGreaterThan(2);
  await expect.poll(() => log.openIntents(), { timeout: 5_000 }).toEqual([]);

  const events = await log.events(lastBefore);
  const revocation = events.filter(({ action, reason }) => action === "token.revoke" && reason === "leaked");
  expect(revocation.map(({ outcome }) => outcome)).toEqual(["attempted", "succeeded"]);
  expect(new Set(revocation.map(({ correlationId }) => correlationId)).size).toBe(1);
  for (const event of revocation) expect(event.details.happenedAt).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  expect(events.filter(({ action }) => action === "session.create")).toMatchObject([{ outcome: "succeeded" }]);
  const succeeded = events.filter(({ action, outcome }) => action.startsWith("token") && outcome === "succeeded");
  expect(succeeded.map(({ action }) => action).sort()).toEqual(["token.edit", "token.reveal", "token.revoke"]);
  expect(await log.chainProblems()).toEqual([]);
  expect(spoolOf(app), "nothing is left in the spool").toBe("");
  const verified = await ana.post("/api/audit/verify");
  expect(verified.text.trim().split("\n").at(-1)).toContain('"ok":true');
}

/** The records that wait in files: in the one that is written, or one that was taken up to be appended. */
function spoolOf({ dataDir }: App): string {
  const names = readdirSync(dataDir).filter((name) => name.startsWith("audit-spool"));
  return names.map((name) => readFileSync(join(dataDir, name), "utf8")).join("");
}

const isLate = ({ details }: { details: Record<string, unknown> }) => details.happenedAt !== undefined;

const env = { ADMIN_USERS: owner };

test.describe("SQLite", () => {
  let disk: Disk;
  test.beforeEach(() => {
    disk = smallDisk();
  });
  test.afterEach(() => disk.remove());
  const options = (): AppOptions => ({ dataDir: disk.folder, through: disk.through, env });

  test("on a disk that is full", async ({ sandbox, launch, newVisitor, problems }) => {
    test.setTimeout(90_000);
    problems.expect(/audit spool not written/);
    await endure({ sandbox, newVisitor, problems }, await launch(options()), {
      begin: async (app) => {
        disk.fill(app.pid);
        return app;
      },
      end: ({ pid }) => disk.clear(pid),
      log: sqliteLog(disk.folder),
      unreadable: false,
      spools: false,
    });
  });

  test("whose file is gone", async ({ sandbox, launch, newVisitor, problems }) => {
    test.setTimeout(90_000);
    let putBack = () => {};
    await endure({ sandbox, newVisitor, problems }, await launch(options()), {
      begin: async (app) => {
        putBack = takeAway(disk.folder);
        return app;
      },
      end: () => putBack(),
      log: sqliteLog(disk.folder),
      unreadable: true,
      spools: true,
    });
  });

  test("which another process has locked", async ({ sandbox, launch, newVisitor, problems }) => {
    test.setTimeout(120_000);
    const log = sqliteLog(disk.folder);
    let release = async () => {};
    await endure(
      { sandbox, newVisitor, problems },
      await launch(options()),
      {
        begin: async (app) => {
          release = await log.holdWrites();
          return app;
        },
        end: () => release(),
        log,
        unreadable: false,
        spools: true,
      },
      // Each waits for its turn first, for three seconds.
      (calls) =>
        calls.filter(([method, path]) => method !== "GET" && /^\/api\/tokens(\/[\w-]+(\/reveal)?)?$/.test(path)),
    );
  });

  test("whose folder is read-only when the server starts", async ({ sandbox, launch, newVisitor, problems }) => {
    test.setTimeout(90_000);
    problems.expect(/audit spool not written/);
    const first = await launch(options());
    await endure({ sandbox, newVisitor, problems }, first, {
      begin: async () => {
        await first.stop();
        disk.forbidWrites();
        return launch({ ...options(), port: Number(new URL(first.url).port) });
      },
      end: () => disk.allowWrites(),
      log: sqliteLog(disk.folder),
      unreadable: false,
      spools: false,
    });
  });
});

test.describe("PostgreSQL", () => {
  let postgres: TestPostgres;
  test.beforeAll(async () => {
    postgres = await startPostgres();
  });
  test.afterAll(() => postgres.stop());

  test("that cannot be reached", async ({ sandbox, launch, newVisitor, problems }) => {
    test.setTimeout(120_000);
    const url = await createDatabase(postgres.url);
    const gate = await startServerGate(url);
    const log = postgresLog(url);
    const dataDir = mkdtempSync(join(tmpdir(), "tokendesk-postgres-"));
    const secrets = { SESSION_SECRET: "s".repeat(40), FINGERPRINT_KEY: "f".repeat(40) };
    try {
      const first = await launch({ dataDir, env: { ...env, ...secrets, DATABASE_URL: gate.url } });
      await endure({ sandbox, newVisitor, problems }, first, {
        begin: async (app) => {
          await gate.lose();
          return app;
        },
        end: () => gate.restore(),
        log,
        unreadable: true,
        spools: true,
      });
    } finally {
      await gate.close();
      await log.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
