import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Actor } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import { read, write } from "@/lib/db/client";
import { signInAdmin } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { markToken } from "@/lib/tokens/fingerprint";
import type { TokenOwner } from "@/lib/tokens/held";
import { mergeSeen, type OwnerScope, recordRevoked, type SeenToken } from "@/lib/tokens/inventory";
import { cancelOrder, pendingOrders, placeOrder } from "@/lib/tokens/orders";
import { listTokens } from "@/lib/tokens/tokens";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { until } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

const minute = 60_000;
const day = 24 * 60 * minute;
const t0 = Date.UTC(2026, 0, 1);

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000, accessTokenBytes: 600 });
});
afterAll(() => sandbox.close());

function mark(name: string): SeenToken {
  const fingerprint = createHmac("sha256", "test").update(name).digest("base64url");
  return { id: fingerprint.slice(0, 22), fingerprint, hint: `aws80:…${fingerprint.slice(-4)}` };
}
const [a, b, c] = [mark("a"), mark("b"), mark("c")];

/** Somebody of ops and two owners, in a main account of their own. */
function account() {
  const tenant = `sandbox|${randomUUID()}`;
  const actor: Actor = { tenant, id: "ops", name: "ops@example.com", address: null, userAgent: null, requestId: null };
  const owner = (name: string): OwnerScope => ({ tenant, ownerId: name, ownerName: name, login: null });
  return {
    ops: { tenant, user: { id: "ops", name: "Ops", role: "ops" as const }, actor },
    ada: owner("Ada"),
    bob: owner("Bob"),
  };
}
type Ops = ReturnType<typeof account>["ops"];

const ordered = async ({ tenant }: Ops, ownerId?: string) => [...(await pendingOrders(tenant, ownerId)).keys()];

/** What is recorded of orders, newest first. */
async function told(ops: Ops): Promise<string[]> {
  const { events } = await readEvents(ops, { action: "token.order", limit: 20 });
  return events.map(({ outcome, details, actor }) => {
    const what = details.reopened ? "reopened" : (details.closed ?? "placed");
    return `${actor.name}: ${what} ${outcome}`;
  });
}

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await useDatabase(kind, { RINGCX_HOSTS: sandbox.url });
    await sandbox.reset();
  });
  afterAll(() => database.remove());
  beforeEach(() => sandbox.clear());

  describe("a list without the token", () => {
    test("closes no order, were it empty or not, and the next one that shows it finds the order", async () => {
      const { ops, ada } = account();
      await mergeSeen(ada, [a, b, c], t0);
      const { id } = await placeOrder(ops, a.id, "leaked");
      for (const wrong of [[], [b, c]]) {
        await mergeSeen(ada, wrong, t0 + minute);
        expect(await ordered(ops)).toEqual([a.id]);
      }
      await mergeSeen(ada, [a, b, c], t0 + 2 * minute);
      expect((await pendingOrders(ops.tenant, ada.ownerId)).get(a.id)).toMatchObject({ id, reason: "leaked" });
      expect(await told(ops)).toEqual(["ops@example.com: placed succeeded"]);
    });

    test("closes it when a later one confirms it; one that shows the token again opens it again", async () => {
      const { ops, ada } = account();
      await mergeSeen(ada, [a, b], t0);
      const { id } = await placeOrder(ops, a.id, null);
      await mergeSeen(ada, [b], t0 + minute);
      await mergeSeen(ada, [b, c], t0 + 2 * minute - 1);
      await mergeSeen(ada, [b], t0 + 3 * minute, { complete: false });
      expect(await ordered(ops)).toEqual([a.id]);
      await mergeSeen(ada, [b], t0 + 4 * minute);
      expect(await ordered(ops)).toEqual([]);
      await mergeSeen(ada, [b], t0 + 5 * minute);

      await mergeSeen(ada, [a, b], t0 + 6 * minute);
      expect((await pendingOrders(ops.tenant)).get(a.id)).toMatchObject({ id, trouble: null, settled_at: null });
      expect(await told(ops)).toEqual([
        "tokendesk: reopened succeeded",
        "tokendesk: vanished unknown",
        "ops@example.com: placed succeeded",
      ]);
      await cancelOrder(ops, id);
      await mergeSeen(ada, [], t0 + 7 * minute);
      await mergeSeen(ada, [a, b], t0 + 8 * minute);
      expect(await ordered(ops)).toEqual([]);
    });

    test("and without any other is believed after a day", async () => {
      const { ops, ada } = account();
      await mergeSeen(ada, [a], t0);
      await placeOrder(ops, a.id, null);
      await mergeSeen(ada, [], t0 + minute);
      await mergeSeen(ada, [], t0 + day);
      expect(await ordered(ops)).toEqual([a.id]);
      await mergeSeen(ada, [], t0 + day + minute);
      expect(await ordered(ops)).toEqual([]);
    });

    test("hands the order to the owner whose list has the token", async () => {
      const { ops, ada, bob } = account();
      await mergeSeen(ada, [a, b], t0);
      await mergeSeen(bob, [c], t0);
      await placeOrder(ops, a.id, null);
      await placeOrder(ops, b.id, null);
      await mergeSeen(ada, [], t0 + minute);
      await mergeSeen(bob, [a, c], t0 + 2 * minute);
      expect(await ordered(ops, ada.ownerId)).toEqual([b.id]);
      expect(await ordered(ops, bob.ownerId)).toEqual([a.id]);
    });
  });

  describe("a proof", () => {
    test.each([
      ["token_refused", []],
      ["absent_from_list", [a.id]],
    ] as const)("(%s) closes the order; when the token is back: %j", async (method, then) => {
      const { ops, ada } = account();
      await mergeSeen(ada, [a, b], t0);
      await placeOrder(ops, a.id, null);
      await recordRevoked(ada, a.id, method, t0 + 1);
      expect(await ordered(ops)).toEqual([]);
      await mergeSeen(ada, [a, b], t0 + minute);
      expect(await ordered(ops)).toEqual(then);
    });
  });

  test("none is placed for a token that is found gone at that moment", async () => {
    const { ops, ada } = account();
    await mergeSeen(ada, [a], t0);
    const { promise: waiting, resolve: go } = Promise.withResolvers<void>();
    const other = write(`inventory:${ada.tenant}:${ada.ownerId}`, async (trx) => {
      await waiting;
      await trx
        .updateTable("tokens")
        .set({ vanished_at: t0 + 1 })
        .where("tenant", "=", ada.tenant)
        .execute();
    });
    await sleep(50);
    const placing = placeOrder(ops, a.id, null).catch(({ code }: { code: string }) => code);
    await sleep(100);
    go();
    await other;
    expect(await placing).toBe("token_not_found");
    expect(await ordered(ops)).toEqual([]);
  });

  describe("one that is being carried out", () => {
    async function owner({ tenant }: Ops, username: string): Promise<TokenOwner> {
      const grant = await signInAdmin(sandbox.url, { ...ANA, username });
      const { client } = new LiveConnection({
        ...{ id: randomUUID(), host: sandbox.url, username, platformId: "aws80", mainAccountId: grant.mainAccountId },
        ...{ accessToken: grant.accessToken, refreshToken: grant.refreshToken },
        ...{ issuedAt: Date.now(), lifetimeMs: grant.lifetimeMs },
      });
      const actor: Actor = { tenant, id: username, name: username, address: null, userAgent: null, requestId: null };
      return { client, user: { id: username, name: username }, tenant, actor };
    }
    const orderRow = ({ tenant }: Ops) =>
      read((db) => db.selectFrom("revocation_orders").selectAll().where("tenant", "=", tenant).executeTakeFirst());

    test("cannot be taken back, and nobody begins it a second time", async () => {
      const { ops } = account();
      const child = await owner(ops, "child1@example.com");
      const value = await sandbox.mint("child1@example.com");
      await listTokens(child);
      const { id } = await placeOrder(ops, markToken(value).id, null);
      await sandbox.fault({ operation: "token.delete", kind: "latency", ms: 1_500 });
      await listTokens(child);
      await until(async () => typeof (await orderRow(ops))?.running_until === "number");
      await expect(cancelOrder(ops, id)).rejects.toMatchObject({
        code: "not_found",
        message: expect.stringContaining("right now"),
      });
      await write("test", (trx) =>
        trx.updateTable("revocation_orders").set({ tried_at: 1 }).where("tenant", "=", ops.tenant).execute(),
      );
      await listTokens(child);
      await until(async () => (await orderRow(ops))?.state === "done");
      expect(await sandbox.tokens("child1@example.com")).not.toContain(value);
      expect(await sandbox.journal("token.delete")).toHaveLength(1);
      expect((await orderRow(ops))?.running_until).toBeNull();
    });

    test("and fails can be taken back then", async () => {
      const { ops } = account();
      const child = await owner(ops, "child2@example.com");
      const value = await sandbox.mint("child2@example.com");
      await listTokens(child);
      const { id } = await placeOrder(ops, markToken(value).id, null);
      await sandbox.fault({ operation: "token.delete", kind: "false200", count: -1 });
      await listTokens(child);
      await until(async () => ((await orderRow(ops))?.trouble ?? null) !== null);
      await cancelOrder(ops, id);
      expect(await orderRow(ops)).toMatchObject({ state: "cancelled" });
    });
  });
});
