import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Actor } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import { read, write } from "@/lib/db/client";
import { signInAdmin } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { rotateToken } from "@/lib/tokens/creation";
import { markToken } from "@/lib/tokens/fingerprint";
import type { TokenOwner } from "@/lib/tokens/held";
import { mergeSeen, recordRevoked } from "@/lib/tokens/inventory";
import { cancelOrder, pendingOrders, placeOrder } from "@/lib/tokens/orders";
import { remind, reminderFor } from "@/lib/tokens/reminders";
import { revokeToken } from "@/lib/tokens/revocation";
import {
  cancelRotation,
  keepRotations,
  listRotations,
  ownRotations,
  planRotation,
  rotationsUnderWay,
} from "@/lib/tokens/rotations";
import { placesIn, planRotationSchema, type Rotation } from "@/lib/tokens/schema";
import { editToken, listTokens } from "@/lib/tokens/tokens";
import { runModule } from "@/test/child";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { until } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const username = "child1@example.com";

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000, accessTokenBytes: 600 });
});
afterAll(() => sandbox.close());

type Reader = TokenOwner & { user: { role: "member" | "ops" } };

/** Somebody who is signed in at RingCX, in a main account of their own. */
async function someone(tenant = `sandbox|${randomUUID()}`): Promise<Reader> {
  const grant = await signInAdmin(sandbox.url, { ...ANA, username });
  const { client } = new LiveConnection({
    ...{ id: randomUUID(), host: sandbox.url, username, platformId: "aws80", mainAccountId: grant.mainAccountId },
    ...{ accessToken: grant.accessToken, refreshToken: grant.refreshToken },
    ...{ issuedAt: Date.now(), lifetimeMs: grant.lifetimeMs },
  });
  const actor: Actor = { tenant, id: "carl", name: username, address: null, userAgent: null, requestId: null };
  return { client, user: { id: "carl", name: "Carl", role: "member" }, tenant, actor };
}

/** Somebody else of the same main account, who has nothing. */
function colleague({ client, tenant, actor }: Reader, role: "member" | "ops"): Reader {
  return {
    client,
    tenant,
    user: { id: role, name: role, role },
    actor: { ...actor, id: role, name: `${role}@example.com` },
  };
}

async function rotated(usedIn: string | null = "ivr-1, crm\nnightly export") {
  const owner = await someone();
  const value = await sandbox.mint(username);
  const id = markToken(value).id;
  await listTokens(owner);
  await editToken(owner, id, { label: "IVR", usedIn });
  const { token } = await rotateToken(owner, id, {});
  const [rotation] = await ownRotations(owner);
  if (rotation === undefined) throw new Error("there is no rotation");
  return { owner, value, id, successor: token, rotation };
}

const stateOf = ({ id }: Pick<Rotation, "id">) =>
  read((db) => db.selectFrom("rotations").selectAll().where("id", "=", id).executeTakeFirstOrThrow());

const soon = () => new Date(Date.now() + 2 * day).toISOString();

/** `action outcome by actor`, newest first, of the token's plan and orders. */
async function told(owner: Reader, id: string): Promise<string[]> {
  const reader = { ...owner, user: { ...owner.user, role: "ops" as const } };
  const { events } = await readEvents(reader, { token: id, limit: 50 });
  return events
    .filter(({ action }) => action.startsWith("rotation.") || action.startsWith("token.order"))
    .map(({ action, outcome, actor }) => `${action} ${outcome} by ${actor.name}`);
}

test("the places come from what was written of the token, a line or a part between commas each", () => {
  expect(placesIn("ivr-1, crm;  ivr-1\r\n\nnightly\texport ,")).toEqual([
    { place: "ivr-1", done: false },
    { place: "crm", done: false },
    { place: "nightly export", done: false },
  ]);
  expect(placesIn(null)).toEqual([]);
  expect(planRotationSchema.safeParse({ places: placesIn("a\tb\n".repeat(100)) }).success).toBe(true);
});

test.each([
  ["2026-12-08", { kind: "due", due: "2026-12-08", overdue: false }],
  ["2026-11-24", { kind: "due", due: "2026-11-24", overdue: false }],
  ["2026-11-23", { kind: "overdue", due: "2026-11-23", overdue: false }],
  ["2026-11-17", { kind: "overdue", due: "2026-11-17", overdue: true }],
  ["2026-11-16", { kind: "overdue", due: "2026-11-23", overdue: true }],
  ["2025-11-24", { kind: "overdue", due: "2026-11-23", overdue: true }],
])("on 23 November a date of %s makes %j", (rotateBy, reminder) => {
  expect(reminderFor(rotateBy, Date.UTC(2026, 10, 23, 23, 59))).toEqual(reminder);
});

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await useDatabase(kind, { RINGCX_HOSTS: sandbox.url, RINGCX_RATE_LIMIT: "10000" });
  });
  afterAll(() => database.remove());
  beforeEach(() => sandbox.reset());

  test("a rotation is followed with the places of the old token, by its owner and by ops alone", async () => {
    const { owner, id, successor, rotation } = await rotated();
    expect(rotation).toMatchObject({
      old: { id, label: "IVR", listed: true },
      successor: { id: successor.id, hint: successor.hint, listed: true },
      ...{ owner: "Carl", revokeAt: null, state: "open" },
      places: ["ivr-1", "crm", "nightly export"].map((place) => ({ place, done: false })),
    });
    const ops = colleague(owner, "ops");
    expect(await listRotations(owner)).toEqual({ rotations: [rotation] });
    expect(await listRotations(ops)).toEqual({ rotations: [rotation] });
    expect(await listRotations(colleague(owner, "member"))).toEqual({ rotations: [] });
    expect(await listRotations({ ...ops, tenant: `sandbox|${randomUUID()}` })).toEqual({ rotations: [] });
    for (const other of [ops, { ...owner, tenant: ops.tenant.replace("|", "|0") }]) {
      await expect(planRotation(other, rotation.id, { places: [] })).rejects.toMatchObject({ code: "not_found" });
      await expect(cancelRotation(other, rotation.id)).rejects.toMatchObject({ code: "not_found" });
    }
  });

  test("what is ticked off and planned stays, each with its record; a date that is over is refused", async () => {
    const { owner, id, rotation } = await rotated();
    const places = [
      ...rotation.places.map((one, index) => ({ ...one, done: index === 0 })),
      { place: "lab", done: true },
    ];
    expect((await planRotation(owner, rotation.id, { places })).rotation.places).toEqual(places);
    const revokeAt = soon();
    const planned = await planRotation(owner, rotation.id, { revokeAt });
    expect(planned.rotation).toEqual({ ...rotation, places, revokeAt });
    expect(await ownRotations(owner)).toEqual([planned.rotation]);
    for (const wrong of [Date.now() - minute, Date.now() + 1000 * day]) {
      const change = planRotation(owner, rotation.id, { revokeAt: new Date(wrong).toISOString() });
      await expect(change).rejects.toMatchObject({ code: "invalid_input" });
    }
    await planRotation(owner, rotation.id, { revokeAt: null });
    expect((await ownRotations(owner))[0]).toMatchObject({ revokeAt: null, places });
    expect(await told(owner, id)).toEqual([
      `rotation.cancel succeeded by ${username}`,
      `rotation.plan succeeded by ${username}`,
      `rotation.plan succeeded by ${username}`,
    ]);
    const { events } = await readEvents(
      { ...owner, user: { ...owner.user, role: "ops" } },
      { action: "rotation.plan", limit: 1 },
    );
    expect(events[0]?.details).toMatchObject({ rotationId: rotation.id, revokeAt, places: 4, placesDone: 2 });
  });

  test("a second rotation of the same token takes over the list of the first", async () => {
    const { owner, id, rotation } = await rotated();
    await planRotation(owner, rotation.id, { revokeAt: soon(), places: [{ place: "crm", done: true }] });
    const { token } = await rotateToken(owner, id, {});
    const [second, ...others] = await ownRotations(owner);
    expect(others).toEqual([]);
    expect(second).toMatchObject({
      successor: { id: token.id },
      revokeAt: null,
      places: [{ place: "crm", done: false }],
    });
    expect((await stateOf(rotation)).state).toBe("cancelled");
  });

  test("it is over when the old token is proven dead, or has been gone for a day", async () => {
    const { owner, id, rotation } = await rotated();
    await revokeToken(owner, id);
    expect(await ownRotations(owner)).toEqual([]);
    await expect(planRotation(owner, rotation.id, { places: [] })).rejects.toMatchObject({ code: "not_found" });
    await keepRotations();
    expect(await stateOf(rotation)).toMatchObject({ state: "done", settled_at: expect.any(Number) });

    const other = await rotated();
    await sandbox.control("DELETE", "tokens", { value: other.value });
    await listTokens(other.owner);
    expect(await ownRotations(other.owner)).toEqual([]);
    await keepRotations(Date.now() + hour);
    expect((await stateOf(other.rotation)).state).toBe("open");
    await keepRotations(Date.now() + day + minute);
    expect((await stateOf(other.rotation)).state).toBe("done");
  });

  test("its date makes one order, whoever looks first, and the owner's next list carries it out", async () => {
    const { owner, id, value, successor, rotation } = await rotated();
    await planRotation(owner, rotation.id, { revokeAt: soon() });
    await keepRotations(Date.now() + day);
    expect(await pendingOrders(owner.tenant)).toEqual(new Map());

    const later = Date.now() + 3 * day;
    const sweep = `
      const { keepRotations } = await import("@/lib/tokens/rotations");
      await keepRotations(${later});
      process.exit(0);`;
    const ends = await Promise.all([
      ...[1, 2].map(() => runModule(sweep, { variables: database.variables, timeoutMs: 30_000 })),
      keepRotations(later),
      keepRotations(later),
    ]);
    for (const end of ends) if (end) expect(end, end.stderr).toMatchObject({ code: 0 });
    const order = (await pendingOrders(owner.tenant)).get(id);
    expect(order).toMatchObject({
      ordered_by_name: "Carl",
      reason: `Replaced by ${successor.hint}; its date has come`,
    });
    expect((await told(owner, id)).slice(0, 2)).toEqual([
      "token.order succeeded by tokendesk",
      `rotation.plan succeeded by ${username}`,
    ]);
    expect((await ownRotations(owner))[0]?.state).toBe("ordered");
    const sent = await read((db) =>
      db.selectFrom("reminders").selectAll().where("tenant", "=", owner.tenant).execute(),
    );
    expect(sent).toMatchObject([{ token_id: id, kind: "revoke_at", sent_at: later }]);
    await keepRotations(later + 30 * day);
    expect(await remind(later + 60 * day)).toBe(0);

    // Nobody but its owner's list brings its value.
    expect(await sandbox.journal("token.delete")).toEqual([]);
    await listTokens(owner);
    await until(async () => (await pendingOrders(owner.tenant)).size === 0);
    expect(await sandbox.tokens(username)).not.toContain(value);
    expect(await sandbox.journal("token.delete")).toHaveLength(1);
    await keepRotations(later);
    expect((await stateOf(rotation)).state).toBe("done");
  });

  test("without a living successor nothing is ordered", async () => {
    const { owner, successor, rotation } = await rotated();
    await planRotation(owner, rotation.id, { revokeAt: soon() });
    await revokeToken(owner, successor.id);
    expect((await ownRotations(owner))[0]).toMatchObject({ state: "open", successor: { listed: false } });
    await keepRotations(Date.now() + 3 * day);
    expect(await pendingOrders(owner.tenant)).toEqual(new Map());
    expect((await stateOf(rotation)).state).toBe("open");
  });

  test("nor is what was ordered carried out when the successor has died meanwhile: it is up to its owner again", async () => {
    const { owner, id, value, successor, rotation } = await rotated();
    await planRotation(owner, rotation.id, { revokeAt: soon() });
    await keepRotations(Date.now() + 3 * day);
    expect((await pendingOrders(owner.tenant)).get(id)).toMatchObject({ state: "pending" });
    const values = await sandbox.tokens(username);
    const dying = values.find((one) => markToken(one).id === successor.id);
    await sandbox.control("DELETE", "tokens", { value: dying });
    await listTokens(owner);
    await until(async () => (await pendingOrders(owner.tenant)).size === 0);
    expect(await sandbox.tokens(username)).toContain(value);
    expect((await told(owner, id))[0]).toBe("token.order_cancel succeeded by tokendesk");
    await keepRotations(Date.now() + 3 * day);
    expect(await stateOf(rotation)).toMatchObject({ state: "open", revoke_at: null });
    expect(await pendingOrders(owner.tenant)).toEqual(new Map());
    await cancelRotation(owner, rotation.id);
  });

  test("a new successor's value is not lost because an order is just being carried out", async () => {
    const { owner, id, rotation } = await rotated();
    await planRotation(owner, rotation.id, { revokeAt: soon() });
    await keepRotations(Date.now() + 3 * day);
    const carriedOutUntil = (running_until: number | null) =>
      write("orders", (trx) =>
        trx.updateTable("revocation_orders").set({ running_until }).where("token_id", "=", id).execute(),
      );
    await carriedOutUntil(Date.now() + hour);
    const { value, replaces } = await rotateToken(owner, id, {});
    expect(replaces).toBe(id);
    expect(await sandbox.tokens(username)).toContain(value);
    const { events } = await readEvents({ ...owner, user: { ...owner.user, role: "ops" } }, { token: id, limit: 5 });
    expect(events[0]).toMatchObject({ action: "token.rotate", outcome: "succeeded", details: { followed: false } });
    await carriedOutUntil(null);
    await cancelRotation(owner, rotation.id);
  });

  test("what is ordered can be put off and ended by its owner; an order of ops stands", async () => {
    const { owner, id, rotation } = await rotated();
    const order = async () => {
      await planRotation(owner, rotation.id, { revokeAt: soon() });
      await keepRotations(Date.now() + 3 * day);
      return (await pendingOrders(owner.tenant)).get(id);
    };
    expect(await order()).toMatchObject({ state: "pending" });
    const revokeAt = new Date(Date.now() + 5 * day).toISOString();
    expect((await planRotation(owner, rotation.id, { revokeAt })).rotation).toMatchObject({ state: "open", revokeAt });
    expect(await pendingOrders(owner.tenant)).toEqual(new Map());
    expect((await told(owner, id)).slice(0, 2)).toEqual([
      `rotation.plan succeeded by ${username}`,
      `token.order_cancel succeeded by ${username}`,
    ]);

    // Somebody of ops takes the order back: there is no date any more.
    const ops = colleague(owner, "ops");
    await cancelOrder(ops, (await order())?.id ?? "");
    await keepRotations();
    expect((await ownRotations(owner))[0]).toMatchObject({ state: "open", revokeAt: null });

    await placeOrder(ops, id, "leaked");
    expect(await order()).toMatchObject({ ordered_by_id: "ops", reason: "leaked" });
    await cancelRotation(owner, rotation.id);
    expect(await rotationsUnderWay(owner.tenant)).toEqual([]);
    expect((await pendingOrders(owner.tenant)).get(id)).toMatchObject({ ordered_by_id: "ops" });
    expect((await told(owner, id))[0]).toBe(`rotation.cancel succeeded by ${username}`);
  });

  test("reminders: two weeks before, at the date, weekly after it; one each, and one after an outage", async () => {
    const tenant = `sandbox|${randomUUID()}`;
    const owner = await someone(tenant);
    const value = await sandbox.mint(username);
    const { id } = markToken(value);
    await listTokens(owner);
    await editToken(owner, id, { label: "IVR", rotateBy: "2031-03-31" });
    const at = (date: string, hours = 12) => Date.parse(`${date}T00:00:00Z`) + hours * hour;
    const counts = [];
    for (const date of [
      "2031-03-16",
      "2031-03-17",
      "2031-03-18",
      "2031-03-30",
      "2031-03-31",
      "2031-04-01",
      "2031-04-07",
    ]) {
      counts.push((await Promise.all([remind(at(date)), remind(at(date, 13))])).reduce((sum, count) => sum + count, 0));
    }
    expect(counts).toEqual([0, 1, 0, 0, 1, 0, 1]);
    // Ten weeks without a server, then a clock that jumps back and forth.
    expect([await remind(at("2031-06-20")), await remind(at("2031-06-20")), await remind(at("2031-04-08"))]).toEqual([
      1, 0, 0,
    ]);

    const child = `
      const { remind } = await import("@/lib/tokens/reminders");
      process.stdout.write(String(await remind(${at("2031-06-27")})));
      process.exit(0);`;
    const ends = await Promise.all(
      [1, 2].map(() => runModule(child, { variables: database.variables, timeoutMs: 30_000 })),
    );
    expect(ends.map(({ stdout }) => stdout).sort(), ends.map(({ stderr }) => stderr).join()).toEqual(["0", "1"]);

    await editToken(owner, id, { rotateBy: "2031-07-05" });
    expect(await remind(at("2031-06-28"))).toBe(1);
    await recordRevoked(
      { tenant, ownerId: "carl", ownerName: "Carl", login: null },
      ...([id, "token_refused", Date.now() + day] as const),
    );
    expect(await remind(at("2031-07-06"))).toBe(0);
  });

  test("of very many that are overdue only some are told of at once", async () => {
    const scope = { tenant: `sandbox|${randomUUID()}`, ownerId: "many", ownerName: "Many", login: null };
    const seen = Array.from({ length: 120 }, (_, index) => {
      const { id, fingerprint, hint } = markToken(
        `aws80:${String(index).padStart(8, "0")}-0000-4000-8000-000000000000`,
      );
      return { id, fingerprint, hint };
    });
    await mergeSeen(scope, seen, Date.now());
    const owner: TokenOwner = { ...(await someone(scope.tenant)), user: { id: "many", name: "Many" } };
    for (const { id } of seen) await editToken(owner, id, { rotateBy: "2020-01-31" });
    const counts = [];
    for (let round = 0; round < 4; round += 1) counts.push(await remind());
    expect(counts).toEqual([50, 50, 20, 0]);
  });
});
