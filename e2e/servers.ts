/** The processes that the tests talk to: a sandbox, and the built dashboard as `npm start` runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dashboardEnvironment, serverScript } from "../scripts/setup.ts";
import { freePort } from "../test/free-port.ts";
import type { Behaviour } from "../test/oidc-provider.ts";
import { Sandbox } from "../test/sandbox-control.ts";

export type Environment = Record<string, string>;

/** What a process wrote, both streams apart and in full. */
type Output = { stdout: string; stderr: string };

export type RunningSandbox = { control: Sandbox; stop(): Promise<void> };

export type RunningProvider = {
  /** As OIDC_ISSUER names it. */
  issuer: string;
  /** Behaves as told from now on (test/oidc-provider.ts), and knows nobody who was signed in there. */
  become(behaviour: Partial<Behaviour> & { rotate?: boolean }): Promise<void>;
  stop(): Promise<void>;
};

export type App = {
  /** Where it listens. */
  url: string;
  /** Its APP_URL: the Origin of its own pages. */
  origin: string;
  /** The processes that answer there: this one, or those behind its proxy. */
  replicas: App[];
  dataDir: string;
  output: Output;
  pid: number;
  running(): boolean;
  stop(): Promise<void>;
  /** Ends the process at once, as a crash does (SIGKILL); its data folder stays. */
  kill(): Promise<void>;
};

export type AppOptions = {
  env?: Environment;
  /** Of another build than the one that `npm run build` made. */
  script?: string;
  /** Kept, and not removed at the end: for a process that comes after another one. */
  dataDir?: string;
  /** Takes another port than the last process, or the same. */
  port?: number;
  /** A command that the server is started through, such as `prlimit` with its options. */
  through?: string[];
};

/** Nothing of the tester's own settings reaches the processes. */
const plain: Environment = {
  // Hundreds of them are started: what the first has compiled is kept when it ends in good order.
  NODE_COMPILE_CACHE: resolve(".setup/compiled"),
  ...Object.fromEntries(
    ["PATH", "HOME", "TMPDIR", "SystemRoot"].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  ),
};

const living = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

/** A worker that is ended in the midst of a test leaves nothing behind. */
export function endWithWorker(child: ChildProcess): void {
  living.add(child);
  child.once("exit", () => living.delete(child));
}

function launch(
  script: string,
  env: Record<string, string | undefined>,
  through: string[] = [],
): { child: ChildProcess; output: Output } {
  const [command = "", ...args] = [...through, process.execPath, script];
  // In the group of its parent: whoever ends the test run ends it too.
  const child = spawn(command, args, { env: env as NodeJS.ProcessEnv, stdio: ["ignore", "pipe", "pipe"] });
  endWithWorker(child);
  const output: Output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  return { child, output };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  // Kept-alive connections of ours would hold it for seconds.
  const timer = setTimeout(() => child.kill("SIGKILL"), 500);
  await ended;
  clearTimeout(timer);
}

/** Asks every few milliseconds until `attempt` gives something. */
async function until<T>(
  what: string,
  child: ChildProcess,
  output: Output,
  attempt: () => Promise<T | null> | T | null,
) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const result = await attempt();
    if (result !== null) return result;
    if (child.exitCode !== null || Date.now() > deadline) {
      await end(child);
      throw new Error(`${what} did not start:\n${output.stdout}${output.stderr}`);
    }
    await sleep(20);
  }
}

export async function startSandbox(env: Environment = {}): Promise<RunningSandbox> {
  const { child, output } = launch("sandbox/main.ts", {
    ...plain,
    SANDBOX_PORT: "0",
    SANDBOX_RATE_LIMIT: "1000000",
    ...env,
  });
  const url = await until("The sandbox", child, output, () => /listening on (\S+)/.exec(output.stdout)?.[1] ?? null);
  return { control: new Sandbox(url), stop: () => end(child) };
}

/** An identity provider of a company. */
export async function startProvider(): Promise<RunningProvider> {
  const { child, output } = launch("test/oidc-provider.ts", plain);
  const found = () => /listening on (\S+)/.exec(output.stdout)?.[1] ?? null;
  const issuer = await until("The identity provider", child, output, found);
  return {
    issuer,
    become: async (behaviour) => {
      const body = JSON.stringify(behaviour);
      const answer = await fetch(new URL("/__control", issuer), { method: "POST", body });
      if (!answer.ok) throw new Error(await answer.text());
    },
    stop: () => end(child),
  };
}

export async function startApp(upstream: string, options: AppOptions = {}): Promise<App> {
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "tokendesk-e2e-"));
  const settings: Environment = {
    PORT: String(port),
    HOSTNAME: "127.0.0.1",
    APP_URL: url,
    DATA_DIR: dataDir,
    RINGCX_HOSTS: upstream,
    RINGCX_LEGACY_HOSTS: `${upstream}/api`,
    // The limit has tests of its own; the others would run into it together.
    RINGCX_RATE_LIMIT: "100000",
    TOKENDESK_SANDBOX: "1",
    // On a busy machine a client may send on a connection that the server is just closing; the client is to close it.
    KEEP_ALIVE_TIMEOUT: "60000",
    ...options.env,
  };
  const environment = dashboardEnvironment({ ...plain, ...settings });
  const { child, output } = launch(options.script ?? serverScript, environment, options.through);
  await until("The dashboard", child, output, async () => {
    const answer = await fetch(`${url}/api/health`).catch(() => null);
    await answer?.body?.cancel();
    return answer?.ok ? true : null;
  });
  const app: App = {
    url,
    origin: settings.APP_URL ?? url,
    replicas: [],
    dataDir,
    output,
    pid: child.pid ?? 0,
    running: () => child.exitCode === null && child.signalCode === null,
    stop: async () => {
      await end(child);
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
    kill: async () => {
      const ended = once(child, "exit");
      if (child.kill("SIGKILL")) await ended;
    },
  };
  app.replicas.push(app);
  return app;
}
