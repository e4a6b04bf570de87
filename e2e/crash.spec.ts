/**
 * The server is killed in the midst of what it does, at every boundary of it, and started again on the same data. What
 * it did at RingCX must be on record before it was done, and what became of it must be found out: by its owner's next
 * visit if it succeeded, else by the first one when RingCX can no longer be at work on it.
 * CRASH_SEED and CRASH_RUNS (a multiple of 8 is spread evenly) choose other runs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { untilHealthy } from "../scripts/setup.ts";
import { createDatabase, startPostgres } from "../test/postgres.ts";
import type { Sandbox } from "../test/sandbox-control.ts";
import { expect, test } from "./fixtures.ts";
import { type Gate, type GatedCall, startGate } from "./gate.ts";
import { type LogFile, type LoggedEvent, postgresLog, sqliteLog } from "./log-file.ts";
import { type App, startApp } from "./servers.ts";
import { hintOf, type ListedToken, type Reply, Visitor } from "./visitor.ts";

test.describe.configure({ mode: "parallel" });

const seed = Number(process.env.CRASH_SEED ?? 20_261_123);
const runs = Number(process.env.CRASH_RUNS ?? 200);
const tests = 8;
const postgresRuns = Math.ceil(runs / 8);

const acts = ["create", "rotate", "reveal", "revoke", "edit", "adopt", "order"] as const;
type Act = (typeof acts)[number];
/** After the intent, after sending, after RingCX's answer, before the commit of what came of it. */
const boundaries = ["intent", "sent", "answered", "commit"] as const;
type Boundary = (typeof boundaries)[number];

const timeoutMs = 1000;
/** So long RingCX may be at work on what the dead server sent (lib/tokens/reconciliation.ts). */
const atWorkMs = 2 * timeoutMs + 1000;

const owner = "ana@example.com";
const ops = "new@example.com";

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What the acts leave at RingCX, and so what must be in the log before it gets there. */
const effects: Partial<Record<GatedCall["kind"], string[]>> = {
  create: ["token.create", "token.rotate"],
  delete: ["token.revoke"],
};
const recordedAs: Record<Act, string> = {
  create: "token.create",
  rotate: "token.rotate",
  reveal: "token.reveal",
  revoke: "token.revoke",
  edit: "token.edit",
  adopt: "token.adopt",
  order: "token.revoke",
};
/** The call of RingCX that does it. An edit and an adoption need none. */
const deciding: Record<Act, GatedCall["kind"] | null> = {
  create: "create",
  rotate: "create",
  reveal: "list",
  revoke: "delete",
  edit: null,
  adopt: null,
  order: "delete",
};

type World = {
  sandbox: Sandbox;
  gate: Gate;
  log: LogFile;
  app: App;
  restart(): Promise<void>;
  person: Visitor;
  boss: Visitor;
  /** Whether a run has waited in earnest; for the others the records are moved into the past. */
  hasWaited: boolean;
};

/** Makes ready what the act needs. Gives the token that it is about, and how to begin. */
async function prepare(world: World, act: Act, label: string): Promise<{ value: string; begin(): Promise<Reply> }> {
  const { sandbox, person, boss } = world;
  const fresh = act === "adopt" || act === "order" || (await sandbox.tokens(owner)).length < 4;
  const added = fresh ? await sandbox.addToken(owner) : null;
  const list = await person.tokens();
  const value = added ?? (await sandbox.tokens(owner))[0] ?? "";
  const { id } = list.find(({ hint }) => hint === hintOf(value)) ?? { id: "" };
  if (act === "order") {
    const placed = await boss.post("/api/team/orders", { tokenId: id, reason: label });
    expect(placed.status, placed.text).toBe(201);
  }
  const path = `/api/tokens/${id}`;
  const begin: Record<Act, () => Promise<Reply>> = {
    create: () => person.post("/api/tokens", { label }),
    rotate: () => person.post(`${path}/rotate`, { label }),
    reveal: () => person.post(`${path}/reveal`),
    revoke: () => person.delete(path, { body: { reason: label } }),
    edit: () => person.patch(path, { label }),
    adopt: () => person.post(`${path}/adopt`, { label }),
    // What carries it out is its owner's look at the list.
    order: () => person.get("/api/tokens"),
  };
  return { value, begin: begin[act] };
}

/** Kills the server at the boundary. Resolves when it is dead, with the answer if one came before that. */
async function crash(world: World, act: Act, boundary: Boundary, begin: () => Promise<Reply>, random: () => number) {
  const { gate, log, app } = world;
  const unrecorded: string[] = [];
  const reached = Promise.withResolvers<void>();
  let release = async () => {};
  let begun = false;

  const die = async (afterMs = 0) => {
    if (afterMs >= 1) await sleep(afterMs);
    await app.kill();
    reached.resolve();
  };
  /** Whether the request that is on its way when the server dies arrives. */
  const arrives = random() < 0.5;
  const delay = random();

  gate.watch(async (call) => {
    const wanted = effects[call.kind];
    if (wanted && !(await log.openIntents()).some((action) => wanted.includes(action))) unrecorded.push(call.kind);
    const isFirst = !begun && !(act === "order" && call.kind === "list");
    const isDeciding = call.kind === deciding[act] && !begun;
    if (boundary === "intent" && isFirst) {
      begun = true;
      await die();
      call.drop();
    } else if (boundary === "sent" && isDeciding) {
      begun = true;
      const early = arrives && random() < 0.5;
      if (early) await call.forward();
      await die();
      if (arrives && !early) await call.forward();
      call.drop();
    } else if (boundary === "answered" && isDeciding) {
      begun = true;
      await call.forward();
      await call.answer();
      await die(delay * (act === "revoke" || act === "order" ? 60 : 15));
    } else if (boundary === "commit" && isDeciding) {
      begun = true;
      await call.forward();
      release = await log.holdWrites();
      await call.answer();
      await die(20 + delay * 60);
    } else {
      await call.forward();
      await call.answer();
    }
  });

  try {
    if (deciding[act] === null && boundary === "commit") release = await log.holdWrites();
    const reply = begin().catch(() => null);
    if (deciding[act] === null) {
      if (boundary === "answered") await reply;
      await die(boundary === "commit" ? 20 + delay * 60 : delay * 20);
    }
    const tooLate = sleep(15_000, "late", { ref: false });
    if ((await Promise.race([reached.promise, tooLate])) === "late") throw new Error("the boundary was never reached");
    return { reply: await reply, unrecorded };
  } finally {
    await release();
    gate.unwatch();
  }
}

/**
 * The owner's next visits: every intent has ended when RingCX can no longer be at work on it. Gives what the last look
 * showed. One run waits for that in earnest, and looks at once, too; for the others the time is moved on.
 */
async function nextVisits(world: World, begunAt: number): Promise<ListedToken[]> {
  const { person, log } = world;
  const isOpen = (await log.openIntents()).length > 0;
  if (isOpen && world.hasWaited) await log.age(atWorkMs);
  if (isOpen && !world.hasWaited) {
    world.hasWaited = true;
    const last = (await log.events()).at(-1)?.seq ?? 0;
    const left = () => Math.max(0, begunAt + atWorkMs - Date.now());
    await person.tokens();
    await sleep(left() / 2);
    const failed = (await log.events(last)).filter(({ outcome }) => outcome === "failed");
    if (left() > 0) expect(failed, "said to have failed while RingCX may be at work").toEqual([]);
    // The intent is a little younger than the request.
    await sleep(left() + 500);
  }
  const list = await person.tokens();
  await expect.poll(() => log.openIntents(), { message: "open intents", timeout: 5000, intervals: [10] }).toEqual([]);
  return list;
}

/** The events of the run that are about its act, by what they belong to. */
function actsIn(events: LoggedEvent[], act: Act): LoggedEvent[][] {
  const byAct = new Map<string, LoggedEvent[]>();
  for (const event of events) {
    if (event.action !== recordedAs[act]) continue;
    byAct.set(event.correlationId, [...(byAct.get(event.correlationId) ?? []), event]);
  }
  return [...byAct.values()];
}

async function run(world: World, nth: number, act: Act, boundary: Boundary): Promise<void> {
  const { sandbox, person, log } = world;
  const random = randomFrom(seed * 1000 + nth);
  const label = `run ${nth}`;
  const { value, begin } = await prepare(world, act, label);
  const lastBefore = (await log.events()).at(-1)?.seq ?? 0;
  const before = await sandbox.tokens(owner);
  await sandbox.clearJournal();

  const begunAt = Date.now();
  const { reply, unrecorded } = await crash(world, act, boundary, begin, random);
  expect(unrecorded, "effects without an intent").toEqual([]);

  await world.restart();
  const list = await nextVisits(world, begunAt);

  const after = await sandbox.tokens(owner);
  const created = after.filter((token) => !before.includes(token));
  const calls = await sandbox.journal();
  const posts = calls.filter(({ operation }) => operation === "token.create");
  expect(posts.length, "requests to create").toBeLessThanOrEqual(1);
  expect(created.length, "created tokens").toBe(posts.filter(({ effect }) => effect).length);
  if (act !== "create" && act !== "rotate") expect(posts).toEqual([]);
  if (act !== "revoke" && act !== "order")
    expect(calls.filter((call) => call.operation === "token.delete")).toEqual([]);

  const events = await log.events(lastBefore);
  const done = actsIn(events, act);
  if (deciding[act] === null) {
    // There is nothing upstream to intend: the change and its record are one.
    const applied = list.find(({ hint }) => hint === hintOf(value))?.label === label;
    expect(done.map((records) => records.map(({ outcome }) => outcome))).toEqual(applied ? [["succeeded"]] : []);
    if (reply !== null) expect([reply.status, applied]).toEqual([200, true]);
    if (boundary === "commit") expect(applied).toBe(false);
    return;
  }

  expect(done.length, "one act").toBe(1);
  const [attempted, ended, ...more] = done[0] ?? [];
  expect([attempted?.outcome, more], "an intent, and one end of it").toEqual(["attempted", []]);
  if (ended === undefined) throw new Error("the act has no end");
  const { outcome, details } = ended;
  const told = JSON.stringify(ended);
  if (reply !== null && act !== "order") {
    expect(reply.status, reply.text).toBeLessThan(300);
    expect(outcome, "what was answered is on record").toBe("succeeded");
  }
  if (act === "create" || act === "rotate") {
    const ids = list.filter(({ hint }) => created.map(hintOf).includes(hint)).map(({ id }) => id);
    if (outcome === "succeeded") expect(ids, told).toEqual([details.created]);
    else if (outcome === "unknown") expect([ids.length, details.candidates], told).toEqual([1, ids]);
    else expect([outcome, ids], told).toEqual(["failed", []]);
    const remembered = list.find(({ id }) => id === ids[0]);
    if (outcome === "succeeded") expect(remembered, "what it is for is remembered").toMatchObject({ label });
  } else if (act === "reveal") {
    expect(["succeeded", "unknown"], told).toContain(outcome);
  } else {
    const isAlive = after.includes(value);
    expect(ended.token?.hint).toBe(hintOf(value));
    if (isAlive) expect(outcome, told).toBe("failed");
    else expect(["succeeded", "unknown"], told).toContain(outcome);
    // Only a proof makes it revoked; without one it is gone, and nobody can say by whom.
    expect((await vanishedIds(person)).includes(ended.token?.id ?? ""), told).toBe(outcome === "unknown");
  }
  if (act === "order") await takeBack(world, ended, after.includes(value));
}

async function vanishedIds(person: Visitor): Promise<string[]> {
  const reply = await person.get("/api/tokens");
  return reply.json<{ differences: { vanished: ListedToken[] } }>().differences.vanished.map(({ id }) => id);
}

/** What was not carried out is still ordered; it is taken back, so that no later look carries it out. */
async function takeBack({ person, boss, log }: World, { token }: LoggedEvent, isAlive: boolean): Promise<void> {
  const listed = (await person.tokens()).find(({ id }) => id === token?.id);
  const order = listed?.order as { id: string } | null | undefined;
  expect(listed !== undefined).toBe(isAlive);
  if (!isAlive) return;
  expect(order, "a revocation that did not happen is still ordered").toBeTruthy();
  // The dead server counts as carrying it out for two minutes.
  await log.age(121_000);
  const taken = await boss.delete(`/api/team/orders/${order?.id}`);
  expect(taken.status, taken.text).toBe(200);
}

/** The act and the boundary of a run: every pair comes before any comes again. */
function choiceOf(nth: number): { act: Act; boundary: Boundary } {
  const pairs = acts.flatMap((act) => boundaries.map((boundary) => ({ act, boundary })));
  const random = randomFrom(seed + Math.floor(nth / pairs.length));
  const order = pairs.map((pair) => ({ pair, key: random() })).sort((a, b) => a.key - b.key);
  return order[nth % pairs.length]?.pair as { act: Act; boundary: Boundary };
}

async function survive(sandbox: Sandbox, from: number, count: number, databaseUrl: string | null): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "tokendesk-crash-"));
  const gate = await startGate(sandbox.url);
  const env = {
    OPS_USERS: ops,
    RINGCX_TIMEOUT_MS: String(timeoutMs),
    ...(databaseUrl === null
      ? {}
      : { DATABASE_URL: databaseUrl, SESSION_SECRET: "s".repeat(40), FINGERPRINT_KEY: "f".repeat(40) }),
  };
  const start = async (port?: number) => {
    const app = await startApp(gate.url, { dataDir, env, ...(port === undefined ? {} : { port }) });
    // As whoever sends people there waits for: a visit without the database ends no intent.
    await untilHealthy(`${app.url}/api/ready`, AbortSignal.timeout(30_000));
    return app;
  };
  // What it has compiled is kept when it ends in good order: the others start in half the time.
  await (await start()).stop();
  const first = await start();
  const log = databaseUrl === null ? sqliteLog(dataDir) : postgresLog(databaseUrl);
  const port = Number(new URL(first.url).port);
  const world: World = {
    sandbox,
    gate,
    log,
    app: first,
    restart: async () => {
      world.app = await start(port);
    },
    person: await new Visitor(first).signIn(owner),
    boss: await new Visitor(first).signIn(ops),
    hasWaited: false,
  };
  try {
    await world.person.tokens();
    for (let nth = from; nth < from + count; nth += 1) {
      const { act, boundary } = choiceOf(nth);
      const name = `run ${nth} of CRASH_SEED=${seed}: ${act}, killed at ${boundary}`;
      await test
        .step(name, () => run(world, nth, act, boundary))
        .catch((error: Error) => {
          error.message = `${name}\n${error.message}\n${world.app.output.stdout.slice(-3000)}`;
          throw error;
        });
      if ((nth - from) % 20 === 19) expect(await log.chainProblems(), name).toEqual([]);
    }
    expect(await log.chainProblems()).toEqual([]);
    expect((await log.events()).length).toBeGreaterThan(count);
  } finally {
    await world.app.stop();
    await log.close();
    await gate.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const perTest = Math.ceil(runs / tests);
for (let part = 0; part < tests; part += 1) {
  const from = part * perTest;
  test(`killed at every boundary, nothing is done unrecorded or twice, and every intent ends: runs ${from + 1} to ${from + perTest}`, async ({
    sandbox,
  }) => {
    test.setTimeout(60_000 + perTest * 15_000);
    await survive(sandbox, from, perTest, null);
  });
}

test(`the same on PostgreSQL: ${postgresRuns} runs`, async ({ sandbox }) => {
  test.setTimeout(60_000 + postgresRuns * 15_000);
  const postgres = await startPostgres();
  try {
    await survive(sandbox, tests * perTest, postgresRuns, await createDatabase(postgres.url));
  } finally {
    await postgres.stop();
  }
});
