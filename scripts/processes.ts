/**
 * Child processes that never outlive their command.
 *
 * Each child leads its own process group, so that ending it also ends what it started (Next's workers, Playwright's
 * browsers). A terminal's Ctrl-C therefore reaches only this process, which ends the children in turn: politely, and
 * after a grace period for good.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { constants } from "node:os";

const GRACE_MS = 8_000;
const TAIL_BYTES = 8_192;

/** `NodeJS.ProcessEnv` without the NODE_ENV that Next makes mandatory in it. */
export type Environment = Record<string, string | undefined>;

export type Ending = { code: number | null; signal: NodeJS.Signals | null };

export type Child = {
  /** Settles when the process has ended, however it ended. */
  ended: Promise<Ending>;
  /** Ends the process and all that it started. Safe to call twice, and after the end. */
  stop(): Promise<void>;
  /** The last output, kept only for children with `output: "keep"` or a log file. */
  tail(): string;
};

type StartOptions = {
  env?: Environment;
  /** `show` (default) lets it write here, `stderr` sends all of it to stderr, `keep` holds the last lines back. */
  output?: "show" | "stderr" | "keep";
  /** With `output: "keep"`: also write everything to this file. */
  logFile?: string;
};

const children = new Map<ChildProcess, Child>();
let isEnding = false;

/** Starts a program with Node's own binary when `program` is a script, from the repository's root. */
export function start(program: string, args: readonly string[], options: StartOptions = {}): Child {
  watchForTheEnd();
  const output = options.output ?? "show";
  const isScript = /\.[mc]?[jt]s$/.test(program);
  const stdout = output === "keep" ? "pipe" : output === "stderr" ? 2 : "inherit";
  const child = spawn(isScript ? process.execPath : program, isScript ? [program, ...args] : args, {
    stdio: ["ignore", stdout, output === "keep" ? "pipe" : "inherit"],
    env: { ...(options.env ?? process.env) } as NodeJS.ProcessEnv,
    detached: process.platform !== "win32",
  });

  let kept = "";
  const log = options.logFile ? createWriteStream(options.logFile, { mode: 0o600 }) : undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      kept = (kept + text).slice(-TAIL_BYTES);
      log?.write(text);
    });
  }

  const ended = new Promise<Ending>((resolve) => {
    child.once("error", (error) => {
      kept += `${error.message}\n`;
      resolve({ code: 127, signal: null });
    });
    child.once("close", (code, signal) => resolve({ code, signal }));
  }).finally(() => {
    children.delete(child);
    log?.end();
  });

  const handle: Child = {
    ended,
    tail: () => kept,
    async stop() {
      signalGroup(child, "SIGTERM");
      const timer = setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
      await ended;
      clearTimeout(timer);
      // The leader is gone; a straggler of its group may not be.
      signalGroup(child, "SIGKILL");
    },
  };
  children.set(child, handle);
  return handle;
}

/** Runs a program to its end and gives its exit code (128 + n for a signal, as a shell does). */
export async function run(program: string, args: readonly string[], options: StartOptions = {}): Promise<number> {
  const child = start(program, args, options);
  const { code, signal } = await child.ended;
  // A signal that ends everything must not look like a failure of this step: wait for the exit that is under way.
  if (isEnding) await new Promise(() => {});
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/** Ends every child. Used when one of several that belong together has died. */
export async function stopAll(): Promise<void> {
  await Promise.all([...children.values()].map((child) => child.stop()));
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") spawn("taskkill", ["/pid", String(child.pid), "/T", "/F"], { stdio: "ignore" });
    else process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

let isWatching = false;
function watchForTheEnd(): void {
  if (isWatching) return;
  isWatching = true;
  const end = async (exitCode: number) => {
    // Ctrl-C arrives twice: from the terminal, and forwarded by the launcher.
    if (isEnding) return;
    isEnding = true;
    await stopAll();
    process.exit(exitCode);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => void end(128 + constants.signals[signal]));
  }
  // The launcher was killed: without it nobody would end us.
  process.on("disconnect", () => void end(1));
  process.channel?.unref();
  // An uncaught error: no time for grace.
  process.on("exit", () => {
    for (const child of children.keys()) signalGroup(child, "SIGKILL");
  });
}
