import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NextRequest } from "next/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { record } from "@/lib/audit/log";
import type { Session } from "@/lib/auth/session";
import { closeDatabase, read, write } from "@/lib/db/client";
import { keyRoute, routeOrKey } from "@/lib/http/route";
import { createKey, listKeys, requireScope, revokeKey } from "@/lib/keys/keys";
import { maxKeys, newKeySchema } from "@/lib/keys/schema";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { captureLog, freshProcess } from "@/test/process";

const host = "https://engage.ringcentral.com";
const tenant = "engage.ringcentral.com|333333";
const actor = { tenant, id: "u1", name: "ops@example.com", address: null, userAgent: null, requestId: null };

type Keeper = Pick<Session, "tenant" | "user" | "actor" | "host">;

function keeper(role: "member" | "ops" | "admin" = "ops", of = tenant): Keeper {
  return {
    tenant: of,
    actor: { ...actor, tenant: of },
    user: { id: "u1", name: "Olga Ops", email: null, role },
    host,
  };
}

const context = { params: Promise.resolve({}) };
const open = keyRoute(
  { name: "/api/test", body: z.strictObject({ revoke: z.boolean().default(false) }) },
  async (input) => {
    if (input.body.revoke) requireScope(input.key, "revoke");
    const { tenant, host, name, scopes, actor } = input.key;
    return { tenant, host, name, scopes, actor: actor.name, actorId: actor.id };
  },
);
const either = routeOrKey({ name: "/api/either" }, async ({ session, key }) => ({ session, key: key?.name ?? null }));

/** An address of its own for a test of the throttle. */
function send(authorization: string | null, { body = {}, headers = {}, from = "192.0.2.1" }: Sent = {}) {
  return open(
    new NextRequest("http://localhost:3000/api/test", {
      method: "POST",
      body: JSON.stringify(body),
      headers: {
        "content-type": "application/json",
        "x-tokendesk-peer": from,
        ...(authorization === null ? {} : { authorization }),
        ...headers,
      },
    }),
    context,
  );
}
type Sent = { body?: object; headers?: Record<string, string>; from?: string };

const bearer = (value: string) => `Bearer ${value}`;
const code = async (response: Response) => ((await response.json()) as { code?: string }).code;
const wish = (changes: object = {}) => newKeySchema.parse({ name: "gitleaks in CI", ...changes });

let database: TestDatabase;
const start = async (kind: (typeof databaseKinds)[number], changes: Record<string, string> = {}) => {
  database = await useDatabase(kind);
  freshProcess({ ...database.variables, ...changes });
};
afterEach(async () => {
  vi.useRealTimers();
  await database.remove();
});

const events = () =>
  read((db) =>
    db.selectFrom("audit_events").select(["action", "outcome", "details", "tenant"]).orderBy("seq").execute(),
  );

describe.each(databaseKinds)("API keys on %s", (kind) => {
  beforeEach(() => start(kind));

  test("open what they may, for the account and the host of who made them, without an Origin or a cookie", async () => {
    const { key, value } = await createKey(keeper(), wish());
    expect(value).toMatch(/^tdk_[\w-]{43}$/);
    expect(key).toMatchObject({ name: "gitleaks in CI", hint: `tdk_…${value.slice(-4)}`, scopes: ["report"] });
    const answer = await send(bearer(value), { headers: { cookie: "anything=1" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toEqual({
      tenant,
      host,
      name: "gitleaks in CI",
      scopes: ["report"],
      actor: "API key gitleaks in CI",
      actorId: `key:${key.id}`,
    });
    const [listed] = await listKeys(keeper());
    expect(listed?.lastUsedAt).toMatch(/:00\.000Z$/);
    expect(listed).toEqual({ ...key, lastUsedAt: listed?.lastUsedAt });
    expect(await listKeys(keeper("admin", "engage.ringcentral.com|444444"))).toEqual([]);
  });

  test("are kept as a hash, and recorded without a value", async () => {
    const log = captureLog();
    const { key, value } = await createKey(keeper(), wish({ revoke: true, expiresOn: "2999-12-31" }));
    await send(bearer(value));
    await send(bearer(`${value.slice(0, -1)}${value.endsWith("A") ? "B" : "A"}`));
    await revokeKey(keeper(), key.id);
    await send(bearer(value));
    const recorded = await events();
    expect(recorded.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "key.create succeeded",
      "key.revoke succeeded",
    ]);
    expect(JSON.parse(recorded[0]?.details ?? "")).toEqual({
      keyId: key.id,
      name: "gitleaks in CI",
      scopes: ["report", "revoke"],
      expiresAt: "3000-01-01T00:00:00.000Z",
    });
    const rows = await read((db) => db.selectFrom("api_keys").selectAll().execute());
    log.stop();
    const everything = JSON.stringify([rows, recorded]) + log.read();
    expect(everything).not.toContain(value.slice(4, 40));
    if (kind === "sqlite") {
      await closeDatabase();
      for (const name of readdirSync(database.folder)) {
        expect(readFileSync(join(database.folder, name)).includes(value.slice(4, 40)), name).toBe(false);
      }
    }
  });

  test("that are wrong, expired or revoked open nothing, and do not tell which it was", async () => {
    const [revoked, expired] = [await createKey(keeper(), wish()), await createKey(keeper(), wish())];
    await revokeKey(keeper(), revoked.key.id);
    await write("test", (trx) =>
      trx
        .updateTable("api_keys")
        .set({ expires_at: Date.now() - 1 })
        .where("id", "=", expired.key.id)
        .execute(),
    );
    const told = new Set<string>();
    for (const value of [revoked.value, expired.value, `tdk_${"A".repeat(43)}`]) {
      const answer = await send(bearer(value));
      expect(answer.status).toBe(401);
      const { requestId: _, ...problem } = (await answer.json()) as Record<string, unknown>;
      told.add(JSON.stringify(problem));
    }
    expect([...told]).toHaveLength(1);
    expect([...told][0]).toContain("not_signed_in");
    for (const authorization of [
      null,
      "",
      "Bearer",
      bearer("aws80:x"),
      `Basic ${revoked.value}`,
      bearer("tdk_short"),
    ]) {
      expect((await send(authorization)).status, String(authorization)).toBe(401);
    }
    await expect(revokeKey(keeper(), revoked.key.id)).rejects.toMatchObject({ code: "not_found" });
    const listed = await listKeys(keeper());
    expect(listed.find(({ id }) => id === revoked.key.id)?.revokedAt).toBeTypeOf("string");
  });

  test("need their scope, and people their role and their own account", async () => {
    const plain = await createKey(keeper(), wish());
    const able = await createKey(keeper("admin"), wish({ revoke: true }));
    const refused = await send(bearer(plain.value), { body: { revoke: true } });
    expect([refused.status, await code(refused)]).toEqual([403, "forbidden"]);
    expect((await send(bearer(able.value), { body: { revoke: true } })).status).toBe(200);

    for (const attempt of [
      () => createKey(keeper("member"), wish()),
      () => listKeys(keeper("member")),
      () => revokeKey(keeper("member"), plain.key.id),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: "forbidden" });
    }
    const stranger = keeper("admin", "engage.ringcentral.com|444444");
    await expect(revokeKey(stranger, plain.key.id)).rejects.toMatchObject({ code: "not_found" });
    expect((await send(bearer(plain.value))).status).toBe(200);
  });

  test("do not end before their last day does, and none is made for a day that is over", async () => {
    await expect(createKey(keeper(), wish({ expiresOn: "2020-01-01" }))).rejects.toMatchObject({
      code: "invalid_input",
    });
    const today = new Date().toISOString().slice(0, 10);
    expect((await send(bearer((await createKey(keeper(), wish({ expiresOn: today }))).value))).status).toBe(200);
  });

  test("are not made without end", async () => {
    for (let made = 0; made < maxKeys; made += 1) await createKey(keeper(), wish());
    await expect(createKey(keeper(), wish())).rejects.toMatchObject({ code: "invalid_input" });
  });
});

describe("a key", () => {
  beforeEach(() => start("sqlite"));

  test("may be used so often in a minute", async () => {
    vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
    const { value } = await createKey(keeper(), wish());
    const other = await createKey(keeper(), wish());
    for (let nth = 0; nth < 120; nth += 1) expect((await send(bearer(value))).status).toBe(200);
    const refused = await send(bearer(value));
    expect([refused.status, await code(refused)]).toEqual([429, "rate_limited"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await send(bearer(other.value))).status).toBe(200);
    vi.setSystemTime(Date.now() + 61_000);
    expect((await send(bearer(value))).status).toBe(200);
  });

  test("that is right is not held up by wrong ones, and those are not tried without end", async () => {
    const { value } = await createKey(keeper(), wish());
    expect((await send(bearer(value))).status).toBe(200);
    const guess = (nth: number) => bearer(`tdk_${String(nth).padStart(43, "x")}`);
    for (let nth = 0; nth < 50; nth += 1) expect((await send(guess(nth))).status).toBe(401);
    expect((await send(guess(50))).status).toBe(429);
    expect((await send(guess(51), { from: "192.0.2.2" })).status).toBe(401);
    expect((await send(bearer(value))).status).toBe(200);
  });

  test("does nothing for a page of another site, nor for an account that is not served any more", async () => {
    const { value } = await createKey(keeper(), wish());
    const foreign = await send(bearer(value), { headers: { origin: "https://evil.example" } });
    expect([foreign.status, await code(foreign)]).toEqual([403, "bad_origin"]);
    expect((await send(bearer(value), { headers: { origin: "http://localhost:3000" } })).status).toBe(200);
    freshProcess({ ...database.variables, ALLOWED_ACCOUNTS: "444444" });
    const unserved = await send(bearer(value));
    expect([unserved.status, await code(unserved)]).toEqual([403, "account_not_allowed"]);
  });

  test("is not looked up in a database that is away, and that is no wrong guess", async () => {
    const { value } = await createKey(keeper(), wish());
    await closeDatabase();
    freshProcess({ ...database.variables, DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" });
    for (let nth = 0; nth < 8; nth += 1) {
      const answer = await send(bearer(value));
      expect([answer.status, await code(answer)]).toEqual([503, "audit_unavailable"]);
    }
  });

  test("is masked in texts that people type, and not taken for a name", async () => {
    const { value } = await createKey(keeper(), wish());
    expect(newKeySchema.safeParse({ name: value }).success).toBe(false);
    const who = { ...actor, name: value, userAgent: `curl ${value}` };
    await record(who, {
      action: "token.edit",
      outcome: "failed",
      reason: `used ${value} here`,
      details: { note: value },
    });
    const kept = await read((db) =>
      db.selectFrom("audit_events").selectAll().where("action", "=", "token.edit").execute(),
    );
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept).toLowerCase()).not.toContain(value.slice(4, 20).toLowerCase());
  });

  test("can stand in for a session where a route takes either", async () => {
    const { value } = await createKey(keeper(), wish());
    const ask = (headers: Record<string, string>) =>
      either(new NextRequest("http://localhost:3000/api/either", { headers }), context);
    expect(await (await ask({ authorization: bearer(value) })).json()).toEqual({
      session: null,
      key: "gitleaks in CI",
    });
    expect((await ask({ authorization: bearer("tdk_wrong") })).status).toBe(401);
  });
});
