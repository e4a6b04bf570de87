import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { NextRequest } from "next/server";
import type { encode } from "next-auth/jwt";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { DELETE as deleteOne } from "@/app/api/sessions/[id]/route";
import { DELETE as deleteAll, GET as getSessions } from "@/app/api/sessions/route";
import { drainSpool } from "@/lib/audit/spool";
import { recordDenial } from "@/lib/auth/denial";
import { authOptions, identityCookieName } from "@/lib/auth/identity";
import { endCurrentSession, startSession } from "@/lib/auth/sessions";
import { newAttempt, signInAttempt, signInWithPassword } from "@/lib/auth/sign-in";
import { closeDatabase, read, write } from "@/lib/db/client";
import { TokendeskError } from "@/lib/errors";
import { route } from "@/lib/http/route";
import { readSession, writeSession } from "@/lib/session/cookie";
import { pruneSessions, registryId } from "@/lib/session/registry";
import type { SessionData, SessionView } from "@/lib/session/schema";
import { openCommitGate } from "@/test/commit-gate";
import { Browser } from "@/test/cookies";
import { type DatabaseKind, databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { freshProcess, until } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

/** The browser whose request is being answered; Next's own store is bound to its server. */
let browser = new Browser();
vi.mock("next/headers", () => ({
  headers: async () => new Headers({ "user-agent": "Test/1", "x-tokendesk-peer": "192.0.2.7" }),
  cookies: async () => ({
    get: (name: string) => (browser.read(name) === undefined ? undefined : { name, value: browser.read(name) }),
    getAll: () => [...browser.cookies].map(([name, value]) => ({ name, value })),
    set: (name: string, value: string, options: object) => browser.write(name, value, options),
  }),
}));

const origin = "http://localhost:3000";
const minute = 60_000;
const OPS = { ...ANA, username: "new@example.com" };
/** One main account with all roles. */
const HARBOR = ["grandchild", "child1", "child2", "parent"].map((name) => ({
  ...ANA,
  username: `${name}@example.com`,
}));
const OLGA = { ...ANA, username: "other@example.com" };

let sandbox: TestSandbox;
let database: TestDatabase;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000 });
});

afterAll(() => sandbox.close());

afterEach(async () => {
  vi.useRealTimers();
  await database.remove();
});

/** Another process on the same database: a replica, or this one after a restart. */
function elsewhere(variables: Record<string, string> = {}): void {
  freshProcess({
    ...database.variables,
    RINGCX_HOSTS: sandbox.url,
    OPS_USERS: "new@example.com,other@example.com,child*@example.com",
    ADMIN_USERS: "parent@example.com",
    ...variables,
  });
}

async function signIn(credentials = ANA, into = new Browser()): Promise<Browser> {
  browser = into;
  const attempt = newAttempt("192.0.2.7");
  await signInAttempt.run(attempt, () => signInWithPassword(credentials));
  const { person, session } = attempt;
  if (!person || !session) throw attempt.error;
  await startSession(person, session);
  const { jwt, secret } = authOptions();
  const token = { sub: person.id, name: person.name, email: person.email, login: person.login, sid: person.sid };
  into.write(identityCookieName(), await (jwt as { encode: typeof encode }).encode({ token, secret: secret ?? "" }));
  return into;
}

const whoami = route({ name: "/api/test" }, async ({ session }) => ({ login: session.actor.name }));
const context = (params: Record<string, string> = {}) => ({ params: Promise.resolve(params) });

/** A request with these cookies. */
async function ask(from: Browser, path = "/api/test", method = "GET", body?: object): Promise<Response> {
  browser = from;
  const request = new NextRequest(`${origin}${path}`, {
    method,
    headers: { origin, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const id = /^\/api\/sessions\/(.+)$/.exec(path)?.[1];
  if (id) return deleteOne(request, context({ id: decodeURIComponent(id) }));
  if (path.startsWith("/api/sessions")) return (method === "GET" ? getSessions : deleteAll)(request, context());
  return whoami(request, context());
}

const isIn = async (from: Browser) => (await ask(from)).status === 200;
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

async function listed(from: Browser, scope = "own"): Promise<SessionView[]> {
  const response = await ask(from, `/api/sessions?scope=${scope}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { sessions: SessionView[] }).sessions;
}

async function dataOf(from: Browser): Promise<SessionData> {
  const { data } = await readSession(from);
  if (!data) throw new Error("there is no session in this browser");
  return data;
}

async function idOf(from: Browser): Promise<string> {
  return registryId((await dataOf(from)).sid);
}

const rows = () => read((db) => db.selectFrom("sessions").selectAll().orderBy("created_at").execute());
const events = async () =>
  (await read((db) => db.selectFrom("audit_events").selectAll().orderBy("seq").execute())).map((event) => ({
    ...event,
    details: JSON.parse(event.details) as Record<string, unknown>,
  }));

/** Takes the database away, and gives what brings it back. */
async function takeAway(kind: DatabaseKind): Promise<() => Promise<void>> {
  if (kind === "sqlite") {
    await closeDatabase();
    const files = readdirSync(database.folder).filter((name) => name.startsWith("tokendesk.db"));
    const paths = files.map((name) => join(database.folder, name));
    for (const path of paths) renameSync(path, `${path}.away`);
    // What stands there now is no database.
    const { mkdirSync, rmdirSync } = await import("node:fs");
    mkdirSync(join(database.folder, "tokendesk.db"));
    return async () => {
      rmdirSync(join(database.folder, "tokendesk.db"));
      for (const path of paths) renameSync(`${path}.away`, path);
    };
  }
  const name = new URL(database.variables.DATABASE_URL ?? "").pathname.slice(1);
  const admin = async (...queries: string[]) => {
    const client = new pg.Client({ connectionString: inject("postgresUrl") });
    await client.connect();
    for (const query of queries) await client.query(query);
    await client.end();
  };
  await admin(
    `alter database ${name} allow_connections false`,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
  );
  return () => admin(`alter database ${name} allow_connections true`);
}

describe.each(databaseKinds)("on %s", (kind) => {
  beforeEach(async () => {
    await sandbox.clear();
    await sandbox.control("POST", "config", { accessTokenSeconds: 80_000 });
    database = await useDatabase(kind);
    elsewhere();
  });

  describe("a sign-in", () => {
    test("has one row and one record, which hold no token and no session ID", async () => {
      const ana = await signIn();
      const data = await dataOf(ana);
      expect(data.registered).toBe(true);
      const id = registryId(data.sid);
      expect(await rows()).toMatchObject([
        { id, login: ANA.username, user_name: "Ana Lima", address: "192.0.2.7", user_agent: "Test/1", ended_at: null },
      ]);
      expect(await events()).toMatchObject([
        { action: "session.create", outcome: "succeeded", actor_name: ANA.username, details: { session: id } },
      ]);
      const kept = JSON.stringify([await rows(), await events()]);
      for (const secret of [data.sid, data.connections[0]?.accessToken, data.connections[0]?.refreshToken]) {
        expect(secret).toBeTruthy();
        expect(kept).not.toContain(secret);
      }
    });

    test("many at once make a row each, and one line of records", async () => {
      const browsers = await Promise.all(Array.from({ length: 8 }, () => new Browser()));
      // One browser at a time is answered: the sign-ins themselves run together.
      const attempts = browsers.map(() => newAttempt("192.0.2.7"));
      await Promise.all(attempts.map((attempt) => signInAttempt.run(attempt, () => signInWithPassword(ANA))));
      browser = new Browser();
      await Promise.all(
        attempts.map(({ person, session }) => (person && session ? startSession(person, session) : undefined)),
      );
      expect(await rows()).toHaveLength(8);
      const created = (await events()).filter(({ action }) => action === "session.create");
      expect(created).toHaveLength(8);
      const all = await events();
      expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
    });

    test("in a browser that has a session ends that one, and its copies", async () => {
      const ana = await signIn();
      const copy = ana.copy();
      const first = await idOf(ana);
      await signIn(ANA, ana);
      expect(await isIn(copy)).toBe(false);
      expect(await isIn(ana)).toBe(true);
      expect((await rows()).find(({ id }) => id === first)).toMatchObject({ end_reason: "replaced" });
      expect(await sandbox.journal("logout")).toHaveLength(1);
    });

    test("that is too large for the cookie leaves no row behind", async () => {
      await sandbox.control("POST", "config", { accessTokenBytes: 12_000 });
      await expect(signIn()).rejects.toMatchObject({ code: "session_too_large" });
      await sandbox.control("POST", "config", { accessTokenBytes: 3_072 });
      expect(await rows()).toEqual([]);
      expect(await sandbox.journal("logout")).toHaveLength(1);
    });
  });

  describe("a refused sign-in", () => {
    const from = { userAgent: "Test/1", requestId: null };
    const refused = (username: string | null, code: "invalid_credentials" | "rate_limited" | "invalid_input") =>
      recordDenial({ ...newAttempt("192.0.2.7"), username, error: new TokendeskError(code, "No.") }, from);

    test("is recorded with its code, and with the name only when it can be one", async () => {
      await refused("ana@example.com", "invalid_credentials");
      await refused("correct horse battery", "invalid_credentials");
      await refused("Passw0rd@", "invalid_credentials");
      await refused(null, "invalid_input");
      await refused("ana@example.com", "invalid_input");
      expect(await events()).toMatchObject([
        { actor_name: "ana@example.com", tenant: null, outcome: "failed", details: { code: "invalid_credentials" } },
        { actor_name: "unknown", details: { code: "invalid_credentials" } },
        { actor_name: "unknown" },
      ]);
    });

    test("that our own limit refused is recorded once a minute, whatever the name, with how many there were", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      for (let nth = 0; nth < 30; nth += 1) await refused(`ana${nth}@example.com`, "rate_limited");
      expect(await events()).toHaveLength(1);
      vi.setSystemTime(Date.now() + minute);
      await refused("eva@example.com", "rate_limited");
      expect((await events()).at(-1)?.details).toEqual({ code: "rate_limited", unrecorded: 29 });
    });

    test("that nobody's limit bounds is recorded 60 times a minute at most, from however many addresses", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const flood = (nth: number) =>
        recordDenial(
          {
            ...newAttempt(`192.0.2.${nth}`),
            username: "ana@example.com",
            error: new TokendeskError("rate_limited", "No."),
          },
          from,
        );
      for (let nth = 0; nth < 75; nth += 1) await flood(nth);
      expect(await events()).toHaveLength(60);
      await refused("ana@example.com", "invalid_credentials");
      expect(await events()).toHaveLength(61);
      vi.setSystemTime(Date.now() + minute);
      await flood(100);
      await flood(101);
      expect((await events()).slice(-2).map(({ details }) => details)).toEqual([
        { code: "rate_limited", unrecorded: 15 },
        { code: "rate_limited" },
      ]);
    });

    test("of a user of another account is nobody's; of one who must set a password first is their account's", async () => {
      elsewhere({ ALLOWED_ACCOUNTS: "333333" });
      for (const username of ["other@example.com", "reset@example.com"]) {
        const attempt = newAttempt("192.0.2.7");
        await signInAttempt.run(attempt, () => signInWithPassword({ ...ANA, username }));
        await recordDenial(attempt, from);
      }
      expect(await events()).toMatchObject([
        { tenant: null, details: { code: "account_not_allowed" } },
        { tenant: `${new URL(sandbox.url).host}|333333`, details: { code: "password_reset_required" } },
      ]);
    });
  });

  describe("an ended session", () => {
    test("is dead in every copy, on every replica, after a restart", async () => {
      const ana = await signIn();
      const copies = [ana.copy(), ana.copy(), ana.copy()] as const;
      browser = ana;
      await endCurrentSession();
      expect(ana.cookies.size).toBe(0);
      expect(await isIn(copies[0])).toBe(false);
      elsewhere();
      expect(await codeOf(await ask(copies[1]))).toBe("session_expired");
      await closeDatabase();
      elsewhere();
      expect(await isIn(copies[2])).toBe(false);
      expect(await rows()).toMatchObject([{ end_reason: "signed_out", ended_by: expect.stringMatching(/^ringcx:/) }]);
      expect((await events()).map(({ action, details }) => [action, details.reason])).toEqual([
        ["session.create", undefined],
        ["session.end", "signed_out"],
      ]);
      // Each process tells RingCX once, and nobody waits for the answer.
      await until(async () => (await sandbox.journal("logout")).length === 3);
    });

    test("whose cookie shows up later is ended at RingCX with it, once", async () => {
      const ana = await signIn();
      const other = await signIn();
      expect((await ask(other, "/api/sessions", "DELETE", { others: true })).status).toBe(200);
      expect(await sandbox.journal("logout")).toHaveLength(0);
      const copies = [ana.copy(), ana.copy(), ana.copy()];
      for (const copy of copies) expect(await isIn(copy)).toBe(false);
      await until(async () => (await sandbox.journal("logout")).length > 0);
      expect((await sandbox.journal("logout")).map(({ status }) => status)).toEqual([200]);
      expect(await isIn(other)).toBe(true);
    });
  });

  describe("the sessions", () => {
    test("of a person are theirs alone, the latest used first, the current one marked", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const first = await signIn();
      vi.setSystemTime(Date.now() + 2 * minute);
      const second = await signIn();
      await signIn(OPS);
      await signIn(OLGA);
      expect((await listed(second)).map(({ id, current }) => [id, current])).toEqual([
        [await idOf(second), true],
        [await idOf(first), false],
      ]);
      vi.setSystemTime(Date.now() + 2 * minute);
      expect((await listed(first)).map(({ id }) => id)).toEqual([await idOf(first), await idOf(second)]);
      expect(JSON.stringify(await listed(first))).not.toContain((await dataOf(first)).sid);
    });

    test("of the main account are shown to ops, and to nobody of another one", async () => {
      const [ana, ops, olga] = [await signIn(), await signIn(OPS), await signIn(OLGA)];
      expect((await listed(ops, "team")).map(({ id }) => id).sort()).toEqual([await idOf(ana), await idOf(ops)].sort());
      expect((await listed(olga, "team")).map(({ id }) => id)).toEqual([await idOf(olga)]);
      expect(await codeOf(await ask(ana, "/api/sessions?scope=team"))).toBe("forbidden");
      expect(await codeOf(await ask(ana, "/api/sessions?scope=all"))).toBe("invalid_input");
      expect(await codeOf(await ask(ana, "/api/sessions?user=x"))).toBe("invalid_input");
    });

    test("can be ended one by one: one's own, and a member's by ops", async () => {
      const [ana, again, ops] = [await signIn(), await signIn(), await signIn(OPS)];
      const ids = await Promise.all([ana, again, ops].map(idOf));
      expect(await (await ask(ana, `/api/sessions/${await idOf(again)}`, "DELETE")).json()).toEqual({ ended: 1 });
      expect(await isIn(again)).toBe(false);
      expect((await ask(ops, `/api/sessions/${await idOf(ana)}`, "DELETE")).status).toBe(200);
      elsewhere();
      expect(await isIn(ana)).toBe(false);
      expect(await isIn(ops)).toBe(true);
      const reasons = new Map((await rows()).map(({ id, end_reason }) => [id, end_reason]));
      expect(ids.map((id) => reasons.get(id))).toEqual(["ended_by_ops", "ended_by_user", null]);
      const ends = (await events()).filter(({ action }) => action === "session.end");
      expect(ends.map(({ actor_name, details }) => [actor_name, details.reason, details.user])).toEqual([
        [ANA.username, "ended_by_user", undefined],
        [OPS.username, "ended_by_ops", ANA.username],
      ]);
    });

    test("of ops and administrators are ended by administrators, not by ops", async () => {
      const people: Browser[] = [];
      for (const person of HARBOR) people.push(await signIn(person));
      const [member, ops, other, admin] = people as [Browser, Browser, Browser, Browser];
      const mayEnd = new Map((await listed(ops, "team")).map((session) => [session.id, session.mayEnd]));
      expect((await Promise.all([member, ops, other, admin].map(idOf))).map((id) => mayEnd.get(id))).toEqual([
        true,
        true,
        false,
        false,
      ]);
      for (const who of [other, admin]) {
        expect((await ask(ops, `/api/sessions/${await idOf(who)}`, "DELETE")).status).toBe(404);
        expect(await isIn(who)).toBe(true);
      }
      expect((await listed(admin, "team")).every((session) => session.mayEnd)).toBe(true);
      expect((await ask(admin, `/api/sessions/${await idOf(other)}`, "DELETE")).status).toBe(200);
      expect(await isIn(other)).toBe(false);
    });

    test("of others do not exist for a member, nor those of another main account for ops", async () => {
      const [ana, ops, olga] = [await signIn(), await signIn(OPS), await signIn(OLGA)];
      for (const [who, id] of [
        [ana, await idOf(ops)],
        [olga, await idOf(ana)],
        [ops, await idOf(olga)],
        [ops, "AAAAAAAAAAAAAAAAAAAAAA"],
        [ops, "' or 1=1 --"],
      ] as const) {
        const response = await ask(who, `/api/sessions/${encodeURIComponent(id)}`, "DELETE");
        expect([response.status, await codeOf(response)]).toEqual([404, "not_found"]);
      }
      for (const who of [ana, ops, olga]) expect(await isIn(who)).toBe(true);
      expect((await events()).filter(({ action }) => action === "session.end")).toEqual([]);
    });

    test("can be ended together: all others, or all", async () => {
      const [one, two, three] = [await signIn(), await signIn(), await signIn()];
      const ops = await signIn(OPS);
      expect(await (await ask(one, "/api/sessions", "DELETE", { others: true })).json()).toEqual({ ended: 2 });
      expect([await isIn(one), await isIn(two), await isIn(three)]).toEqual([true, false, false]);
      await signIn();
      expect(await (await ask(one, "/api/sessions", "DELETE")).json()).toEqual({ ended: 2 });
      expect(one.cookies.size).toBe(0);
      expect(await isIn(ops)).toBe(true);
      expect((await rows()).filter(({ ended_at }) => ended_at === null)).toHaveLength(1);
      expect((await sandbox.journal("logout")).length).toBeGreaterThan(0);
    });

    test("that is the current one is signed out, cookies and all", async () => {
      const ana = await signIn();
      const copy = ana.copy();
      expect(await (await ask(ana, `/api/sessions/${await idOf(ana)}`, "DELETE")).json()).toEqual({ ended: 1 });
      expect(ana.cookies.size).toBe(0);
      expect(await isIn(copy)).toBe(false);
      expect(await sandbox.journal("logout")).toHaveLength(1);
    });
  });

  describe("the limits", () => {
    beforeEach(() => vi.useFakeTimers({ toFake: ["Date"] }));
    const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

    test("an idle session is dead for every copy, however its cookie is dated, and its row says so", async () => {
      const ana = await signIn();
      const dated = ana.copy();
      later(61 * minute);
      expect(await isIn(ana)).toBe(false);
      // As if another request had been served meanwhile, by a replica that had lost the database.
      const data = await readSession(dated);
      if (!data.data) throw new Error("no data");
      await writeSession(dated, { ...data.data, seenAt: Date.now() });
      elsewhere();
      expect(await isIn(dated)).toBe(false);
      expect(await rows()).toMatchObject([{ end_reason: "idle" }]);
      expect((await events()).at(-1)).toMatchObject({ action: "session.end", details: { reason: "idle" } });
    });

    test("an old copy that leads nowhere is refused, and does not end the session that is in use", async () => {
      // Nobody else's: the ends of earlier tests are told to RingCX behind their answers, for seconds.
      const username = "noaccounts@example.com";
      const nora = await signIn({ ...ANA, username });
      const old = nora.copy();
      for (let hour = 0; hour < 3; hour += 1) {
        later(50 * minute);
        expect(await isIn(nora)).toBe(true);
      }
      elsewhere();
      expect(await isIn(old)).toBe(false);
      expect(await isIn(nora)).toBe(true);
      expect((await sandbox.journal("logout")).filter((entry) => entry.username === username)).toEqual([]);
    });

    test("an old copy whose state was left leads to the tokens in force while it is used, for hours", async () => {
      await sandbox.control("POST", "config", { accessTokenSeconds: 300 });
      const script = await signIn();
      const kept = script.copy();
      for (let step = 0; step < 18; step += 1) {
        later(10 * minute);
        // It never takes a cookie that it is given; now and then another process serves it.
        if (step % 4 === 3) elsewhere();
        if (step % 4 === 3) await pruneSessions();
        expect(await isIn(kept.copy()), `step ${step}`).toBe(true);
      }
      const refreshes = await sandbox.journal("refresh");
      expect(refreshes.map(({ status }) => status)).toEqual(Array(18).fill(200));
    });

    test("no use carries a session past the absolute limit", async () => {
      const ana = await signIn();
      for (let hour = 1; hour < 24; hour += 1) {
        later(30 * minute);
        expect(await isIn(ana)).toBe(true);
      }
      const copy = ana.copy();
      later(30 * minute);
      expect(await isIn(ana)).toBe(false);
      elsewhere();
      expect(await isIn(copy)).toBe(false);
    });

    test("however many nobody came back to, each is marked, recorded and removed", async () => {
      elsewhere({ SESSION_RETENTION_DAYS: "2" });
      await signIn();
      const [row] = await rows();
      if (!row) throw new Error("there is no session");
      const many = Array.from({ length: 119 }, (_, nth) => ({ ...row, id: `session${nth}` }));
      await write("test", (trx) => trx.insertInto("sessions").values(many).execute());
      later(70 * minute);
      expect(await pruneSessions()).toEqual({ ended: 120, removed: 0 });
      const ends = (await events()).filter(({ action }) => action === "session.end");
      expect(new Set(ends.map(({ details }) => details.session)).size).toBe(120);
      later(3 * 24 * 60 * minute);
      expect(await pruneSessions()).toEqual({ ended: 0, removed: 120 });
      expect(await rows()).toEqual([]);
    });

    test("what nobody came back to is marked each hour, and removed after the retention, not before", async () => {
      elsewhere({ SESSION_RETENTION_DAYS: "2" });
      await signIn();
      const ana = await signIn();
      later(50 * minute);
      expect(await isIn(ana)).toBe(true);
      later(20 * minute);
      expect(await pruneSessions()).toEqual({ ended: 1, removed: 0 });
      expect((await rows()).map(({ end_reason }) => end_reason).sort()).toEqual(["idle", null].sort());
      expect(await isIn(ana)).toBe(true);
      later(47 * 60 * minute);
      expect(await pruneSessions()).toEqual({ ended: 1, removed: 0 });
      later(2 * 60 * minute);
      expect(await pruneSessions()).toEqual({ ended: 0, removed: 1 });
      expect((await rows()).map(({ end_reason }) => end_reason)).toEqual(["expired"]);
      expect(
        (await events()).filter(({ action }) => action === "session.end").map(({ details }) => details.reason),
      ).toEqual(["idle", "expired"]);
    });
  });

  describe("a cookie", () => {
    test("that says registered but has no row is dead", async () => {
      const ana = await signIn();
      await closeDatabase();
      const empty = await useDatabase(kind);
      try {
        freshProcess({ ...empty.variables, RINGCX_HOSTS: sandbox.url });
        expect(await codeOf(await ask(ana))).toBe("session_expired");
      } finally {
        await empty.remove();
      }
    });

    test("of a version that kept no registry is registered at the next request", async () => {
      const ana = await signIn();
      const { registered, ...older } = await dataOf(ana);
      expect(registered).toBe(true);
      await closeDatabase();
      const empty = await useDatabase(kind);
      try {
        freshProcess({ ...empty.variables, RINGCX_HOSTS: sandbox.url });
        await writeSession(ana, older);
        expect(await isIn(ana)).toBe(true);
        expect(await rows()).toMatchObject([{ id: registryId(older.sid), login: ANA.username, ended_at: null }]);
        expect(await isIn(ana)).toBe(true);
        expect((await dataOf(ana)).registered).toBe(true);
        expect(await rows()).toHaveLength(1);
      } finally {
        await empty.remove();
      }
    });
  });

  describe("without the database", () => {
    test("people sign in, read and sign out; it is written down when it is back", async () => {
      const before = await signIn();
      const bring = await takeAway(kind);
      const during = await signIn();
      expect((await dataOf(during)).registered).toBe(false);
      const gone = await signIn();
      const copies = [gone.copy(), gone.copy(), before.copy()] as const;
      expect([await isIn(before), await isIn(during), await isIn(gone)]).toEqual([true, true, true]);
      for (const who of [gone, before]) {
        browser = who;
        await endCurrentSession();
        expect(who.cookies.size).toBe(0);
      }
      expect([await isIn(copies[0]), await isIn(copies[2])]).toEqual([false, false]);

      await bring();
      await until(() => read(async () => true).catch(() => false));
      expect(await isIn(during)).toBe(true);
      await pruneSessions();
      elsewhere();
      expect([await isIn(copies[1]), await isIn(copies[2]), await isIn(during)]).toEqual([false, false, true]);
      expect((await rows()).map(({ end_reason }) => end_reason).sort()).toEqual([null, "signed_out", "signed_out"]);
      expect((await dataOf(during)).registered).toBe(true);
    });

    test("a sign-out holds, also when the process has ended before it is back", async () => {
      const before = await signIn();
      const bring = await takeAway(kind);
      const during = await signIn();
      const copies = [before.copy(), during.copy()] as const;
      for (const who of [before, during]) {
        browser = who;
        await endCurrentSession();
      }
      elsewhere();
      await bring();
      await until(() => read(async () => true).catch(() => false));
      await drainSpool({ sweep: true });
      expect([await isIn(copies[0]), await isIn(copies[1])]).toEqual([false, false]);
      expect((await rows()).map(({ end_reason }) => end_reason)).toEqual(["signed_out", "signed_out"]);
      expect((await events()).map(({ action }) => action)).toEqual([
        "session.create",
        "session.create",
        "session.end",
        "session.end",
      ]);
    });

    test("nobody's session is ended by others, and the list says why; one's own current one is", async () => {
      const [ana, again] = [await signIn(), await signIn()];
      const bring = await takeAway(kind);
      for (const response of [
        await ask(ana, "/api/sessions"),
        await ask(ana, `/api/sessions/${await idOf(again)}`, "DELETE"),
        await ask(ana, "/api/sessions", "DELETE", { others: true }),
        await ask(ana, "/api/sessions", "DELETE"),
      ]) {
        expect([response.status, await codeOf(response)]).toEqual([503, "audit_unavailable"]);
      }
      expect((await ask(ana, `/api/sessions/${await idOf(ana)}`, "DELETE")).status).toBe(200);
      expect(ana.cookies.size).toBe(0);
      await bring();
      await until(() => read(async () => true).catch(() => false));
      expect(await isIn(again)).toBe(true);
    });

    test("a session that was used meanwhile is not called idle when it is back", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const ana = await signIn();
      const bring = await takeAway(kind);
      for (let step = 0; step < 3; step += 1) {
        vi.setSystemTime(Date.now() + 40 * minute);
        expect(await isIn(ana)).toBe(true);
      }
      await bring();
      await until(() => read(async () => true).catch(() => false));
      expect(await pruneSessions()).toMatchObject({ ended: 0 });
      expect(await isIn(ana)).toBe(true);
    });
  });

  test("of more than 500 sessions the latest are told, and that there are more", async () => {
    const ana = await signIn();
    const answer = async () =>
      (await (await ask(ana, "/api/sessions")).json()) as { sessions: unknown[]; more: boolean };
    expect((await answer()).more).toBe(false);
    const [own] = await rows();
    if (!own) throw new Error("no row");
    await write("test", async (trx) => {
      for (let n = 0; n < 499; n += 100) {
        const some = Array.from({ length: Math.min(100, 499 - n) }, (_, index) => ({
          ...own,
          id: `other${n + index}`,
        }));
        await trx.insertInto("sessions").values(some).execute();
      }
    });
    expect(await answer()).toMatchObject({ sessions: { length: 500 }, more: false });
    await write("test", (trx) =>
      trx
        .insertInto("sessions")
        .values({ ...own, id: "one more", seen_at: 1e15 })
        .execute(),
    );
    const { sessions, more } = await answer();
    expect([sessions.length, more]).toEqual([500, true]);
    expect(sessions[0]).toMatchObject({ id: "one more" });
  });

  if (kind === "sqlite") {
    test("sessions in use are found by an index, however many have ended", async () => {
      for (const [query, index] of [
        [
          "tenant = 't' and ended_at is null and seen_at > 1 and created_at > 1",
          "ended_at=? AND tenant=? AND seen_at>?",
        ],
        ["ended_at is null and (seen_at <= 1 or created_at <= 1) order by id limit 200", "ended_at=?"],
        ["ended_at <= 1", "ended_at<?"],
      ]) {
        const { rows: plan } = await read((db) =>
          sql<{ detail: string }>`explain query plan select * from sessions where ${sql.raw(query ?? "")}`.execute(db),
        );
        expect(plan.map(({ detail }) => detail).join(), query).toContain(`sessions_ended (${index})`);
      }
    });
  } else {
    test("a commit whose answer is lost leaves one row and one record, and nobody is told that nothing was done", async () => {
      const gate = await openCommitGate(database.variables.DATABASE_URL ?? "");
      try {
        await closeDatabase();
        elsewhere({ DATABASE_URL: gate.url });
        const other = await signIn();
        gate.loseNext();
        const ana = await signIn();
        expect(gate.hasLost()).toBe(true);
        expect((await dataOf(ana)).registered).toBe(false);
        expect(await isIn(ana)).toBe(true);
        await drainSpool();
        expect((await events()).map(({ action }) => action)).toEqual(["session.create", "session.create"]);

        gate.loseNext();
        const refused = await ask(ana, `/api/sessions/${await idOf(other)}`, "DELETE");
        expect([refused.status, gate.hasLost()]).toEqual([503, true]);
        expect(await refused.json()).toMatchObject({
          code: "audit_unavailable",
          detail: expect.stringContaining("it may have been done"),
        });
        expect(await isIn(other)).toBe(false);

        gate.loseNext();
        browser = ana;
        await endCurrentSession();
        expect(gate.hasLost()).toBe(true);
        await drainSpool();
        await pruneSessions();
        expect((await events()).map(({ action }) => action)).toEqual([
          "session.create",
          "session.create",
          "session.end",
          "session.end",
        ]);
        expect((await rows()).map(({ end_reason }) => end_reason)).toEqual(["ended_by_user", "signed_out"]);
      } finally {
        await closeDatabase();
        await gate.close();
      }
    });
  }

  test("the files of the database hold no token", async () => {
    await sandbox.control("POST", "config", { accessTokenSeconds: 1 });
    const ana = await signIn();
    await until(async () => {
      await isIn(ana);
      return (await sandbox.journal("refresh")).length >= 2;
    });
    const kept = await read((db) => db.selectFrom("refresh_states").selectAll().execute());
    expect(kept.filter(({ successor }) => successor !== null).length).toBeGreaterThanOrEqual(2);
    const files =
      kind === "sqlite"
        ? readdirSync(database.folder).map((name) => readFileSync(join(database.folder, name), "latin1"))
        : [JSON.stringify(kept)];
    for (const secret of await sandbox.allSecrets()) {
      for (const file of files) expect(file.includes(secret)).toBe(false);
    }
  });
});
