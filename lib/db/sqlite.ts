import "server-only";
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { CompiledQuery, type DatabaseConnection, type SqliteDatabase, SqliteDialect, SqliteDriver } from "kysely";
import { problemOf } from "@/lib/db/failure";

/** How long a write waits for another process's write. */
const lockWaitMs = 3000;
/** The same for a write that comes while the lock has been held for so long already: they wait one after the other. */
const furtherWaitMs = 250;
/** After that a lock that was seen may be another one. */
const sameLockMs = 1000;
/** node:sqlite waits on the event loop's own thread: so never for long. The rest of the wait is in `whenUnlocked`. */
const blockingWaitMs = 50;

export type SqliteFile = { path: string; identity: string; wal: string | null };

/** Which files the path names at the moment. @throws ENOENT when there is no database */
export function identifyFile(path: string): SqliteFile {
  const identity = identityOf(path);
  if (identity === null) throw Object.assign(new Error("there is no database file"), { code: "ENOENT" });
  return { path, identity, wal: identityOf(`${path}-wal`) };
}

/** False after the file was removed, or replaced by another one. */
export function isSameFile(file: SqliteFile): boolean {
  return identityOf(file.path) === file.identity;
}

function identityOf(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}:${stat.birthtimeNs}` : null;
}

/**
 * Opens the file, readable by this user alone.
 * @param known the file that this process has used at this path: then it must be there, or another in its place
 * @throws errors that `problemOf` classifies
 */
export async function openSqlite(path: string, known: SqliteFile | null): Promise<SqliteDialect> {
  if (known) {
    const { identity, wal } = identifyFile(path);
    if (identity !== known.identity && wal !== null && wal === known.wal) {
      // A backup was put in place of the database. SQLite would replay the old one's last changes into it.
      for (const leftover of [`${path}-wal`, `${path}-shm`]) rmSync(leftover, { force: true });
    }
  } else if (identityOf(path) === null) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite would make the file with the process's umask; its -wal and -shm files take over the mode of this one.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  }
  const file = new DatabaseSync(path, { timeout: blockingWaitMs, enableForeignKeyConstraints: true });
  try {
    // The change to WAL needs the file for itself, so two processes that start at once can meet here.
    await whenUnlocked(() => {
      file.exec("pragma journal_mode = wal; pragma synchronous = full");
    });
  } catch (error) {
    file.close();
    throw error;
  }
  return new NodeSqliteDialect(file);
}

/** A file that is only looked at: neither made nor migrated. @throws errors that `problemOf` classifies */
export function openSqliteToRead(path: string): SqliteDialect {
  identifyFile(path);
  return new NodeSqliteDialect(new DatabaseSync(path, { readOnly: true, timeout: lockWaitMs }));
}

/** `lock`: what is known of another process's lock, for all who wait for the same file. */
async function whenUnlocked<T>(attempt: () => T | Promise<T>, lock = { since: 0, seenAt: 0 }): Promise<T> {
  const began = Date.now();
  if (began - lock.seenAt > sameLockMs) lock.since = began;
  const deadline = Math.max(lock.since + lockWaitMs, began + furtherWaitMs);
  for (;;) {
    try {
      const result = await attempt();
      lock.seenAt = 0;
      return result;
    } catch (error) {
      if (problemOf(error) !== "locked") throw error;
      lock.seenAt = Date.now();
      if (lock.seenAt >= deadline) throw error;
    }
    await sleep(20);
  }
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #file: DatabaseSync;

  constructor(file: DatabaseSync) {
    super({ database: adapt(file) });
    this.#file = file;
  }

  override createDriver(): SqliteDriver {
    return new NodeSqliteDriver(this.#file);
  }
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #file: DatabaseSync;
  readonly #lock = { since: 0, seenAt: 0 };

  constructor(file: DatabaseSync) {
    super({ database: adapt(file) });
    this.#file = file;
  }

  /** A plain BEGIN takes the write lock at the first write, and fails at once if another process wrote in between. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await whenUnlocked(() => connection.executeQuery(CompiledQuery.raw("begin immediate")), this.#lock);
  }

  /** SQLite has already rolled back after a full disk or a failed write; a second one would hide that error. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#file.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** kysely speaks to better-sqlite3. */
function adapt(file: DatabaseSync): SqliteDatabase {
  type Values = Parameters<ReturnType<DatabaseSync["prepare"]>["run"]>;
  return {
    close: () => file.close(),
    prepare(sql) {
      const statement = file.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (values) => statement.all(...(values as Values)),
        run: (values) => statement.run(...(values as Values)),
        iterate: (values) => statement.iterate(...(values as Values)),
      };
    },
  };
}
