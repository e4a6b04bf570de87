/** `npm run check [-- --fix]`: everything that can be judged without running the app. */
import { readFileSync } from "node:fs";
import { validate } from "dockerfile-utils";
import { lockfileProblems, repairLockfile } from "./lockfile.ts";
import { run } from "./processes.ts";
import { nextBin } from "./setup.ts";

/** Gives true when all is well; says what is wrong otherwise. */
type Step = () => Promise<boolean>;

const fix = process.argv.includes("--fix");

const passes = async (program: string, ...args: string[]) => (await run(program, args)) === 0;

function report(problems: readonly string[]): boolean {
  for (const problem of problems) console.log(`  ${problem}`);
  return problems.length === 0;
}

const steps: Record<string, Step> = {
  "lint and format": () =>
    passes(
      "node_modules/@biomejs/biome/bin/biome",
      "check",
      "--error-on-warnings",
      "--no-errors-on-unmatched",
      ...(fix ? ["--write"] : []),
    ),

  // The route types and next-env.d.ts are generated, so a fresh clone has neither.
  types: async () =>
    (await run(nextBin, ["typegen"], { output: "stderr" })) === 0 &&
    passes("node_modules/typescript/bin/tsc", "--noEmit"),

  layers: () =>
    passes("node_modules/dependency-cruiser/bin/dependency-cruiser.mjs", "--config", ".dependency-cruiser.cjs", "."),

  lockfile: async () => {
    if (fix) repairLockfile();
    return report(lockfileProblems());
  },

  "shell scripts": () => passes("bash", "-n", ".ci/run"),

  Dockerfile: async () =>
    report(
      validate(readFileSync("Dockerfile", "utf8")).map(
        ({ range, message }) => `Dockerfile:${range.start.line + 1} ${message}`,
      ),
    ),

  "compose.yaml": () => passes("node_modules/dclint/bin/dclint.cjs", "--quiet", "compose.yaml"),
};

const failed: string[] = [];
for (const [name, step] of Object.entries(steps)) {
  const began = performance.now();
  console.log(`${name} ...`);
  const ok = await step().catch((error: unknown) => {
    console.log(`  ${error instanceof Error ? error.message : error}`);
    return false;
  });
  if (!ok) failed.push(name);
  console.log(`${name}: ${ok ? "ok" : "FAILED"} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
}
console.log(failed.length === 0 ? "All checks passed" : `Failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
