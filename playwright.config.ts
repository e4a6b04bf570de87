import { defineConfig, devices, type PlaywrightTestConfig } from "@playwright/test";

const executablePath = process.env.CHROMIUM_PATH;
const isRoot = process.getuid?.() === 0;

const chromium: PlaywrightTestConfig["use"] = {
  ...devices["Desktop Chrome"],
  launchOptions: {
    ...(executablePath ? { executablePath } : {}),
    // Chromium's sandbox refuses to run as root. The rest stops background calls, which a closed network refuses.
    args: [
      ...(isRoot ? ["--no-sandbox"] : []),
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--disable-quic",
    ],
  },
};

export default defineConfig<object, { https: boolean }>({
  testDir: "e2e",
  testMatch: "**/*.spec.ts",
  outputDir: "test-results",
  forbidOnly: true,
  retries: 0,
  // More than cores: much of the time they wait for a clock.
  workers: 3,
  // Room for a machine that has much else to do: whatever waits ends with what it waits for.
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: "line",
  // Servers are started by the fixtures in e2e/: each worker has its own, so that no test sees another's data.
  use: {
    // Recording costs more than the tests themselves: `-- e2e --trace on` for the one that fails.
    trace: "off",
    screenshot: "only-on-failure",
  },
  projects: [
    { name: "chromium", use: chromium },
    {
      // Every door, every refusal and what is tried at them, once more through nginx with TLS, on two replicas.
      name: "behind nginx",
      testMatch: ["company", "connections", "isolation", "ringex", "sign-in", "step-up"].map(
        (name) => `**/e2e/${name}.spec.ts`,
      ),
      // `once` of e2e/fixtures.ts.
      grepInvert: /@once/,
      use: { ...chromium, https: true },
    },
  ],
});
