import type { Locator, Page } from "@playwright/test";
import { choose, enter, expectGoodEverywhere, rowOf, rows } from "../browser.ts";
import { test as base, expect } from "../fixtures.ts";
import { sqliteLog } from "../log-file.ts";
import { takeAway } from "../outages.ts";
import type { App } from "../servers.ts";
import { hintOf } from "../visitor.ts";

const ana = "ana@example.com";
const carl = "child1@example.com";

/** A dashboard that has seen nobody's list yet. */
const test = base.extend<{ desk: App }>({
  desk: async ({ launch }, use) => {
    await use(await launch());
  },
});

const changes = (page: Page) => page.getByRole("region", { name: "Changes outside Tokendesk" });
const lineOf = (region: Locator, hint: string) => region.getByRole("listitem").filter({ hasText: hint });

test("what appears in the list without Tokendesk is asked about: one is adopted with a label, the other revoked", async ({
  desk,
  page,
  sandbox,
}) => {
  await enter(page, desk, carl, `${desk.url}/tokens`);
  await expect(rows(page)).toHaveCount(2);
  // The first look knows nothing of before.
  await expect(changes(page)).toHaveCount(0);

  const [mine, unknown] = [hintOf(await sandbox.addToken(carl)), hintOf(await sandbox.addToken(carl))];
  await page.getByRole("button", { name: "Refresh" }).click();
  const region = changes(page);
  await expect(region.getByRole("heading", { name: "2 tokens appeared outside Tokendesk: yours?" })).toBeVisible();
  await expect(lineOf(region, mine)).toContainText("First seen");
  await expect(rowOf(page, mine)).toContainText("Appeared");

  await lineOf(region, mine).getByRole("button", { name: "Adopt" }).click();
  const dialog = page.getByRole("dialog", { name: "Adopt token" });
  await expect(dialog).toContainText(mine);
  await dialog.getByRole("button", { name: "Adopt" }).click();
  await expect(dialog.getByText("A label is needed")).toBeVisible();
  await expect(dialog.getByLabel("Label")).toBeFocused();
  await dialog.getByLabel("Label").fill("Night shift report");
  await dialog.getByLabel("Where used").fill("cron on etl-03");
  await dialog.getByRole("button", { name: "Adopt" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(rowOf(page, mine)).toContainText("Night shift report");
  await expect(rowOf(page, mine)).not.toContainText("Appeared");
  await expect(region.getByRole("heading", { name: "1 token appeared outside Tokendesk: yours?" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Tokens", exact: true })).toBeFocused();

  await lineOf(region, unknown).getByRole("button", { name: "Revoke" }).click();
  await page.getByLabel("Last four characters").fill(unknown.slice(-4));
  await page.getByLabel("Reason").fill("Nobody knows it");
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("dialog", { name: "Token revoked" }).getByRole("button", { name: "Done" }).click();
  await expect(region).toHaveCount(0);
  expect((await sandbox.tokens(carl)).map(hintOf)).not.toContain(unknown);
  await page.reload();
  await expect(rows(page)).toHaveCount(3);
  await expect(region).toHaveCount(0);

  const log = sqliteLog(desk.dataDir);
  const events = await log.events();
  expect(events.filter(({ action }) => action === "token.adopt")).toMatchObject([{ token: { hint: mine } }]);
  expect(events.filter(({ action }) => action === "token.revoke")).toMatchObject([
    { outcome: "attempted", reason: "Nobody knows it" },
    { outcome: "succeeded", reason: "Nobody knows it" },
  ]);
  await log.close();
});

test("the menu of a row that appeared offers to adopt it as well", async ({ desk, page, sandbox }) => {
  await enter(page, desk, carl, `${desk.url}/tokens`);
  const hint = hintOf(await sandbox.addToken(carl));
  await page.reload();
  await choose(page, hint, "Adopt");
  await page.getByLabel("Label").fill("Known after all");
  await page.keyboard.press("Enter");
  await expect(rowOf(page, hint)).toContainText("Known after all");
  await expect(changes(page)).toHaveCount(0);
  await page.getByRole("button", { name: `Actions for ${hint}` }).click();
  await expect(page.getByRole("menuitem", { name: "Adopt" })).toHaveCount(0);
});

test("what vanished is told once, with its label, until its owner has taken note", async ({ desk, page, sandbox }) => {
  const [first = "", second = ""] = await sandbox.tokens(carl);
  await enter(page, desk, carl, `${desk.url}/tokens`);
  await choose(page, hintOf(first), "Edit");
  await page.getByLabel("Label").fill("Warehouse sync");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(rowOf(page, hintOf(first))).toContainText("Warehouse sync");
  for (const value of [first, second]) await sandbox.control("DELETE", "tokens", { value });
  await sandbox.addToken(carl);
  await sandbox.clearJournal();
  await page.reload();

  const region = changes(page);
  await expect(region.getByRole("heading", { name: "2 tokens vanished" })).toBeVisible();
  await expect(lineOf(region, hintOf(first))).toContainText("Warehouse sync");
  await lineOf(region, hintOf(first)).getByRole("button", { name: "Noted" }).click();
  await expect(region.getByRole("heading", { name: "1 token vanished" })).toBeVisible();
  // By keyboard one goes on with the next.
  await expect(lineOf(region, hintOf(second)).getByRole("button", { name: "Noted" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(region.getByText("vanished", { exact: false })).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1, name: "Tokens", exact: true })).toBeFocused();
  await page.reload();
  await expect(region.getByRole("heading", { name: "1 token appeared outside Tokendesk: yours?" })).toBeVisible();
  await expect(region.getByText("vanished", { exact: false })).toHaveCount(0);
  expect((await sandbox.journal()).filter(({ effect }) => effect)).toEqual([]);
});

test("of many that appeared five are shown, and the list shows all of them", async ({ desk, page, sandbox }) => {
  await enter(page, desk, carl, `${desk.url}/tokens`);
  await expect(rows(page)).toHaveCount(2);
  for (let count = 0; count < 7; count += 1) await sandbox.addToken(carl);
  await page.reload();
  const region = changes(page);
  await expect(region.getByRole("heading", { name: "7 tokens appeared outside Tokendesk: yours?" })).toBeVisible();
  await expect(region.getByRole("listitem")).toHaveCount(5);
  await region.getByRole("button", { name: "Show all 7 in the list" }).click();
  await expect(page).toHaveURL(`${desk.url}/tokens?state=appeared`);
  await expect(rows(page)).toHaveCount(7);
  await expect(region).toHaveCount(0);
  await expect(page.getByLabel("Show tokens that are")).toHaveValue("appeared");
  await page.getByLabel("Show tokens that are").selectOption("In any state");
  await expect(rows(page)).toHaveCount(9);
  await expect(region).toBeVisible();
});

test("where a token is used is kept, found and shown before it is revoked; its hint leads to its history", async ({
  desk,
  page,
}) => {
  await enter(page, desk, "new@example.com", `${desk.url}/tokens`);
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Label").fill("IVR lookup");
  await page.getByLabel("Where used").fill("ivr-7.internal\nflow 'after hours'");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Close without copying" }).click();
  await page.getByLabel("Search tokens").fill("ivr-7");
  await expect(page).toHaveURL(/q=ivr-7/);
  await expect(rows(page)).toHaveCount(1);
  const hint = (
    await rows(page)
      .getByRole("button", { name: /^Actions for/ })
      .getAttribute("aria-label")
  )?.slice(12);
  if (!hint) throw new Error("the row has no hint");
  await choose(page, hint, "Revoke");
  await expect(page.getByRole("dialog")).toContainText("ivr-7.internal");
  await page.keyboard.press("Escape");
  await choose(page, hint, "Edit");
  await expect(page.getByLabel("Where used")).toHaveValue("ivr-7.internal\nflow 'after hours'");
  await page.keyboard.press("Escape");

  await rows(page).getByRole("link", { name: hint }).click();
  await page.waitForURL(/\/tokens\/[\w-]+$/);
  await page.goBack();
  await choose(page, hint, "History");
  await page.waitForURL(/\/tokens\/[\w-]+$/);
});

test("a list with an entry that makes no sense is not called complete, with the database and without it", async ({
  desk,
  page,
  sandbox,
}) => {
  await enter(page, desk, carl, `${desk.url}/tokens`);
  const missing = page.getByText("Labels and dates are missing for now");
  const incomplete = page.getByText("The list is not complete");
  await expect(rows(page)).toHaveCount(2);
  const values = await sandbox.tokens(carl);
  const putBack = takeAway(desk.dataDir);
  await page.reload();
  await expect(missing).toBeVisible();
  await expect(page.getByText("comes from RingCX and is complete.")).toBeVisible();
  await expect(incomplete).toHaveCount(0);

  const list = { status: 200, body: JSON.stringify([...values, 7]), contentType: "application/json" };
  await sandbox.fault({ operation: "token.list", kind: "status", count: -1, ...list });
  await page.reload();
  await expect(missing).toBeVisible();
  await expect(incomplete).toBeVisible();
  await expect(page.getByText("comes from RingCX. Changes wait")).toBeVisible();
  await expect(page.getByText("is complete")).toHaveCount(0);
  putBack();
});

test.describe("while the audit log cannot be written", () => {
  test("a revocation is refused, and can go on without the log when it is urgent", async ({
    desk,
    page,
    problems,
    sandbox,
  }) => {
    test.slow();
    problems.expect(/status of 503/);
    problems.expect(/audit/);
    const [value = ""] = await sandbox.tokens(carl);
    const hint = hintOf(value);
    await enter(page, desk, carl, `${desk.url}/tokens`);
    await choose(page, hint, "Revoke");
    const log = sqliteLog(desk.dataDir);
    const release = await log.holdWrites();
    const dialog = page.getByRole("dialog", { name: "Revoke token" });
    await dialog.getByLabel("Last four characters").fill(value.slice(-4));
    await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
    await expect(dialog.getByRole("alert")).toContainText("The audit log is not available", { timeout: 20_000 });
    expect(await sandbox.journal("token.delete")).toEqual([]);
    await expect(dialog).toContainText("Its record is kept aside");
    await dialog.getByRole("button", { name: "Revoke without the log" }).click();
    const done = page.getByRole("dialog", { name: "Token revoked" });
    await expect(done.getByRole("status")).toContainText("RingCX refused the token itself", { timeout: 40_000 });
    await expect(done.getByRole("status")).toContainText("What the log did not take is kept aside");
    expect(await sandbox.tokens(carl)).not.toContain(value);
    await release();

    await done.getByRole("button", { name: "Done" }).click();
    await page.reload();
    const [other = ""] = await sandbox.tokens(carl);
    await choose(page, hintOf(other), "Edit");
    await page.getByLabel("Label").fill("Wakes the log");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(rowOf(page, hintOf(other))).toContainText("Wakes the log");
    await expect
      .poll(
        async () =>
          (await log.events())
            .filter(({ action, token }) => action === "token.revoke" && token?.hint === hint)
            .map(({ outcome }) => outcome)
            .sort(),
        { timeout: 40_000 },
      )
      .toEqual(["attempted", "succeeded"]);
    await log.close();
  });

  test("a selection is refused, and all of it can go on without the log", async ({ desk, page, problems, sandbox }) => {
    test.slow();
    problems.expect(/status of 503/);
    problems.expect(/audit/);
    await enter(page, desk, carl, `${desk.url}/tokens`);
    await page.getByRole("checkbox", { name: "Select all on this page" }).check();
    await page.getByRole("button", { name: "Revoke selected" }).click();
    const log = sqliteLog(desk.dataDir);
    const release = await log.holdWrites();
    await page.getByLabel("Number of tokens").fill("2");
    await page.keyboard.press("Enter");
    const over = page.getByRole("dialog", { name: "Revocation finished" });
    await expect(over.getByRole("status")).toHaveText("0 tokens revoked or gone, 2 not tried", {
      timeout: 20_000,
    });
    expect(await sandbox.journal("token.delete")).toEqual([]);
    await over.getByRole("button", { name: "Revoke without the log" }).click();
    await expect(over.getByRole("status")).toHaveText("2 tokens revoked or gone", { timeout: 60_000 });
    await expect(over).toContainText("What the log did not take is kept aside");
    expect(await sandbox.tokens(carl)).toEqual([]);
    await release();
    await log.close();
  });
});

test.describe("axe has nothing to say, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", () => {
  test.describe.configure({ timeout: 90_000 });

  test("of the differences and what they lead to", async ({ desk, page, problems, sandbox }) => {
    problems.expect(/status of 503/);
    const [gone = ""] = await sandbox.tokens(ana);
    await enter(page, desk, ana, `${desk.url}/tokens`);
    await sandbox.control("DELETE", "tokens", { value: gone });
    for (let count = 0; count < 6; count += 1) await sandbox.addToken(ana);
    await page.reload();
    await expect(changes(page)).toContainText("1 token vanished");
    await expectGoodEverywhere(page, "differences");
    await changes(page)
      .getByRole("button", { name: /^Adopt/ })
      .first()
      .click();
    await expectGoodEverywhere(page, "adopt");
    await page.keyboard.press("Escape");
    await page.goto(`${desk.url}/tokens?state=appeared`);
    await expect(rows(page)).toHaveCount(6);
    await expectGoodEverywhere(page, "tokens that appeared");

    const log = sqliteLog(desk.dataDir);
    const [kept = ""] = await sandbox.tokens(ana);
    await page.goto(`${desk.url}/tokens`);
    await choose(page, hintOf(kept), "Revoke");
    const release = await log.holdWrites();
    await page.getByLabel("Last four characters").fill(kept.slice(-4));
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByRole("button", { name: "Revoke without the log" }).waitFor({ timeout: 20_000 });
    await expectGoodEverywhere(page, "revoke without the log");
    await release();
    await log.close();
  });
});
