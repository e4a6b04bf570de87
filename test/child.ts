/** Runs a module of ours in a process of its own, for what one process cannot show. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
/** Resolves `@/…` and the `server-only` marker as the bundler does. Node runs the TypeScript as it is. */
const modules = new URL("../scripts/app-modules.ts", import.meta.url).href;

export type Ended = { code: number | null; timedOut: boolean; stdout: string; stderr: string };

/** Runs `code` (an ES module; `await import("@/lib/…")` works) and gives how it ended. */
export function runModule(
  code: string,
  { variables = {}, timeoutMs = 20_000 }: { variables?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", modules, "--input-type=module", "--eval", code], {
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
