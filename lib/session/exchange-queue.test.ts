import { renameSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { read } from "@/lib/db/client";
import { askTurn, joinLine, type Pace, pauseLine, settleTurn, type Ticket } from "@/lib/session/exchange-queue";
import { runModule } from "@/test/child";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";
import { captureLog, until } from "@/test/process";

const marginMs = 250;
const pace: Pace = { limit: 2, windowMs: 800, patienceMs: 5_000, exchangeMs: 5_000 };

let database: TestDatabase;
afterEach(() => database.remove());

const forget = () => delete (globalThis as Record<symbol, unknown>)[Symbol.for("tokendesk.exchanges")];
const ids = () => read((db) => db.selectFrom("ringex_exchanges").select(["id", "state"]).execute());

async function placeOf(id: string, changes: Partial<Pace> = {}): Promise<number> {
  const turn = await askTurn(id, { ...pace, ...changes });
  if (turn.kind !== "waiting") throw new Error(`${id} has its turn: ${turn.kind}`);
  return turn.place;
}

async function ticketOf(id: string, changes: Partial<Pace> = {}): Promise<Ticket> {
  const turn = await askTurn(id, { ...pace, ...changes });
  if (turn.kind !== "yours") throw new Error(`${id} has to wait: ${JSON.stringify(turn)}`);
  return turn.ticket;
}

async function join(...names: string[]): Promise<void> {
  for (const name of names) await joinLine(name, pace);
}

describe.each(databaseKinds)("on %s", (kind) => {
  beforeEach(async () => {
    database = await useDatabase(kind);
    forget();
  });

  test("who came first goes first, and those who may go before are left their part", async () => {
    await join("a", "b", "c", "d");
    expect(await placeOf("c")).toBe(3);
    const b = await ticketOf("b");
    // One part is left: it is a's, who has not asked yet.
    expect(await placeOf("c")).toBe(2);
    const a = await ticketOf("a");
    expect([await placeOf("d"), await placeOf("c")]).toEqual([2, 1]);
    await settleTurn(a, "done", pace);
    await settleTurn(b, "done", pace);
    const waiting = await askTurn("c", pace);
    expect(waiting).toMatchObject({ place: 1, waitMs: expect.any(Number) });
    expect(waiting.kind === "waiting" && waiting.waitMs).toBeLessThanOrEqual(pace.windowMs + marginMs);
    for (const name of ["c", "d"]) await until(async () => (await askTurn(name, pace)).kind === "yours");
  });

  test("the wait of the fourth in line is a window longer than that of the second", async () => {
    const minute = { ...pace, windowMs: 60_000 };
    for (const name of ["a", "b"]) await settleTurn(await ticketOf(name, minute), "done", minute);
    await join("c", "d", "e", "f");
    const waits = await Promise.all(
      ["c", "d", "e", "f"].map(async (name) => {
        const turn = await askTurn(name, minute);
        return turn.kind === "waiting" ? turn.waitMs : 0;
      }),
    );
    const [c = 0, d = 0, e = 0, f = 0] = waits.map((ms) => Math.round(ms / 15_000));
    expect([c, d, e, f]).toEqual([4, 4, 8, 8]);
  });

  test("who does not ask any more loses the place, and comes back at the end", async () => {
    await ticketOf("at work", { limit: 1 });
    await join("gone", "b", "c");
    expect(await placeOf("c", { limit: 1 })).toBe(3);
    expect(await placeOf("gone", { limit: 1, patienceMs: 1 })).toBe(1);
    await sleep(20);
    expect(await placeOf("c", { limit: 1 })).toBe(2);
    expect(await placeOf("gone", { limit: 1 })).toBe(3);
  });

  test("what was used is over for whoever has a copy of it; what was lost takes a new place", async () => {
    const used = await ticketOf("used");
    // The same cookie, from another tab, while it is at work.
    expect(await askTurn("used", pace)).toMatchObject({ kind: "waiting", place: 1 });
    await settleTurn(used, "done", pace);
    expect(await askTurn("used", pace)).toEqual({ kind: "over" });
    const lost = await ticketOf("lost");
    await join("b");
    await settleTurn(lost, "lost", pace);
    expect(await placeOf("lost")).toBe(2);
  });

  test("when RingCX says that its limit is used up everybody waits, and nobody loses the place", async () => {
    await join("a", "b", "c");
    const [a, b] = [await ticketOf("a"), await ticketOf("b")];
    expect(await pauseLine(b, 60_000, pace)).toMatchObject({ place: 1 });
    expect(await pauseLine(a, 1_500, pace)).toMatchObject({ place: 1 });
    const turns = await Promise.all(["c", "b", "a", "new"].map((name) => askTurn(name, { ...pace, limit: 9 })));
    expect(turns.map((turn) => turn.kind === "waiting" && turn.place)).toEqual([3, 2, 1, 4]);
    for (const turn of turns) expect(turn.kind === "waiting" && turn.waitMs).toBeGreaterThan(55_000);
  });

  test("a process that died with a ticket holds nobody up for ever", async () => {
    await ticketOf("dead", { limit: 1, exchangeMs: 500, windowMs: 500 });
    expect(await placeOf("b", { limit: 1 })).toBe(1);
    await until(async () => (await askTurn("b", { ...pace, limit: 1 })).kind === "yours");
    expect((await ids()).some(({ id }) => id === "dead")).toBe(false);
  });

  test("processes that ask at once keep one limit and one order", async () => {
    const names = Array.from({ length: 9 }, (_, index) => `n${index}`);
    const busy = { ...pace, limit: 3, windowMs: 700, patienceMs: 30_000 };
    for (const name of names) await joinLine(name, busy);
    // Those who are there last say that both processes have begun.
    const clients = (mine: string[], half: number) => `
      const { askTurn, joinLine, settleTurn } = await import("@/lib/session/exchange-queue");
      const { closeDatabase, read } = await import("@/lib/db/client");
      const pace = ${JSON.stringify(busy)};
      await joinLine("ready ${half}", pace);
      const ready = () => read((db) => db.selectFrom("ringex_exchanges").select("id").where("id", "like", "ready%").execute());
      while ((await ready()).length < 2) await new Promise((done) => setTimeout(done, 5));
      await Promise.all(${JSON.stringify(mine)}.map(async (name) => {
        for (;;) {
          const turn = await askTurn(name, pace);
          if (turn.kind === "yours") {
            const from = Date.now();
            await new Promise((done) => setTimeout(done, 30));
            console.log(JSON.stringify({ name, from, to: Date.now() }));
            await settleTurn(turn.ticket, "done", pace);
            return;
          }
          await new Promise((done) => setTimeout(done, 20));
        }
      }));
      await closeDatabase();`;
    const ended = await Promise.all(
      [0, 1].map((half) =>
        runModule(
          clients(
            names.filter((_, index) => index % 2 === half),
            half,
          ),
          { variables: database.variables },
        ),
      ),
    );
    expect(ended.map(({ code, stderr }) => `${code} ${stderr}`)).toEqual(["0 ", "0 "]);
    const went = ended
      .flatMap(({ stdout }) => stdout.trim().split("\n"))
      .map((line) => JSON.parse(line) as { name: string; from: number; to: number })
      .sort((one, other) => one.from - other.from);
    expect(went).toHaveLength(9);
    for (const [index, { from }] of went.entries()) {
      const third = went[index - 3];
      if (third) expect(from - third.to).toBeGreaterThanOrEqual(700);
    }
    // Three by three, in the order in which they came.
    const groups = [0, 3, 6].map((from) => went.slice(from, from + 3).map(({ name }) => name));
    expect(groups.map((group) => group.sort())).toEqual([names.slice(0, 3), names.slice(3, 6), names.slice(6)]);
  });
});

describe("without the database", () => {
  test("the limit and the order hold in this process, what was used stays used, and the database learns of it", async () => {
    database = await useDatabase("sqlite", { LOG_LEVEL: "info" });
    forget();
    const log = captureLog();
    await join("a", "b", "c");
    await settleTurn(await ticketOf("a", { windowMs: 60_000 }), "done", { ...pace, windowMs: 60_000 });

    const away = `${database.folder}-away`;
    renameSync(database.folder, away);
    await settleTurn(await ticketOf("b", { windowMs: 60_000 }), "done", { ...pace, windowMs: 60_000 });
    expect(await placeOf("c")).toBe(1);
    expect(await askTurn("b", pace)).toEqual({ kind: "over" });
    renameSync(away, database.folder);

    await placeOf("c");
    expect((await ids()).filter(({ state }) => state === "slot")).toHaveLength(2);
    forget();
    expect(await askTurn("b", pace)).toEqual({ kind: "over" });
    await until(() => log.read().includes("in the database again"));
    expect(log.read().match(/holds in this process alone/g)).toHaveLength(1);
    log.stop();
  });
});
