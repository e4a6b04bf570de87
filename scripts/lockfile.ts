/**
 * Keeps package-lock.json good for every machine.
 *
 * `npm install` leaves out the optional packages of other platforms when the registry at hand does not show them, and
 * `npm ci` then refuses the lockfile wherever it does. It also may write the registry's own address into the file.
 */
import { readFileSync, writeFileSync } from "node:fs";

const file = "package-lock.json";

type Entry = {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
  [other: string]: unknown;
};
type Lock = { packages: Record<string, Entry> };

function read(): Lock {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Optional dependencies without an entry: their name and the exact version that is asked for. */
function missing(lock: Lock): [name: string, version: string][] {
  const paths = Object.keys(lock.packages);
  return Object.values(lock.packages)
    .flatMap((entry) => Object.entries(entry.optionalDependencies ?? {}))
    .filter(([name]) => !paths.some((path) => path.endsWith(`node_modules/${name}`)));
}

/** One line per problem. */
export function lockfileProblems(): string[] {
  const lock = read();
  return [
    ...missing(lock).map(([name, version]) => `${name}@${version} is an optional dependency without an entry`),
    ...Object.entries(lock.packages)
      .filter(([, { resolved }]) => resolved !== undefined)
      .map(([path]) => `${path} names the registry that it came from ("resolved")`),
  ];
}

/** Platform and processor, as the packages' names tell them (`@next/swc-win32-arm64-msvc`, `oxide-linux-x64-musl`). */
function platformOf(name: string): Entry {
  const match = /-(android|darwin|freebsd|linux|openharmony|sunos|win32|wasm32)(?:-([a-z0-9]+))?(?:-([a-z]+))?$/.exec(
    name,
  );
  const [, os, cpu, libc] = match ?? [];
  if (os === "wasm32") return { cpu: ["wasm32"] };
  if (os === undefined || cpu === undefined) throw new Error(`Cannot tell the platform of ${name} from its name`);
  return {
    cpu: [cpu],
    ...(os === "linux" ? { libc: [libc?.startsWith("musl") ? "musl" : "glibc"] } : {}),
    os: [os],
  };
}

/** Adds the missing entries and takes the registry's addresses out. Gives the number of changes. */
export function repairLockfile(): number {
  const lock = read();
  let changes = 0;
  for (const [name, version] of missing(lock)) {
    if (!/^\d+\.\d+\.\d+[^ ]*$/.test(version)) throw new Error(`${name}: "${version}" is not an exact version`);
    lock.packages[`node_modules/${name}`] = { version, optional: true, ...platformOf(name) };
    changes++;
  }
  for (const entry of Object.values(lock.packages)) {
    if (entry.resolved === undefined) continue;
    delete entry.resolved;
    changes++;
  }
  if (changes === 0) return 0;
  // npm's own order, so that its next run changes nothing.
  const byPath = ([a]: [string, Entry], [b]: [string, Entry]) => a.localeCompare(b, "en");
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byPath));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  return changes;
}
