/** What the commands need before they can run: a build, free ports, a server that answers. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { type Environment, run } from "./processes.ts";

export const nextBin = "node_modules/next/dist/bin/next";

/**
 * The built app's own server. `next start` refuses to vouch for `output: "standalone"`, and this is the one that the
 * container runs. Both run the same code underneath: `register()` of instrumentation.ts has settled before the first
 * request is taken, and SIGTERM lets open requests finish.
 */
export const serverScript = ".next/standalone/server.js";

const keptInOutput = new Set(["server.js", "package.json", "node_modules", ".next", "public"]);
const buildStamp = ".setup/build";
const buildInputs = [
  "{app,lib,components,public}/**/*",
  "{proxy,instrumentation,tailwind.config}.ts",
  "{next.config,postcss.config}.mjs",
  "{tsconfig,package-lock}.json",
];

/** A digest of all that `next build` reads, so that a build is made again only when it would come out differently. */
function digestOfInputs(): string {
  const hash = createHash("sha256");
  const files = globSync(buildInputs, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => resolve(entry.parentPath, entry.name))
    .sort();
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(`${file.slice(process.cwd().length)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

export function hasBuild(): boolean {
  return existsSync(serverScript) && existsSync(buildStamp);
}

/** Builds the dashboard. Gives the exit code; the build's output goes to stderr. */
export async function build(): Promise<number> {
  const digest = digestOfInputs();
  rmSync(buildStamp, { force: true });
  const code = await run(nextBin, ["build"], {
    output: "stderr",
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
  });
  if (code !== 0) return code;

  // The standalone server serves only what lies beside it.
  cpSync(".next/static", ".next/standalone/.next/static", { recursive: true });
  if (existsSync("public")) cpSync("public", ".next/standalone/public", { recursive: true });
  // Next also copies .env files, and sources when it cannot tell which files are read. The environment is read at start:
  // a secret that got into an image would stay there.
  for (const name of readdirSync(".next/standalone")) {
    if (!keptInOutput.has(name)) rmSync(`.next/standalone/${name}`, { recursive: true });
  }

  mkdirSync(".setup", { recursive: true });
  writeFileSync(buildStamp, digest);
  return 0;
}

/** Builds the dashboard if what it is made from has changed since the last build. Gives the exit code. */
export async function buildIfStale(): Promise<number> {
  if (hasBuild() && readFileSync(buildStamp, "utf8") === digestOfInputs()) return 0;
  console.error(
    hasBuild() ? "Building the dashboard: its sources have changed" : "Building the dashboard for the first time",
  );
  return build();
}

/** The environment for `serverScript`, which changes into its own folder: relative paths must be resolved before. */
export function dashboardEnvironment(env: Environment): Environment {
  return {
    ...env,
    NODE_ENV: "production",
    NEXT_TELEMETRY_DISABLED: "1",
    PORT: env.PORT || "3000",
    HOSTNAME: env.HOSTNAME || "127.0.0.1",
    DATA_DIR: resolve(env.DATA_DIR || "data"),
  };
}

/** The first free port from `preferred` on. */
export async function freePort(preferred: number): Promise<number> {
  for (let port = preferred; port < preferred + 100; port++) {
    // Each address is tried by itself: some systems let a wildcard and a specific address share a port.
    if ((await canListen(port, "127.0.0.1")) && (await canListen(port, "::1")) && (await canListen(port))) return port;
  }
  throw new Error(`No free port between ${preferred} and ${preferred + 99}`);
}

function canListen(port: number, host?: string): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      settle(error.code !== "EADDRINUSE" && error.code !== "EACCES"),
    );
    server.listen({ port, host, exclusive: true }, () => server.close(() => settle(true)));
  });
}

/** Waits until `url` answers 200. Rejects when `signal` aborts. */
export async function untilHealthy(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) }).catch(
      () => undefined,
    );
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((wake) => setTimeout(wake, 100));
  }
}
