import type { Page } from "@playwright/test";
import { enter, rowOf, rows } from "../browser.ts";
import { expect, submitSignIn, test } from "../fixtures.ts";
import { hintOf } from "../visitor.ts";

const ana = "ana@example.com";

/** Selects every token of the page, and confirms that all of them are meant. */
async function revokeAll(page: Page, count: number): Promise<void> {
  await page.getByRole("checkbox", { name: "Select all on this page" }).check();
  await page.getByRole("button", { name: "Revoke selected" }).click();
  const asking = page.getByRole("dialog", { name: `Revoke ${count} tokens` });
  const button = asking.getByRole("button", { name: `Revoke ${count} tokens` });
  await expect(button).toHaveAttribute("aria-disabled", "true");
  await expect(button).toHaveAccessibleDescription(`Type ${count} to go on`);
  await asking.getByLabel("Number of tokens").fill(String(count));
  await page.keyboard.press("Enter");
}

test("three selected tokens are revoked one after the other, each with its proof, and progress is shown", async ({
  app,
  page,
  sandbox,
}) => {
  const hints = (await sandbox.tokens(ana)).map(hintOf);
  await sandbox.fault({ operation: "token.delete", kind: "latency", ms: 1_500, skip: 1 });
  await enter(page, app, ana);
  await revokeAll(page, 3);
  const busy = page.getByRole("dialog", { name: "Revoking" });
  await expect(busy.getByRole("status")).toHaveText("1 of 3 done");
  await expect(busy.getByRole("progressbar", { name: "Tokens done" })).toBeVisible();
  // What is under way cannot be walked away from.
  await page.keyboard.press("Escape");
  await expect(busy).toBeVisible();

  const over = page.getByRole("dialog", { name: "Revocation finished" });
  await expect(over.getByRole("status")).toHaveText("3 tokens revoked or gone");
  const items = over.getByRole("list", { name: "Selected tokens" }).getByRole("listitem");
  await expect(items).toHaveCount(3);
  for (const hint of hints) {
    await expect(items.filter({ hasText: hint })).toContainText("RingCX refused the token itself, checked ");
  }
  expect(await sandbox.tokens(ana)).toEqual([]);
  await expect(over.getByRole("button", { name: "Done" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "You have no API tokens" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Tokens" })).toBeFocused();
});

test("Stop finishes the one under way and leaves the rest, which can be gone on with", async ({
  app,
  page,
  sandbox,
}) => {
  await sandbox.fault({ operation: "token.delete", kind: "latency", ms: 3_000 });
  await enter(page, app, ana);
  await revokeAll(page, 3);
  const stop = page.getByRole("button", { name: "Stop" });
  await expect(stop).toBeFocused();
  await stop.click();
  await expect(page.getByRole("button", { name: "Finishing the one under way" })).toBeVisible();
  const over = page.getByRole("dialog", { name: "Revocation finished" });
  await expect(over.getByRole("status")).toHaveText("1 token revoked or gone, 2 not tried");
  expect(await sandbox.tokens(ana)).toHaveLength(2);
  expect(await sandbox.journal("token.delete")).toHaveLength(1);
  await sandbox.clearFaults();
  await over.getByRole("button", { name: "Go on with the rest" }).click();
  await expect(over.getByRole("status")).toHaveText("3 tokens revoked or gone");
  expect(await sandbox.tokens(ana)).toEqual([]);
});

test("one that is not proven dead is told apart, stays selected, and can be tried again by itself", async ({
  app,
  page,
  problems,
  sandbox,
}) => {
  problems.expect(/status of 502/);
  await enter(page, app, ana);
  await sandbox.fault({ operation: "token.delete", kind: "false200", skip: 1 });
  await revokeAll(page, 3);
  const over = page.getByRole("dialog", { name: "Revocation finished" });
  await expect(over.getByRole("status")).toHaveText("2 tokens revoked or gone, 1 failed");
  const [left = ""] = await sandbox.tokens(ana);
  const item = over.getByRole("listitem").filter({ hasText: hintOf(left) });
  await expect(item).toContainText("may still be alive");
  await expect(item).toContainText("RingCX answered that it did not delete this token.");
  await expect(page.getByText("1 selected")).toBeAttached();

  await over.getByRole("button", { name: "Retry the failed" }).click();
  await expect(over.getByRole("status")).toHaveText("3 tokens revoked or gone");
  expect(await sandbox.tokens(ana)).toEqual([]);
  expect(await sandbox.journal("token.delete")).toHaveLength(4);
  await over.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("heading", { name: "You have no API tokens" })).toBeVisible();
});

test("when the session ends in the middle, the rest waits for the person to sign in again", async ({
  app,
  page,
  problems,
  sandbox,
}) => {
  problems.expect(/status of 401/);
  await enter(page, app, ana);
  await sandbox.endSessions(ana);
  await sandbox.expireAccessTokens();
  await revokeAll(page, 3);
  const over = page.getByRole("dialog", { name: "Revocation finished" });
  await expect(over.getByRole("status")).toHaveText("0 tokens revoked or gone, 1 failed, 2 not tried");
  const opened = page.context().waitForEvent("page", { timeout: 6_000 });
  await over.getByRole("alert").getByRole("link", { name: "Sign in again in a new tab" }).click({ timeout: 5_000 });
  const tab = await opened;
  await submitSignIn(tab, ana);
  await tab.waitForURL("/tokens");
  await tab.close();
  await over.getByRole("button", { name: "Retry the failed" }).click();
  await expect(over.getByRole("status")).toHaveText("1 token revoked or gone, 2 not tried");
  await over.getByRole("button", { name: "Go on with the rest" }).click();
  await expect(over.getByRole("status")).toHaveText("3 tokens revoked or gone");
  expect(await sandbox.tokens(ana)).toEqual([]);
});

test("a part of the list is revoked and the others stay", async ({ app, page, sandbox }) => {
  const [first = "", second = "", third = ""] = await sandbox.tokens(ana);
  await enter(page, app, ana);
  for (const value of [first, third]) await page.getByRole("checkbox", { name: `Select ${hintOf(value)}` }).check();
  await page.getByRole("button", { name: "Revoke selected (2)" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Number of tokens").fill("3");
  await page.keyboard.press("Enter");
  expect(await sandbox.journal("token.delete")).toEqual([]);
  await dialog.getByLabel("Number of tokens").fill("2");
  await dialog.getByRole("button", { name: "Revoke 2 tokens" }).click();
  await expect(dialog.getByRole("status")).toHaveText("2 tokens revoked or gone");
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(rows(page)).toHaveCount(1);
  await expect(rowOf(page, hintOf(second))).toBeVisible();
  await expect(page.getByText("selected", { exact: false })).toHaveCount(0);
  expect(await sandbox.tokens(ana)).toEqual([second]);
});
