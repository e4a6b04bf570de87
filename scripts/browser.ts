/** Finds the Chromium that the browser tests drive, and installs one where none is. */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "@playwright/test";
import { run } from "./processes.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findInstalled(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  if (given) return isExecutable(given) ? given : undefined;
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, chromium.executablePath()].find(isExecutable);
}

/** The path of a Chromium. Tries to install one; throws an error whose message says what to install by hand. */
export async function ensureChromium(): Promise<string> {
  const installed = findInstalled();
  if (installed) return installed;
  if (process.env.CHROMIUM_PATH)
    throw new Error(`CHROMIUM_PATH is not an executable file: ${process.env.CHROMIUM_PATH}`);

  console.error("No Chromium found: trying Playwright's own (playwright install chromium)");
  await run("node_modules/@playwright/test/cli.js", ["install", "chromium"], { output: "stderr" });
  if (!findInstalled() && process.getuid?.() === 0 && existsSync("/etc/debian_version")) {
    console.error("That failed: trying the system's (apt-get install chromium)");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-q"], { output: "stderr", env });
    await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "chromium"], { output: "stderr", env });
  }

  const found = findInstalled();
  if (!found) {
    throw new Error(
      "The browser tests need Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH",
    );
  }
  return found;
}
