import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { closeDatabase } from "@/lib/db/client";
import { TokendeskError } from "@/lib/errors";
import { signInAdmin } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { createToken, rotateToken } from "@/lib/tokens/creation";
import { markToken } from "@/lib/tokens/fingerprint";
import { scopeOf, type TokenOwner } from "@/lib/tokens/held";
import { recordRevoked } from "@/lib/tokens/inventory";
import { revokeToken } from "@/lib/tokens/revocation";
import { listTokens, revealToken, tokenHistory } from "@/lib/tokens/tokens";
import { everyKind, kinds } from "@/test/faults";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

let sandbox: TestSandbox;
let users = 0;

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 10_000, accessTokenBytes: 600 });
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  await sandbox.clear();
  fresh();
});

afterEach(() => closeDatabase());

function fresh(variables: Record<string, string> = {}): void {
  freshProcess({
    RINGCX_HOSTS: sandbox.url,
    DATA_DIR: mkdtempSync(join(tmpdir(), "tokendesk-tokens-")),
    RINGCX_TIMEOUT_MS: "500",
    ...variables,
  });
}

async function owner(credentials = ANA): Promise<TokenOwner> {
  const { accessToken, refreshToken, lifetimeMs, mainAccountId } = await signInAdmin(sandbox.url, credentials);
  users += 1;
  const live = new LiveConnection({
    id: `connection-${users}`,
    host: sandbox.url,
    username: credentials.username,
    platformId: "aws80",
    mainAccountId,
    accessToken,
    refreshToken,
    issuedAt: Date.now(),
    lifetimeMs,
  });
  const [id, tenant] = [`user-${users}`, `sandbox|${mainAccountId}`];
  return {
    client: live.client,
    user: { id, name: "Ana" },
    tenant,
    actor: { tenant, id, name: credentials.username, address: null, userAgent: null, requestId: null },
  };
}

async function refusal(promise: Promise<unknown>): Promise<TokendeskError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(TokendeskError);
    return error as TokendeskError;
  }
  throw new Error("it did not fail");
}

const calm = () => vi.spyOn(Math, "random").mockReturnValue(0);

describe("the list", () => {
  test("has marks and no values", async () => {
    const ana = await owner();
    const { tokens } = await listTokens(ana);
    const values = await sandbox.tokens();
    expect(tokens.map(({ id }) => id)).toEqual(values.map((value) => markToken(value).id));
    for (const value of values) {
      expect(JSON.stringify(tokens)).not.toContain(value.slice(-8));
      expect(JSON.stringify(tokens)).toContain(`aws80:…${value.slice(-4)}`);
    }
    for (const { id } of tokens) expect(id).toMatch(/^[\w-]{22}$/);
  });

  test("an ID depends on the key: another installation has others", () => {
    const value = "aws80:c2353445-bc74-af1a-2850-1d55a371c0a9";
    const here = markToken(value);
    expect(markToken(value)).toEqual(here);
    fresh({ FINGERPRINT_KEY: "another-fingerprint-key-0123456789abcdef" });
    expect(markToken(value).id).not.toBe(here.id);
  });
});

describe("a creation", () => {
  test("gives the value once, with the label", async () => {
    const ana = await owner();
    const { token, value } = await createToken(ana, { label: "IVR" });
    expect(await sandbox.tokens()).toContain(value);
    expect(token).toMatchObject({ id: markToken(value).id, label: "IVR", createdHere: true, status: "active" });
    expect(JSON.stringify(token)).not.toContain(value);
  });

  test.each(kinds)("under %s %o sends exactly one request, and says only what is true", async (kind, more) => {
    calm();
    const ana = await owner();
    const before = await sandbox.tokens();
    await sandbox.fault({ operation: "token.create", kind, ...everyKind[kind], ...more });
    const result = await createToken(ana, { label: "x" }).catch((error: unknown) => error as TokendeskError);
    expect(await sandbox.journal("token.create")).toHaveLength(1);
    const appeared = (await sandbox.tokens()).filter((value) => !before.includes(value));
    if (!(result instanceof TokendeskError)) {
      expect(appeared).toEqual([result.value]);
    } else if (result.code === "creation_unconfirmed") {
      const candidates = (result.extensions as { candidates: { id: string; hint: string }[] }).candidates;
      expect(candidates.map(({ id }) => id)).toEqual(appeared.map((value) => markToken(value).id));
      for (const value of appeared) {
        expect(result.message).toContain(value.slice(-4));
        expect(`${result.message}${JSON.stringify(candidates)}`).not.toContain(value);
      }
    } else {
      expect(appeared).toEqual([]);
      expect(["upstream_rate_limited", "upstream_unavailable"]).toContain(result.code);
    }
  });

  test("is not said of a token that was in the list before", async () => {
    calm();
    const ana = await owner();
    const existing = await sandbox.mint();
    await sandbox.fault({
      operation: "token.create",
      kind: "status",
      status: 200,
      body: existing,
      contentType: "text/plain",
    });
    expect(await refusal(createToken(ana, { label: "x" }))).toMatchObject({ code: "creation_unconfirmed" });
  });

  test("whose list cannot be read afterwards says that too", async () => {
    calm();
    const ana = await owner();
    await sandbox.fault({ operation: "token.create", kind: "resetAfter" });
    await sandbox.fault({ operation: "token.list", kind: "html503", skip: 1, count: -1 });
    const error = await refusal(createToken(ana, { label: "x" }));
    expect(error).toMatchObject({ code: "creation_unconfirmed", extensions: { candidates: [] } });
    expect(error.message).toContain("cannot be read");
  });

  test("is not begun when the list before it cannot be read", async () => {
    calm();
    const ana = await owner();
    await sandbox.fault({ operation: "token.list", kind: "html503", count: -1 });
    expect((await refusal(createToken(ana, { label: "x" }))).code).toBe("upstream_unavailable");
    expect(await sandbox.journal("token.create")).toHaveLength(0);
  });

  test("with a session that has just expired works: it is renewed before", async () => {
    const ana = await owner();
    await sandbox.control("POST", "expire-access-tokens");
    const { value } = await createToken(ana, { label: "x" });
    expect(await sandbox.tokens()).toContain(value);
    expect(await sandbox.journal("token.create")).toHaveLength(1);
  });

  test("that met the expiry in the middle says that nothing was created, and the next one passes", async () => {
    const ana = await owner();
    const before = await sandbox.tokens();
    await sandbox.fault({ operation: "token.create", kind: "jwtExpired" });
    const error = await refusal(createToken(ana, { label: "x" }));
    expect(error.code).toBe("upstream_unavailable");
    expect(error.message).toContain("Nothing was created");
    expect(await sandbox.tokens()).toEqual(before);
    await createToken(ana, { label: "x" });
    expect(await sandbox.tokens()).toHaveLength(before.length + 1);
  });

  test("that RingCX does not permit creates nothing and says so", async () => {
    const denied = await owner({ ...ANA, username: "denied@example.com" });
    expect((await refusal(createToken(denied, { label: "x" }))).code).toBe("forbidden");
    const ana = await owner();
    await sandbox.fault({
      operation: "token.create",
      kind: "status",
      status: 403,
      body: "{}",
      contentType: "application/json",
    });
    expect((await refusal(createToken(ana, { label: "x" }))).code).toBe("forbidden");
  });
});

describe("a revocation", () => {
  const revoke = async (ana: TokenOwner, value: string) =>
    revokeToken(ana, markToken(value).id).catch((error: unknown) => error as TokendeskError);

  test("is proven by the token itself", async () => {
    const [ana, value] = [await owner(), await sandbox.mint()];
    expect(await revokeToken(ana, markToken(value).id)).toEqual({
      outcome: "revoked",
      proof: { method: "token_refused", checkedAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    expect(await sandbox.tokens()).not.toContain(value);
    expect((await refusal(revokeToken(ana, markToken(value).id))).code).toBe("token_not_found");
  });

  test.each(kinds)("with the deletion under %s %o is never said without proof", async (kind, more) => {
    calm();
    const [ana, value] = [await owner(), await sandbox.mint()];
    await sandbox.fault({ operation: "token.delete", kind, count: -1, ...everyKind[kind], ...more });
    const result = await revoke(ana, value);
    const alive = (await sandbox.tokens()).includes(value);
    if (result instanceof TokendeskError) expect(result.code).toBe("revocation_unconfirmed");
    else expect(alive).toBe(false);
    expect(result instanceof TokendeskError).toBe(alive);
  });

  const emptyList = { kind: "status", status: 200, body: "[]", contentType: "application/json", auth: "bearer" };

  test.each([
    ["a deletion that failed and a check without answer", { kind: "html502" }, { kind: "html502" }],
    [
      "a deletion that was refused and a check that is not permitted",
      { kind: "false200" },
      { kind: "status", status: 403, body: "{}" },
    ],
    ["a deletion that was refused and a check that is refused", { kind: "false200" }, { kind: "unauthorized" }],
  ])("is not proven by a list that has suddenly lost everything, after %s", async (_, deletion, check) => {
    calm();
    const [ana, value] = [await owner(), await sandbox.mint()];
    await sandbox.fault({ operation: "token.delete", count: -1, ...deletion });
    await sandbox.fault({ operation: "token.list", auth: "x-auth-token", count: -1, ...check });
    await sandbox.fault({ operation: "token.list", skip: 1, count: -1, ...emptyList });
    expect(await revoke(ana, value)).toMatchObject({ code: "revocation_unconfirmed" });
    expect(await sandbox.tokens()).toContain(value);
  });

  test.each(kinds)("that RingCX refused, with the check under %s %o, is not said at all", async (kind, more) => {
    calm();
    const [ana, value] = [await owner(), await sandbox.mint()];
    await sandbox.fault({ operation: "token.delete", kind: "false200" });
    await sandbox.fault({
      operation: "token.list",
      auth: "x-auth-token",
      kind,
      count: -1,
      ...everyKind[kind],
      ...more,
    });
    expect(await revoke(ana, value)).toMatchObject({ code: "revocation_unconfirmed" });
    expect(await sandbox.tokens()).toContain(value);
  });

  test.each(kinds)(
    "whose every check is under %s %o is said only where the owner's list proves it",
    async (kind, more) => {
      calm();
      const [ana, value] = [await owner(), await sandbox.mint()];
      await sandbox.fault({ operation: "token.list", kind, skip: 1, count: -1, ...everyKind[kind], ...more });
      await sandbox.fault({ operation: "token.delete", kind: "resetBefore" });
      expect(await revoke(ana, value)).toMatchObject({ code: "revocation_unconfirmed" });
    },
    20_000,
  );

  test("that RingCX claims but did not make is not said: the token still answers", async () => {
    const [ana, value] = [await owner(), await sandbox.mint()];
    await sandbox.fault({ operation: "token.delete", kind: "status", status: 200, body: "true" });
    const result = await revoke(ana, value);
    expect(result).toMatchObject({ code: "revocation_unconfirmed", message: expect.stringContaining("alive") });
    expect(await sandbox.tokens()).toContain(value);
  });

  test("whose check fails is proven by the owner's list", async () => {
    calm();
    const [ana, value] = [await owner(), await sandbox.mint()];
    await sandbox.fault({ operation: "token.list", auth: "x-auth-token", kind: "html503", count: -1 });
    expect(await revoke(ana, value)).toMatchObject({ outcome: "revoked", proof: { method: "absent_from_list" } });
  });

  test("of a token that vanished meanwhile is proven too", async () => {
    const [ana, value] = [await owner(), await sandbox.mint()];
    await sandbox.fault({ operation: "token.delete", kind: "latency", ms: 1 });
    const { client } = ana;
    const racing: TokenOwner = {
      ...ana,
      client: Object.assign(Object.create(client), {
        listTokenValues: client.listTokenValues.bind(client),
        isAlive: client.isAlive.bind(client),
        deleteTokenValue: async (wanted: string) => {
          await sandbox.control("DELETE", "tokens", { value });
          return client.deleteTokenValue(wanted);
        },
      }),
    };
    expect(await revoke(racing, value)).toMatchObject({ outcome: "revoked", proof: { method: "token_refused" } });
  });

  test("never touches a token of somebody else", async () => {
    const ana = await owner();
    const [theirs = ""] = await sandbox.tokens("other@example.com");
    expect(await revoke(ana, theirs)).toMatchObject({ code: "token_not_found" });
    expect(await sandbox.journal("token.delete")).toHaveLength(0);
  });

  test("with a session that has expired is renewed and made", async () => {
    const [ana, value] = [await owner(), await sandbox.mint()];
    await sandbox.control("POST", "expire-access-tokens");
    expect(await revoke(ana, value)).toMatchObject({ outcome: "revoked" });
  });
});

describe("revealing and rotating", () => {
  test("the value of an own token is revealed, that of another is not found", async () => {
    const [ana, value] = [await owner(), await sandbox.mint()];
    expect(await revealToken(ana, markToken(value).id)).toEqual({ value });
    const [theirs = ""] = await sandbox.tokens("other@example.com");
    for (const id of [markToken(theirs).id, "", "../x"]) {
      expect((await refusal(revealToken(ana, id))).code).toBe("token_not_found");
    }
  });

  test("whoever reveals a whole list is stopped, and others are not", async () => {
    const [ana, value] = [await owner(), await sandbox.mint()];
    const { id } = markToken(value);
    for (let nth = 0; nth < 30; nth += 1) await revealToken(ana, id);
    const error = await refusal(revealToken(ana, id));
    expect(error).toMatchObject({ code: "rate_limited" });
    expect(error.retryAfter).toBeGreaterThan(500);
    expect(await revealToken(await owner(), id)).toEqual({ value });
  });

  test("a rotation makes a successor with the label of the old one, which lives on", async () => {
    const ana = await owner();
    const old = await createToken(ana, { label: "IVR", environment: "prod" });
    const rotated = await rotateToken(ana, old.token.id, {});
    expect(rotated).toMatchObject({ replaces: old.token.id, token: { label: "IVR", environment: "prod" } });
    expect(rotated.value).not.toBe(old.value);
    expect(await sandbox.tokens()).toEqual(expect.arrayContaining([old.value, rotated.value]));
    expect((await refusal(rotateToken(ana, "unknown", {}))).code).toBe("token_not_found");
    expect(await sandbox.journal("token.create")).toHaveLength(2);
  });
});

test("a token that is listed again after its proof is told as alive again, not as revoked", async () => {
  const ana = await owner();
  const reader = { ...ana, user: { ...ana.user, role: "member" as const } };
  const [token] = (await listTokens(ana)).tokens;
  const id = token?.id ?? "";
  await recordRevoked(scopeOf(ana), id, "token_refused", Date.now());
  const kinds = async () => (await tokenHistory(reader, id)).milestones.map(({ kind }) => kind);
  expect(await kinds()).toEqual(["revoked", "first_seen"]);
  const later = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 1000);
  await listTokens(ana);
  later.mockRestore();
  expect(await kinds()).toEqual(["alive_again", "first_seen"]);
});
