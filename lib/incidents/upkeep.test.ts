import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { read, write } from "@/lib/db/client";
import { listCases, noteFindings, openCase, readCase } from "@/lib/incidents/cases";
import type { Investigator } from "@/lib/incidents/investigator";
import { pruneCases } from "@/lib/incidents/upkeep";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";

const dayMs = 86_400_000;
let database: TestDatabase;
afterEach(() => database.remove());

async function opened(daysAgo: number): Promise<string> {
  const actor = { tenant: "t|1", id: "ana", name: "ana", address: null, userAgent: null, requestId: null };
  const holding = () => {
    throw new Error("nothing is asked");
  };
  const investigator: Investigator = {
    ...{ tenant: "t|1", actor, user: { id: "ana", name: "Ana" }, origin: "desk", keyName: null, seal: "s", holding },
    owner: null,
  };
  const id = randomUUID();
  const openedAt = Date.now() - daysAgo * dayMs;
  await openCase(investigator, { id, host: "https://ringcx.example.com", openedAt, textBytes: 1, files: 0, found: 1 });
  const mark = { tokenId: "x".repeat(22), fingerprint: "f", hint: "aws80:…c0a9" };
  const known = {
    leaked: true,
    places: [],
    foundAt: openedAt,
    status: "dead" as const,
    why: "Refused.",
    checkedAt: null,
  };
  await noteFindings("t|1", id, [{ ...mark, ...known, user: null, accounts: null, reach: null, notChecked: [] }]);
  return id;
}

const tokenRows = () => read((db) => db.selectFrom("incident_tokens").select("incident_id").execute());

describe.each(databaseKinds)("on %s", (kind) => {
  test("cases go with the part of the audit log that is not kept any more, unless they are worked on", async () => {
    database = await useDatabase(kind, { AUDIT_RETENTION_DAYS: "30" });
    const [old, busy, young] = [await opened(31), await opened(40), await opened(29)];
    const held = { holder: "somebody", held_until: Date.now() + dayMs };
    await write("incidents", (trx) => trx.updateTable("incidents").set(held).where("id", "=", busy).execute());
    expect(await pruneCases()).toBe(1);
    expect(await readCase("t|1", old)).toBeNull();
    expect((await listCases("t|1")).map(({ id }) => id).sort()).toEqual([busy, young].sort());
    expect(await tokenRows()).toHaveLength(2);
  });

  test("without a limit all are kept", async () => {
    database = await useDatabase(kind);
    await opened(4_000);
    expect(await pruneCases()).toBe(0);
    expect(await tokenRows()).toHaveLength(1);
  });
});
