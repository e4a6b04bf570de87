import "server-only";
import { join } from "node:path";
import { Kysely, PostgresDialect, sql, type Transaction } from "kysely";
import { Pool, types } from "pg";
import { DatabaseUnavailable, isDatabaseUnavailable, isUnsent, problemOf } from "@/lib/db/failure";
import { migrate } from "@/lib/db/migrations";
import type { Database } from "@/lib/db/schema";
import { identifyFile, isSameFile, openSqlite, type SqliteFile } from "@/lib/db/sqlite";
import { env } from "@/lib/env";
import { inTime } from "@/lib/in-time";
import { logger } from "@/lib/logger";

/**
 * The one door to the database: SQLite at `$DATA_DIR/tokendesk.db`, or PostgreSQL with DATABASE_URL. It is opened and
 * migrated at the first use. When that fails, or the database is lost later, the call ends with DatabaseUnavailable and
 * the next one tries again: nothing has to be restarted. A server that hangs costs each call many seconds: after one that
 * it did not answer, calls fail at once for a while, then one of them asks whether it is back.
 */
type Handle = {
  db: Kysely<Database>;
  kind: "sqlite" | "postgres";
  /** SQLite: which file was opened, to notice when another one, or none, stands at the path. */
  file: SqliteFile | null;
  /** PostgreSQL: the same with new connections. What hangs may do so as long as TCP lets it. */
  renewed?: () => Handle;
};

type State = {
  handle: Handle | null;
  opening: Promise<Handle> | null;
  /** A handle that is on its way out. The next one is not made before it has let go of its files. */
  closing: Promise<void>;
  /** The SQLite file that this process used last. It is not made anew when it is lost: that would hide the loss. */
  known: SqliteFile | null;
  /** Epoch milliseconds; 0: it is not known to be away. A server that did not answer is left alone until then. */
  awayUntil: number;
  /** When a call last ended well, epoch milliseconds. */
  answeredAt: number;
  /** The question whether it is back, while somebody asks it: the others wait for the answer. */
  probe: Promise<Handle> | null;
  /** By lock, this process's transactions. */
  lines: Map<string, Line>;
};

/** Those that have a connection, or ask for one, and the others, in the order in which they came. */
type Line = { underWay: number; waiting: (() => void)[] };

// The proxy, the route handlers and the server components are separate bundles of one process.
const slot = Symbol.for("tokendesk.db");
type Slot = { [slot]?: State };

function state(): State {
  const holder = globalThis as Slot;
  holder[slot] ??= {
    handle: null,
    opening: null,
    closing: Promise.resolve(),
    known: null,
    awayUntil: 0,
    answeredAt: 0,
    probe: null,
    lines: new Map(),
  };
  return holder[slot];
}

/**
 * Runs queries that change nothing.
 * @throws {DatabaseUnavailable}
 */
export function read<T>(queries: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  return guarded(({ db }) => queries(db));
}

/**
 * Runs one transaction. Transactions with the same lock run one after the other, on all replicas (on SQLite every two
 * do). `work` may run more than once, so it does nothing but queries on the transaction that it is given.
 * @throws {DatabaseUnavailable}
 */
export function write<T>(lock: string, work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
  return inLine(lock, () => guarded((handle) => transact(handle, lock, work)));
}

/** Whether the database can be used, for the readiness probe. Answers within two seconds. */
export async function databaseReady(): Promise<{ ready: true } | { ready: false; reason: string }> {
  const probe = read(async (db) => {
    await db.selectFrom("migrations").select("name").limit(1).execute();
    return { ready: true } as const;
  }).catch((error: unknown) => ({ ready: false, reason: problemOf(error) ?? "unusable" }) as const);
  const { promise: late, resolve } = Promise.withResolvers<{ ready: false; reason: string }>();
  const timer = setTimeout(resolve, readyWithinMs, { ready: false, reason: "timeout" });
  try {
    return await Promise.race([probe, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Closes the database. The next use opens it again. */
export async function closeDatabase(): Promise<void> {
  const current = state();
  await current.opening?.catch(() => {});
  if (current.handle) discard(current.handle);
  current.known = null;
  current.awayUntil = 0;
  current.answeredAt = 0;
  await current.closing;
}

const readyWithinMs = 1900;

/** After these the handle is of no more use; after the others the same one works again when the trouble is over. */
const fatal = new Set(["missing", "read_only", "damaged", "refused"]);

/** So long calls fail at once when the server has not answered one. */
const awayMs = 5_000;
/** So long it may take to answer the question whether it is back. */
const backWithinMs = 2_000;
/** A server that has answered somebody so recently is slow, not gone. */
const slowMs = 2_000;

/** How many transactions with one lock have a connection at a time: one hangs, and another goes on. */
const perLock = 2;
/** After that it is told that the database is locked, as of another process's transaction after `lock_timeout`. */
const lineMs = 15_000;

/** Many transactions that wait for each other in the database would keep everybody else from its connections. */
async function inLine<T>(lock: string, work: () => Promise<T>): Promise<T> {
  const { lines } = state();
  const line = lines.get(lock) ?? { underWay: 0, waiting: [] };
  lines.set(lock, line);
  if (line.underWay < perLock) line.underWay += 1;
  else await turnIn(line);
  try {
    return await work();
  } finally {
    const next = line.waiting.shift();
    if (next) next();
    else {
      line.underWay -= 1;
      if (line.underWay === 0) lines.delete(lock);
    }
  }
}

/** @throws {DatabaseUnavailable} */
async function turnIn({ waiting }: Line): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<true>();
  const mine = () => resolve(true);
  waiting.push(mine);
  if ((await inTime(promise, lineMs)) !== null) return;
  const place = waiting.indexOf(mine);
  // Its turn came at the same moment.
  if (place === -1) return;
  waiting.splice(place, 1);
  throw new DatabaseUnavailable("locked");
}

async function guarded<T>(use: (handle: Handle) => Promise<T>): Promise<T> {
  const current = state();
  for (let first = true; ; first = false) {
    const handle = await handleIfThere();
    try {
      const result = await use(handle);
      current.answeredAt = Date.now();
      return result;
    } catch (error) {
      const problem = problemOf(error);
      if (problem === null) throw error;
      if (fatal.has(problem) || (handle.kind === "sqlite" && problem === "unreachable")) discard(handle);
      const isSlow = Date.now() - current.answeredAt < slowMs;
      if (first && isSlow && isUnsent(error)) continue;
      if (!isSlow && isUnanswered(error)) leaveAlone(handle);
      throw error instanceof DatabaseUnavailable ? error : new DatabaseUnavailable(problem, { cause: error });
    }
  }
}

/** @throws {DatabaseUnavailable} at once, while the server is left alone */
async function handleIfThere(): Promise<Handle> {
  const current = state();
  if (current.awayUntil === 0) return currentHandle();
  if (current.probe === null && Date.now() < current.awayUntil) throw new DatabaseUnavailable("timeout");
  current.probe ??= probe().finally(() => {
    current.probe = null;
  });
  return current.probe;
}

/** Asks whether the server is back, and notes the answer. */
async function probe(): Promise<Handle> {
  const current = state();
  let handle: Handle | null = null;
  try {
    handle = await withinMs(currentHandle(), backWithinMs);
    await withinMs(answers(handle), backWithinMs);
    current.awayUntil = 0;
    return handle;
  } catch (error) {
    // It says why it cannot be used: whoever asks again is told as fast.
    if (!isUnanswered(error)) current.awayUntil = 0;
    else if (handle) leaveAlone(handle);
    else current.awayUntil = Date.now() + awayMs;
    throw error;
  }
}

async function answers({ db }: Handle): Promise<void> {
  try {
    await sql`select 1`.execute(db);
  } catch (error) {
    const problem = problemOf(error);
    if (problem === null || isDatabaseUnavailable(error)) throw error;
    throw new DatabaseUnavailable(problem, { cause: error });
  }
}

async function withinMs<T>(work: Promise<T>, ms: number): Promise<T> {
  const result = await inTime(
    work.then((value) => ({ value })),
    ms,
  );
  if (result === null) throw new DatabaseUnavailable("timeout");
  return result.value;
}

/** Nothing came back. A statement that the server itself ended, or a pool whose connections are all in use, is another matter. */
function isUnanswered(error: unknown): boolean {
  if (problemOf(error) !== "timeout") return false;
  if (isDatabaseUnavailable(error)) return error.cause === undefined || isUnanswered(error.cause);
  const { code, message } = error as Error & { code?: unknown };
  return code === "ETIMEDOUT" || (code === undefined && !message.startsWith("timeout exceeded"));
}

/** @param lost the handle that a call was lost with; one that was replaced since then says nothing of now */
function leaveAlone(lost: Handle): void {
  const current = state();
  if (current.handle !== lost) return;
  current.awayUntil = Date.now() + awayMs;
  if (!lost.renewed) return;
  discard(lost);
  current.handle = lost.renewed();
}

async function currentHandle(): Promise<Handle> {
  const current = state();
  const { handle } = current;
  if (handle) {
    if (handle.file === null || isSameFile(handle.file)) return handle;
    discard(handle);
  }
  // One attempt for all who wait; the next call after a failure makes a new one.
  current.opening ??= open(current)
    .catch((error: unknown) => {
      if (isUnanswered(error)) current.awayUntil = Date.now() + awayMs;
      throw new DatabaseUnavailable(problemOf(error) ?? "unusable", { cause: error });
    })
    .finally(() => {
      current.opening = null;
    });
  return current.opening;
}

function discard(handle: Handle): void {
  const current = state();
  if (current.handle !== handle) return;
  current.handle = null;
  current.closing = handle.db
    // On SQLite behind the queries that wait for the connection already.
    .connection()
    .execute(async () => {})
    .catch(() => {})
    .then(() => handle.db.destroy())
    .catch((error: unknown) => logger().warn({ err: error }, "the database could not be closed"));
}

async function open(current: State): Promise<Handle> {
  const { databaseUrl, dataDir } = env();
  const handle =
    databaseUrl === null ? await openFile(current, join(dataDir, "tokendesk.db")) : await openServer(databaseUrl);
  current.handle = handle;
  return handle;
}

async function openFile(current: State, path: string): Promise<Handle> {
  await current.closing;
  const dialect = await openSqlite(path, current.known?.path === path ? current.known : null);
  const db = new Kysely<Database>({ dialect });
  try {
    await bringUpToDate({ db, kind: "sqlite", file: null });
    const file = identifyFile(path);
    current.known = file;
    return { db, kind: "sqlite", file };
  } catch (error) {
    await db.destroy().catch(() => {});
    throw error;
  }
}

async function openServer(url: string): Promise<Handle> {
  // Waiting for another replica's migration, and a migration of a large table, may take longer than any query may.
  const migrator = serverHandle(url, { max: 1, lock_timeout: 60_000, query_timeout: 15 * 60_000 });
  try {
    await bringUpToDate(migrator);
  } finally {
    await migrator.db.destroy();
  }
  const working = (): Handle => ({
    ...serverHandle(url, { max: 10, lock_timeout: 5000, statement_timeout: 10_000, query_timeout: 12_000 }),
    renewed: working,
  });
  return working();
}

function serverHandle(
  url: string,
  limits: { max: number; lock_timeout: number; statement_timeout?: number; query_timeout?: number },
): Handle {
  const pool = new Pool({
    ...limits,
    connectionString: url,
    connectionTimeoutMillis: 3000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    application_name: "tokendesk",
    types: { getTypeParser: parserOf },
  });
  // A lost connection ends the process unless someone listens: to the pool while it is idle, to itself while a
  // transaction that has it sends nothing.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", (error) =>
      logger().warn({ reason: problemOf(error) ?? "unusable" }, "a database connection was lost"),
    );
  });
  return { db: new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }), kind: "postgres", file: null };
}

/**
 * `bigint` (20), which `count(*)` is too, and `numeric` (1700), which a sum of them is, would come as text. Times and
 * counts are far below 2^53.
 */
export const parserOf: typeof types.getTypeParser = (type, format) =>
  Number(type) === 20 || Number(type) === 1700 ? toNumber : types.getTypeParser(type, format);

function toNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError("a whole number of the database is too large");
  return number;
}

async function bringUpToDate(handle: Handle): Promise<void> {
  const applied = await transact(handle, "migrations", (trx) => migrate(trx, Date.now()));
  if (applied.length > 0) logger().info({ database: handle.kind, migrations: applied }, "the database is up to date");
}

const attempts = 3;

async function transact<T>(handle: Handle, lock: string, work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    let committing = false;
    try {
      return await handle.db.transaction().execute(async (trx) => {
        // SQLite has one writer at a time anyway: its transactions begin with the write lock.
        if (handle.kind === "postgres")
          await sql`select pg_advisory_xact_lock(hashtextextended(${`tokendesk:${lock}`}, 0))`.execute(trx);
        const result = await work(trx);
        committing = true;
        return result;
      });
    } catch (error) {
      const problem = committing ? problemOf(error) : null;
      if (problem === "unreachable" || problem === "timeout") {
        throw new DatabaseUnavailable(problem, { cause: error, maybeDone: true });
      }
      // PostgreSQL ends one of two transactions that wait for each other; it has left no trace.
      const code = (error as { code?: unknown } | null)?.code;
      if (attempt >= attempts || (code !== "40P01" && code !== "40001")) throw error;
    }
  }
}
