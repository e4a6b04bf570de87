import { createHmac, randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Actor, appendWithin, audited, record, type Subject } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import type { AuditDetails } from "@/lib/audit/schema";
import { write } from "@/lib/db/client";
import type { TokendeskError } from "@/lib/errors";
import { dateAhead, formatInstant } from "@/lib/format";
import { signInAdmin } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { overview } from "@/lib/team/overview";
import { parseTeamQuery, type TeamQuery, teamSorts, teamViews } from "@/lib/team/schema";
import { cancelRevocationOrder, coverage, orderRevocation, type TeamReader, teamPage } from "@/lib/team/team";
import { rotateToken } from "@/lib/tokens/creation";
import { markToken } from "@/lib/tokens/fingerprint";
import { mergeSeen, type OwnerScope, recordCreated, recordRevoked, type SeenToken } from "@/lib/tokens/inventory";
import { revokeToken } from "@/lib/tokens/revocation";
import { keepRotations, ownRotations, planRotation } from "@/lib/tokens/rotations";
import { editToken, listTokens } from "@/lib/tokens/tokens";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { until } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

const now = Date.now();
const dayMs = 86_400_000;

function mark(name: string): SeenToken {
  const fingerprint = createHmac("sha256", "test").update(name).digest("base64url");
  return { id: fingerprint.slice(0, 22), fingerprint, hint: `aws80:…${fingerprint.slice(-4)}` };
}

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000, accessTokenBytes: 600 });
});
afterAll(() => sandbox.close());

/** Somebody who is signed in at RingCX, in a main account of their own unless `tenant` says otherwise. */
async function someone(
  role: "member" | "ops" | "admin",
  { username = ANA.username, tenant = `sandbox|${randomUUID()}` } = {},
): Promise<TeamReader> {
  const grant = await signInAdmin(sandbox.url, { ...ANA, username });
  const live = new LiveConnection({
    id: randomUUID(),
    host: sandbox.url,
    username,
    platformId: "aws80",
    mainAccountId: grant.mainAccountId,
    accessToken: grant.accessToken,
    refreshToken: grant.refreshToken,
    issuedAt: Date.now(),
    lifetimeMs: grant.lifetimeMs,
  });
  const id = `ringcx:sandbox:${grant.mainAccountId}:${grant.adminId}`;
  const actor: Actor = { tenant, id, name: username, address: null, userAgent: null, requestId: null };
  return { client: live.client, user: { id, name: username, role }, tenant, actor };
}

function owner(tenant: string, name: string): OwnerScope {
  return { tenant, ownerId: `id of ${name}`, ownerName: name, login: `${name.toLowerCase()}@example.com` };
}

const query = (changes: Partial<TeamQuery>): TeamQuery => ({ ...parseTeamQuery({}), ...changes });

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "nothing thrown",
    (error: TokendeskError) => error.code,
  );
}

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await useDatabase(kind, { RINGCX_HOSTS: sandbox.url });
    await sandbox.reset();
  });
  afterAll(() => database.remove());
  beforeEach(() => sandbox.clear());

  /** Ada: a labelled, overdue one and an unlabelled one; Bob: one that appeared, one gone. */
  async function seed(tenant: string) {
    const [ada, bob] = [owner(tenant, "Ada"), owner(tenant, "Bob")];
    await recordCreated(ada, mark(`${tenant} a1`), { label: "IVR 100%", rotateBy: dateAhead(-3) }, now - 40 * dayMs);
    await mergeSeen(ada, [mark(`${tenant} a1`), mark(`${tenant} a2`)], now - 10 * dayMs);
    await mergeSeen(bob, [mark(`${tenant} b1`)], now - 5 * dayMs);
    await mergeSeen(bob, [mark(`${tenant} b2`)], now - 2 * dayMs);
    return { ada, bob };
  }

  describe("the team's tokens", () => {
    test("are those of the main account, in views that are counted", async () => {
      const ops = await someone("ops");
      const { bob } = await seed(ops.tenant);
      await seed(`sandbox|${randomUUID()}`);
      const page = await teamPage(ops, query({}));
      expect(
        page.rows.map((row) => `${row.owner}: ${row.label}, ${row.appearedAt === null ? "known" : "appeared"}`).sort(),
      ).toEqual(["Ada: IVR 100%, known", "Ada: null, known", "Bob: null, appeared"]);
      expect(page.rows.map((row) => row.owner)).toEqual(["Ada", "Ada", "Bob"]);
      expect(page.counts).toEqual({ all: 3, unlabelled: 2, overdue: 1, appeared: 1, ordered: 0, gone: 1 });
      expect(page.owners.map(({ name, tokens }) => [name, tokens])).toEqual([
        ["Ada", 2],
        ["Bob", 1],
      ]);
      expect((await teamPage(ops, query({ owner: bob.ownerId }))).counts).toMatchObject({ all: 1, gone: 1 });
      for (const view of teamViews) {
        const { rows, matched } = await teamPage(ops, query({ view }));
        expect(rows).toHaveLength(page.counts[view]);
        expect(matched).toBe(page.counts[view]);
      }
    });

    test("are found by what is written on them, signs and all", async () => {
      const ops = await someone("ops");
      await seed(ops.tenant);
      expect((await teamPage(ops, query({ q: "ivr 100%" }))).rows).toHaveLength(1);
      expect((await teamPage(ops, query({ q: "bob" }))).rows).toHaveLength(1);
      expect((await teamPage(ops, query({ q: "1_0" }))).rows).toHaveLength(0);
      expect((await teamPage(ops, query({ q: "100%x" }))).rows).toHaveLength(0);
    });

    test("come in pages that show each once, whatever the order", async () => {
      const ops = await someone("ops");
      const names = Array.from({ length: 60 }, (_, n) => `t${n}`);
      await mergeSeen(owner(ops.tenant, "Ada"), names.slice(0, 30).map(mark), now - dayMs);
      await mergeSeen(owner(ops.tenant, "Bob"), names.slice(30).map(mark), now);
      for (const sort of teamSorts) {
        for (const order of ["asc", "desc"] as const) {
          const pages = await Promise.all(
            [1, 2, 3].map((page) => teamPage(ops, query({ sort, order, page, size: 25 }))),
          );
          const ids = pages.flatMap(({ rows }) => rows.map(({ id }) => id));
          expect(new Set(ids).size).toBe(60);
          expect(ids).toHaveLength(60);
        }
      }
      expect((await teamPage(ops, query({ page: 99, size: 25 }))).page).toBe(3);
    });

    test("are not for members", async () => {
      const member = await someone("member");
      expect(await codeOf(teamPage(member, query({})))).toBe("forbidden");
      expect(await codeOf(coverage(member))).toBe("forbidden");
      expect(await codeOf(orderRevocation(member, { tokenId: mark("x").id }))).toBe("forbidden");
      expect(await codeOf(cancelRevocationOrder(member, "x"))).toBe("forbidden");
    });
  });

  describe("coverage", () => {
    test("counts against the vendor's users where they may be read", async () => {
      const parent = await someone("ops", { username: "parent@example.com" });
      await listTokens(parent);
      const before = await coverage(parent);
      expect(before).toMatchObject({ seen: 1, unavailable: null });
      expect(before.users).toBe(1 + before.unseen.length);
      expect(before.unseen.length).toBeGreaterThan(0);
      const child = await someone("member", { username: "child1@example.com", tenant: parent.tenant });
      await listTokens(child);
      expect(await coverage(parent)).toMatchObject({ seen: 2, users: before.users });
    });

    test("says that the vendor's users may not be read", async () => {
      const ana = await someone("ops", { username: "child1@example.com" });
      await listTokens(ana);
      expect(await coverage(ana)).toMatchObject({ seen: 1, users: null, unavailable: "not_permitted", unseen: [] });
    });

    test("says that the vendor's users could not be read, and the page does not depend on it", async () => {
      await sandbox.fault({ operation: "users", kind: "html502", count: -1 });
      const ops = await someone("ops");
      await seed(ops.tenant);
      expect(await coverage(ops)).toMatchObject({ seen: 2, users: null, unavailable: "failed" });
      expect((await teamPage(ops, query({}))).rows).toHaveLength(3);
    });
  });

  describe("the vendor's list of users", () => {
    test("is no trouble for the page when asking for it breaks, and is asked for again", async () => {
      const parent = await someone("ops", { username: "parent@example.com" });
      await listTokens(parent);
      const listUsers = () => Promise.reject(new TypeError("broken"));
      const broken = { ...parent, client: Object.assign(Object.create(parent.client), { listUsers }) };
      expect(await coverage(broken)).toMatchObject({ seen: 1, users: null, unavailable: "failed" });
      expect(await coverage(parent)).toMatchObject({ unavailable: null });
    });
  });

  describe("an ordered revocation", () => {
    test("is carried out when the owner's list shows the token, with proof and a record", async () => {
      const ops = await someone("ops", { username: "parent@example.com" });
      const child = await someone("member", { username: "child1@example.com", tenant: ops.tenant });
      const value = await sandbox.mint("child1@example.com");
      const { id } = markToken(value);
      await listTokens(child);
      expect((await teamPage(ops, query({}))).rows.find((row) => row.id === id)?.readiness).toBe("owner");

      const order = await orderRevocation(ops, { tokenId: id, reason: "leaked" });
      expect(order).toMatchObject({ orderedBy: ops.user.name, reason: "leaked", trouble: null });
      expect(await orderRevocation(ops, { tokenId: id })).toEqual(order);
      expect(await sandbox.tokens("child1@example.com")).toContain(value);

      const { tokens } = await listTokens(child);
      expect(tokens.find((token) => token.id === id)?.order).toEqual(order);
      await until(async () => !(await sandbox.tokens("child1@example.com")).includes(value));
      await until(async () => (await teamPage(ops, query({ view: "ordered" }))).rows.length === 0);
      const said = async () => (await readEvents(ops, { token: id, limit: 10 })).events;
      await until(async () => (await said()).length === 3);
      expect((await said()).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
        "token.revoke succeeded",
        "token.revoke attempted",
        "token.order succeeded",
      ]);
      expect((await said())[0]).toMatchObject({
        reason: "leaked",
        details: { order: order.id, orderedBy: ops.user.name, proof: "token_refused" },
      });
    });

    test("that fails says why, and stays", async () => {
      const ops = await someone("ops", { username: "parent@example.com" });
      const child = await someone("member", { username: "child2@example.com", tenant: ops.tenant });
      const value = await sandbox.mint("child2@example.com");
      await listTokens(child);
      await orderRevocation(ops, { tokenId: markToken(value).id });
      await sandbox.fault({ operation: "token.delete", kind: "false200", count: -1 });
      await listTokens(child);
      const trouble = async () => (await teamPage(ops, query({ view: "ordered" }))).rows[0]?.order?.trouble ?? null;
      await until(async () => (await trouble()) !== null);
      expect(await trouble()).toContain("Treat this token as alive");
      // Not again at once, whoever looks.
      await listTokens(child);
      expect(await sandbox.journal("token.delete")).toHaveLength(1);
    });

    test("is closed when the token is revoked otherwise, or vanishes, and can be cancelled once", async () => {
      const ops = await someone("ops", { username: "parent@example.com" });
      const child = await someone("member", { username: "grandchild@example.com", tenant: ops.tenant });
      const values = [await sandbox.mint("grandchild@example.com"), await sandbox.mint("grandchild@example.com")];
      const [revoked, cancelled] = values.map((value) => markToken(value).id) as [string, string];
      await listTokens(child);
      await orderRevocation(ops, { tokenId: revoked });
      await revokeToken(child, revoked);
      const { id } = await orderRevocation(ops, { tokenId: cancelled });
      expect((await teamPage(ops, query({ view: "ordered" }))).rows.map((row) => row.id)).toEqual([cancelled]);
      await cancelRevocationOrder(ops, id);
      expect(await codeOf(cancelRevocationOrder(ops, id))).toBe("not_found");
      await listTokens(child);
      expect(await sandbox.tokens("grandchild@example.com")).toContain(values[1]);
      expect(await codeOf(orderRevocation(ops, { tokenId: revoked }))).toBe("token_not_found");
    });

    test("crosses no main account", async () => {
      const [ops, stranger] = [await someone("ops"), await someone("admin")];
      const { ada } = await seed(ops.tenant);
      const { id } = mark(`${ops.tenant} a1`);
      expect(await codeOf(orderRevocation(stranger, { tokenId: id }))).toBe("token_not_found");
      const order = await orderRevocation(ops, { tokenId: id });
      expect(await codeOf(cancelRevocationOrder(stranger, order.id))).toBe("not_found");
      expect((await teamPage(stranger, query({}))).owners).toEqual([]);
      expect((await teamPage(stranger, query({ owner: ada.ownerId }))).rows).toEqual([]);
    });
  });

  describe("the overview", () => {
    test("puts first what needs attention first, and counts all of it", async () => {
      const ops = await someone("ops", { username: "new@example.com" });
      const { bob } = await seed(ops.tenant);
      await recordRevoked(bob, mark(`${ops.tenant} b2`).id, "token_refused", now - dayMs);
      await orderRevocation(ops, { tokenId: mark(`${ops.tenant} a2`).id });
      const { attention, counts, scope, live, alive, ages } = await overview(ops);
      expect([scope, live]).toEqual(["account", true]);
      // Of the ordered one it is not said as well that it has no label.
      expect(attention.map(({ kind }) => kind)).toEqual(["order_pending", "overdue", "vanished"]);
      expect(counts).toMatchObject({
        overdue: 1,
        vanished: 1,
        unlabelled: 1,
        order_pending: 1,
        active: 2,
        appeared: 0,
      });
      expect(alive).toHaveLength(30);
      expect(alive.at(-1)).toEqual({ date: dateAhead(0), count: 2 });
      // Ada's first token and her second, Bob's first until it vanished.
      expect(alive.at(-4)?.count).toBe(3);
      expect(alive[0]?.count).toBe(1);
      expect(ages.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    });

    test("says of a rotation what is done, what is planned, and who is needed", async () => {
      const member = await someone("member", { username: "child2@example.com" });
      const value = await sandbox.mint("child2@example.com");
      const { id, hint } = markToken(value);
      await listTokens(member);
      await editToken(member, id, { label: "IVR", usedIn: "ivr, crm", rotateBy: "2020-01-31" });
      const { token } = await rotateToken(member, id, {});
      const [rotation] = await ownRotations(member);
      const seen = async () => {
        const { attention, counts } = await overview(member);
        return [counts.rotation, ...attention.filter((one) => one.token?.id === id).map(({ detail }) => detail)];
      };
      // Of the one that is being replaced it is not said as well that it is overdue.
      const began = `Being replaced by ${token.hint}, 0 of 2 places done. `;
      expect(await seen()).toEqual([1, `${began}Begun today, and no date is set to revoke it.`]);
      const revokeAt = new Date(Date.now() + dayMs);
      await planRotation(member, rotation?.id ?? "", { revokeAt: revokeAt.toISOString() });
      expect(await seen()).toEqual([1, `${began}To be revoked on ${formatInstant(revokeAt.toISOString(), "utc")}.`]);
      const ops = { ...member, user: { id: "ops", name: "Ops", role: "ops" as const } };
      await keepRotations(Date.now() + 2 * dayMs);
      const { attention } = await overview({
        ...ops,
        client: (await someone("ops", { username: "parent@example.com" })).client,
      });
      expect(attention.find((one) => one.token?.id === id)).toMatchObject({
        kind: "order_pending",
        token: { hint },
        detail: "Revocation ordered by child2@example.com. It needs child2@example.com to sign in here.",
      });
    });

    test("of a member is about their own tokens", async () => {
      const member = await someone("member", { username: "new@example.com" });
      await seed(member.tenant);
      await sandbox.mint("new@example.com");
      const seen = await overview(member);
      expect(seen).toMatchObject({ scope: "own", counts: { active: 1, overdue: 0 } });
    });

    test("names what was begun and has no outcome yet, once it is no longer simply under way", async () => {
      const ops = await someone("ops");
      await seed(ops.tenant);
      const token = { id: mark(`${ops.tenant} a1`).id, hint: mark(`${ops.tenant} a1`).hint };
      const bob: Actor = { ...ops.actor, id: "id of Bob", name: "bob@example.com" };
      const begin = async (actor: Actor, subject: Subject, agoMs: number) => {
        const begun = Promise.withResolvers<void>();
        void audited(actor, subject, () => {
          begun.resolve();
          return new Promise(() => {});
        });
        await begun.promise;
        await write("test", (trx) =>
          trx
            .updateTable("audit_intents")
            .set({ at: Date.now() - agoMs })
            .where("tenant", "=", ops.tenant)
            .where("at", ">", Date.now() - 1_000 * 30)
            .where("action", "=", subject.action)
            .execute(),
        );
      };
      await begin(bob, { action: "token.revoke", token }, 120_000);
      await begin(ops.actor, { action: "token.create" }, 61_000);
      await begin(ops.actor, { action: "token.reveal", token }, 120_000);
      await begin(bob, { action: "token.rotate", token }, 5_000);
      const unknown = ({ attention }: Awaited<ReturnType<typeof overview>>) =>
        attention.filter(({ kind }) => kind === "unknown_outcome");
      const seen = await overview(ops);
      expect(seen.counts.unknown_outcome).toBe(2);
      expect(unknown(seen)).toMatchObject([
        { token: null, open: true, detail: expect.stringContaining("A creation by") },
        { token, open: true, detail: expect.stringContaining("revocation by bob@example.com has no outcome yet") },
      ]);
      const own = await overview({ ...ops, user: { ...ops.user, role: "member" } });
      expect(own.counts.unknown_outcome).toBe(1);
      expect(unknown(own)).toMatchObject([{ token: null, open: true }]);
    });

    test("names what has an unknown outcome, unless a later act on that token succeeded, whatever came after it", async () => {
      const ops = await someone("ops", { username: "new@example.com" });
      const [settled, unsettled] = ["s", "u"].map((name) => mark(`${ops.tenant} ${name}`)) as [SeenToken, SeenToken];
      const did = (
        action: "token.revoke" | "token.reveal",
        outcome: "unknown" | "succeeded",
        { id, hint }: SeenToken,
      ) => ({
        action,
        outcome,
        token: { id, hint },
      });
      await write("audit", (trx) =>
        appendWithin(trx, ops.actor, [
          did("token.revoke", "succeeded", unsettled),
          did("token.revoke", "unknown", unsettled),
          did("token.revoke", "unknown", settled),
          did("token.revoke", "succeeded", settled),
          ...Array.from({ length: 60 }, () => did("token.reveal", "succeeded", settled)),
        ]),
      );
      const { attention, counts } = await overview(ops);
      expect(counts.unknown_outcome).toBe(1);
      const named = attention.filter(({ kind }) => kind === "unknown_outcome");
      expect(named).toMatchObject([{ token: { id: unsettled.id } }]);
    });

    test("warns ops, and nobody else, of who did unusually much at the incident desk", async () => {
      const ops = await someone("ops");
      const scan = (details: AuditDetails) =>
        record({ ...ops.actor, name: "bob@example.com" }, { action: "incident.scan", outcome: "succeeded", details });
      await scan({ tokens: 3 });
      expect((await overview(ops)).warnings).toEqual([]);
      await scan({ tokens: 132, unusual: true });
      const at = expect.stringMatching(/^\d{4}-.*Z$/);
      expect((await overview(ops)).warnings).toEqual([{ at, actor: "bob@example.com", tokens: 135 }]);
      expect((await overview({ ...ops, user: { ...ops.user, role: "member" } })).warnings).toEqual([]);
    });

    test("shows what is remembered when RingCX does not answer", async () => {
      const ops = await someone("ops");
      await seed(ops.tenant);
      await sandbox.fault({ operation: "token.list", kind: "html502", count: -1 });
      expect(await overview(ops)).toMatchObject({ live: false, counts: { active: 3 } });
    });
  });
});
