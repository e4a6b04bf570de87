import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { read, write } from "@/lib/db/client";
import {
  claim,
  heartbeatMs,
  lead,
  leaseMs,
  look,
  prolong,
  pruneRefreshStates,
  recordLifeMs,
  stateOf,
  storeEnd,
  storePause,
  storeSuccessor,
  type Tokens,
} from "@/lib/session/refresh-states";
import type { Connection } from "@/lib/session/schema";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";

let database: TestDatabase;

afterEach(async () => {
  vi.useRealTimers();
  await database.remove();
});

const secret = () => randomBytes(24).toString("base64url");

function tokens(): Tokens {
  return { accessToken: `a.${secret()}`, refreshToken: secret(), issuedAt: Date.now(), lifetimeMs: 300_000 };
}

function connection(given: Tokens = tokens()): Connection {
  const address = { host: "https://ringcx.example", username: "ana@example.com", platformId: "aws80" };
  return { id: "c", mainAccountId: "333333", ...address, ...given };
}

const rows = () => read((db) => db.selectFrom("refresh_states").selectAll().execute());
/** As if the holder had stood still for longer than its lease. */
const expireLeases = () => write("test", (trx) => trx.updateTable("refresh_states").set({ held_until: 1 }).execute());

describe.each(databaseKinds)("on %s", (kind) => {
  beforeEach(async () => {
    database = await useDatabase(kind);
  });

  test("one of many gets the lease; the others get what it was given", async () => {
    const old = connection();
    const claims = await Promise.all(Array.from({ length: 10 }, (_, nth) => claim(old, `holder-${nth}`)));
    expect(claims.filter(({ kind: known }) => known === "mine")).toHaveLength(1);
    expect(claims.filter(({ kind: known }) => known === "held")).toHaveLength(9);
    const winner = `holder-${claims.findIndex(({ kind: known }) => known === "mine")}`;
    const given = tokens();
    expect(await storeSuccessor(old, given, winner)).toEqual(given);
    expect(await look(old)).toMatchObject({ kind: "successor", tokens: given });
    expect(await claim(old, "late")).toMatchObject({ kind: "successor", tokens: given });
    expect(await look(connection(given))).toEqual({ kind: "free" });
  });

  test("what is stored opens with the predecessor's refresh token alone, and for its own state alone", async () => {
    const [old, other] = [connection(), connection()];
    const given = tokens();
    await claim(old, "holder");
    await storeSuccessor(old, given, "holder");
    const [row] = await rows();
    for (const text of [given.accessToken, given.refreshToken, old.refreshToken]) {
      expect(JSON.stringify(row)).not.toContain(text);
      expect(Buffer.from(row?.successor ?? "", "base64url").includes(Buffer.from(text ?? ""))).toBe(false);
    }
    // The record is moved to another state, or the state is asked for with another refresh token.
    await write("test", (trx) =>
      trx
        .updateTable("refresh_states")
        .set({ state: stateOf(other) })
        .execute(),
    );
    expect(await look(other)).toEqual({ kind: "ended" });
    const sameRefreshToken = { ...other, refreshToken: old.refreshToken };
    await write("test", (trx) =>
      trx
        .updateTable("refresh_states")
        .set({ state: stateOf(sameRefreshToken) })
        .execute(),
    );
    expect(await look(sameRefreshToken)).toEqual({ kind: "ended" });
  });

  test("a lease that is kept alive is not taken; one that is not, is, with the failures so far", async () => {
    const old = connection();
    await claim(old, "first");
    expect(await storePause(old, "first", 2, Date.now() - 1)).toEqual({ kind: "free" });
    expect(await claim(old, "first")).toEqual({ kind: "mine", failures: 2 });
    await expireLeases();
    await prolong(old, "somebody else");
    expect((await look(old)).kind).toBe("free");
    await prolong(old, "first");
    expect((await look(old)).kind).toBe("held");
    await expireLeases();
    expect(await claim(old, "second")).toEqual({ kind: "mine", failures: 2 });
    await prolong(old, "first");
    expect((await rows())[0]?.holder).toBe("second");
  });

  test("a pause holds for everybody", async () => {
    const old = connection();
    await claim(old, "holder");
    const until = Date.now() + 60_000;
    expect(await storePause(old, "holder", 1, until)).toEqual({ kind: "paused", until, failures: 1 });
    expect(await claim(old, "other")).toEqual({ kind: "paused", until, failures: 1 });
  });

  test("a late holder's answer counts where there is no other, also over an end, and not where there is one", async () => {
    const [lonely, ended, done] = [connection(), connection(), connection()];
    const [late, good] = [tokens(), tokens()];
    for (const old of [lonely, ended, done]) await claim(old, "late");
    await expireLeases();
    for (const old of [lonely, ended, done]) expect((await claim(old, "second")).kind).toBe("mine");

    // The second has not heard yet; then it hears a refusal.
    expect(await storeSuccessor(lonely, late, "late")).toEqual(late);
    expect(await storeEnd(lonely, "second")).toMatchObject({ kind: "successor", tokens: late });
    // The second was refused first.
    expect(await storeEnd(ended, "second")).toEqual({ kind: "ended" });
    expect(await storeSuccessor(ended, late, "late")).toEqual(late);
    expect(await look(ended)).toMatchObject({ kind: "successor", tokens: late });
    // The second was given tokens first.
    expect(await storeSuccessor(done, good, "second")).toEqual(good);
    expect(await storeSuccessor(done, late, "late")).toEqual(good);
    expect(await storeEnd(done, "late")).toMatchObject({ kind: "successor", tokens: good });
  });

  test("a late holder's refusal is not the last word while somebody else has the lease", async () => {
    const old = connection();
    await claim(old, "late");
    await expireLeases();
    await claim(old, "second");
    expect(await storeEnd(old, "late")).toEqual({ kind: "held" });
    expect(await storePause(old, "late", 5, Date.now() + 60_000)).toEqual({ kind: "held" });
    const given = tokens();
    expect(await storeSuccessor(old, given, "second")).toEqual(given);
  });

  test("who asked last wins over a late one that stored first, and whoever has the late one's tokens is led on", async () => {
    const old = connection();
    const [late, last] = [tokens(), tokens()];
    await claim(old, "late");
    await expireLeases();
    await claim(old, "second");
    await storeSuccessor(old, late, "late");
    expect(await storeSuccessor(old, last, "second")).toEqual(last);
    expect(await look(old)).toMatchObject({ kind: "successor", tokens: last });
    expect(await look(connection(late))).toMatchObject({ kind: "successor", tokens: last });
  });

  test("a line that goes on already is not bent", async () => {
    const old = connection();
    const [late, next, last] = [tokens(), tokens(), tokens()];
    await claim(old, "late");
    await expireLeases();
    await claim(old, "second");
    await storeSuccessor(old, late, "late");
    await claim(connection(late), "third");
    await storeSuccessor(connection(late), next, "third");
    expect(await storeSuccessor(old, last, "second")).toEqual(late);
    expect(await look(connection(late))).toMatchObject({ kind: "successor", tokens: next });
  });

  test("records go when no accepted cookie can be in their state, unless they are used", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const [unused, used] = [connection(), connection()];
    const given = tokens();
    for (const old of [unused, used]) {
      await claim(old, "holder");
      await storeSuccessor(old, given, "holder");
    }
    vi.setSystemTime(Date.now() + recordLifeMs() - 1);
    expect(await pruneRefreshStates()).toBe(0);
    await lead(used, given);
    vi.setSystemTime(Date.now() + 2);
    expect(await pruneRefreshStates()).toBe(1);
    expect((await look(unused)).kind).toBe("free");
    expect(await look(used)).toMatchObject({ kind: "successor", tokens: given });
  });
});

describe("replicas that are killed and stand still at any point", () => {
  beforeEach(async () => {
    database = await useDatabase("sqlite");
    vi.useFakeTimers({ toFake: ["Date"] });
  });

  /** One sign-in at an upstream whose refresh tokens work once. `strict`: using one again ends the session. */
  class Upstream {
    asked: (string | null)[] = [];
    ended = false;
    current: Tokens;
    readonly #strict: boolean;

    constructor(first: Tokens, strict: boolean) {
      this.current = first;
      this.#strict = strict;
    }

    refresh(refreshToken: string | null): Tokens | null {
      this.asked.push(refreshToken);
      if (this.ended) return null;
      if (refreshToken !== this.current.refreshToken) {
        this.ended = this.#strict;
        return null;
      }
      this.current = tokens();
      return this.current;
    }
  }

  type Phase =
    | { at: "looking" }
    | { at: "asking" }
    | { at: "storing"; answer: Tokens | null }
    | { at: "done"; tokens: Tokens | null };

  class Replica {
    phase: Phase = { at: "looking" };
    killed = false;
    still = false;
    readonly name: string;
    readonly #old: Connection;
    readonly #upstream: Upstream;

    constructor(name: string, old: Connection, upstream: Upstream) {
      this.name = name;
      this.#old = old;
      this.#upstream = upstream;
    }

    get running(): boolean {
      return !this.killed && !this.still && this.phase.at !== "done";
    }

    async step(): Promise<void> {
      if (!this.running) return;
      const { phase } = this;
      if (phase.at === "looking") {
        const known = await claim(this.#old, this.name);
        if (known.kind === "mine") this.phase = { at: "asking" };
        else if (known.kind === "successor") this.phase = { at: "done", tokens: known.tokens };
        else if (known.kind === "ended") this.phase = { at: "done", tokens: null };
      } else if (phase.at === "asking") {
        this.phase = { at: "storing", answer: this.#upstream.refresh(this.#old.refreshToken) };
      } else if (phase.at === "storing" && phase.answer) {
        this.phase = { at: "done", tokens: await storeSuccessor(this.#old, phase.answer, this.name) };
      } else if (phase.at === "storing") {
        const known = await storeEnd(this.#old, this.name);
        if (known.kind === "held") this.phase = { at: "looking" };
        else this.phase = { at: "done", tokens: known.kind === "successor" ? known.tokens : null };
      }
    }

    async beat(): Promise<void> {
      if (this.running && (this.phase.at === "asking" || this.phase.at === "storing")) {
        await prolong(this.#old, this.name);
      }
    }
  }

  const action = fc.record({
    who: fc.nat(2),
    act: fc.oneof(
      { weight: 6, arbitrary: fc.constant("step" as const) },
      { weight: 2, arbitrary: fc.constant("tick" as const) },
      { weight: 1, arbitrary: fc.constantFrom("kill" as const, "stop" as const, "wake" as const) },
    ),
  });

  test("no token is asked with twice unless its holder was lost, no good answer gets lost, and all come to one end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), fc.boolean(), async (actions, strict) => {
        const old = connection();
        const upstream = new Upstream(old, strict);
        const replicas = [0, 1, 2].map((nth) => new Replica(`${nth}:${secret()}`, old, upstream));
        let lost = 0;
        const tick = async () => {
          vi.setSystemTime(Date.now() + heartbeatMs);
          for (const replica of replicas) await replica.beat();
        };
        for (const { who, act } of actions) {
          const replica = replicas[who] as Replica;
          if (act === "step") await replica.step();
          else if (act === "tick") await tick();
          else if (act === "wake") replica.still = false;
          else if (!replica.killed && !replica.still) {
            lost += 1;
            if (act === "kill") replica.killed = true;
            else replica.still = true;
          }
        }
        for (const replica of replicas) replica.still = false;
        for (let round = 0; round < 20 && replicas.some(({ running }) => running); round += 1) {
          for (const replica of replicas) await replica.step();
          await tick();
        }

        const alive = replicas.filter(({ killed }) => !killed);
        expect(alive.every(({ phase }) => phase.at === "done")).toBe(true);
        const asked = upstream.asked.filter((refreshToken) => refreshToken === old.refreshToken).length;
        expect(asked).toBeLessThanOrEqual(1 + lost);
        if (lost === 0) expect(asked).toBe(1);

        // Where a process that comes later is led to.
        const late = new Replica(`late:${secret()}`, old, upstream);
        for (let round = 0; round < 20 && late.running; round += 1) {
          await late.step();
          vi.setSystemTime(Date.now() + heartbeatMs);
        }
        if (late.phase.at !== "done") throw new Error("a process that comes later is led nowhere");
        const given = replicas.find(({ killed, phase }) => !killed && phase.at === "done" && phase.tokens !== null);
        if (given || lost === 0) expect(late.phase.tokens).toEqual(upstream.current);
        for (const { phase } of alive) {
          // Who was told of an end asked after a holder was lost; everybody else has the tokens in force.
          if (phase.at === "done" && phase.tokens !== null) expect(phase.tokens).toEqual(upstream.current);
          else expect(lost).toBeGreaterThan(0);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("a lease is longer than two heartbeats, and over within the time that people are asked to wait", () => {
    expect(leaseMs).toBeGreaterThan(2 * heartbeatMs);
    expect(leaseMs).toBeLessThanOrEqual(6_000);
  });
});
