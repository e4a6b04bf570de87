/** Runs a module of ours in a process of its own, for what one process cannot show. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Resolves `@/…` and the `server-only` marker as the bundler does. Node runs the TypeScript as it is. */
const hooks = `
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
const root = ${JSON.stringify(root)};
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "server-only") return { url: "data:text/javascript,", shortCircuit: true };
    if (!specifier.startsWith("@/")) return next(specifier, context);
    const path = root + specifier.slice(2);
    return next(pathToFileURL(existsSync(path) ? path : path + ".ts").href, context);
  },
});
`;

export type Ended = { code: number | null; timedOut: boolean; stdout: string; stderr: string };

/** Runs `code` (an ES module; `await import("@/lib/…")` works) and gives how it ended. */
export function runModule(
  code: string,
  { variables = {}, timeoutMs = 10_000 }: { variables?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const loader = `data:text/javascript,${encodeURIComponent(hooks)}`;
    const child = spawn(process.execPath, ["--import", loader, "--input-type=module", "--eval", code], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "", NODE_NO_WARNINGS: "1", NODE_ENV: "test", ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, timedOut, stdout, stderr });
    });
  });
}
