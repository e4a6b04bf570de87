/** The app's own modules, with an environment made for one command: nothing of this machine's Tokendesk is used. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "../app-modules.ts";
import { exits, Stop } from "./stop.ts";

const { EnvError, parseEnv } = await import("@/lib/env");

/** What a person may set for this command; the rest of their environment could be a server's. */
const taken = ["TOKEN_PREFIX_PATTERN", "RINGCX_RATE_LIMIT", "RINGCX_TIMEOUT_MS"];

/**
 * @param more further variables
 * @throws {Stop} `usage`
 */
export function environmentFor(more: Record<string, string> = {}): ReturnType<typeof parseEnv> {
  const secret = () => randomBytes(48).toString("base64url");
  try {
    const env = parseEnv({
      ...Object.fromEntries(taken.map((name) => [name, process.env[name]])),
      SESSION_SECRET: secret(),
      FINGERPRINT_KEY: secret(),
      LOG_LEVEL: "silent",
      ...more,
    });
    (globalThis as Record<symbol, unknown>)[Symbol.for("tokendesk.env")] = env;
    return env;
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    throw new Stop(exits.usage, error.problems.join("\n").replaceAll("RINGCX_HOSTS", "RINGCX_HOST"));
  }
}

/** A folder that is gone when the process is. It holds what the database and the audit log of one run need: no value. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "tokendesk-direct-"));
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.once("exit", remove);
  return { path, remove };
}
