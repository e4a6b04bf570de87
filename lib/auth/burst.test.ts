import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { recordDenial } from "@/lib/auth/denial";
import { newAttempt } from "@/lib/auth/sign-in";
import { read } from "@/lib/db/client";
import { type ProblemCode, TokendeskError } from "@/lib/errors";
import { deliverDue } from "@/lib/notify/delivery";
import { type TestDatabase, useDatabase } from "@/test/database";
import { startUpstream, type Upstream } from "@/test/upstream";

const minute = 60_000;
let database: TestDatabase;
let hook: Upstream;

beforeEach(async () => {
  for (const name of ["bursts", ""]) {
    delete (globalThis as Record<symbol, unknown>)[Symbol.for(`tokendesk.denials${name && `.${name}`}`)];
  }
  hook = await startUpstream((_, response) => void response.writeHead(204).end());
  database = await useDatabase("sqlite", {
    NOTIFY_WEBHOOKS: `${hook.url}/`,
    NOTIFY_WEBHOOK_SECRET: "w".repeat(32),
  });
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 12, 5), toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  await deliverDue();
  await hook.close();
  await database.remove();
});

function deny(address: string, username: string, code: ProblemCode = "invalid_credentials"): Promise<void> {
  const attempt = { ...newAttempt(address), username, error: new TokendeskError(code, "No.") };
  return recordDenial(attempt, { userAgent: null, requestId: null });
}

async function told(): Promise<unknown[]> {
  const rows = await read((db) =>
    db.selectFrom("notifications").select(["tenant", "payload"]).orderBy("created_at").execute(),
  );
  return rows.map(({ tenant, payload }) => ({ tenant, ...(JSON.parse(payload) as { data: object }).data }));
}

test("ten denials from one address within ten minutes are told once an hour", async () => {
  for (let nth = 0; nth < 9; nth += 1) await deny("192.0.2.1", `person${nth}@example.com`);
  expect(await told()).toEqual([]);
  // Refused by Tokendesk itself counts, too.
  await deny("192.0.2.1", "person9@example.com", "rate_limited");
  const burst = { tenant: null, address: "192.0.2.1", name: null, attempts: 10 };
  expect(await told()).toEqual([burst]);
  for (let nth = 0; nth < 30; nth += 1) await deny("192.0.2.1", "person9@example.com", "rate_limited");
  expect(await told()).toEqual([burst]);
  vi.setSystemTime(Date.now() + 61 * minute);
  for (let nth = 0; nth < 10; nth += 1) await deny("192.0.2.1", "person9@example.com", "rate_limited");
  expect(await told()).toEqual([burst, burst]);
});

test("slower ones are not, and troubles of RingCX are no denials", async () => {
  for (let nth = 0; nth < 20; nth += 1) {
    await deny("192.0.2.1", "ana@example.com");
    vi.setSystemTime(Date.now() + 70_000);
  }
  for (let nth = 0; nth < 20; nth += 1) await deny("192.0.2.2", "ana@example.com", "upstream_timeout");
  expect(await told()).toEqual([]);
});

test("one name that is tried from many addresses is told; what may be a password is not", async () => {
  for (let nth = 0; nth < 10; nth += 1) await deny(`192.0.2.${nth}`, "Ana@example.com");
  for (let nth = 0; nth < 10; nth += 1) await deny(`198.51.100.${nth}`, "hunter2-is-my-password");
  expect(await told()).toEqual([
    { tenant: null, address: null, name: "Ana@example.com", attempts: 10 },
    { tenant: null, address: null, name: "unknown", attempts: 10 },
  ]);
});

test("people whom nobody has named yet are not one name", async () => {
  for (let nth = 0; nth < 20; nth += 1) await deny(`192.0.2.${nth}`, "", "forbidden");
  expect(await told()).toEqual([]);
});

test("a name whose tenth denial came from an address that was told of already is told at the next from elsewhere", async () => {
  for (let nth = 0; nth < 10; nth += 1) await deny("192.0.2.1", `nobody${nth}@example.com`);
  for (let nth = 0; nth < 9; nth += 1) await deny(`198.51.100.${nth}`, "ana@example.com");
  await deny("192.0.2.1", "ana@example.com");
  expect(await told()).toHaveLength(1);
  await deny("198.51.100.10", "ana@example.com");
  expect(await told()).toMatchObject([{ address: "192.0.2.1" }, { name: "ana@example.com", address: null }]);
});
