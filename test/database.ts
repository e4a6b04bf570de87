import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { closeDatabase } from "@/lib/db/client";
import { type Env, parseEnv } from "@/lib/env";
import { createDatabase } from "./postgres.ts";

/** The suites that run on both: `describe.each(databaseKinds)("on %s", (kind) => ...)`. */
export const databaseKinds = ["sqlite", "postgres"] as const;
export type DatabaseKind = (typeof databaseKinds)[number];

export type TestDatabase = {
  folder: string;
  /** The variables that a process needs to use the same database. */
  variables: Record<string, string>;
  remove(): Promise<void>;
};

/** Points this process at a new, empty database; `changes` are further environment variables. */
export async function useDatabase(kind: DatabaseKind, changes: Record<string, string> = {}): Promise<TestDatabase> {
  await closeDatabase();
  const folder = mkdtempSync(join(tmpdir(), "tokendesk-data-"));
  const variables = {
    DATA_DIR: folder,
    LOG_LEVEL: "silent",
    SESSION_SECRET: "s".repeat(32),
    FINGERPRINT_KEY: "f".repeat(32),
    ...(kind === "postgres" ? { DATABASE_URL: await createDatabase(inject("postgresUrl")) } : {}),
    ...changes,
  };
  (globalThis as { [slot: symbol]: Env })[Symbol.for("tokendesk.env")] = parseEnv(variables);
  // What an earlier test left running may have opened its database again meanwhile.
  await closeDatabase();
  return {
    folder,
    variables,
    remove: async () => {
      await closeDatabase();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
