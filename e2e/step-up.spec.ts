import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { passwordOf } from "../test/sandbox-control.ts";
import { choose, enter, expectGoodEverywhere } from "./browser.ts";
import { expect, test } from "./fixtures.ts";
import { expectProblem, hintOf } from "./visitor.ts";

// What a screen that was left open must not do asks once more who is there.

const ana = "ana@example.com";
const clock = join(mkdtempSync(join(tmpdir(), "tokendesk-clock-")), "ahead");
const turn = (minutes: number) => {
  // In one step: a file that is just being written is empty.
  writeFileSync(`${clock}.next`, String(minutes * 60_000));
  renameSync(`${clock}.next`, clock);
};
turn(0);

test.use({
  appEnv: {
    ADMIN_USERS: ana,
    ALLOWED_ACCOUNTS: "333333",
    NODE_OPTIONS: `--import=${resolve("e2e/clock.mjs")}`,
    TEST_CLOCK: clock,
  },
});
test.beforeEach(() => turn(0));
test.afterAll(() => rmSync(join(clock, ".."), { recursive: true, force: true }));

test("a reveal after sixteen minutes asks for the password, and goes on by itself with it", async ({
  app,
  page,
  problems,
  sandbox,
}) => {
  problems.expect(/status of 40[13]/);
  const [value = ""] = await sandbox.tokens(ana);
  await enter(page, app, ana);
  turn(16);
  await choose(page, hintOf(value), "Reveal");
  await page.getByRole("button", { name: "Reveal", exact: true }).click();

  const question = page.getByRole("dialog", { name: "Confirm that it is you" });
  const password = question.getByLabel(`RingCX password of ${ana}`);
  await expect(password).toBeFocused();
  await expect(page.getByText(value, { exact: true })).toHaveCount(0);
  await expectGoodEverywhere(page, "step-up");

  await password.fill("wrong");
  await page.keyboard.press("Enter");
  await expect(question.getByRole("alert")).toContainText("RingCX did not accept");
  await password.fill(passwordOf(ana));
  await page.keyboard.press("Enter");
  await expect(question).toHaveCount(0);
  await expect(page.getByText(value, { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Hide and close" }).click();

  // Fresh for the next fifteen minutes, whatever is asked for.
  await page.goto(`${app.url}/settings`);
  await page.getByRole("button", { name: "New API key" }).click();
  await page.getByLabel("Name").fill("After the question");
  await page.getByRole("button", { name: "Make key" }).click();
  await expect(page.getByRole("dialog")).toContainText("tdk_");
});

test("who goes back instead has changed nothing, and is told so", async ({ app, page, problems, sandbox }) => {
  problems.expect(/status of 403/);
  const [value = ""] = await sandbox.tokens(ana);
  await enter(page, app, ana);
  turn(16);
  await choose(page, hintOf(value), "Reveal");
  await page.getByRole("button", { name: "Reveal", exact: true }).click();
  const question = page.getByRole("dialog", { name: "Confirm that it is you" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(question).toHaveCount(0);
  await expect(page.getByRole("dialog", { name: "Reveal token" }).getByRole("alert")).toContainText(
    "A fresh sign-in is needed",
  );
  expect(await sandbox.journal("login")).toHaveLength(1);
});

test("bulk revocation, new tokens, keys and messages ask; the incident desk and what takes power away do not", async ({
  app,
  newVisitor,
  sandbox,
}) => {
  const visitor = await newVisitor(app).signIn(ana);
  const [first = "", second = ""] = await sandbox.tokens(ana);
  const ids = (await visitor.tokens()).map(({ id }) => id);
  const { key } = (await visitor.post("/api/keys", { name: "Scanner" })).json<{ key: { id: string } }>();
  turn(16);
  for (const [path, body] of [
    ["/api/tokens/revoke", { ids, reason: "left open" }],
    ["/api/keys", { name: "Another" }],
    ["/api/tokens", { label: "Another" }],
    [`/api/tokens/${ids[0]}/rotate`, {}],
    ["/api/notifications/test", {}],
    [`/api/tokens/${ids[0]}/reveal`, {}],
  ] as const) {
    const extensions = ["by", "login", "maxAgeMinutes"];
    expectProblem(await visitor.post(path, body), 403, "step_up_required", extensions);
  }
  expect(await sandbox.tokens(ana)).toContain(first);

  const scanned = await visitor.post("/api/incidents/scan", { text: second });
  const { findings } = scanned.json<{ findings: { id: string }[] }>();
  const killed = await visitor.post("/api/incidents/revoke", { findings: [findings[0]?.id], reason: "leaked" });
  expect(killed.text).toContain('"contained"');
  expect(await sandbox.tokens(ana)).not.toContain(second);
  expect((await visitor.delete(`/api/keys/${key.id}`)).status).toBe(200);
  const left = (await visitor.tokens()).find(({ hint }) => hint === hintOf(first));
  expect((await visitor.delete(`/api/tokens/${left?.id}`)).status).toBe(200);
});

test("an administrator sees the configuration, its sources, and no secret", async ({ app, page }) => {
  await enter(page, app, ana, "/settings");
  const configuration = page.getByRole("region", { name: "Configuration" });
  await expect(configuration).toContainText("Allowed accounts333333");
  const variables = configuration.getByRole("list", { name: "Variables" }).getByRole("listitem");
  await expect(variables.filter({ hasText: "ADMIN_USERS" })).toContainText(`Environment${ana}`);
  // Replicas share one, which somebody has set.
  const source = app.replicas.length > 1 ? "Environment" : "Generated";
  await expect(variables.filter({ hasText: "SESSION_SECRET" })).toContainText(`${source}Never shown`);
  await expectGoodEverywhere(page, "configuration");
});
