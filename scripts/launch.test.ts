import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const scripts = import.meta.dirname;
const onWindows = process.platform === "win32";
const packagedNode = `node_modules/node-${onWindows ? "win" : process.platform}-${process.arch}/bin/node`;
const lock = (version: string) => JSON.stringify({ packages: { "": {}, "node_modules/left": { version } } });

let root: string;
let launched: ChildProcess[];

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  chmodSync(join(root, path), mode);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tokendesk-launch-"));
  launched = [];
  mkdirSync(join(root, "scripts"));
  for (const file of ["launch.mjs", "processes.ts"]) copyFileSync(join(scripts, file), join(root, "scripts", file));
  write("package.json", '{ "type": "module" }');
  write("package-lock.json", lock("1.0.0"));
  write("node_modules/.package-lock.json", lock("1.0.0"));
  // In place of the real package manager: leaves a trace, and installs what is asked for.
  write("bin/npm", '#!/bin/sh\necho "$@" >>npm.log\ncp package-lock.json node_modules/.package-lock.json\n', 0o755);
});

afterEach(() => {
  for (const child of launched) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

type Launched = { child: ChildProcess; ended: Promise<{ code: number | null; stdout: string; stderr: string }> };

function launch(args: string[], { as = process.versions.node } = {}): Launched {
  // The launcher believes to run on the given version of Node.
  const versions = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${as}" } })`;
  const { npm_execpath: _, npm_lifecycle_event: __, NODE_OPTIONS: ___, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ["--import", `data:text/javascript,${versions}`, "scripts/launch.mjs", ...args],
    {
      cwd: root,
      env: { ...env, PATH: `${join(root, "bin")}:${env.PATH}` },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  launched.push(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  return { child, ended: once(child, "close").then(([code]) => ({ code, stdout, stderr })) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(onWindows)("the launcher", () => {
  test("runs the command with its arguments and gives its exit code", async () => {
    write("scripts/probe.ts", "const n: number = 7; console.log(process.argv.slice(2).join()); process.exit(n);");
    const { code, stdout } = await launch(["probe", "--a", "b c"]).ended;
    expect({ code, stdout }).toEqual({ code: 7, stdout: "--a,b c\n" });
    expect(existsSync(join(root, "npm.log"))).toBe(false);
  });

  test("takes the packaged Node when the running one is too old, and puts it first on PATH", async () => {
    write(packagedNode, `#!/bin/sh\nPACKAGED=yes exec "${process.execPath}" "$@"\n`, 0o755);
    write("scripts/probe.ts", "console.log(process.env.PACKAGED, process.env.PATH?.split(':')[0]);");
    const { code, stdout } = await launch(["probe"], { as: "20.20.2" }).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `yes ${join(root, dirname(packagedNode))}\n` });
  });

  test("names what to install, in one line, when there is no Node that is new enough", async () => {
    write("scripts/probe.ts", "");
    const { code, stderr } = await launch(["probe"], { as: "20.20.2" }).ended;
    expect(code).toBe(1);
    expect(stderr.trim().split("\n").at(-1)).toMatch(/needs Node 24 or later: install it from nodejs\.org/);
  });

  test.each([
    ["there is no node_modules", () => rmSync(join(root, "node_modules/.package-lock.json"))],
    ["the lockfile names another version", () => write("package-lock.json", lock("1.0.1"))],
  ])("installs dependencies once when %s", async (_, change) => {
    change();
    write("scripts/probe.ts", "");
    for (const time of [1, 2]) expect({ time, code: (await launch(["probe"]).ended).code }).toEqual({ time, code: 0 });
    expect(readFileSync(join(root, "npm.log"), "utf8")).toMatch(/^ci .*\n$/);
  });

  test("refuses a command that does not exist", async () => {
    const { code, stderr } = await launch(["../probe"]).ended;
    expect(code).toBe(1);
    expect(stderr).toContain("there is no command");
  });

  // The grandchild stands for a server that needs a moment to end, with a worker of its own.
  const server = `
    import { spawn } from "node:child_process";
    import { writeFileSync } from "node:fs";
    const worker = spawn("sleep", ["60"]);
    process.on("SIGTERM", () => setTimeout(() => process.exit(0), 100));
    setInterval(() => {}, 1000);
    writeFileSync("pids", JSON.stringify([process.pid, worker.pid]));`;

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGKILL", null],
  ] as const)("leaves no orphan behind on %s", async (signal, expected) => {
    write("server.mjs", server);
    write("scripts/probe.ts", 'import { run } from "./processes.ts"; process.exitCode = await run("server.mjs", []);');
    const { child, ended } = launch(["probe"]);
    const pids = await vi.waitFor(() => JSON.parse(readFileSync(join(root, "pids"), "utf8")) as number[], 10_000);
    child.kill(signal);
    expect((await ended).code).toBe(expected);
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 10_000);
  });
});
