import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

function check(variables: Record<string, string>) {
  const env = {
    PATH: process.env.PATH ?? "",
    DATA_DIR: mkdtempSync(join(tmpdir(), "tokendesk-environment-")),
    ...variables,
  };
  return spawnSync(process.execPath, ["--conditions=react-server", "scripts/environment.ts"], {
    env: env as unknown as NodeJS.ProcessEnv,
    encoding: "utf8",
  });
}

test("a usable environment passes before the server is started", () => {
  expect(check({})).toMatchObject({ status: 0, stderr: "" });
});

test("every problem is named before the server is started, a PORT that Next would replace among them", () => {
  const { status, stderr } = check({ PORT: "abc", HOSTNAME: "a/b", SESSION_SECRET: "short-CANARY" });
  expect(status).toBe(1);
  for (const name of ["PORT", "HOSTNAME", "SESSION_SECRET"]) expect(stderr).toContain(`- ${name}: `);
  expect(stderr).not.toContain("CANARY");
});
