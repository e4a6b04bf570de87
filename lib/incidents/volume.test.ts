import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Actor, record } from "@/lib/audit/log";
import { closeDatabase, read } from "@/lib/db/client";
import { env } from "@/lib/env";
import { recentWarnings, warnOfVolume } from "@/lib/incidents/volume";
import { deliverDue } from "@/lib/notify/delivery";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { startUpstream, type Upstream } from "@/test/upstream";

describe.each(databaseKinds)("on %s", (kind) => {
  let database: TestDatabase;
  let hook: Upstream;
  let ana: Actor;

  beforeEach(async () => {
    hook = await startUpstream((_, response) => void response.writeHead(204).end());
    database = await useDatabase(kind, {
      NOTIFY_WEBHOOKS: `${hook.url}/`,
      NOTIFY_WEBHOOK_SECRET: "w".repeat(32),
      INCIDENT_WARN_PER_HOUR: "20",
    });
    const tenant = `https://ringcx.example.com|${randomUUID()}`;
    ana = { tenant, id: "ana", name: "ana@example.com", address: null, userAgent: null, requestId: null };
  });
  afterEach(async () => {
    vi.useRealTimers();
    await deliverDue();
    await hook.close();
    await database.remove();
  });

  const told = async () => {
    await deliverDue();
    return hook.asked.map(({ body }) => (JSON.parse(body) as { type: string; data: unknown }).data);
  };
  const scanned = (actor: Actor, tokens: number, unusual = false) =>
    record(actor, {
      action: "incident.scan",
      outcome: "succeeded",
      details: { tokens, ...(unusual ? { unusual } : {}) },
    });

  test("what another replica recorded counts, what is an hour old does not, and it is told once", async () => {
    await scanned(ana, 15);
    await scanned({ ...ana, id: "ben", name: "ben@example.com" }, 500);
    await scanned({ ...ana, tenant: "https://ringcx.example.com|other" }, 500);
    expect(await warnOfVolume(ana, 5)).toBe(false);
    expect(await told()).toEqual([]);
    expect(await warnOfVolume(ana, 6)).toBe(true);
    expect(await warnOfVolume(ana, 7)).toBe(true);
    expect(await told()).toEqual([{ actor: "ana@example.com", tokens: 21, limit: 20 }]);
    vi.useFakeTimers({ now: Date.now() + 3_600_001, toFake: ["Date"] });
    expect(await warnOfVolume(ana, 20)).toBe(false);
  });

  test("what is under way in this process counts, also while the database is away", async () => {
    expect(await warnOfVolume(ana, 12)).toBe(false);
    expect(await warnOfVolume(ana, 12)).toBe(true);
    await closeDatabase();
    const before = { ...env() };
    Object.assign(env(), { databaseUrl: null, dataDir: "/dev/null/none" });
    expect(await warnOfVolume({ ...ana, id: "eva" }, 21)).toBe(true);
    Object.assign(env(), before);
  });

  test("the warnings of a day are read from the log, one for each person", async () => {
    await scanned(ana, 30, true);
    await scanned(ana, 40, true);
    await scanned({ ...ana, id: "ben", name: "ben@example.com" }, 5);
    await scanned({ ...ana, tenant: "https://ringcx.example.com|other" }, 50, true);
    const tenant = ana.tenant ?? "";
    const at = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(await recentWarnings(tenant)).toEqual([{ at, actor: "ana@example.com", tokens: 70 }]);
    vi.useFakeTimers({ now: Date.now() + 24 * 3_600_001, toFake: ["Date"] });
    expect(await recentWarnings(tenant)).toEqual([]);
    expect(await read((db) => db.selectFrom("notifications").selectAll().execute())).toEqual([]);
  });
});
