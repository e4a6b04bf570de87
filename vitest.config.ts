import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@\//, replacement: path("./") },
      // Next replaces this marker while bundling; outside of a bundle its real module throws.
      { find: /^server-only$/, replacement: path("./node_modules/server-only/empty.js") },
    ],
  },
  test: {
    include: ["{lib,sandbox,test,scripts,components}/**/*.test.{ts,tsx}", "*.test.ts"],
    environment: "node",
    globalSetup: ["test/postgres-setup.ts"],
    setupFiles: ["test/setup.ts"],
    pool: "forks",
    maxWorkers: 3,
    // Room for a machine that has much else to do: what a test says of time it measures itself.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
});
