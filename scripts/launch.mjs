// The front door of every npm script: `node scripts/launch.mjs <command> [args]` runs scripts/<command>.ts.
//
// A clone may meet any Node from 20.20 on, and no node_modules at all. So this file is plain JavaScript without
// dependencies: it installs what the lockfile asks for, then picks a Node that runs TypeScript by itself (24 or later).
// The platform packages are looked up here because npm 10 leaves no `.bin/node` for them, and a script that trusts PATH
// would silently run the old Node.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const MIN_MAJOR = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** As somebody's dependency: then npm has brought what there is, and put it beside this package. */
const isDependency = basename(dirname(root)) === "node_modules";
const isNewEnough = Number.parseInt(process.versions.node, 10) >= MIN_MAJOR;

function fail(message) {
  console.error(`tokendesk: ${message}`);
  process.exit(1);
}

/** The binary that a platform package brought, or undefined. The registries name these packages in two ways. */
function packagedRuntime() {
  const platform = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const binary = process.platform === "win32" ? "node.exe" : "node";
  return [`node-${platform}`, `node-bin-${platform}`]
    .flatMap((name) => [join(root, "node_modules", name), ...(isDependency ? [join(dirname(root), name)] : [])])
    .map((path) => join(path, "bin", binary))
    .find((path) => existsSync(path));
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/**
 * Why `npm ci` must run, or undefined. npm keeps what it installed in node_modules/.package-lock.json, so the two
 * lockfiles are compared: this also holds after a plain `npm install`, and after an install that was cut off.
 */
function reasonToInstall() {
  const wanted = readPackages(join(root, "package-lock.json"));
  if (!wanted) fail("package-lock.json is missing or damaged; restore it from the repository");
  const installed = readPackages(join(root, "node_modules", ".package-lock.json"));
  if (!installed) return "dependencies are not installed";
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = installed[path];
    const mayBeAbsent = entry.optional || entry.devOptional || entry.peer;
    if (found ? found.version !== entry.version : !mayBeAbsent)
      return "the lockfile has changed since the last install";
  }
  if (!isNewEnough && !packagedRuntime()) return `Node ${process.versions.node} is older than ${MIN_MAJOR}`;
  return undefined;
}

function install(reason) {
  console.error(`tokendesk: installing dependencies, because ${reason} (npm ci)`);
  // Warnings are left out: most say that packages want a newer Node, which is just what they will get.
  const options = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  // npm's own entry point, where npm started us: on Windows `npm` is a .cmd file, which cannot be spawned directly.
  const npm = process.env.npm_execpath;
  // stdout is kept for the command's own output: npm's progress goes to stderr.
  const settings = { cwd: root, stdio: ["ignore", 2, 2] };
  const result = npm?.endsWith(".js")
    ? spawnSync(process.execPath, [npm, ...options], settings)
    : spawnSync("npm", options, { ...settings, shell: process.platform === "win32" });
  if (result.signal) process.exit(128 + (constants.signals[result.signal] ?? 0));
  if (result.status !== 0) fail("npm ci failed; its output is above");
}

const [command, ...args] = process.argv.slice(2);
if (!/^[a-z][a-z-]*$/.test(command ?? "") || !existsSync(join(root, "scripts", `${command}.ts`))) {
  fail(`there is no command "${command ?? ""}"; see "scripts" in package.json`);
}

const reason = isDependency ? undefined : reasonToInstall();
if (reason) install(reason);

const runtime = isNewEnough ? process.execPath : packagedRuntime();
if (!runtime) {
  fail(
    `needs Node ${MIN_MAJOR} or later: install it from nodejs.org (no packaged one for ${process.platform}-${process.arch})`,
  );
}

// A person's own files are meant by the names that they give to `tokendesk`; every other command works on this folder.
const cwd = command === "tokendesk" ? process.cwd() : root;

// The IPC channel carries no message. The command sees it close if this process is killed, and then ends its children.
const typescript = isDependency ? ["--import", pathToFileURL(join(root, "scripts", "cli", "typescript.mjs")).href] : [];
const child = spawn(runtime, [...typescript, join(root, "scripts", `${command}.ts`), ...args], {
  cwd,
  stdio: ["inherit", "inherit", "inherit", "ipc"],
  env: { ...process.env, PATH: `${dirname(runtime)}${delimiter}${process.env.PATH ?? ""}` },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
// npm passes a signal on to its shell only, which dies without telling us. Then our parent changes.
if (process.env.npm_lifecycle_event && process.platform !== "win32") {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && child.kill("SIGTERM"), 500).unref();
}
child.on("error", (error) => fail(`cannot run ${runtime}: ${error.message}`));
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
