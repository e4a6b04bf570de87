/** An API key from its making to its end, with the command line as the one who uses it. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { allowClipboard, clipboard, enter, expectGoodEverywhere } from "./browser.ts";
import { expect, test } from "./fixtures.ts";
import type { App } from "./servers.ts";
import { expectProblem } from "./visitor.ts";

test.use({ appEnv: { OPS_USERS: "ana@example.com" } });

const owner = "password@example.com";

type Result = { code: number | null; stdout: string; stderr: string };

function tokendesk(app: App, key: string, folder: string, args: string[]): Promise<Result> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve("scripts/tokendesk.ts"), ...args], {
      cwd: folder,
      env: {
        PATH: process.env.PATH ?? "",
        TOKENDESK_URL: app.url,
        TOKENDESK_API_KEY: key,
      } as unknown as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data) => (stdout += data));
    child.stderr.on("data", (data) => (stderr += data));
    child.on("close", (code) => done({ code, stdout, stderr }));
  });
}

test("ops make a key, a job finds and revokes with it, and without it finds the door shut", async ({
  app,
  page,
  sandbox,
  expectAccessible,
}) => {
  test.setTimeout(90_000);
  await allowClipboard(page);
  await enter(page, app, "ana@example.com", "/settings");
  const section = page.getByRole("region", { name: "API keys" });
  await section.getByRole("button", { name: "New API key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Make key" }).click();
  await expect(dialog.getByRole("textbox", { name: "Name" })).toBeFocused();
  await expect(dialog).toContainText("Give it a name");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Nightly scan");
  await dialog.getByLabel("Last day").fill("2999-12-31");
  await dialog.getByRole("checkbox", { name: "Automatic revocation" }).check();
  await expect(dialog).toContainText("No person is asked");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Make key" }).click();
  await dialog.getByRole("button", { name: "Done" }).click();
  await dialog.getByRole("button", { name: "Go back" }).click();
  await dialog.getByRole("button", { name: "Copy API key" }).click();
  const key = await clipboard(page);
  expect(key).toMatch(/^tdk_[\w-]{43}$/);
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(dialog).toHaveCount(0);
  const item = section.getByRole("list", { name: "API keys" }).getByRole("listitem");
  await expect(item).toContainText("Nightly scan");
  await expect(item).toContainText("Revokes automatically");
  await expect(item).toContainText("Never used");
  await expect(item).toContainText("Last day 31 Dec 2999");
  expect(await page.content()).not.toContain(key.slice(4, 30));
  await expectGoodEverywhere(page, "settings with a key");

  const [first, second] = [await sandbox.addToken(owner), await sandbox.addToken(owner)];
  const folder = mkdtempSync(join(tmpdir(), "tokendesk-e2e-cli-"));
  writeFileSync(join(folder, "build.log"), `step 1\nexport TOKEN=${first}\n`);
  const run = async (...args: string[]) => {
    const result = await tokendesk(app, key, folder, args);
    for (const secret of [first, second, key]) {
      expect(result.stdout + result.stderr).not.toContain(secret.slice(6));
    }
    return result;
  };

  const found = await run("scan", "build.log");
  expect(found, found.stderr).toMatchObject({ code: 1 });
  expect(found.stdout).toMatch(/^LIVE +aws80:…\w{4} +build\.log:2\n/);
  expect(await sandbox.journal("token.delete")).toEqual([]);

  const revoked = await run("revoke", "--yes", "--reason", "leaked in a build", "--json", "build.log");
  expect(revoked, revoked.stderr).toMatchObject({ code: 0 });
  const summary = JSON.parse(revoked.stdout.trimEnd().split("\n").at(-1) ?? "") as Record<string, unknown>;
  expect(summary).toMatchObject({ type: "summary", outcome: "contained", total: 1, revoked: 1 });
  expect(await sandbox.tokens(owner)).not.toContain(first);
  expect(await sandbox.tokens(owner)).toContain(second);

  const report = await run("report", String(summary.incident), "-o", "incident.md");
  expect(report, report.stderr).toMatchObject({ code: 0 });
  const markdown = readFileSync(join(folder, "incident.md"), "utf8");
  expect(markdown).toContain("leaked in a build");
  expect(markdown).toContain("build.log");
  expect(markdown).not.toContain(first.slice(6));
  expect((await run("report", "00000000-0000-4000-8000-000000000000")).code).toBe(4);

  await page.reload();
  await expect(item).toContainText("Last used");
  await item.getByRole("button", { name: "Revoke API key Nightly scan" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke key" }).click();
  await expect(page.getByText("API key revoked", { exact: true })).toBeVisible();
  await expect(section).toContainText("No API key works at the moment");
  const refused = await run("scan", "build.log");
  expect(refused).toMatchObject({ code: 4, stdout: "" });
  expect(refused.stderr).toContain("does not know this API key");
  await section.getByRole("button", { name: "Show 1 revoked or expired key" }).click();
  await expect(section.getByRole("list", { name: "Revoked and expired API keys" })).toContainText("Revoked");

  const written = [
    app.output.stdout,
    app.output.stderr,
    ...readdirSync(app.dataDir).flatMap((name) => tryRead(join(app.dataDir, name))),
  ];
  for (const text of written) for (const secret of [first, key]) expect(text.includes(secret.slice(6))).toBe(false);
  rmSync(folder, { recursive: true });
});

function tryRead(path: string): string[] {
  try {
    return [readFileSync(path, "latin1")];
  } catch {
    return [];
  }
}

test("members see no keys, and get none", async ({ app, page, newVisitor }) => {
  await enter(page, app, owner, "/settings");
  await expect(page.getByRole("heading", { name: "Your sessions" })).toBeVisible();
  await expect(page.getByRole("region", { name: "API keys" })).toHaveCount(0);
  const visitor = await newVisitor().signIn(owner);
  expectProblem(await visitor.get("/api/keys"), 403, "forbidden");
  expectProblem(await visitor.post("/api/keys", { name: "mine" }), 403, "forbidden");
  expectProblem(await visitor.post("/api/incidents/report", { text: "x" }), 401, "not_signed_in");
});
