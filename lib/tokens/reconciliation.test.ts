import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openIntentsOf } from "@/lib/audit/intents";
import { type Actor, audited, instance, type Subject } from "@/lib/audit/log";
import { readEvents } from "@/lib/audit/reading";
import { type AuditEvent, auditQuerySchema } from "@/lib/audit/schema";
import { read, write } from "@/lib/db/client";
import type { RingcxClient } from "@/lib/ringcx/client";
import { markToken } from "@/lib/tokens/fingerprint";
import type { TokenOwner } from "@/lib/tokens/held";
import {
  editMetadata,
  mergeSeen,
  noteVanished,
  type OwnerScope,
  readRecord,
  recordCreated,
  recordRevoked,
} from "@/lib/tokens/inventory";
import { reconcile } from "@/lib/tokens/reconciliation";
import { runModule } from "@/test/child";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";

/** So long RingCX may be at work on what a dead process sent: twice RINGCX_TIMEOUT_MS, and a second. */
const atWorkMs = 21_000;
/** When a list that settles everything is asked for, after the intent. */
const later = atWorkMs + 1_000;

/** What a list settles is settled from that list: RingCX is not asked again. */
const client = new Proxy({}, { get: () => () => expect.unreachable("RingCX was asked") }) as RingcxClient;
/** The process that began the acts: it has ended. */
const gone = `${hostname().replaceAll(":", "_")}:${spawnSync("true").pid}:dead`;

type Person = TokenOwner & { scope: OwnerScope };

/** An owner in a tenant of their own. */
function someone(): Person {
  const tenant = `https://ringcx.example.com|${randomUUID()}`;
  const id = `ringcx:ringcx.example.com:${randomUUID().slice(0, 8)}:1111`;
  const actor: Actor = { tenant, id, name: "ana@example.com", address: null, userAgent: null, requestId: null };
  const scope = { tenant, ownerId: id, ownerName: "Ana Lima", login: actor.name };
  return { client, user: { id, name: "Ana Lima" }, tenant, actor, scope };
}

/** A token that a list can show. */
function token() {
  const value = `aws80:${randomUUID()}`;
  return { ...markToken(value), value };
}
type Listed = ReturnType<typeof token>;

/** Begins an act that never ends. Gives the time of its intent; a process that is gone has it in hand. */
async function begin({ actor }: Person, subject: Subject, holder = gone): Promise<number> {
  const begun = Promise.withResolvers<void>();
  void audited(actor, subject, () => {
    begun.resolve();
    return new Promise(() => {});
  });
  await begun.promise;
  const open = await write("test", (trx) =>
    trx
      .updateTable("audit_intents")
      .set({ instance: holder })
      .where("tenant", "=", actor.tenant)
      .where("instance", "=", instance)
      .returning("at")
      .executeTakeFirstOrThrow(),
  );
  return open.at;
}

/** The owner looks: RingCX shows `shown` at that time. */
async function look(person: Person, shown: Listed[], askedAt: number, { complete = true } = {}): Promise<void> {
  const records = await mergeSeen(person.scope, shown, askedAt, { complete });
  await reconcile(person, { held: shown, complete, records, askedAt });
}

/** The ends of the person's acts, the first first. */
async function ends({ tenant, user }: Person): Promise<AuditEvent[]> {
  const reader = { tenant, user: { id: user.id, role: "member" as const } };
  const { events } = await readEvents(reader, auditQuerySchema.parse({}));
  return events.filter(({ outcome }) => outcome !== "attempted").reverse();
}

async function onlyEnd(person: Person): Promise<AuditEvent> {
  const [end, ...more] = await ends(person);
  expect(more).toEqual([]);
  expect(await openIntentsOf(person.tenant, null)).toHaveLength(0);
  if (!end) throw new Error("the act has no end");
  return end;
}

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  let ana: Person;
  beforeAll(async () => {
    database = await useDatabase(kind);
  });
  afterAll(() => database.remove());
  beforeEach(() => {
    ana = someone();
  });

  describe.each(["token.create", "token.rotate"] as const)("a %s that was cut off", (action) => {
    const old = token();
    const subject: Subject = { action, token: action === "token.rotate" ? old : null, details: { label: "IVR" } };

    test("has succeeded when its token was written down, and is known by its label", async () => {
      const made = token();
      const other = token();
      await look(ana, [old], Date.now() - 65_000);
      const at = await begin(ana, subject);
      await recordCreated(ana.scope, made, { label: "IVR" }, at + 10);
      await recordCreated(ana.scope, other, { label: "Another" }, at + 10);
      await look(ana, [old, made, other], at + later);
      expect(await onlyEnd(ana)).toMatchObject({
        action,
        outcome: "succeeded",
        details: { created: made.id, createdHint: made.hint, reconciled: true },
        token: subject.token ? { id: old.id, hint: old.hint } : null,
      });
    });

    test("has failed when nothing new is in the list", async () => {
      await look(ana, [old], Date.now() - 65_000);
      const at = await begin(ana, subject);
      await look(ana, [old], at + later);
      expect(await onlyEnd(ana)).toMatchObject({ action, outcome: "failed", details: { reconciled: true } });
    });

    test("has failed, too, when the list was empty and is", async () => {
      const at = await begin(ana, subject);
      await look(ana, [], at + later);
      expect(await onlyEnd(ana)).toMatchObject({ action, outcome: "failed" });
    });

    test("is unknown when something new is in the list that nobody wrote down: it may be this one", async () => {
      const [one, two] = [token(), token()];
      await look(ana, [old], Date.now() - 65_000);
      const at = await begin(ana, subject);
      await look(ana, [old, one, two], at + later);
      const end = await onlyEnd(ana);
      expect(end).toMatchObject({ action, outcome: "unknown", details: { reconciled: true } });
      expect(end.details.candidates).toHaveLength(2);
      expect(end.details.candidates).toEqual(expect.arrayContaining([one.id, two.id]));
    });

    test("is unknown when parts of the list could not be read", async () => {
      await look(ana, [old], Date.now() - 65_000);
      const at = await begin(ana, subject);
      await look(ana, [old], at + later, { complete: false });
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "unknown", details: { candidates: [] } });
    });

    test("is unknown when two tokens of that label were written down", async () => {
      const [one, two] = [token(), token()];
      const at = await begin(ana, subject);
      for (const made of [one, two]) await recordCreated(ana.scope, made, { label: "IVR" }, at + 10);
      await look(ana, [one, two], at + later);
      const end = await onlyEnd(ana);
      expect(end.outcome).toBe("unknown");
      expect(end.details.candidates).toEqual(expect.arrayContaining([one.id, two.id]));
    });

    test("has succeeded, too, when its label looks like a secret and is masked in its intent", async () => {
      const made = token();
      const label = `Key ${randomUUID()}`;
      const at = await begin(ana, { ...subject, details: { label } });
      await recordCreated(ana.scope, made, { label }, at + 10);
      await look(ana, [made], at + 1000);
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "succeeded", details: { created: made.id } });
    });

    test("is unknown when its token was given another label before the next list", async () => {
      const made = token();
      const at = await begin(ana, { ...subject, details: { label: "IVR", knownBefore: 0 } });
      await recordCreated(ana.scope, made, { label: "IVR" }, at + 10);
      await editMetadata(ana.scope, made.id, { label: "Wallboard" }, at + 20, async () => {});
      await look(ana, [made], at + later);
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "unknown", details: { candidates: [made.id] } });
    });

    test("is found when the clock that wrote its token down was behind the log's", async () => {
      const made = token();
      await look(ana, [old], Date.now() - 5000);
      const at = await begin(ana, { ...subject, details: { label: "IVR", knownBefore: 1 } });
      await recordCreated(ana.scope, made, { label: "IVR" }, at - 30_000);
      await look(ana, [old, made], at + 1000);
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "succeeded", details: { created: made.id } });
    });

    test("is unknown when what came was gone again before the next complete list", async () => {
      const made = token();
      await look(ana, [old], Date.now() - 5000);
      const at = await begin(ana, { ...subject, details: { label: "IVR", knownBefore: 1 } });
      await look(ana, [old, made], at + 1000);
      await look(ana, [old], at + later);
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "unknown", details: { candidates: [made.id] } });
    });

    test("is not taken for what another act made of the same label, before or after", async () => {
      const [first, second] = [token(), token()];
      const make = (made: Listed) =>
        audited(ana.actor, { action: "token.create", details: { label: "IVR" } }, async (intent) => {
          intent.details = { label: "IVR", created: made.id };
          await recordCreated(ana.scope, made, { label: "IVR" }, Date.now());
        });
      await make(first);
      const at = await begin(ana, subject);
      await make(second);
      await look(ana, [first, second], at + later);
      const [, , end, ...more] = await ends(ana);
      expect([end, more]).toMatchObject([{ action, outcome: "failed" }, []]);
    });

    test("is unknown when two acts of the same label were cut off and one token was written down", async () => {
      const made = token();
      await begin(ana, subject);
      const at = await begin(ana, subject);
      await recordCreated(ana.scope, made, { label: "IVR" }, at + 10);
      await look(ana, [made], at + later);
      expect(await ends(ana)).toMatchObject([
        { outcome: "unknown", details: { candidates: [made.id] } },
        { outcome: "unknown", details: { candidates: [made.id] } },
      ]);
    });

    test("is not taken for a token of the same label from before", async () => {
      const before = token();
      await recordCreated(ana.scope, before, { label: "IVR" }, Date.now() - 5000);
      const at = await begin(ana, { ...subject, details: { label: "IVR", knownBefore: 1 } });
      await look(ana, [before], at + later);
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "failed" });
    });
  });

  describe("a revocation that was cut off", () => {
    const victim = token();
    const sibling = token();
    const subject: Subject = { action: "token.revoke", token: victim, reason: "leaked" };

    test("has failed when the token is still in the list", async () => {
      const at = await begin(ana, subject);
      await look(ana, [victim, sibling], at + later);
      expect(await onlyEnd(ana)).toMatchObject({
        outcome: "failed",
        reason: "leaked",
        token: { id: victim.id, hint: victim.hint },
      });
      expect((await readRecord(ana.scope, victim.id))?.status).toBe("active");
    });

    test("has succeeded when its proof was written down", async () => {
      await look(ana, [victim, sibling], Date.now() - 65_000);
      const at = await begin(ana, subject);
      await recordRevoked(ana.scope, victim.id, "token_refused", at + 10);
      await look(ana, [sibling], at + later);
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "succeeded", details: { proof: "token_refused" } });
    });

    test("is unknown when the list has lost it: nothing but its absence speaks for a proof", async () => {
      await look(ana, [victim, sibling], Date.now() - 65_000);
      const at = await begin(ana, subject);
      await look(ana, [sibling], at + later);
      const end = await onlyEnd(ana);
      expect(end).toMatchObject({ outcome: "unknown", details: { found: "not in the list any more" } });
      expect(end.details.proof).toBeUndefined();
      expect(await readRecord(ana.scope, victim.id)).toMatchObject({
        status: "vanished",
        revokedProof: null,
        vanishedAt: at + later,
      });
    });

    test("is unknown when the list is empty, and the token vanished", async () => {
      await look(ana, [victim, sibling], Date.now() - 65_000);
      const at = await begin(ana, subject);
      await look(ana, [], at + later);
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "unknown" });
      expect((await readRecord(ana.scope, victim.id))?.status).toBe("vanished");
    });

    test("is unknown when parts of the list could not be read", async () => {
      await look(ana, [victim, sibling], Date.now() - 65_000);
      const at = await begin(ana, subject);
      await look(ana, [sibling], at + later, { complete: false });
      expect(await onlyEnd(ana)).toMatchObject({ outcome: "unknown" });
      expect((await readRecord(ana.scope, victim.id))?.status).toBe("active");
    });
  });

  test("of a reveal that was cut off nobody can say whether the person has the value", async () => {
    const shown = token();
    const at = await begin(ana, { action: "token.reveal", token: shown });
    await look(ana, [shown], at + later);
    expect(await onlyEnd(ana)).toMatchObject({ action: "token.reveal", outcome: "unknown" });
  });

  test("a list that was asked for before the intent settles nothing", async () => {
    const at = await begin(ana, { action: "token.create", details: { label: "IVR" } });
    await look(ana, [], at);
    expect(await ends(ana)).toEqual([]);
    expect(await openIntentsOf(ana.tenant, null)).toHaveLength(1);
    await look(ana, [], at + later);
    expect((await onlyEnd(ana)).outcome).toBe("failed");
  });

  test("nothing has failed, and nothing is unknown, while RingCX may be at work on what was sent", async () => {
    const [victim, made, other] = [token(), token(), token()];
    await look(ana, [victim], Date.now() - 5000);
    const first = await begin(ana, { action: "token.revoke", token: victim });
    const at = await begin(ana, { action: "token.create", details: { label: "IVR", knownBefore: 1 } });
    await look(ana, [victim, other], at + 1);
    await look(ana, [victim, other], first + atWorkMs - 1);
    expect(await ends(ana)).toEqual([]);
    await look(ana, [victim, other, made], at + atWorkMs);
    expect((await ends(ana)).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "token.revoke failed",
      "token.create unknown",
    ]);
    expect((await ends(ana))[1]?.details.candidates).toEqual([made.id, other.id]);
  });

  test("what a living process has in hand is left to it, in this one and in another", async () => {
    for (const holder of [instance, `${hostname()}:${process.ppid}:alive`, "elsewhere:1:alive"]) {
      const at = await begin(ana, { action: "token.create", details: { label: "IVR" } }, holder);
      await look(ana, [], at + later);
      expect(await ends(ana)).toEqual([]);
      await write("test", (trx) => trx.deleteFrom("audit_intents").where("tenant", "=", ana.tenant).execute());
    }
  });

  test("somebody else's list settles nothing, in the same main account or in another", async () => {
    const olga = someone();
    const neighbour = { ...olga, tenant: ana.tenant, scope: { ...olga.scope, tenant: ana.tenant } };
    const namesake = { ...someone(), user: ana.user };
    const at = await begin(ana, { action: "token.create", details: { label: "IVR" } });
    for (const other of [neighbour, namesake]) await look(other, [token()], at + later);
    expect(await ends(ana)).toEqual([]);
    await look(ana, [], at + later);
    expect((await onlyEnd(ana)).outcome).toBe("failed");
  });

  test("several looks at once record one end", async () => {
    const at = await begin(ana, { action: "token.create", details: { label: "IVR" } });
    await Promise.all([1, 2, 3, 4].map((ms) => look(ana, [], at + later + ms)));
    expect((await onlyEnd(ana)).outcome).toBe("failed");
  });

  test("each of several acts has its own end", async () => {
    const [victim, made] = [token(), token()];
    await look(ana, [victim, token()], Date.now() - 5000);
    await begin(ana, { action: "token.revoke", token: victim });
    await begin(ana, { action: "token.reveal", token: victim });
    const at = await begin(ana, { action: "token.create", details: { label: "IVR" } });
    await recordCreated(ana.scope, made, { label: "IVR" }, at + 10);
    await look(ana, [victim, made], at + later);
    expect((await ends(ana)).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "token.revoke failed",
      "token.reveal unknown",
      "token.create succeeded",
    ]);
  });

  test("the act of a process that was killed is settled by its owner's next look", async () => {
    const script = `
      const { audited } = await import("@/lib/audit/log");
      const subject = { action: "token.create", details: { label: "IVR" } };
      await audited(${JSON.stringify(ana.actor)}, subject, () => process.kill(process.pid, "SIGKILL"));
      await new Promise(() => setTimeout(() => {}, 10_000));`;
    const { code, stderr } = await runModule(script, { variables: database.variables });
    expect([code, stderr]).toEqual([null, ""]);
    expect(await openIntentsOf(ana.tenant, null)).toHaveLength(1);
    await look(ana, [], Date.now() + later);
    expect((await onlyEnd(ana)).outcome).toBe("failed");
  });

  test("a revocation whose token a list missed before its proof was written down is no vanishing", async () => {
    const [victim, sibling] = [token(), token()];
    const now = Date.now();
    await look(ana, [victim, sibling], now - 5000);
    await look(ana, [sibling], now - 3000);
    await noteVanished(ana.scope, victim.id, now - 2000, async () => {});
    await recordRevoked(ana.scope, victim.id, "token_refused", now - 1000);
    expect(await readRecord(ana.scope, victim.id)).toMatchObject({ status: "revoked", vanishedAt: null });
    const rows = await read((db) =>
      db.selectFrom("tokens").select("vanish_noted_at").where("id", "=", victim.id).execute(),
    );
    expect(rows).toEqual([{ vanish_noted_at: null }]);
  });
});
