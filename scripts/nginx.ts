/** Finds the nginx that the tests put in front of the dashboard, and fetches one where none is. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { run } from "./processes.ts";

/** Below it lies what the distribution's package holds; nothing is installed, so no service of it ever starts. */
const unpacked = resolve(".setup/nginx");
/** Where administrators' programs are, which is not on everybody's PATH. */
const systemFolders = ["/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin", "/opt/homebrew/bin"];

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    // A library that is missing shows only when it starts.
    execFileSync(path, ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The path of an nginx that runs: NGINX_PATH, or one that is installed or was fetched; else undefined. */
export function findNginx(): string | undefined {
  const given = process.env.NGINX_PATH;
  if (given) return runs(given) ? given : undefined;
  const folders = [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...systemFolders];
  return [...folders, join(unpacked, "usr/sbin")].map((folder) => join(folder, "nginx")).find(runs);
}

export const howToGetNginx =
  "The tests behind a proxy need nginx: install it (Debian: apt-get install nginx) or set NGINX_PATH";

/** Unpacks a package of the distribution. Gives the names of the packages that it needs. */
async function unpack(name: string): Promise<string[]> {
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked, { recursive: true });
  // The shell's own folder decides where the file goes.
  await run("sh", ["-c", 'cd "$0" && exec apt-get download -q "$1"', unpacked, name], { output: "stderr" });
  const file = readdirSync(unpacked).find((entry) => entry.endsWith(".deb"));
  if (file === undefined) return [];
  const archive = join(unpacked, file);
  await run("dpkg-deb", ["-x", archive, unpacked], { output: "stderr" });
  const needs = execFileSync("dpkg-deb", ["-f", archive, "Depends"], { encoding: "utf8" });
  return needs.split(",").map((need) => need.trim().split(/[ |(]/)[0] ?? "");
}

/** The path of an nginx. Tries to fetch one; throws an error whose message says what to install by hand. */
export async function ensureNginx(): Promise<string> {
  const installed = findNginx();
  if (installed) return installed;
  if (process.env.NGINX_PATH) throw new Error(`NGINX_PATH is no nginx that runs: ${process.env.NGINX_PATH}`);
  if (existsSync("/etc/debian_version")) {
    console.error("No nginx found: unpacking the distribution's (apt-get download nginx)");
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await run("apt-get", ["update", "-q"], { output: "stderr" });
    const needs = await unpack("nginx");
    if (!findNginx() && isRoot) {
      // Its libraries are missing. The package itself is not installed: it would start a server on port 80.
      const libraries = needs.filter((name) => /^(lib|zlib)/.test(name));
      const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
      const options = ["install", "-y", "-q", "--no-install-recommends", ...libraries];
      await run("apt-get", options, { output: "stderr", env });
    }
  }
  const found = findNginx();
  if (!found) throw new Error(howToGetNginx);
  return found;
}
