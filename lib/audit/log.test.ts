import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { canonical, genesisHash } from "@/lib/audit/chain";
import { openIntentsOf, orphanedIntents, settleHopeless, settleIntent } from "@/lib/audit/intents";
import { type Actor, appendWithin, audited, inHand, record, recordOf, recordOrSpool } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import { type AuditQuery, auditQuerySchema } from "@/lib/audit/schema";
import { commit } from "@/lib/audit/spool";
import { read, write } from "@/lib/db/client";
import { TokendeskError } from "@/lib/errors";
import { UpstreamError } from "@/lib/ringcx/errors";
import { runModule } from "@/test/child";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";

const ana: Actor = {
  tenant: "ringcx.example.com|333333",
  id: "ringcx:ringcx.example.com:333333:1111",
  name: "Ana@Example.com",
  address: "192.0.2.1",
  userAgent: "a browser",
  requestId: "5c0cf0f5-3a0a-4a57-9a43-5a8a8f1b7a11",
};
const admin = { tenant: "ringcx.example.com|333333", user: { id: "x", role: "admin" as const } };
const query = (changes: Partial<AuditQuery> = {}) => ({ ...auditQuerySchema.parse({ limit: 500 }), ...changes });
const events = async () => (await readEvents(admin, query())).events.reverse();
const outcomes = async () => (await events()).map(({ action, outcome }) => `${action} ${outcome}`);

let database: TestDatabase;
afterEach(() => database.remove());

describe.each(databaseKinds)("on %s", (kind) => {
  beforeEach(async () => {
    database = await useDatabase(kind);
  });

  test("events are chained: each hash is that of its canonical JSON, the one before it included", async () => {
    await record(ana, { action: "session.create", outcome: "succeeded" });
    await record(ana, {
      action: "token.revoke",
      outcome: "unknown",
      token: { id: "t1", hint: "aws80:…c0a9" },
      reason: "leaked in a log, “really”",
      details: { code: "revocation_unconfirmed", checked: ["a", "b"], tries: 2, proof: null, urgent: true },
    });
    const { chain, ...head } = await read((db) => db.selectFrom("audit_chain").selectAll().executeTakeFirstOrThrow());
    const [first, second] = await events();
    expect(first).toMatchObject({ seq: 1, previousHash: genesisHash, actor: { name: "ana@example.com" }, token: null });
    expect(second).toMatchObject({ seq: 2, previousHash: first?.hash, token: { id: "t1", hint: "aws80:…c0a9" } });
    expect(head).toMatchObject({ seq: 2, hash: second?.hash });
    for (const event of [first, second]) {
      const { hash, ...rest } = event ?? { hash: "" };
      expect(hash).toBe(
        createHash("sha256")
          .update(canonical({ ...rest, chain }))
          .digest("hex"),
      );
    }
  });

  test("a change and its record are one: neither stays when the transaction fails", async () => {
    const failing = write("test", async (trx) => {
      await appendWithin(trx, ana, [{ action: "token.edit", outcome: "succeeded" }]);
      throw new Error("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    expect(await events()).toEqual([]);
    await write("test", (trx) =>
      appendWithin(trx, ana, [
        { action: "token.edit", outcome: "succeeded" },
        { action: "token.adopt", outcome: "succeeded" },
      ]),
    );
    expect((await events()).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test("time does not run backwards along the log, whatever the clock does", async () => {
    await record(ana, { action: "session.create", outcome: "succeeded" });
    await write("test", (trx) =>
      trx
        .updateTable("audit_chain")
        .set({ at: Date.now() + 60_000 })
        .execute(),
    );
    await record(ana, { action: "session.end", outcome: "succeeded" });
    const [first, second] = await events();
    expect(Date.parse(second?.at ?? "")).toBeGreaterThan(Date.parse(first?.at ?? "") + 50_000);
  });

  test("where another replica's clock is far ahead, events say their time, and intents have it", async () => {
    await record(ana, { action: "session.create", outcome: "succeeded" });
    await write("test", (trx) =>
      trx
        .updateTable("audit_chain")
        .set({ at: Date.now() + 600_000 })
        .execute(),
    );
    const before = Date.now();
    await audited(ana, { action: "token.edit" }, async () => {
      const { at } = await read((db) => db.selectFrom("audit_intents").select("at").executeTakeFirstOrThrow());
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(Date.now());
    });
    const [first, ...late] = await events();
    expect(first?.details).toEqual({});
    expect(late).toHaveLength(2);
    for (const { details } of late) {
      expect(Date.parse(String(details.happenedAt))).toBeGreaterThanOrEqual(before);
      expect(Date.parse(String(details.happenedAt))).toBeLessThanOrEqual(Date.now());
    }
  });

  test("four writers in two processes make one chain", async () => {
    const writer = `
      const { record, audited } = await import("@/lib/audit/log");
      const { closeDatabase } = await import("@/lib/db/client");
      const actor = ${JSON.stringify(ana)};
      await Promise.all([1, 2].map(async (writer) => {
        for (let n = 0; n < 15; n += 1) {
          await record(actor, { action: "token.edit", outcome: "succeeded", details: { writer, n } });
          await audited(actor, { action: "token.reveal" }, async () => {});
        }
      }));
      await closeDatabase();`;
    const ended = await Promise.all(
      [1, 2].map(() => runModule(writer, { variables: database.variables, timeoutMs: 40_000 })),
    );
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ""],
      [0, ""],
    ]);
    const all = await events();
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 180 }, (_, index) => index + 1));
    let previous = genesisHash;
    for (const event of all) {
      expect(event.previousHash).toBe(previous);
      previous = event.hash;
    }
    expect(await openIntentsOf(ana.tenant ?? "", null)).toHaveLength(0);
  }, 60_000);

  describe("an audited act", () => {
    test("is recorded before the effect and after it, with one correlation ID", async () => {
      const result = await audited(ana, { action: "token.create", details: { label: "ivr" } }, async (intent) => {
        expect(await outcomes()).toEqual(["token.create attempted"]);
        expect(await openIntentsOf(ana.tenant ?? "", null)).toHaveLength(1);
        intent.token = { id: "t9", hint: "aws80:…c0a9" };
        intent.details = { proof: "x" };
        return 7;
      });
      expect(result).toBe(7);
      const [attempted, succeeded] = await events();
      expect(succeeded).toMatchObject({ outcome: "succeeded", token: { id: "t9" }, details: { proof: "x" } });
      expect(succeeded?.correlationId).toBe(attempted?.correlationId);
      expect(await openIntentsOf(ana.tenant ?? "", null)).toHaveLength(0);
    });

    test.each([
      ["failed", new TokendeskError("token_not_found", "gone"), "token_not_found"],
      ["failed", new UpstreamError("token.create", "transient", "unavailable"), "upstream_unavailable"],
      ["unknown", new UpstreamError("token.create", "unknown", "timeout"), "upstream_timeout"],
      ["unknown", new TokendeskError("creation_unconfirmed", "?"), "creation_unconfirmed"],
      ["unknown", new TokendeskError("revocation_unconfirmed", "?"), "revocation_unconfirmed"],
      ["unknown", new TypeError("a bug"), "internal_error"],
    ])("whose effect fails is %s: %s", async (outcome, error, code) => {
      const act = audited(ana, { action: "token.create" }, () => Promise.reject(error));
      await expect(act).rejects.toBe(error);
      expect((await events())[1]).toMatchObject({ outcome, details: { code } });
    });

    test("may say its outcome itself", async () => {
      await audited(ana, { action: "audit.export" }, async (intent) => {
        intent.outcome = "failed";
      });
      expect(await outcomes()).toEqual(["audit.export attempted", "audit.export failed"]);
    });
  });

  describe("an intent without an outcome", () => {
    /** An intent whose process is gone. */
    async function abandon(action: "token.create" | "audit.export"): Promise<void> {
      const script = `
        const { audited } = await import("@/lib/audit/log");
        await audited(${JSON.stringify(ana)}, { action: "${action}", details: { label: "ivr" } }, () => process.kill(process.pid, "SIGKILL"));
        await new Promise(() => setTimeout(() => {}, 10_000));`;
      expect((await runModule(script, { variables: database.variables })).code).toBeNull();
    }

    test("is nobody's orphan while its effect runs", async () => {
      await audited(ana, { action: "token.create" }, async () => {
        expect(await orphanedIntents(ana.tenant ?? "", ana.id ?? "")).toEqual([]);
        expect(await settleHopeless()).toBe(0);
      });
    });

    test("is an orphan when its process is gone, only for its owner, and is settled once", async () => {
      await abandon("token.create");
      expect(await orphanedIntents(ana.tenant ?? "", "somebody else")).toEqual([]);
      expect(await orphanedIntents("elsewhere|1", ana.id ?? "")).toEqual([]);
      const [orphan] = await orphanedIntents(ana.tenant ?? "", ana.id ?? "");
      if (!orphan) throw new Error("there is no orphan");
      expect(orphan).toMatchObject({ action: "token.create", seq: 1, details: { label: "ivr" } });
      const settled = await Promise.all(
        (["succeeded", "failed", "unknown"] as const).map((outcome) =>
          settleIntent(ana, orphan, outcome, { reconciled: true }),
        ),
      );
      expect(settled.filter(Boolean)).toHaveLength(1);
      const all = await events();
      expect(all).toHaveLength(2);
      expect(all[1]).toMatchObject({ correlationId: orphan.correlationId, details: { reconciled: true } });
      expect(await openIntentsOf(ana.tenant ?? "", null)).toHaveLength(0);
    });

    test("that no list can decide becomes unknown; another waits for its owner, for a week", async () => {
      await abandon("audit.export");
      await abandon("token.create");
      expect(await settleHopeless()).toBe(1);
      expect((await outcomes()).sort()).toEqual([
        "audit.export attempted",
        "audit.export unknown",
        "token.create attempted",
      ]);
      await write("test", (trx) =>
        trx
          .updateTable("audit_intents")
          .set({ at: Date.now() - 8 * 24 * 3_600_000 })
          .execute(),
      );
      expect(await settleHopeless()).toBe(1);
      expect(await outcomes()).toContain("token.create unknown");
    });

    test("of another host counts as an orphan after three minutes", async () => {
      await abandon("token.create");
      await write("test", (trx) => trx.updateTable("audit_intents").set({ instance: "elsewhere:1:aa" }).execute());
      const orphans = () => orphanedIntents(ana.tenant ?? "", ana.id ?? "");
      expect(await orphans()).toEqual([]);
      await write("test", (trx) =>
        trx
          .updateTable("audit_intents")
          .set({ at: Date.now() - 181_000 })
          .execute(),
      );
      expect(await orphans()).toHaveLength(1);
    });

    test("of a process that had our number before a restart is an orphan at once", async () => {
      await abandon("token.create");
      const [host, pid, , space] = inHand().instance.split(":");
      for (const instance of [`${host}:${pid}:other:${space}:1`, `${host}:${pid}:other`]) {
        await write("test", (trx) => trx.updateTable("audit_intents").set({ instance }).execute());
        expect(await orphanedIntents(ana.tenant ?? "", ana.id ?? "")).toHaveLength(1);
      }
    });

    test("is found behind a thousand that are not hopeless", async () => {
      const opened = Array.from({ length: 1002 }, () => ({
        ...recordOf(ana, { action: "token.reveal", outcome: "attempted" }),
        opens: "elsewhere:1:aa",
      }));
      await write("audit", (trx) => commit(trx, opened));
      const last = opened.at(-1)?.draft.id ?? "";
      await write("test", (trx) => trx.updateTable("audit_intents").set({ at: 1 }).where("id", "=", last).execute());
      expect(await settleHopeless()).toBe(1);
      expect(await read((db) => db.selectFrom("audit_intents").select("id").execute())).toHaveLength(1001);
    });
  });

  test("no secret gets into the log, whatever is pasted where", async () => {
    const secret = "c2353445-bc74-af1a-2850-1d55a371c0a9";
    const spellings = [
      `aws80:${secret}`,
      `AWS80:${secret.toUpperCase()}`,
      encodeURIComponent(`aws80:${secret}`),
      encodeURIComponent(encodeURIComponent(`aws80:${secret}`)),
      `aws80%3a${secret.replaceAll("-", "%2D")}`,
      `aws80:c2353445\u200B-bc74-af1a-2850-1d55a371c0a9`,
      `https://x/admin/token/aws80%3A${secret}`,
      `${"x".repeat(480)} aws80:${secret}`,
    ];
    for (const spelling of spellings) {
      await recordOrSpool(
        { ...ana, name: spelling, userAgent: `curl ${spelling} ${spelling}` },
        {
          action: "token.revoke",
          outcome: "succeeded",
          reason: `both ${spelling} and ${spelling}`,
          token: { id: "t1", hint: spelling },
          details: { note: spelling, list: [spelling], order: "c0ffee00-1111-4111-8111-111111111111" },
        },
      );
    }
    await recordOrSpool(ana, { action: "token.edit", outcome: "succeeded", reason: `the part ${secret} alone` });
    await recordOrSpool(ana, { action: "token.edit", outcome: "succeeded", reason: "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln" });
    const all = await events();
    expect(all).toHaveLength(spellings.length + 2);
    const text = JSON.stringify(all).toLowerCase();
    expect(text).not.toMatch(/c2353445|1d55a371/);
    expect(text).not.toContain("eyjz");
    expect(text).toContain("c0ffee00-1111-4111-8111-111111111111");
    expect(all[0]?.reason).toBe("both aws80:…c0a9 and aws80:…c0a9");
  });

  test("input is cut and cleaned before it is hashed", async () => {
    await record(
      { ...ana, name: "", userAgent: `a\u0000b\n${"x".repeat(400)}\ud800`, address: null },
      {
        action: "token.edit",
        outcome: "succeeded",
        reason: `\u202Ereason${"y".repeat(600)}`,
        details: {
          "bad name": 1,
          big: "z".repeat(600),
          many: Array.from({ length: 60 }, () => "w".repeat(400)),
          nan: Number.NaN,
        },
      },
    );
    const [event] = await events();
    expect(event?.actor.name).toBe("unknown");
    expect(event?.userAgent).toHaveLength(256);
    expect(event?.userAgent).toMatch(/^ab x/);
    expect(event?.reason).toHaveLength(500);
    expect(event?.reason).toMatch(/^reasony/);
    expect(event?.details).toEqual({ big: "z".repeat(500), truncated: true });
  });

  test("a person whose ID looks like a token value keeps it", async () => {
    const id = "ringcx:example.com:1:0f8fad5b-d9cb-469f-a165-70867728950e";
    const tenant = "example.com|main:0f8fad5b-d9cb-469f-a165-70867728950e";
    await record({ ...ana, tenant, id: `\u0000${id}` }, { action: "token.edit", outcome: "succeeded", reason: id });
    const rows = await read((db) => db.selectFrom("audit_events").selectAll().execute());
    expect(rows).toMatchObject([{ tenant, actor_id: id }]);
    expect(rows[0]?.reason).not.toContain("d9cb");
    await record({ ...ana, id: "i".repeat(300) }, { action: "token.edit", outcome: "succeeded" });
    const cut = await read((db) => db.selectFrom("audit_events").select("actor_id").where("seq", "=", 2).execute());
    expect(cut).toEqual([{ actor_id: "i".repeat(200) }]);
  });

  test("an act is refused when its intent cannot be written: the head of the chain is gone", async () => {
    await record(ana, { action: "session.create", outcome: "succeeded" });
    await write("test", (trx) => trx.deleteFrom("audit_chain").execute());
    let ran = false;
    const act = audited(ana, { action: "token.create" }, async () => {
      ran = true;
    });
    await expect(act).rejects.toMatchObject({ code: "audit_unavailable" });
    expect(ran).toBe(false);
    expect(await outcomes()).toEqual(["session.create succeeded"]);
  });
});
