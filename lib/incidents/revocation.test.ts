import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Pace, revokeAll, type Settled, type Target } from "@/lib/incidents/revocation";
import { maxFindings } from "@/lib/incidents/schema";
import { type RingcxClient, signInAdmin, TokenClient } from "@/lib/ringcx/client";
import { LiveConnection } from "@/lib/session/connection";
import { markToken } from "@/lib/tokens/fingerprint";
import type { FaultKind } from "@/sandbox/faults";
import { digestOf } from "@/sandbox/platform";
import { everyKind, quick, kinds as usualKinds } from "@/test/faults";
import { freshProcess } from "@/test/process";
import { ANA, TestSandbox } from "@/test/sandbox";

/** These tests wait for much and work little: several at a time, each with a RingCX of its own. */
const atOnce = 10;
vi.setConfig({ maxConcurrency: atOnce });
const free: TestSandbox[] = [];
const started: TestSandbox[] = [];
const random = Math.random;
let connections = 0;

/** Without tokens at first. */
const leaky = "new@example.com";
/** A user, and one who manages that user. */
const managed = "child1@example.com";
const manager = "parent@example.com";

beforeAll(async () => {
  const all = Array.from({ length: atOnce }, () => TestSandbox.start({ rateLimit: 100_000, accessTokenBytes: 600 }));
  started.push(...(await Promise.all(all)));
  free.push(...started);
  freshProcess({
    RINGCX_HOSTS: started.map(({ url }) => url).join(","),
    RINGCX_RATE_LIMIT: "100000",
    DATA_DIR: mkdtempSync(join(tmpdir(), "tokendesk-revocation-")),
    RINGCX_TIMEOUT_MS: "800",
  });
  // The shortest of all pauses.
  Math.random = () => 0;
});

afterAll(async () => {
  Math.random = random;
  await Promise.all(started.map((sandbox) => sandbox.close()));
});

/** A test with a RingCX for itself. */
function on<T extends unknown[]>(work: (ringcx: Ringcx, ...row: T) => Promise<void>): (...row: T) => Promise<void> {
  return async (...row) => {
    const sandbox = free.pop();
    if (sandbox === undefined) throw new Error(`more than ${atOnce} tests at once`);
    try {
      await sandbox.reset();
      await work(new Ringcx(sandbox), ...row);
    } finally {
      free.push(sandbox);
    }
  };
}

function target(value: string, more: Partial<Target> = {}): Target {
  const { id: tokenId } = markToken(value);
  const usual = { leaked: true, maybeSent: false, seenAlive: true, knownActive: false, user: null };
  return { tokenId, value, ...usual, ...more };
}

const idOf = (value: string) => markToken(value).id;
const outcomes = (settled: Map<string, Settled>) => [...settled.values()].map(({ outcome }) => outcome);

type Options = {
  owner?: RingcxClient | null;
  siblings?: boolean;
  pace?: Partial<Pace>;
  targets?: Target[];
  /** Told of the values of siblings that are left alone, and of tokens whose siblings are not known. */
  onOpen?: (what: string) => void;
  /** Told of the siblings that are taken up. */
  onSiblings?: (found: readonly Target[]) => void;
  /** When a step begins. */
  onStep?: (target: Target) => Promise<void>;
};

class Ringcx {
  readonly sandbox: TestSandbox;

  constructor(sandbox: TestSandbox) {
    this.sandbox = sandbox;
  }

  async connection(username = ANA.username): Promise<RingcxClient> {
    connections += 1;
    const host = this.sandbox.url;
    const { accessToken, refreshToken, lifetimeMs, mainAccountId } = await signInAdmin(host, { ...ANA, username });
    const tokens = { accessToken, refreshToken, issuedAt: Date.now(), lifetimeMs };
    const id = `connection-${connections}`;
    return new LiveConnection({ id, host, username, platformId: "aws80", mainAccountId, ...tokens }).client;
  }

  mint(count: number, username = leaky): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, () => this.sandbox.mint(username)));
  }

  holding(value: string): TokenClient {
    return new TokenClient({ host: this.sandbox.url, limitKey: this.sandbox.url }, value);
  }

  /** @returns what became of each token, by ID, in the order in which they were settled */
  async revoke(values: readonly string[], options: Options = {}): Promise<Map<string, Settled>> {
    const settled = new Map<string, Settled>();
    await revokeAll({
      holding: (value) => this.holding(value),
      owner: options.owner ?? null,
      targets: options.targets ?? values.map((value) => target(value)),
      siblings: options.siblings ?? false,
      onSiblings: (found, beyond) => {
        options.onSiblings?.(found);
        for (const value of beyond) options.onOpen?.(value);
      },
      onUnlisted: ({ tokenId }, unreadable) => options.onOpen?.(`${tokenId} ${unreadable}`),
      onListed: () => {},
      step: async (one, work) => {
        await options.onStep?.(one);
        const fate = await work(async () => {});
        expect(settled.has(one.tokenId), "each has one step").toBe(false);
        settled.set(one.tokenId, fate);
      },
      pace: { ...quick, ...options.pace },
    });
    return settled;
  }

  /** What was said must be so, whatever went wrong. */
  async expectTruth(values: readonly string[], settled: Map<string, Settled>, username = leaky): Promise<void> {
    const alive = new Set(await this.sandbox.tokens(username));
    for (const value of values) {
      const said = settled.get(idOf(value));
      expect(said, "each has a fate").toBeDefined();
      if (said?.outcome === "revoked" || said?.outcome === "already_dead") {
        expect(alive.has(value), `${said.outcome}: ${said.detail}`).toBe(false);
        expect(said.proof).not.toBeNull();
      } else expect(said?.proof).toBeNull();
      if (said?.outcome === "alive") expect(alive.has(value), said.detail).toBe(true);
    }
    const deletions = await this.sandbox.journal("token.delete");
    const effects = deletions.filter(({ effect }) => effect).map(({ path }) => path);
    expect(new Set(effects).size, "no token is deleted twice").toBe(effects.length);
  }
}

const kinds: typeof usualKinds = [
  ...usualKinds,
  ["unauthorized", { effect: true }],
  ["status", { status: 204 }],
  ["status", { status: 403 }],
  ["status", { status: 404 }],
  ["status", { status: 401, body: "<html>no</html>", contentType: "text/html" }],
];

/** A question has no effect. */
const questions = kinds.filter(([, more]) => !("effect" in more));

describe.concurrent("one fault", () => {
  test.each(kinds)(
    "of kind %s %o in the deletion leaves none alive",
    on(async (ringcx, kind, more) => {
      const values = await ringcx.mint(2);
      await ringcx.sandbox.fault({ operation: "token.delete", kind, ...everyKind[kind], ...more });
      const settled = await ringcx.revoke(values, { owner: await ringcx.connection() });
      await ringcx.expectTruth(values, settled);
      expect(outcomes(settled)).toEqual(["revoked", "revoked"]);
    }),
  );

  test.each(questions)(
    "of kind %s %o in a token's own check leaves none alive",
    on(async (ringcx, kind, more) => {
      const values = await ringcx.mint(2);
      const fault = { operation: "token.list", auth: "x-auth-token", kind, ...everyKind[kind], ...more };
      // The first call is the list that shows whose they are, the second one the check of the first deletion.
      await ringcx.sandbox.fault({ ...fault, skip: 1 });
      const settled = await ringcx.revoke(values, { owner: await ringcx.connection() });
      await ringcx.expectTruth(values, settled);
      expect(outcomes(settled)).toEqual(["revoked", "revoked"]);
    }),
  );

  test.each(questions)(
    "of kind %s %o in the first list and in the witness's leaves none alive",
    on(async (ringcx, kind, more) => {
      const values = await ringcx.mint(3);
      const fault = { operation: "token.list", auth: "x-auth-token", kind, ...everyKind[kind], ...more };
      for (const skip of [0, 2]) await ringcx.sandbox.fault({ ...fault, skip });
      const settled = await ringcx.revoke(values, { owner: await ringcx.connection() });
      await ringcx.expectTruth(values, settled);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([]);
      expect(outcomes(settled)).toEqual(["revoked", "revoked", "revoked"]);
    }),
  );
});

/** RingCX's wish to wait is granted for as long as it lasts: that has a test of its own. */
const lasting = kinds.filter(([kind]) => kind !== "http429" && kind !== "latency");

describe.concurrent("a fault that does not end", () => {
  test.each(lasting)(
    "of kind %s %o in every deletion: nothing is said to be dead that lives, and a retry ends it",
    on(async (ringcx, kind, more) => {
      const values = await ringcx.mint(2);
      await ringcx.sandbox.fault({ operation: "token.delete", kind, count: -1, ...everyKind[kind], ...more });
      const settled = await ringcx.revoke(values);
      await ringcx.expectTruth(values, settled);
      await ringcx.sandbox.control("DELETE", "faults");
      const targets = values.map((value) => target(value, { maybeSent: true }));
      const again = await ringcx.revoke(values, { owner: await ringcx.connection(), targets });
      await ringcx.expectTruth(values, again);
      expect(outcomes(again)).toEqual(["revoked", "revoked"]);
    }),
  );

  test.each(lasting.filter((row) => questions.includes(row)))(
    "of kind %s %o in every list of theirs: nothing is said to be dead that lives",
    on(async (ringcx, kind, more) => {
      const values = await ringcx.mint(2);
      const fault = { operation: "token.list", auth: "x-auth-token", kind, count: -1 };
      await ringcx.sandbox.fault({ ...fault, ...everyKind[kind], ...more });
      const settled = await ringcx.revoke(values, { pace: { rounds: 2 } });
      await ringcx.expectTruth(values, settled);
      expect(await ringcx.sandbox.tokens(leaky), "they are dead, proven or not").toEqual([]);
    }),
  );

  test.each(["resetBefore", "html502", "unauthorized", "jwtExpired", "hang"] as const)(
    "of kind %s in whatever is asked with these tokens: nothing is said to be dead that lives",
    on(async (ringcx, kind: FaultKind) => {
      const values = await ringcx.mint(2);
      await ringcx.sandbox.fault({ operation: "*", auth: "x-auth-token", kind, count: -1 });
      await ringcx.expectTruth(values, await ringcx.revoke(values, { pace: { rounds: 2 } }));
      expect(await ringcx.sandbox.tokens(leaky)).toHaveLength(2);
    }),
  );
});

test.each([
  ["RingCX declines", { kind: "false200" }, "alive"],
  ["RingCX refuses", { kind: "unauthorized" }, "alive"],
  ["a gateway answers with a page", { kind: "html502" }, "alive"],
  ["RingCX confirms without an effect", { kind: "status", status: 204, body: "" }, "unknown"],
] as const)(
  "a deletion that %s again and again is told soon, though others are tried for long",
  async (_, fault, outcome) => {
    await on(async (ringcx) => {
      const values = await ringcx.mint(2);
      await ringcx.sandbox.fault({ operation: "token.delete", count: -1, ...fault });
      const settled = await ringcx.revoke(values, { pace: { rounds: 100 } });
      expect(outcomes(settled)).toEqual([outcome, outcome]);
      expect((await ringcx.sandbox.journal("token.delete")).length).toBeLessThan(2 * 20);
    })();
  },
);

test("nor is it told soon when an earlier deletion, whose answer was lost, may still have its effect", async () => {
  await on(async (ringcx) => {
    const [value] = (await ringcx.mint(2)) as [string];
    await ringcx.sandbox.control("POST", "config", { deletionSeconds: 1 });
    await ringcx.sandbox.fault({ operation: "token.delete", kind: "resetAfter", count: 1 });
    const settled = await ringcx.revoke([value], { pace: { rounds: 100, graceMs: 3_000 } });
    expect(outcomes(settled)).toEqual(["revoked"]);
  })();
});

describe.concurrent("the order", () => {
  test(
    "is siblings first, then those that leaked, and of these the witness last",
    on(async (ringcx) => {
      const [first, second, ...siblings] = (await ringcx.mint(6)) as [string, string, ...string[]];
      const settled = await ringcx.revoke([first, second], { siblings: true });
      expect(settled.size).toBe(6);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([]);
      const deletions = await ringcx.sandbox.journal("token.delete");
      expect(deletions.map(({ effect }) => effect)).toEqual(Array(6).fill(true));
      const order = deletions.map(({ path }) => path.split("/").at(-1));
      expect(new Set(order.slice(0, 4))).toEqual(new Set(siblings.map(digestOf)));
      expect(order.slice(4)).toEqual([digestOf(first), digestOf(second)]);
    }),
  );

  test(
    "leaves siblings alone that were not asked for, and takes their list for a witness",
    on(async (ringcx) => {
      const [leaked, ...siblings] = (await ringcx.mint(3)) as [string, ...string[]];
      const settled = await ringcx.revoke([leaked]);
      expect(settled.get(idOf(leaked))).toMatchObject({ outcome: "revoked", proof: { method: "token_refused" } });
      expect(await ringcx.sandbox.tokens(leaky)).toEqual(siblings);
      // One to see whose it is, the deletion, its own refusal, the witness.
      const calls = (await ringcx.sandbox.journal()).map(({ operation, status }) => `${operation} ${status}`);
      expect(calls).toEqual(["token.list 200", "token.delete 200", "token.list 401", "token.list 200"]);
    }),
  );

  test(
    "of several users' tokens is kept for each of them",
    on(async (ringcx) => {
      const users = [leaky, "ana@example.com", managed, "other@example.com"];
      for (const user of users) await ringcx.mint(2, user);
      const values = (await Promise.all(users.map((user) => ringcx.sandbox.tokens(user)))).flat();
      const settled = await ringcx.revoke(values);
      expect(new Set(outcomes(settled))).toEqual(new Set(["revoked"]));
      for (const user of users) expect(await ringcx.sandbox.tokens(user)).toEqual([]);
    }),
  );
});

const json = "application/json";
const lists = { operation: "token.list", auth: "x-auth-token" };
/** Lists that do not come, each with what has to be told of it. */
const unlisted: [string, Record<string, unknown>][] = [
  ["503", { kind: "html503" }],
  ["a page in place of an answer", { kind: "status", status: 200, body: "<html>", contentType: "text/html" }],
  ["a refusal in RingCX's own words", { kind: "status", status: 403, body: '{"errorCode":"x"}', contentType: json }],
  ["another credential's refusal", { kind: "jwtExpired" }],
  ["a refusal of everybody", { kind: "unauthorized" }],
  ["somebody else's list", { kind: "status", status: 200, body: '["aws80:x"]', contentType: json }],
];

describe.concurrent("siblings, where the list of their user", () => {
  test.each(unlisted)(
    "is %s at first, are asked for again before the one that shows them dies",
    on(async (ringcx, _, fault) => {
      const [leaked, ...siblings] = (await ringcx.mint(3)) as [string, ...string[]];
      // A question is repeated of itself, twice.
      await ringcx.sandbox.fault({ ...lists, ...fault, count: 3 });
      const open: string[] = [];
      const settled = await ringcx.revoke([leaked], { siblings: true, onOpen: (what) => open.push(what) });
      expect(open).toEqual([]);
      expect([...settled.keys()].sort()).toEqual([leaked, ...siblings].map(idOf).sort());
      expect(outcomes(settled)).toEqual(["revoked", "revoked", "revoked"]);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([]);
    }),
  );

  test.each(unlisted)(
    "is %s for ever, are told as not known, and the one that leaked dies all the same",
    on(async (ringcx, _, fault) => {
      const [leaked, sibling] = (await ringcx.mint(2)) as [string, string];
      await ringcx.sandbox.fault({ ...lists, ...fault, count: -1 });
      const open: string[] = [];
      const onOpen = (what: string) => void open.push(what);
      const settled = await ringcx.revoke([leaked], { siblings: true, onOpen, pace: { rounds: 1 } });
      expect(open).toEqual([`${idOf(leaked)} 0`]);
      expect([...settled.keys()]).toEqual([idOf(leaked)]);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([sibling]);
    }),
  );

  test(
    "may not be listed by that user, are asked for a few times, and not while the leaked one lives on",
    on(async (ringcx) => {
      const [leaked] = (await ringcx.mint(2)) as [string];
      const denied = { kind: "status", status: 403, body: '{"errorCode":"x"}', contentType: json };
      await ringcx.sandbox.fault({ ...lists, ...denied, count: 40 });
      const open: string[] = [];
      const onOpen = (what: string) => void open.push(what);
      await ringcx.revoke([leaked], { siblings: true, onOpen, pace: { rounds: 50, listMs: 60_000 } });
      expect(open).toEqual([`${idOf(leaked)} 0`]);
      const operations = (await ringcx.sandbox.journal()).map(({ operation }) => operation);
      expect(operations.indexOf("token.delete")).toBe(5);
    }),
  );

  test(
    "writes tokens in capitals and in quotes, are found all the same",
    on(async (ringcx) => {
      const [leaked, sibling] = (await ringcx.mint(2)) as [string, string];
      const body = JSON.stringify([leaked.toUpperCase(), `"${sibling}"`]);
      await ringcx.sandbox.fault({ ...lists, kind: "status", status: 200, body, contentType: json, count: 1 });
      const settled = await ringcx.revoke([leaked], { siblings: true });
      expect(outcomes(settled)).toEqual(["revoked", "revoked"]);
      await ringcx.expectTruth([leaked, sibling], settled);
    }),
  );

  test(
    "holds what nobody can read, are told as not known",
    on(async (ringcx) => {
      const [leaked, sibling] = (await ringcx.mint(2)) as [string, string];
      const body = JSON.stringify([leaked, 7]);
      await ringcx.sandbox.fault({ ...lists, kind: "status", status: 200, body, contentType: json, count: 1 });
      const open: string[] = [];
      const settled = await ringcx.revoke([leaked], { siblings: true, onOpen: (what) => open.push(what) });
      expect(open).toEqual([`${idOf(leaked)} 1`]);
      expect(outcomes(settled)).toEqual(["revoked"]);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([sibling]);
    }),
  );

  test(
    "is not to be had of one that was dead before, are not asked for",
    on(async (ringcx) => {
      const [leaked] = (await ringcx.mint(2)) as [string];
      await ringcx.sandbox.control("DELETE", "tokens", { value: leaked });
      const open: string[] = [];
      const targets = [target(leaked, { seenAlive: false })];
      const settled = await ringcx.revoke([], { targets, siblings: true, onOpen: (what) => open.push(what) });
      expect(outcomes(settled)).toEqual(["already_dead"]);
      expect(open).toEqual([]);
    }),
  );

  test(
    "shows some that were made meanwhile, die with the others",
    on(async (ringcx) => {
      const [leaked] = (await ringcx.mint(3)) as [string];
      let made = false;
      const onStep = async () => {
        if (made) return;
        made = true;
        await ringcx.mint(1);
      };
      const settled = await ringcx.revoke([leaked], { siblings: true, onStep });
      expect(settled.size).toBe(4);
      expect(new Set(outcomes(settled))).toEqual(new Set(["revoked"]));
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([]);
      expect([...settled.keys()].at(-1), "the witness dies last").toBe(idOf(leaked));
    }),
  );

  test(
    "shows some that were made meanwhile, die with the others, though these are not over when the witness has to die",
    on(async (ringcx) => {
      const [leaked] = (await ringcx.mint(2)) as [string];
      await ringcx.sandbox.control("POST", "config", { deletionSeconds: 1 });
      let made: Promise<string> | undefined;
      const onStep = async () => {
        made ??= ringcx.sandbox.mint(leaky);
        await made;
      };
      const pace = { lastAfterMs: 50, graceMs: 5_000, maxBackoffMs: 200, rounds: 20 };
      const owner = await ringcx.connection();
      const settled = await ringcx.revoke([leaked], { siblings: true, owner, onStep, pace });
      expect(settled.size).toBe(3);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([]);
    }),
  );

  test(
    "shows some that cannot be taken up, are told as not known, and the run ends",
    on(async (ringcx) => {
      const [leaked, sibling] = (await ringcx.mint(2)) as [string, string];
      const open: string[] = [];
      let made: string | undefined;
      const settled = await ringcx.revoke([leaked], {
        siblings: true,
        onStep: async () => {
          made ??= await ringcx.sandbox.mint(leaky);
        },
        onSiblings: () => {
          if (made) throw new Error("a defect");
        },
        onOpen: (what) => open.push(what),
      });
      expect([...settled.keys()].sort()).toEqual([leaked, sibling].map(idOf).sort());
      expect(open).toEqual([`${idOf(leaked)} 0`]);
      await ringcx.expectTruth([leaked, sibling], settled);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([made]);
    }),
  );

  test(
    "shows new ones without end, are told as left alone",
    on(async (ringcx) => {
      const [leaked] = (await ringcx.mint(2)) as [string];
      const open: string[] = [];
      const settled = await ringcx.revoke([leaked], {
        siblings: true,
        onStep: async () => void (await ringcx.mint(1)),
        onOpen: (value) => open.push(value),
      });
      expect(new Set(outcomes(settled))).toEqual(new Set(["revoked"]));
      expect(open.length).toBeGreaterThan(0);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual(expect.arrayContaining(open));
    }),
  );
});

describe.concurrent("a deletion that RingCX takes its time for", () => {
  test.each([
    ["proven by others", true, ["revoked", "revoked"]],
    ["and of the only token by one that is accepted", true, ["revoked"]],
    ["and not proven where nobody else can be asked", false, ["unknown"]],
  ])(
    "is waited for, %s",
    on(async (ringcx, _: string, signedIn: boolean, expected: string[]) => {
      const values = await ringcx.mint(expected.length);
      await ringcx.sandbox.control("POST", "config", { deletionSeconds: 0.5 });
      const owner = signedIn ? await ringcx.connection() : null;
      const settled = await ringcx.revoke(values, { owner, pace: { graceMs: 3_000, maxBackoffMs: 200 } });
      expect(outcomes(settled)).toEqual(expected);
      await ringcx.expectTruth(values, settled);
    }),
  );

  test(
    "leaves the question open as long as RingCX says that it was done",
    on(async (ringcx) => {
      const values = await ringcx.mint(1);
      await ringcx.sandbox.fault({ operation: "token.delete", kind: "status", status: 204, count: -1 });
      const settled = await ringcx.revoke(values);
      expect(settled.get(idOf(values[0] as string))).toMatchObject({
        outcome: "unknown",
        detail: expect.stringContaining("RingCX still accepts it"),
      });
    }),
  );
});

test("a defect in several questions is told once", async () => {
  const values = Array.from({ length: 4 }, (_, index) => `aws80:00000000-0000-0000-0000-00000000000${index}`);
  let asked = 0;
  const revoking = revokeAll({
    holding: (value) => {
      asked += 1;
      if (asked > 1) throw new Error(`defect ${asked}`);
      return new TokenClient({ host: started[0]?.url ?? "", limitKey: "defect" }, value);
    },
    owner: null,
    targets: values.map((value) => target(value, { seenAlive: false })),
    siblings: false,
    onSiblings: () => {},
    onUnlisted: () => {},
    onListed: () => {},
    step: async () => {},
    pace: quick,
  });
  await expect(revoking).rejects.toThrow(/^defect/);
});

describe.concurrent("what it costs", () => {
  test(
    "is no more than a run may take: siblings beyond that are told, and left alone",
    on(async (ringcx) => {
      const values = await ringcx.mint(2);
      // Those that are proven dead at once, so that it costs nothing.
      const many = Array.from({ length: maxFindings - 1 }, (_, index) =>
        target(`aws80:00000000-0000-0000-0000-${String(index).padStart(12, "0")}`, { value: null, leaked: false }),
      );
      const told: string[] = [];
      await revokeAll({
        holding: (value) => ringcx.holding(value),
        owner: null,
        targets: [target(values[0] as string), ...many],
        siblings: true,
        onSiblings: (found, beyond) => void told.push(...beyond, ...found.map(({ tokenId }) => tokenId)),
        onUnlisted: () => {},
        onListed: () => {},
        step: async (one, work) => void (one.value === null || (await work(async () => {}))),
        pace: quick,
      });
      expect(told).toEqual(values.slice(1));
      expect(await ringcx.sandbox.tokens(leaky)).toEqual(values.slice(1));
    }),
  );

  test(
    "is about two calls for a token, however many there are",
    on(async (ringcx) => {
      const values = await ringcx.mint(120);
      const settled = await ringcx.revoke(values, { pace: { batchMs: 5_000 } });
      expect(outcomes(settled)).toEqual(Array(120).fill("revoked"));
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([]);
      expect((await ringcx.sandbox.journal()).length).toBeLessThanOrEqual(2 * 120 + 10);
    }),
  );

  test(
    "is no storm where RingCX says that it is too much",
    on(async (ringcx) => {
      const values = await ringcx.mint(10);
      await ringcx.sandbox.fault({ operation: "*", kind: "http429", count: 3, retryAfter: 1, auth: "x-auth-token" });
      const settled = await ringcx.revoke(values);
      await ringcx.expectTruth(values, settled);
      expect(outcomes(settled)).toEqual(Array(10).fill("revoked"));
      expect((await ringcx.sandbox.journal()).filter(({ status }) => status === 429)).toHaveLength(3);
    }),
  );
});

describe.concurrent("authority", () => {
  test(
    "is the token's own, and where RingCX does not let it, the signed-in connection's",
    on(async (ringcx) => {
      const values = await ringcx.sandbox.tokens(managed);
      await ringcx.sandbox.fault({
        operation: "token.delete",
        kind: "status",
        status: 403,
        auth: "x-auth-token",
        count: -1,
      });
      const alone = await ringcx.revoke(values);
      expect(outcomes(alone)).toEqual(["alive", "alive"]);
      await ringcx.expectTruth(values, alone, managed);
      const settled = await ringcx.revoke(values, { owner: await ringcx.connection(manager) });
      expect(outcomes(settled)).toEqual(["revoked", "revoked"]);
      await ringcx.expectTruth(values, settled, managed);
    }),
  );

  test(
    "of somebody who may not manage that user changes nothing",
    on(async (ringcx) => {
      const values = await ringcx.sandbox.tokens(managed);
      await ringcx.sandbox.fault({ operation: "token.delete", kind: "false200", auth: "x-auth-token", count: -1 });
      const settled = await ringcx.revoke(values, { owner: await ringcx.connection("other@example.com") });
      expect(outcomes(settled)).toEqual(["alive", "alive"]);
      expect(await ringcx.sandbox.tokens(managed)).toEqual(values);
    }),
  );

  test(
    "of a connection that has ended is not missed",
    on(async (ringcx) => {
      const values = await ringcx.mint(2);
      const owner = await ringcx.connection();
      await ringcx.sandbox.control("POST", "expire-access-tokens");
      await ringcx.sandbox.control("POST", "end-sessions", {});
      const settled = await ringcx.revoke(values, { owner });
      expect(outcomes(settled)).toEqual(["revoked", "revoked"]);
    }),
  );
});

describe.concurrent("proof", () => {
  test(
    "of somebody's own last tokens is that person's list",
    on(async (ringcx) => {
      const values = await ringcx.sandbox.tokens();
      const settled = await ringcx.revoke(values, { owner: await ringcx.connection() });
      expect(outcomes(settled)).toEqual(["revoked", "revoked", "revoked"]);
      await ringcx.expectTruth(values, settled, ANA.username);
    }),
  );

  test(
    "of one that was dead before is its own refusal, in several calls",
    on(async (ringcx) => {
      const [value] = (await ringcx.mint(1)) as [string];
      await ringcx.sandbox.control("DELETE", "tokens", { value });
      for (const owner of [null, await ringcx.connection()]) {
        const targets = [target(value, { seenAlive: owner !== null })];
        const settled = await ringcx.revoke([value], { owner, targets });
        expect(settled.get(idOf(value))).toMatchObject({ outcome: "already_dead", deletedAt: null });
      }
    }),
  );

  test(
    "is not a refusal of everybody, though only the inventory knows that it lived, or somebody is signed in",
    on(async (ringcx) => {
      const [value] = (await ringcx.mint(1)) as [string];
      const owner = await ringcx.connection();
      await ringcx.sandbox.fault({ operation: "*", kind: "unauthorized", auth: "x-auth-token", count: -1 });
      for (const [by, knownActive] of [
        [null, true],
        [owner, true],
        [owner, false],
      ] as const) {
        const targets = [target(value, { seenAlive: false, knownActive })];
        const settled = await ringcx.revoke([value], { owner: by, targets });
        expect(settled.get(idOf(value))).toMatchObject({ outcome: "unknown", proof: null });
        expect(settled.get(idOf(value))?.detail).toContain("nothing shows that it does not refuse everybody");
      }
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([value]);
    }),
  );

  test(
    "of one of which nothing is known is three refusals by a host that is named, and goes no further",
    on(async (ringcx) => {
      const value = "aws80:00000000-0000-0000-0000-00000000dead";
      const settled = await ringcx.revoke([value], { targets: [target(value, { seenAlive: false })] });
      const { host } = new URL(ringcx.sandbox.url);
      const detail = `It was dead already: RingCX at ${host} refuses it, asked three times.`;
      expect(settled.get(idOf(value))).toMatchObject({ outcome: "already_dead", detail, uncontrolled: true });
      const targets = [target(value, { seenAlive: false, knownActive: true })];
      const controlled = await ringcx.revoke([value], { targets, owner: await ringcx.connection() });
      expect(controlled.get(idOf(value))).toMatchObject({ outcome: "already_dead" });
      expect(controlled.get(idOf(value))).not.toHaveProperty("uncontrolled");
    }),
  );

  test(
    "is not an empty list where others are to be in it",
    on(async (ringcx) => {
      const [leaked] = (await ringcx.sandbox.tokens()) as [string];
      const owner = await ringcx.connection();
      // RingCX says that it deleted it, and did not; tokens get no answer, and the connection an empty list.
      await ringcx.sandbox.fault({ operation: "token.delete", kind: "status", status: 204, count: -1 });
      const list = { operation: "token.list", kind: "status", count: -1 };
      await ringcx.sandbox.fault({ ...list, auth: "x-auth-token", status: 403, body: "blocked" });
      await ringcx.sandbox.fault({ ...list, auth: "bearer", status: 200, body: "[]", skip: 1 });
      const settled = await ringcx.revoke([leaked], { owner });
      await ringcx.expectTruth([leaked], settled, ANA.username);
      expect(outcomes(settled)).toEqual(["unknown"]);
    }),
  );

  test(
    "of one that lived a moment ago, with nobody else to ask, is not RingCX's refusal of everybody",
    on(async (ringcx) => {
      const [value] = (await ringcx.mint(1)) as [string];
      await ringcx.sandbox.fault({ operation: "*", kind: "unauthorized", auth: "x-auth-token", count: -1 });
      const settled = await ringcx.revoke([value]);
      expect(settled.get(idOf(value))).toMatchObject({ outcome: "unknown", proof: null });
    }),
  );

  test.each([
    ["that nobody deleted", null],
    ["whose deletion went astray", { operation: "token.delete", kind: "resetBefore", count: 1 }],
  ])(
    "of one that lived a moment ago is not the refusal of every token for a while, though a connection is let in: %s",
    on(async (ringcx, _, lost) => {
      const [value] = (await ringcx.mint(1)) as [string];
      // Nobody's token is at hand to ask with: the person has none.
      const nobody = "noaccounts@example.com";
      for (const own of await ringcx.sandbox.tokens(nobody)) {
        await ringcx.sandbox.control("DELETE", "tokens", { value: own });
      }
      const owner = await ringcx.connection(nobody);
      if (lost) await ringcx.sandbox.fault(lost);
      // Longer than three refusals and a control take.
      const gateway = { operation: "*", kind: "unauthorized", auth: "x-auth-token", skip: lost ? 2 : 0 };
      await ringcx.sandbox.fault({ ...gateway, count: 9 });
      const settled = await ringcx.revoke([value], { owner, pace: { graceMs: 2_000, rounds: 12 } });
      await ringcx.expectTruth([value], settled);
      expect(settled.get(idOf(value))?.outcome).toBe("revoked");
    }),
  );

  test.each([3, 4, 5, 6])(
    "is not that others are let in again, when every token was refused until then: %d times",
    on(async (ringcx, count) => {
      const [value] = (await ringcx.mint(1)) as [string];
      const owner = await ringcx.connection();
      await ringcx.sandbox.fault({ operation: "*", kind: "unauthorized", auth: "x-auth-token", count });
      const settled = await ringcx.revoke([value], { owner, targets: [target(value, { seenAlive: false })] });
      await ringcx.expectTruth([value], settled);
      expect(["revoked", "unknown"]).toContain(settled.get(idOf(value))?.outcome);
    }),
  );

  test.each([
    ["a second deletion as well", { operation: "*", skip: 5 }, 3],
    ["whatever is asked, but deletes", { operation: "token.list", skip: 2 }, 1],
  ])(
    "is not RingCX's word, which it has belied, while everybody is refused: %s",
    on(async (ringcx, _, gateway, looks) => {
      const [value] = (await ringcx.mint(1)) as [string];
      // RingCX says that it deleted it, and did not, and accepts it once more.
      await ringcx.sandbox.fault({ operation: "token.delete", kind: "status", status: 204, count: 1 });
      await ringcx.sandbox.fault({ ...gateway, kind: "unauthorized", auth: "x-auth-token", count: -1 });
      const settled = await ringcx.revoke([value], { pace: { graceMs: 2_000 } });
      await ringcx.expectTruth([value], settled);
      expect(settled.get(idOf(value))).toMatchObject({ outcome: "unknown", proof: null });
      const answers = (await ringcx.sandbox.journal()).map(({ operation, status }) => `${operation} ${status}`);
      const alive = Array<string>(looks).fill("token.list 200");
      expect(answers.slice(0, looks + 2)).toEqual(["token.list 200", "token.delete 204", ...alive]);
      expect(answers.slice(looks + 2).some((answer) => !answer.endsWith(" 401"))).toBe(false);
    }),
  );

  test(
    "is found for what an earlier run may have deleted, without another deletion",
    on(async (ringcx) => {
      const values = await ringcx.mint(3);
      const [gone, kept, sibling] = values as [string, string, string];
      for (const value of [gone, sibling]) await ringcx.holding(value).delete();
      await ringcx.sandbox.clearJournal();
      const targets = [
        target(gone, { maybeSent: true, user: "1112" }),
        target(kept, { maybeSent: true, user: "1112" }),
        target(sibling, { maybeSent: true, user: "1112", leaked: false, value: null }),
      ];
      const settled = await ringcx.revoke(values, { targets, siblings: true });
      expect(settled.get(idOf(gone))).toMatchObject({ outcome: "revoked", proof: { method: "token_refused" } });
      expect(settled.get(idOf(kept))).toMatchObject({ outcome: "revoked" });
      expect(settled.get(idOf(sibling))).toMatchObject({ outcome: "revoked", proof: { method: "absent_from_list" } });
      const deletions = await ringcx.sandbox.journal("token.delete");
      expect(deletions.map(({ path }) => path.split("/").at(-1))).toEqual([digestOf(kept)]);
    }),
  );

  test(
    "is found for a sibling of before whose user was not known, once its list shows it",
    on(async (ringcx) => {
      const [leaked, sibling] = (await ringcx.mint(2)) as [string, string];
      const nameless = target(sibling, { maybeSent: true, leaked: false, value: null });
      const settled = await ringcx.revoke([], { targets: [target(leaked), nameless], siblings: true });
      expect(outcomes(settled)).toEqual(["revoked", "revoked"]);
      await ringcx.expectTruth([leaked, sibling], settled);
    }),
  );

  test(
    "is not RingCX's word and two refusals while a list still shows it",
    on(async (ringcx) => {
      const [leaked, sibling] = (await ringcx.mint(2)) as [string, string];
      await ringcx.sandbox.fault({ operation: "token.delete", kind: "status", status: 204 });
      // Refused after that deletion, and again after what the sibling's list says.
      for (const skip of [1, 3]) {
        await ringcx.sandbox.fault({ operation: "token.list", kind: "unauthorized", auth: "x-auth-token", skip });
      }
      const settled = await ringcx.revoke([leaked]);
      await ringcx.expectTruth([leaked], settled);
      expect(settled.get(idOf(leaked))?.outcome).toBe("revoked");
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([sibling]);
    }),
  );

  test(
    "does not take what a list lost for dead",
    on(async (ringcx) => {
      const values = await ringcx.mint(2);
      // RingCX says that it deleted one, and did not; the token is refused once all the same.
      await ringcx.sandbox.fault({ operation: "token.delete", kind: "status", status: 204 });
      await ringcx.sandbox.fault({
        operation: "token.list",
        kind: "unauthorized",
        auth: "x-auth-token",
        count: 1,
        skip: 1,
      });
      const settled = await ringcx.revoke(values, { pace: { rounds: 6 } });
      await ringcx.expectTruth(values, settled);
      expect(await ringcx.sandbox.tokens(leaky)).toEqual([]);
    }),
  );
});
