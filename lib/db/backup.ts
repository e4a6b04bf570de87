import "server-only";
import { spawn } from "node:child_process";
import { chmodSync, closeSync, existsSync, linkSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";

/** Backups of a database that is in use. The target appears whole or not at all, and is never overwritten. */
type Progress = (share: number) => void;

/** For the person who asked for the backup: a sentence. */
class BackupFailed extends Error {
  override readonly name = "BackupFailed";
}

/**
 * Copies the SQLite file as it is at this moment; writers go on meanwhile. `check` sees the copy before it gets its name.
 * @throws {BackupFailed}, and what the file system or SQLite throws
 */
export async function backUpSqlite(
  file: string,
  target: string,
  progress: Progress,
  check: (copy: string) => Promise<void>,
): Promise<void> {
  await inPlace(target, async (draft) => {
    const source = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    try {
      // A read transaction keeps to one moment. Without it every write of the server would make the copy begin anew.
      source.exec("begin");
      source.prepare("select count(*) from sqlite_schema").get();
      await backup(source, draft, {
        rate: 2000,
        progress: ({ totalPages, remainingPages }) => progress(totalPages ? 1 - remainingPages / totalPages : 1),
      });
      source.exec("commit");
    } finally {
      source.close();
    }
    const copy = new DatabaseSync(draft);
    try {
      // One file that stands for itself, without -wal and -shm.
      copy.exec("pragma journal_mode = delete");
      const answers = copy.prepare("pragma integrity_check").all() as { integrity_check: string }[];
      if (answers.length !== 1 || answers[0]?.integrity_check !== "ok") {
        throw new BackupFailed(
          "The copy is damaged (integrity_check), so it was removed. Check the database and the disk.",
        );
      }
    } finally {
      copy.close();
    }
    await check(draft);
  });
  progress(1);
}

/**
 * Dumps the PostgreSQL database in pg_dump's custom format. The password is passed in the environment.
 * @throws {BackupFailed}
 */
export async function backUpPostgres(url: string, target: string): Promise<void> {
  const bare = new URL(url);
  const password = decodeURIComponent(bare.password);
  bare.password = "";
  await inPlace(target, async (draft) => {
    const { code, problem } = await run(
      "pg_dump",
      ["--format=custom", "--no-owner", "--no-privileges", "--no-password", `--file=${draft}`, `--dbname=${bare.href}`],
      password === "" ? {} : { PGPASSWORD: password },
    );
    if (code === null) {
      throw new BackupFailed(
        "pg_dump is not on the PATH: install PostgreSQL's client programs, of the server's version or later.",
      );
    }
    if (code !== 0) throw new BackupFailed(`pg_dump ended with ${code}: ${problem.trim()}`);
    const listing = await run("pg_restore", ["--list", draft], {});
    if (listing.code !== null && listing.code !== 0)
      throw new BackupFailed("The dump cannot be read back, so it was removed.");
  });
}

async function inPlace(target: string, make: (draft: string) => Promise<void>): Promise<void> {
  const exists = new BackupFailed(`${target} exists already: a backup is never overwritten.`);
  if (existsSync(target)) throw exists;
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const draft = `${target}.partial-${process.pid}`;
  closeSync(openSync(draft, "wx", 0o600));
  try {
    chmodSync(draft, 0o600);
    await make(draft);
    try {
      linkSync(draft, target);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "EEXIST" ? exists : error;
    }
  } finally {
    for (const ending of ["", "-wal", "-shm", "-journal"]) rmSync(draft + ending, { force: true });
  }
}

/** `code` null: there is no such program. */
function run(
  program: string,
  args: string[],
  variables: Record<string, string>,
): Promise<{ code: number | null; problem: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...variables } as NodeJS.ProcessEnv,
    });
    let problem = "";
    child.stderr.on("data", (chunk: Buffer) => {
      problem = `${problem}${chunk}`.slice(-2000);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") resolve({ code: null, problem });
      else reject(error);
    });
    child.on("close", (code, signal) => resolve({ code: code ?? (signal ? 1 : 0), problem }));
  });
}
