import "server-only";
import { Kysely, PostgresDialect } from "kysely";
import { Pool } from "pg";
import { parserOf } from "@/lib/db/client";
import { DatabaseUnavailable, problemOf } from "@/lib/db/failure";
import type { Database } from "@/lib/db/schema";
import { openSqliteToRead } from "@/lib/db/sqlite";

/** A database that is looked at and never changed: not made, not migrated, not written to. */
type Inspected = {
  /** @throws {DatabaseUnavailable} */
  read<T>(queries: (db: Kysely<Database>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/** @throws {DatabaseUnavailable} at the first read, or here when there is no such file */
export function inspect(at: { file: string } | { url: string }): Inspected {
  const guard = (error: unknown): never => {
    const problem = problemOf(error);
    throw problem === null ? error : new DatabaseUnavailable(problem, { cause: error });
  };
  const open = () => {
    if ("file" in at) return openSqliteToRead(at.file);
    const pool = new Pool({
      connectionString: at.url,
      max: 1,
      connectionTimeoutMillis: 5000,
      options: "-c default_transaction_read_only=on",
      application_name: "tokendesk inspection",
      types: { getTypeParser: parserOf },
    });
    pool.on("error", () => {});
    return new PostgresDialect({ pool });
  };
  let db: Kysely<Database>;
  try {
    db = new Kysely<Database>({ dialect: open() });
  } catch (error) {
    return guard(error);
  }
  return { read: (queries) => queries(db).catch(guard), close: () => db.destroy() };
}
