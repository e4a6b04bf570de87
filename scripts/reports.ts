/** What the two test runners say in their JSON reports, as one count. */
import { readFileSync } from "node:fs";

export type Count = { passed: number; failed: number };

/** The parts of vitest's `--reporter=json` that are read. */
type VitestReport = {
  numPassedTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
};

/** The parts of Playwright's `json` reporter that are read. `errors` are those outside of any test. */
type PlaywrightReport = {
  stats: { expected: number; unexpected: number; flaky: number };
  errors: unknown[];
};

export function countVitest(report: VitestReport): Count {
  const failed = report.testResults.map((file) => {
    const tests = file.assertionResults.filter((test) => test.status === "failed").length;
    // A file that could not be loaded has no tests to fail.
    return file.status === "failed" ? Math.max(tests, 1) : tests;
  });
  return { passed: report.numPassedTests, failed: failed.reduce((sum, n) => sum + n, 0) };
}

export function countPlaywright(report: PlaywrightReport): Count {
  const { expected, unexpected, flaky } = report.stats;
  return { passed: expected, failed: unexpected + flaky + report.errors.length };
}

/**
 * A runner's count from its report and exit code. A runner that left no report, that ran no test, or that failed
 * without a failed test counts as one failure: silence must never look like success. `problem` says which it was.
 */
export function judge<Report>(
  reportFile: string,
  exitCode: number,
  count: (report: Report) => Count,
): Count & { problem?: string } {
  let counted: Count;
  try {
    counted = count(JSON.parse(readFileSync(reportFile, "utf8")));
  } catch {
    return { passed: 0, failed: 1, problem: `left no readable report (exit code ${exitCode})` };
  }
  if (counted.passed + counted.failed === 0) return { passed: 0, failed: 1, problem: "ran no test" };
  if (exitCode !== 0 && counted.failed === 0) {
    return { passed: counted.passed, failed: 1, problem: `ended with exit code ${exitCode} although no test failed` };
  }
  return counted;
}
