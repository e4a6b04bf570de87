import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countPlaywright, countVitest, judge } from "./reports.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tokendesk-reports-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function report(content: unknown): string {
  const file = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const tests = (...statuses: string[]) => statuses.map((status) => ({ status }));

describe("vitest's report", () => {
  test("counts tests, and a file that could not be loaded as one failure", () => {
    const testResults = [
      { status: "passed", assertionResults: tests("passed", "passed", "pending") },
      { status: "failed", assertionResults: tests("passed", "failed", "failed") },
      { status: "failed", assertionResults: [] },
    ];
    expect(countVitest({ numPassedTests: 3, testResults })).toEqual({ passed: 3, failed: 3 });
  });
});

describe("Playwright's report", () => {
  test("counts a flaky test and an error outside of tests as failures", () => {
    const stats = { expected: 5, unexpected: 1, flaky: 1 };
    expect(countPlaywright({ stats, errors: [{}] })).toEqual({ passed: 5, failed: 3 });
  });
});

describe("a runner is judged to have failed when", () => {
  const none = { numPassedTests: 0, testResults: [] };
  const one = { numPassedTests: 1, testResults: [] };

  test("it left no report", () => {
    expect(judge(join(folder, "absent.json"), 1, countVitest)).toMatchObject({ passed: 0, failed: 1 });
    expect(judge(report("{ cut"), 0, countVitest)).toMatchObject({ passed: 0, failed: 1 });
  });

  test("it ran no test", () => {
    expect(judge(report(none), 0, countVitest)).toEqual({ passed: 0, failed: 1, problem: "ran no test" });
  });

  test("its exit code says so although no test failed", () => {
    expect(judge(report(one), 1, countVitest)).toMatchObject({ passed: 1, failed: 1 });
    expect(judge(report(one), 0, countVitest)).toEqual({ passed: 1, failed: 0 });
  });
});
