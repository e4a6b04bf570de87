import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Actor } from "@/lib/audit/log";
import { auditedStream } from "@/lib/audit/streams";
import { read } from "@/lib/db/client";
import { type TestDatabase, useDatabase } from "@/test/database";
import { until } from "@/test/process";

const actor: Actor = { tenant: "h|1", id: "u1", name: "ana", address: null, userAgent: null, requestId: null };

let database: TestDatabase;
beforeEach(async () => {
  database = await useDatabase("sqlite");
});
afterEach(async () => {
  vi.useRealTimers();
  await database.remove();
});

const outcomes = async () => {
  const events = await read((db) =>
    db.selectFrom("audit_events").select(["outcome", "details"]).orderBy("seq").execute(),
  );
  return events.map(({ outcome, details }) => `${outcome} ${details}`);
};

async function begin(pieces: () => AsyncGenerator<string>) {
  // Its own clock alone: the database and the log go on.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  return (await auditedStream(actor, { action: "audit.verify" }, pieces, () => "failed\n")).getReader();
}

test("a source that takes its time is waited for: its reader is there", async () => {
  const slow = Promise.withResolvers<void>();
  const reader = await begin(async function* () {
    yield "first\n";
    await slow.promise;
    yield "last\n";
  });
  expect((await reader.read()).value?.length).toBe(6);
  const next = reader.read();
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  slow.resolve();
  expect((await next).value?.length).toBe(5);
  expect((await reader.read()).done).toBe(true);
  expect(await outcomes()).toEqual(["attempted {}", "succeeded {}"]);
});

test("a reader that takes nothing any more is not waited for", async () => {
  const reader = await begin(async function* () {
    for (;;) yield "again\n";
  });
  await reader.read();
  await vi.advanceTimersByTimeAsync(3 * 60_000);
  vi.useRealTimers();
  await until(async () => (await outcomes()).length === 2);
  expect((await outcomes())[1]).toBe('failed {"stopped":"reader_gone"}');
  await expect(reader.read()).rejects.toThrow("nobody reads");
});
