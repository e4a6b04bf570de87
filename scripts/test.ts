/**
 * `npm test`: unit and integration tests, then browser tests against the built app.
 * `npm test -- unit [vitest arguments]` and `npm test -- e2e [playwright arguments]` run one of the two.
 * The last line on stdout is `N passed, N failed`, the sum of both.
 */
import { mkdirSync, rmSync } from "node:fs";
import { ensureChromium } from "./browser.ts";
import { ensureNginx } from "./nginx.ts";
import { run } from "./processes.ts";
import { type Count, countPlaywright, countVitest, judge } from "./reports.ts";
import { buildIfStale } from "./setup.ts";

const reports = ".setup/reports";

async function unit(args: readonly string[]): Promise<Count & { problem?: string }> {
  console.log("Unit and integration tests");
  const file = `${reports}/vitest.json`;
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const code = await run("node_modules/vitest/vitest.mjs", ["run", ...reporters, ...args]);
  return judge(file, code, countVitest);
}

/** What the browser tests need: programs, which are fetched while other things work, and the build. */
async function prepare(): Promise<{ chromiumPath: string; nginxPath: string | undefined }> {
  const chromiumPath = await ensureChromium();
  // Without one, the tests that need it fail and say so; the others need none.
  const nginxPath = await ensureNginx().catch((error: Error) => {
    console.error(error.message);
    return undefined;
  });
  if ((await buildIfStale()) !== 0) throw new Error("The build failed; its output is above");
  return { chromiumPath, nginxPath };
}

async function e2e(args: readonly string[]): Promise<Count & { problem?: string }> {
  const { chromiumPath, nginxPath } = await prepared;
  console.log("Browser tests");
  const file = `${reports}/playwright.json`;
  const code = await run("node_modules/@playwright/test/cli.js", ["test", "--reporter=line,json", ...args], {
    env: {
      ...process.env,
      CHROMIUM_PATH: chromiumPath,
      ...(nginxPath === undefined ? {} : { NGINX_PATH: nginxPath }),
      PLAYWRIGHT_JSON_OUTPUT_NAME: file,
    },
  });
  return judge(file, code, countPlaywright);
}

const [which, ...args] = process.argv.slice(2);
const suites = which === "unit" ? { unit } : which === "e2e" ? { e2e } : { unit, e2e };
if (which !== undefined && which !== "unit" && which !== "e2e") {
  console.error(`npm test -- [unit|e2e] [arguments]; "${which}" is neither`);
  process.exit(2);
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

// While the unit tests run, much of which is waiting.
const prepared = "e2e" in suites ? prepare() : Promise.reject(new Error("no browser tests were asked for"));
// It is told when the browser tests begin.
prepared.catch(() => {});

const total: Count = { passed: 0, failed: 0 };
for (const [name, suite] of Object.entries(suites)) {
  const result = await suite(args).catch((error: Error) => ({ passed: 0, failed: 1, problem: error.message }));
  if (result.problem) console.log(`${name}: ${result.problem}`);
  total.passed += result.passed;
  total.failed += result.failed;
}
process.exitCode = total.failed === 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
