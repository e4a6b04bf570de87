/** What the commands need to know of an installation that they look at: where its database is, without making one. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { dashboardEnvironment } from "./setup.ts";

type Installation = { dataDir: string; at: { file: string } | { url: string } };

/**
 * Reads the environment as `npm start` does, `.env` included, and puts it in place for the app's modules.
 * @throws an Error whose message is a sentence, when there is nothing to look at
 */
export function findInstallation(): Installation {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const env = dashboardEnvironment(process.env);
  // The log of a command is its output.
  Object.assign(process.env, env, { LOG_LEVEL: "silent" });
  const dataDir = resolve(env.DATA_DIR ?? "data");
  const url = env.DATABASE_URL || null;
  const file = join(dataDir, "tokendesk.db");
  if (url === null && !existsSync(file)) {
    throw new Error(`There is no database at ${file}. Set DATA_DIR or DATABASE_URL as for npm start.`);
  }
  // Otherwise the app would make one, and no signature would fit it.
  if (!env.FINGERPRINT_KEY && !existsSync(join(dataDir, "fingerprint-key"))) {
    throw new Error(`FINGERPRINT_KEY is not set, and ${dataDir} does not hold it. The checkpoints are signed with it.`);
  }
  // It is not needed here, and must not be made.
  if (!env.SESSION_SECRET && !existsSync(join(dataDir, "session-secret"))) {
    process.env.SESSION_SECRET = "not used by this command, never seals";
  }
  return { dataDir, at: url === null ? { file } : { url } };
}
