import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { inspect, promisify } from "node:util";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { closeDatabase, databaseReady, read, write } from "@/lib/db/client";
import { DatabaseUnavailable, isDatabaseUnavailable } from "@/lib/db/failure";
import { inTime } from "@/lib/in-time";
import { type DatabaseKind, databaseKinds, type TestDatabase, useDatabase } from "@/test/database";

const root = process.cwd();

/** Runs `script` in a process of its own, with the modules of lib/db at hand as `client`. */
async function inProcess(variables: Record<string, string>, script: string): Promise<string> {
  const hooks = `
    import { registerHooks } from "node:module";
    registerHooks({ resolve(specifier, context, next) {
      if (specifier === "server-only") return { url: "data:text/javascript,", shortCircuit: true };
      if (specifier.startsWith("@/")) return next(${JSON.stringify(`${pathToFileURL(root)}/`)} + specifier.slice(2) + ".ts", context);
      return next(specifier, context);
    } });
    const client = await import("@/lib/db/client");
    ${script}`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", hooks],
    { cwd: root, env: { PATH: process.env.PATH ?? "", NODE_ENV: "test", ...variables }, timeout: 20_000 },
  );
  return stdout + stderr;
}

const appliedMigrations = () => read((db) => db.selectFrom("migrations").selectAll().orderBy("name").execute());

const names = ["0001-tokens", "0002-memory", "0003-incidents", "0004-exchanges"];
const migrationCount = names.length;

let database: TestDatabase;
const start = (kind: DatabaseKind, changes?: Record<string, string>) => async () => {
  database = await useDatabase(kind, changes);
};
afterEach(() => database.remove());

describe.each(databaseKinds)("on %s", (kind) => {
  beforeEach(start(kind));

  test("an empty database is migrated at the first use, and left alone at the next", async () => {
    const first = await appliedMigrations();
    expect(first.map(({ name }) => name)).toEqual(names);
    expect(first[0]?.applied_at).toBeGreaterThan(Date.now() - 60_000);
    await closeDatabase();
    await sleep(5);
    expect(await appliedMigrations()).toEqual(first);
  });

  test("many first uses at once in one process open it once", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, appliedMigrations));
    expect(new Set(answers.map((rows) => JSON.stringify(rows))).size).toBe(1);
  });

  test("processes that start at once migrate once", async () => {
    const outputs = await Promise.all(
      Array.from({ length: 4 }, () =>
        inProcess(
          database.variables,
          `console.log(JSON.stringify(await client.databaseReady())); await client.closeDatabase();`,
        ),
      ),
    );
    expect(outputs.map((output) => output.trim())).toEqual(Array(4).fill('{"ready":true}'));
    expect(await appliedMigrations()).toHaveLength(migrationCount);
  });

  test("a database of a later version is refused, and used again when it is not", async () => {
    await write("test", (trx) => trx.insertInto("migrations").values({ name: "9999-later", applied_at: 1 }).execute());
    await closeDatabase();
    await expect(appliedMigrations()).rejects.toMatchObject({ problem: "newer_schema" });
    expect(await databaseReady()).toEqual({ ready: false, reason: "newer_schema" });
    if (kind === "sqlite") {
      const other = new DatabaseSync(join(database.folder, "tokendesk.db"));
      other.exec("delete from migrations where name = '9999-later'");
      other.close();
      expect(await databaseReady()).toEqual({ ready: true });
    }
  });

  test("a failed transaction leaves nothing, and its error comes through unchanged", async () => {
    const mine = new Error("mine");
    const failing = write("test", async (trx) => {
      await trx.insertInto("migrations").values({ name: "half", applied_at: 1 }).execute();
      throw mine;
    });
    await expect(failing).rejects.toBe(mine);
    expect(await appliedMigrations()).toHaveLength(migrationCount);
    const duplicate = write("test", (trx) =>
      trx.insertInto("migrations").values({ name: "0001-tokens", applied_at: 1 }).execute(),
    );
    const error = await duplicate.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  test("transactions with one lock do not lose each other's change, across processes", async () => {
    await write("test", async (trx) => {
      await sql`create table counter (n bigint not null)`.execute(trx);
      await sql`insert into counter values (0)`.execute(trx);
    });
    const increments = `
      import { sql } from "kysely";
      import { setTimeout as sleep } from "node:timers/promises";
      await Promise.all(Array.from({ length: 25 }, () => client.write("counter", async (trx) => {
        const { rows: [row] } = await sql\`select n from counter\`.execute(trx);
        await sleep(1);
        await sql\`update counter set n = \${row.n + 1}\`.execute(trx);
      })));
      await client.closeDatabase();`;
    const outputs = await Promise.all([1, 2, 3].map(() => inProcess(database.variables, increments)));
    expect(outputs.join("")).toBe("");
    const { rows } = await read((db) => sql<{ n: number }>`select n from counter`.execute(db));
    expect(rows).toEqual([{ n: 75 }]);
  });

  test("counts, sums and times are numbers", async () => {
    const row = await read((db) =>
      db
        .selectFrom("migrations")
        .select((eb) => [
          eb.fn.countAll<number>().as("count"),
          eb.fn.sum<number>("applied_at").as("sum"),
          eb.fn.max("applied_at").as("max"),
        ])
        .executeTakeFirstOrThrow(),
    );
    expect(row.count).toBe(migrationCount);
    expect(typeof row.sum).toBe("number");
    expect(typeof row.max).toBe("number");
  });

  test("is ready, closed and ready again", async () => {
    expect(await databaseReady()).toEqual({ ready: true });
    await closeDatabase();
    expect(await databaseReady()).toEqual({ ready: true });
  });
});

describe("SQLite", () => {
  beforeEach(start("sqlite"));
  const file = () => join(database.folder, "tokendesk.db");
  const addNote = (text: string) =>
    write("test", async (trx) => {
      await sql`create table if not exists notes (text text)`.execute(trx);
      await sql`insert into notes values (${text})`.execute(trx);
    });
  const notes = () =>
    read(async (db) => (await sql<{ text: string }>`select text from notes`.execute(db)).rows.map(({ text }) => text));

  /** What a user who is not root meets: root may write where the mode says that nobody may. */
  async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
    if (process.geteuid?.() !== 0) return work();
    process.seteuid?.(65534);
    try {
      return await work();
    } finally {
      process.seteuid?.(0);
    }
  }

  test("is durable, and readable by this user alone", async () => {
    await addNote("x");
    const modes = readdirSync(database.folder).map((name) => [
      name,
      statSync(join(database.folder, name)).mode & 0o777,
    ]);
    expect(Object.fromEntries(modes)).toEqual({
      "tokendesk.db": 0o600,
      "tokendesk.db-shm": 0o600,
      "tokendesk.db-wal": 0o600,
    });
    const settings = await read(async (db) => [
      (await sql`pragma journal_mode`.execute(db)).rows,
      (await sql`pragma synchronous`.execute(db)).rows,
      (await sql`pragma foreign_keys`.execute(db)).rows,
    ]);
    expect(settings).toEqual([[{ journal_mode: "wal" }], [{ synchronous: 2 }], [{ foreign_keys: 1 }]]);
  });

  test("makes the data folder", async () => {
    await closeDatabase();
    rmSync(database.folder, { recursive: true });
    expect(await databaseReady()).toEqual({ ready: true });
  });

  test("locked: a write waits without holding up the process, then says so, then works again", async () => {
    await appliedMigrations();
    const other = new DatabaseSync(file());
    other.exec("begin immediate");
    let longestPause = 0;
    let last = performance.now();
    const heartbeat = setInterval(() => {
      longestPause = Math.max(longestPause, performance.now() - last);
      last = performance.now();
    }, 10);
    await expect(addNote("late")).rejects.toMatchObject({ name: "DatabaseUnavailable", problem: "locked" });
    clearInterval(heartbeat);
    expect(longestPause).toBeLessThan(500);
    expect(await appliedMigrations()).toHaveLength(migrationCount);

    const waiting = addNote("patient");
    await sleep(100);
    other.exec("rollback");
    other.close();
    await waiting;
    expect(await notes()).toEqual(["patient"]);
  });

  test("locked for long: of many that wait, only the first waits in full", async () => {
    await appliedMigrations();
    const other = new DatabaseSync(file());
    other.exec("begin immediate");
    const all = Array.from({ length: 6 }, (_, nth) => addNote(`late ${nth}`));
    const settled = await inTime(Promise.allSettled(all), 7_000);
    expect(settled?.map(({ status }) => status)).toEqual(Array(6).fill("rejected"));
    other.exec("rollback");
    other.close();
    await addNote("after");
    expect(await notes()).toEqual(["after"]);
  });

  test("locked at the first use: works when the lock is gone", async () => {
    const other = new DatabaseSync(file());
    other.exec("begin exclusive; create table x (y)");
    await expect(appliedMigrations()).rejects.toMatchObject({ problem: "locked" });
    other.exec("rollback");
    other.close();
    expect(await appliedMigrations()).toHaveLength(migrationCount);
  });

  test("full: the write is refused whole, and works when there is room", async () => {
    await appliedMigrations();
    await read((db) => sql`pragma max_page_count = 1`.execute(db));
    const filling = write("test", async (trx) => {
      for (let n = 0; n < 50; n += 1) {
        await trx
          .insertInto("migrations")
          .values({ name: `${n}${"x".repeat(4000)}`, applied_at: 1 })
          .execute();
      }
    });
    await expect(filling).rejects.toMatchObject({ problem: "full" });
    expect(await appliedMigrations()).toHaveLength(migrationCount);
    await read((db) => sql`pragma max_page_count = 100000`.execute(db));
    await addNote("room");
    expect(await notes()).toEqual(["room"]);
  });

  test("read-only: refused at the first use, works when it may be written", async () => {
    await appliedMigrations();
    await closeDatabase();
    chmodSync(file(), 0o444);
    chmodSync(database.folder, 0o555);
    await asOrdinaryUser(async () => {
      await expect(appliedMigrations()).rejects.toBeInstanceOf(DatabaseUnavailable);
      expect(await databaseReady()).toMatchObject({
        ready: false,
        reason: expect.stringMatching(/read_only|refused|missing/),
      });
    });
    chmodSync(database.folder, 0o700);
    chmodSync(file(), 0o600);
    await addNote("writable");
  });

  test("gone under a running process: not made anew, used again when it is back", async () => {
    await addNote("kept");
    const away = `${database.folder}-away`;
    renameSync(database.folder, away);
    await expect(addNote("lost")).rejects.toMatchObject({ problem: "missing" });
    mkdirSync(database.folder);
    expect(await databaseReady()).toEqual({ ready: false, reason: "missing" });
    expect(readdirSync(database.folder)).toEqual([]);
    rmSync(database.folder, { recursive: true });
    renameSync(away, database.folder);
    expect(await notes()).toEqual(["kept"]);
    await addNote("more");
    expect(await notes()).toEqual(["kept", "more"]);
  });

  test("replaced by another file, a restored backup: that one is used", async () => {
    await addNote("before the backup");
    const backup = join(database.folder, "backup.db");
    await read((db) => sql`vacuum into ${backup}`.execute(db));
    await addNote("after the backup");
    renameSync(backup, file());
    expect(await notes()).toEqual(["before the backup"]);
    await addNote("after the restore");
    await closeDatabase();
    expect(await notes()).toEqual(["before the backup", "after the restore"]);
    const check = await read((db) => sql`pragma integrity_check`.execute(db));
    expect(check.rows).toEqual([{ integrity_check: "ok" }]);
  });

  test("not a database: said so, and used when it is", async () => {
    writeFileSync(file(), "this is no database ".repeat(100));
    await expect(appliedMigrations()).rejects.toMatchObject({ problem: "damaged" });
    rmSync(file());
    expect(await databaseReady()).toEqual({ ready: true });
  });
});

describe("PostgreSQL", () => {
  /** Stands between us and the server, so that the server can be lost. */
  async function startGate(targetPort: number) {
    const sockets = new Set<Socket>();
    let swallow = false;
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      if (swallow) return;
      const upstream = connect(targetPort, "127.0.0.1");
      sockets.add(upstream);
      upstream.on("error", () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
      socket.on("close", () => upstream.destroy());
      upstream.on("close", () => socket.destroy());
    });
    const cut = () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    };
    const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    await listen(0);
    const { port } = server.address() as { port: number };
    return {
      port,
      cut,
      swallow: (on: boolean) => {
        swallow = on;
        cut();
      },
      /** Those that there are go on. */
      swallowNew: () => {
        swallow = true;
      },
      close: () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          cut();
        }),
      reopen: () => listen(port),
    };
  }

  let gate: Awaited<ReturnType<typeof startGate>>;
  beforeEach(async () => {
    database = await useDatabase("postgres");
    const url = new URL(database.variables.DATABASE_URL ?? "");
    gate = await startGate(Number(url.port));
    url.port = String(gate.port);
    await database.remove();
    database = await useDatabase("postgres", { DATABASE_URL: url.href });
  });
  afterEach(() => gate.close().catch(() => {}));

  test("lost and back again, without a restart", async () => {
    expect(await databaseReady()).toEqual({ ready: true });
    await gate.close();
    await expect(appliedMigrations()).rejects.toMatchObject({ name: "DatabaseUnavailable", problem: "unreachable" });
    expect(await databaseReady()).toEqual({ ready: false, reason: "unreachable" });
    await gate.reopen();
    expect(await databaseReady()).toEqual({ ready: true });
  });

  test("not there at the first use: works when it is", async () => {
    await gate.close();
    await expect(appliedMigrations()).rejects.toMatchObject({ problem: "unreachable" });
    await gate.reopen();
    expect(await appliedMigrations()).toHaveLength(migrationCount);
  });

  test("cut in the middle of a transaction: unreachable, and nothing is kept", async () => {
    await appliedMigrations();
    const cut = write("test", async (trx) => {
      await trx.insertInto("migrations").values({ name: "cut", applied_at: 1 }).execute();
      gate.cut();
      await sleep(50);
      await trx.selectFrom("migrations").select("name").execute();
    });
    await expect(cut).rejects.toMatchObject({ problem: "unreachable" });
    expect(await appliedMigrations()).toHaveLength(migrationCount);
  });

  test("an answer that never comes: readiness is told within two seconds", async () => {
    gate.swallow(true);
    expect(await inTime(databaseReady(), 2000)).toEqual({ ready: false, reason: "timeout" });
    gate.swallow(false);
    await expect.poll(() => databaseReady(), { timeout: 8000 }).toEqual({ ready: true });
  });

  test("a server that hangs costs one call its time; the next fail at once, and one of them finds it back", async () => {
    await appliedMigrations();
    gate.swallow(true);
    // The first may meet a connection that has just been cut.
    const problem = () => appliedMigrations().catch((error: unknown) => (error as DatabaseUnavailable).problem);
    await expect.poll(problem, { timeout: 10_000 }).toBe("timeout");
    const calls = [appliedMigrations(), write("test", async () => {}), appliedMigrations()];
    const settled = await inTime(Promise.allSettled(calls), 250);
    expect(settled?.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await inTime(databaseReady(), 250)).toEqual({ ready: false, reason: "timeout" });
    try {
      gate.swallow(false);
      vi.useFakeTimers({ now: Date.now() + 5_000, toFake: ["Date"] });
      // One of those that come when the time is over asks, for all: they wait for the answer.
      for (const found of await Promise.all([appliedMigrations(), appliedMigrations()])) {
        expect(found).toHaveLength(migrationCount);
      }
      expect(await Promise.all([databaseReady(), databaseReady()])).toEqual([{ ready: true }, { ready: true }]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a server that is slow to take new connections and answers on those that there are is waited for", async () => {
    await appliedMigrations();
    gate.swallowNew();
    const began = performance.now();
    const busy = (async () => {
      while (performance.now() - began < 2_500) {
        await read((db) => sql`select pg_sleep(0.1)`.execute(db));
      }
    })();
    // While the only connection is in use: another one is asked for, which never comes.
    expect(await appliedMigrations()).toHaveLength(migrationCount);
    expect(performance.now() - began).toBeGreaterThan(2_500);
    await busy;
    expect(await appliedMigrations()).toHaveLength(migrationCount);
  });

  test("the loss of idle connections does not end the process, and no log line tells the address", async () => {
    const password = new URL(database.variables.DATABASE_URL ?? "").password;
    const output = await inProcess(
      { ...database.variables, LOG_LEVEL: "trace" },
      `
      import { sql } from "kysely";
      import { setImmediate as others } from "node:timers/promises";
      await client.read(async (db) => {
        await Promise.all([1, 2, 3].map(() => sql\`select pg_sleep(0.1)\`.execute(db)));
        await sql\`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()\`.execute(db);
        const left = () => sql\`select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()\`.execute(db);
        // They say that they end before they are gone.
        while ((await left()).rows.length > 0) await others();
      });
      for (let turn = 0; turn < 10; turn += 1) await others();
      console.log(JSON.stringify(await client.databaseReady()));
      await client.closeDatabase();`,
    );
    expect(output).toContain("a database connection was lost");
    expect(output).toContain('{"ready":true}');
    expect(password).not.toBe("");
    expect(output).not.toContain(password);
    expect(output).not.toContain("postgres://");
  });

  test("a wrong password is told as such, without it", async () => {
    const url = new URL(database.variables.DATABASE_URL ?? "");
    url.password = "wrong-password-canary";
    await database.remove();
    database = await useDatabase("postgres", { DATABASE_URL: url.href });
    const error = await appliedMigrations().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ problem: "refused" });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("wrong-password-canary");
  });

  test("a read-only standby: writes are refused as such, and work again after", async () => {
    await appliedMigrations();
    const attempt = (name: string) =>
      write("test", async (trx) => {
        if (name === "standby") await sql`set transaction read only`.execute(trx);
        await trx.insertInto("migrations").values({ name, applied_at: 1 }).execute();
      });
    await expect(attempt("standby")).rejects.toMatchObject({ problem: "read_only" });
    await attempt("primary");
    expect(await read((db) => db.selectFrom("migrations").select("name").execute())).toHaveLength(migrationCount + 1);
  });

  test("many transactions with one lock wait for each other, and take nobody else's connection meanwhile", async () => {
    await appliedMigrations();
    let atOnce = 0;
    const writes = Array.from({ length: 30 }, () =>
      write("one", async (trx) => {
        atOnce += 1;
        await sql`select pg_sleep(0.25)`.execute(trx);
        expect(atOnce).toBe(1);
        atOnce -= 1;
      }),
    );
    expect(await inTime(appliedMigrations(), 2_000)).toHaveLength(migrationCount);
    await Promise.all(writes);
  });

  test("a row that another transaction holds: locked, not endless", async () => {
    await appliedMigrations();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: holds, resolve: hold } = Promise.withResolvers<void>();
    const holder = write("one", async (trx) => {
      await trx.updateTable("migrations").set({ applied_at: 1 }).execute();
      hold();
      await held;
    });
    await holds;
    await expect(
      write("two", (trx) => trx.updateTable("migrations").set({ applied_at: 2 }).execute()),
    ).rejects.toMatchObject({ problem: "locked" });
    release();
    await holder;
  });
});
