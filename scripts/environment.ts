/**
 * Checks the environment before the server is started: Next replaces a PORT that is no number by 3000 before any code of
 * ours runs. Needs `--conditions=react-server`, by which lib/env.ts knows that it is not in a browser.
 */
import { EnvError, parseEnv } from "../lib/env.ts";

try {
  parseEnv(process.env);
} catch (error) {
  if (!(error instanceof EnvError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
