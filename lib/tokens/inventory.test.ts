import { createHmac, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { read, write } from "@/lib/db/client";
import { markToken } from "@/lib/tokens/fingerprint";
import {
  editMetadata,
  type InventoryRecord,
  mergeSeen,
  noteVanished,
  type OwnerScope,
  readRecord,
  recordCreated,
  recordRevoked,
  type SeenToken,
} from "@/lib/tokens/inventory";
import type { TokenPatch } from "@/lib/tokens/schema";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";

const minute = 60_000;
const t0 = Date.UTC(2026, 0, 1);

/** An owner in a tenant of their own. */
function someone(): OwnerScope {
  const tenant = `https://engage.ringcentral.com|${randomUUID()}`;
  return { tenant, ownerId: randomUUID(), ownerName: "Ada", login: "ada@example.com" };
}

function mark(name: string): SeenToken {
  const fingerprint = createHmac("sha256", "test").update(name).digest("base64url");
  return { id: fingerprint.slice(0, 22), fingerprint, hint: `aws80:…${fingerprint.slice(-4)}` };
}
const [a, b, c] = [mark("a"), mark("b"), mark("c")];

const edit = (scope: OwnerScope, id: string, patch: TokenPatch) => editMetadata(scope, id, patch, t0, async () => {});

const statuses = (records: ReadonlyMap<string, InventoryRecord>) =>
  Object.fromEntries([...records].map(([id, record]) => [id, record.status]));

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await useDatabase(kind);
  });
  afterAll(() => database.remove());

  describe("what the owner's list shows", () => {
    test("is recorded at the first sight", async () => {
      const scope = someone();
      const records = await mergeSeen(scope, [a, b, a], t0);
      expect([...records.keys()].sort()).toEqual([a.id, b.id].sort());
      expect(records.get(a.id)).toEqual({
        id: a.id,
        hint: a.hint,
        ownerId: scope.ownerId,
        ownerName: "Ada",
        label: null,
        purpose: null,
        environment: null,
        usedIn: null,
        rotateBy: null,
        createdHere: false,
        appearedAt: null,
        adoptedAt: null,
        firstSeenAt: t0,
        lastSeenAt: t0,
        vanishedAt: null,
        vanishNotedAt: null,
        revokedAt: null,
        revokedProof: null,
        seenAfterRevocation: false,
        status: "active",
      });
    });

    test("keeps the first sight, and is touched at most once a minute", async () => {
      const scope = someone();
      await mergeSeen(scope, [a], t0);
      const within = await mergeSeen(scope, [a], t0 + minute - 1);
      expect(within.get(a.id)).toMatchObject({ firstSeenAt: t0, lastSeenAt: t0 });
      const after = await mergeSeen(scope, [a], t0 + minute);
      expect(after.get(a.id)).toMatchObject({ firstSeenAt: t0, lastSeenAt: t0 + minute });
    });

    test("vanishes and shows again", async () => {
      const scope = someone();
      await mergeSeen(scope, [a, b], t0);
      const gone = await mergeSeen(scope, [a], t0 + 1);
      expect(gone.get(b.id)).toMatchObject({ status: "vanished", vanishedAt: t0 + 1, lastSeenAt: t0 });
      const stillGone = await mergeSeen(scope, [a], t0 + 2);
      expect(stillGone.get(b.id)).toMatchObject({ vanishedAt: t0 + 1 });
      const back = await mergeSeen(scope, [a, b], t0 + 3);
      expect(back.get(b.id)).toMatchObject({
        status: "active",
        vanishedAt: null,
        firstSeenAt: t0,
        lastSeenAt: t0 + 3,
      });
    });

    test("an empty list: all of the owner's vanish", async () => {
      const scope = someone();
      await mergeSeen(scope, [a, b], t0);
      expect(statuses(await mergeSeen(scope, [], t0 + 1))).toEqual({ [a.id]: "vanished", [b.id]: "vanished" });
    });

    test("a list that was asked for earlier overrules nothing", async () => {
      const scope = someone();
      await recordCreated(scope, a, { label: "new" }, t0 + 10);
      await mergeSeen(scope, [a, b], t0 + 20);
      await mergeSeen(scope, [a], t0 + 30);
      const late = await mergeSeen(scope, [b], t0 + 5);
      expect(statuses(late)).toEqual({ [a.id]: "active", [b.id]: "vanished" });
      expect(late.get(b.id)).toMatchObject({ vanishedAt: t0 + 30 });
    });

    test("a token that was created after the list was asked for is not missed", async () => {
      const scope = someone();
      await recordCreated(scope, a, { label: "new" }, t0 + 10);
      expect(statuses(await mergeSeen(scope, [], t0 + 9))).toEqual({ [a.id]: "active" });
      expect(statuses(await mergeSeen(scope, [], t0 + 11))).toEqual({ [a.id]: "vanished" });
    });

    test("the owner's new name is taken over", async () => {
      const scope = someone();
      await mergeSeen(scope, [a], t0);
      const records = await mergeSeen({ ...scope, ownerName: "Ada L." }, [a], t0 + 1);
      expect(records.get(a.id)?.ownerName).toBe("Ada L.");
    });

    test("merges of one owner at once agree", async () => {
      const scope = someone();
      const many = Array.from({ length: 300 }, (_, n) => mark(`m${n}`));
      await Promise.all(
        Array.from({ length: 8 }, (_, n) => mergeSeen(scope, n % 2 ? many : many.toReversed(), t0 + n)),
      );
      const records = await mergeSeen(scope, many, t0 + 10);
      expect(records.size).toBe(300);
      expect(new Set([...records.values()].map(({ status }) => status))).toEqual(new Set(["active"]));
    });

    test("a merge that waited for another one looks again before it writes", async () => {
      const scope = someone();
      await mergeSeen(scope, [a, b], t0);
      const { promise: waiting, resolve: go } = Promise.withResolvers<void>();
      const other = write(`inventory:${scope.tenant}:${scope.ownerId}`, async (trx) => {
        await waiting;
        await trx
          .updateTable("tokens")
          .set({ last_seen_at: t0 + 10 })
          .where("tenant", "=", scope.tenant)
          .where("id", "=", b.id)
          .execute();
      });
      await sleep(50);
      const merge = mergeSeen(scope, [a], t0 + 5);
      await sleep(100);
      go();
      await other;
      expect(statuses(await merge)).toEqual({ [a.id]: "active", [b.id]: "active" });
    });

    test("whatever was merged before in whatever order, the newest list decides", async () => {
      const names = ["p", "q", "r"];
      const list = fc.record({ at: fc.integer({ min: 0, max: 100_000 }), shown: fc.subarray(names) });
      await fc.assert(
        fc.asyncProperty(fc.array(list, { maxLength: 6 }), fc.subarray(names), async (earlier, newest) => {
          const scope = someone();
          const merges = [...earlier, { at: 100_001, shown: newest }];
          let records = new Map<string, InventoryRecord>();
          for (const { at, shown } of merges) records = await mergeSeen(scope, shown.map(mark), t0 + at);
          for (const name of names) {
            const record = records.get(mark(name).id);
            const first = merges.find(({ shown }) => shown.includes(name));
            expect(record?.firstSeenAt).toBe(first && t0 + first.at);
            expect(record?.status).toBe(newest.includes(name) ? "active" : first && "vanished");
          }
        }),
        { numRuns: 60 },
      );
    });

    test("10,000 tokens are merged in a moment", async () => {
      const scope = someone();
      const many = Array.from({ length: 10_000 }, (_, n) => mark(`${n}`));
      const took = async (work: () => Promise<unknown>) => {
        const began = performance.now();
        await work();
        return performance.now() - began;
      };
      const times = {
        first: await took(() => mergeSeen(scope, many, t0)),
        unchanged: await took(() => mergeSeen(scope, many, t0 + 1)),
        touched: await took(() => mergeSeen(scope, many, t0 + minute)),
        vanished: await took(() => mergeSeen(scope, many.slice(5000), t0 + minute + 1)),
      };
      if (process.env.SHOW_TIMES) process.stdout.write(`${kind} ${JSON.stringify(times)}\n`);
      const records = await mergeSeen(scope, many.slice(5000), t0 + minute + 2);
      expect([...records.values()].filter(({ status }) => status === "vanished")).toHaveLength(5000);
      // Far above what it takes, far below what a query for each token takes.
      expect(times.first).toBeLessThan(3000);
      expect(times.unchanged).toBeLessThan(1000);
    });

    test("looking again within the minute writes nothing", async () => {
      const scope = someone();
      await mergeSeen(scope, [a, b], t0);
      await write("test", (trx) =>
        kind === "sqlite"
          ? sql`create trigger no_writes before update on tokens begin select raise(abort, 'written'); end`.execute(trx)
          : sql`create or replace rule no_writes as on update to tokens do instead select 1/0`.execute(trx),
      );
      try {
        expect((await mergeSeen(scope, [a, b], t0 + 1)).size).toBe(2);
        await expect(mergeSeen(scope, [a], t0 + 2)).rejects.toThrow();
      } finally {
        await write("test", (trx) =>
          kind === "sqlite"
            ? sql`drop trigger no_writes`.execute(trx)
            : sql`drop rule no_writes on tokens`.execute(trx),
        );
      }
    });
  });

  describe("a token that was created here", () => {
    const metadata = { label: "IVR", purpose: "Reports", environment: "production", rotateBy: "2026-12-31" };

    test("is recorded with what was said of it", async () => {
      const scope = someone();
      const record = await recordCreated(scope, a, metadata, t0);
      expect(record).toMatchObject({
        ...metadata,
        createdHere: true,
        firstSeenAt: t0,
        lastSeenAt: t0,
        status: "active",
      });
      expect(await readRecord(scope, a.id)).toEqual(record);
      expect((await mergeSeen(scope, [a], t0 + 1)).get(a.id)).toEqual(record);
    });

    test("may have been in a list before it was recorded", async () => {
      const scope = someone();
      await mergeSeen(scope, [a], t0);
      expect(await recordCreated(scope, a, { label: "IVR" }, t0 + 5)).toMatchObject({
        label: "IVR",
        createdHere: true,
        firstSeenAt: t0,
        lastSeenAt: t0 + 5,
      });
    });
  });

  describe("what came and went since the first list", () => {
    test("of the first list nobody can say that it appeared; of the next ones everybody can", async () => {
      const scope = someone();
      expect((await mergeSeen(scope, [a], t0)).get(a.id)?.appearedAt).toBeNull();
      const records = await mergeSeen(scope, [a, b], t0 + 1);
      expect(records.get(a.id)?.appearedAt).toBeNull();
      expect(records.get(b.id)).toMatchObject({ appearedAt: t0 + 1, adoptedAt: null, createdHere: false });
    });

    test("an empty first list is a first list", async () => {
      const scope = someone();
      await mergeSeen(scope, [], t0);
      expect((await mergeSeen(scope, [a], t0 + 1)).get(a.id)?.appearedAt).toBe(t0 + 1);
    });

    test("what was created here did not appear, even if a list showed it before the creation was recorded", async () => {
      const scope = someone();
      await mergeSeen(scope, [], t0);
      expect((await mergeSeen(scope, [a], t0 + 1)).get(a.id)?.appearedAt).toBe(t0 + 1);
      expect(await recordCreated(scope, a, { label: "IVR" }, t0 + 2)).toMatchObject({
        appearedAt: null,
        createdHere: true,
      });
    });

    test("who labels it says that it is theirs, and who clears the label does not take that back", async () => {
      const scope = someone();
      await mergeSeen(scope, [], t0);
      await mergeSeen(scope, [a], t0 + 1);
      expect(await edit(scope, a.id, { environment: "prod" })).toMatchObject({ adoptedAt: null });
      expect(await edit(scope, a.id, { label: "IVR" })).toMatchObject({ adoptedAt: t0 });
      expect(await edit(scope, a.id, { label: null })).toMatchObject({ adoptedAt: t0 });
    });

    test("that one vanished is noted until it shows again", async () => {
      const scope = someone();
      await mergeSeen(scope, [a, b], t0);
      await mergeSeen(scope, [b], t0 + 1);
      expect(await noteVanished(scope, a.id, t0 + 2, async () => {})).toMatchObject({
        vanishedAt: t0 + 1,
        vanishNotedAt: t0 + 2,
      });
      const back = await mergeSeen(scope, [a, b], t0 + 3);
      expect(back.get(a.id)).toMatchObject({ status: "active", vanishNotedAt: null });
    });

    test("a change is undone when what belongs to it fails", async () => {
      const scope = someone();
      await recordCreated(scope, a, { label: "IVR" }, t0);
      const failing = editMetadata(scope, a.id, { label: "other" }, t0, async () => {
        throw new Error("no record, no change");
      });
      await expect(failing).rejects.toThrow("no record");
      expect(await readRecord(scope, a.id)).toMatchObject({ label: "IVR" });
    });

    test("who looked is remembered, and the latest look", async () => {
      const scope = { ...someone(), ownerId: "ringcx:host:1:4711", login: "Ada@Example.com" };
      await mergeSeen(scope, [a], t0);
      await mergeSeen(scope, [a], t0 + 10 * minute);
      await mergeSeen(scope, [a], t0 + 5 * minute);
      const rows = await read((db) => db.selectFrom("owners").selectAll().where("tenant", "=", scope.tenant).execute());
      expect(rows).toEqual([
        {
          tenant: scope.tenant,
          owner_id: scope.ownerId,
          owner_name: "Ada",
          vendor_id: "4711",
          login: "ada@example.com",
          first_listed_at: t0,
          last_listed_at: t0 + 10 * minute,
        },
      ]);
    });
  });

  describe("what people say of a token", () => {
    test("is changed field by field, and cleared with null", async () => {
      const scope = someone();
      await recordCreated(scope, a, { label: "IVR", purpose: "Reports" }, t0);
      await recordCreated(scope, b, { label: "other" }, t0);
      expect(await edit(scope, a.id, { label: "IVR 2", rotateBy: "2027-01-31" })).toMatchObject({
        label: "IVR 2",
        purpose: "Reports",
        rotateBy: "2027-01-31",
      });
      expect(await edit(scope, a.id, { purpose: null, environment: "test", label: undefined })).toMatchObject({
        label: "IVR 2",
        purpose: null,
        environment: "test",
        rotateBy: "2027-01-31",
      });
      expect(await edit(scope, a.id, {})).toMatchObject({ label: "IVR 2" });
      expect(await readRecord(scope, b.id)).toMatchObject({ label: "other" });
      expect(await edit(scope, c.id, { label: "none" })).toBeNull();
    });

    test("comes back as it was given, whatever the text", async () => {
      const scope = someone();
      await recordCreated(scope, a, { label: "x" }, t0);
      const text = fc.oneof(fc.string({ unit: "binary", minLength: 1 }), fc.string({ minLength: 1 }));
      await fc.assert(
        fc.asyncProperty(text, async (label) => {
          const record = await edit(scope, a.id, { label });
          expect(record?.label).toBe(label.replaceAll("\0", "") || null);
          expect(await readRecord(scope, a.id)).toEqual(record);
        }),
        { numRuns: 60 },
      );
      expect((await edit(scope, a.id, { label: "nu\0l" }))?.label).toBe("nul");
      expect((await edit(scope, a.id, { label: "half \ud800 pair" }))?.label).toBe("half \ufffd pair");
    });
  });

  describe("a revoked token", () => {
    test("is recorded with its proof, once", async () => {
      const scope = someone();
      await mergeSeen(scope, [a, b], t0);
      const revoked = await recordRevoked(scope, a.id, "token_refused", t0 + 5);
      expect(revoked).toMatchObject({
        status: "revoked",
        revokedAt: t0 + 5,
        revokedProof: "token_refused",
        seenAfterRevocation: false,
      });
      expect(await recordRevoked(scope, a.id, "absent_from_list", t0 + 9)).toEqual(revoked);
      expect((await readRecord(scope, b.id))?.status).toBe("active");
      expect(await recordRevoked(scope, c.id, "token_refused", t0 + 9)).toBeNull();
    });

    test("does not vanish, and a list from before its end does not wake it", async () => {
      const scope = someone();
      await mergeSeen(scope, [a], t0);
      await recordRevoked(scope, a.id, "token_refused", t0 + 2 * minute);
      const stale = await mergeSeen(scope, [a], t0 + 2 * minute - 1);
      expect(stale.get(a.id)).toMatchObject({ status: "revoked", seenAfterRevocation: false });
      const gone = await mergeSeen(scope, [], t0 + 3 * minute);
      expect(gone.get(a.id)).toMatchObject({ status: "revoked", vanishedAt: null });
    });

    test("that a later list shows is told as alive, until it is gone or revoked again", async () => {
      const scope = someone();
      await mergeSeen(scope, [a], t0);
      await recordRevoked(scope, a.id, "absent_from_list", t0 + 5);
      const alive = await mergeSeen(scope, [a], t0 + 6);
      expect(alive.get(a.id)).toMatchObject({ status: "active", revokedAt: t0 + 5, seenAfterRevocation: true });
      expect(await readRecord(scope, a.id)).toEqual(alive.get(a.id));
      const gone = await mergeSeen(scope, [], t0 + 7);
      expect(gone.get(a.id)).toMatchObject({ status: "revoked", seenAfterRevocation: false });
      await mergeSeen(scope, [a], t0 + 8);
      expect(await recordRevoked(scope, a.id, "token_refused", t0 + 9)).toMatchObject({
        status: "revoked",
        revokedAt: t0 + 9,
        revokedProof: "token_refused",
      });
    });
  });

  describe("tenancy", () => {
    test("no verb reaches another tenant's or another owner's token", async () => {
      const ada = someone();
      const strangers = [{ ...ada, tenant: someone().tenant }, { ...ada, ownerId: "someone else" }, someone()];
      await mergeSeen(ada, [b], t0);
      const before = [
        await recordCreated(ada, a, { label: "IVR", purpose: "Reports" }, t0),
        await readRecord(ada, b.id),
      ];
      for (const stranger of strangers) {
        expect(await readRecord(stranger, a.id)).toBeNull();
        expect(await edit(stranger, a.id, { label: "stolen" })).toBeNull();
        expect(await recordRevoked(stranger, a.id, "token_refused", t0 + 1)).toBeNull();
        expect((await mergeSeen(stranger, [], t0 + 10 * minute)).size).toBe(0);
        const records = await mergeSeen({ ...stranger, ownerName: "Eve" }, [a], t0 + 10 * minute);
        expect(records.get(a.id)?.label ?? null).toBeNull();
      }
      expect([await readRecord(ada, a.id), await readRecord(ada, b.id)]).toEqual(before);
    });

    test("the same token in two tenants has a record in each", async () => {
      const [one, other] = [someone(), someone()];
      await recordCreated(one, a, { label: "one" }, t0);
      await recordCreated(other, a, { label: "other" }, t0);
      expect([(await readRecord(one, a.id))?.label, (await readRecord(other, a.id))?.label]).toEqual(["one", "other"]);
    });

    test("within a tenant a live record stays with its owner; a dead one passes on, without its words", async () => {
      const ada = someone();
      const eve = { ...ada, ownerId: "eve", ownerName: "Eve" };
      await recordCreated(ada, a, { label: "IVR", purpose: "Reports" }, t0);
      expect((await mergeSeen(eve, [a], t0 + 1)).size).toBe(0);
      await mergeSeen(ada, [], t0 + 2);
      expect((await mergeSeen(eve, [a], t0 + 3)).get(a.id)).toMatchObject({
        ownerName: "Eve",
        label: null,
        purpose: null,
        createdHere: false,
        firstSeenAt: t0 + 3,
        status: "active",
      });
      expect(await readRecord(ada, a.id)).toBeNull();
    });
  });

  test("a row that makes no sense is told as damage, not shown", async () => {
    const scope = someone();
    await mergeSeen(scope, [a], t0);
    await write("test", (trx) =>
      trx.updateTable("tokens").set({ rotate_by: "soon" }).where("tenant", "=", scope.tenant).execute(),
    );
    await expect(readRecord(scope, a.id)).rejects.toMatchObject({ problem: "damaged" });
  });

  test("no token value is in the database", async () => {
    const scope = someone();
    const values = Array.from({ length: 5 }, () => `aws80:${randomUUID()}`);
    const marks = values.map(markToken);
    await mergeSeen(scope, marks.slice(1), t0);
    await recordCreated(scope, marks[0] as SeenToken, { label: "IVR" }, t0);
    const secrets = values.flatMap((value) => [value, value.slice(6), value.slice(6, 24)]);
    const stored =
      kind === "sqlite"
        ? readdirSync(database.folder)
            .map((name) => readFileSync(join(database.folder, name), "latin1"))
            .join()
        : JSON.stringify(await read((db) => db.selectFrom("tokens").selectAll().execute()));
    expect(stored).toContain((marks[0] as SeenToken).fingerprint);
    for (const secret of secrets) expect(stored).not.toContain(secret);
  });
});
