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

test("what is selected is shown first: what each is for, where it is used, and what is in production", async ({
  app,
  page,
  sandbox,
  visitor,
}) => {
  await visitor.signIn(ana);
  const [one, two] = await visitor.tokens();
  const patch = { label: "Wallboard", usedIn: "board-1, lobby", environment: "Production" };
  expect((await visitor.patch(`/api/tokens/${one?.id}`, patch)).status).toBe(200);
  expect((await visitor.patch(`/api/tokens/${two?.id}`, { label: "IVR", environment: "Test" })).status).toBe(200);
  await enter(page, app, ana);
  await page.getByRole("checkbox", { name: "Select all on this page" }).check();
  await page.getByRole("button", { name: "Revoke selected" }).click();
  const asking = page.getByRole("dialog", { name: "Revoke 3 tokens" });
  await expect(asking).toContainText("1 of them are used in production");
  await expect(asking).toContainText("1 token has no label, and of 2 nobody has said where they are used.");
  const items = asking.getByRole("listitem");
  await expect(items.filter({ hasText: "Wallboard" })).toContainText("board-1, lobby");
  await expect(items.filter({ hasText: "Wallboard" })).toContainText("Production");
  await expect(items.filter({ hasText: "IVR" })).toContainText(two?.hint ?? "");
  await asking.getByRole("button", { name: "Cancel" }).click();
  expect(await sandbox.tokens(ana)).toHaveLength(3);
});

test("three selected tokens are revoked, each with its proof, and progress is shown", async ({
  app,
  page,
  sandbox,
}) => {
  const hints = (await sandbox.tokens(ana)).map(hintOf);
  await sandbox.hold("token.delete", { skip: 2 });
  await enter(page, app, ana);
  await revokeAll(page, 3);
  const busy = page.getByRole("dialog", { name: "Revoking" });
  await expect(busy.getByRole("status")).toHaveText("2 of 3 done");
  await expect(busy.getByRole("progressbar", { name: "Tokens done" })).toBeVisible();
  await expect(busy).toContainText("You can close this: the server goes on.");
  await sandbox.clearFaults();

  const over = page.getByRole("dialog", { name: "Revocation finished" });
  await expect(over.getByRole("status")).toHaveText("3 tokens revoked or gone");
  const items = over.getByRole("list", { name: "Selected tokens" }).getByRole("listitem");
  await expect(items).toHaveCount(3);
  for (const hint of hints) {
    await expect(items.filter({ hasText: hint })).toContainText("RingCX refused the token itself, checked ");
  }
  expect(await sandbox.tokens(ana)).toEqual([]);
  expect(await sandbox.journal("token.delete")).toHaveLength(3);
  await expect(over.getByRole("link", { name: "Open report" })).toHaveAttribute("href", /^\/incident\/[\w-]{36}$/);
  await expect(over.getByRole("button", { name: "Done" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "You have no API tokens" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Tokens", exact: true })).toBeFocused();
});

test("a dialog that is closed in the middle stops nothing", async ({ app, page, sandbox }) => {
  await sandbox.hold("token.delete");
  await enter(page, app, ana);
  await revokeAll(page, 3);
  const close = page.getByRole("button", { name: "Close; it goes on" });
  await expect(close).toBeFocused();
  await close.click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("The revocation goes on", { exact: true })).toBeVisible();
  await expect(page.getByText("selected", { exact: false })).toHaveCount(0);
  expect(await sandbox.tokens(ana)).toHaveLength(3);
  await sandbox.clearFaults();
  await expect.poll(() => sandbox.tokens(ana), { timeout: 15_000 }).toEqual([]);
  expect(await sandbox.journal("token.delete")).toHaveLength(3);
});

test("an answer that is cut off is taken up again by following its case, and nothing is done twice", async ({
  app,
  page,
  sandbox,
}) => {
  let orders = 0;
  await page.route("**/api/tokens/revoke?*", async (route) => {
    orders += 1;
    const response = await route.fetch();
    const [first] = (await response.text()).split("\n");
    await route.fulfill({ response, body: `${first}\n` });
  });
  await enter(page, app, ana);
  await revokeAll(page, 3);
  await expect(page.getByRole("dialog", { name: "Revoking" })).toContainText(
    "The connection is lost. The server goes on;",
  );
  const over = page.getByRole("dialog", { name: "Revocation finished" });
  await expect(over.getByRole("status")).toHaveText("3 tokens revoked or gone");
  await expect(over).toContainText("RingCX refused the token itself, checked ");
  expect(orders).toBe(1);
  expect(await sandbox.journal("token.delete")).toHaveLength(3);
  expect(await sandbox.tokens(ana)).toEqual([]);
});

test("those that are not revoked are told apart, stay selected, and can be tried again by themselves", async ({
  app,
  page,
  sandbox,
}) => {
  test.slow();
  await enter(page, app, ana);
  await sandbox.fault({ operation: "token.delete", kind: "false200", skip: 1, count: -1 });
  await revokeAll(page, 3);
  const over = page.getByRole("dialog", { name: "Revocation finished" });
  await expect(over.getByRole("status")).toHaveText("1 token revoked or gone, 2 failed", { timeout: 25_000 });
  const left = await sandbox.tokens(ana);
  expect(left).toHaveLength(2);
  for (const value of left) {
    await expect(over.getByRole("listitem").filter({ hasText: hintOf(value) })).toContainText("Still alive.");
  }
  await expect(page.getByText("2 selected")).toBeAttached();

  await sandbox.clearFaults();
  const before = (await sandbox.journal("token.delete")).length;
  await over.getByRole("button", { name: "Retry the failed" }).click();
  await expect(over.getByRole("status")).toHaveText("3 tokens revoked or gone");
  expect(await sandbox.tokens(ana)).toEqual([]);
  expect(await sandbox.journal("token.delete")).toHaveLength(before + 2);
  await over.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("heading", { name: "You have no API tokens" })).toBeVisible();
});

test("when the session has ended, all of it waits for the person to sign in again", async ({
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
  await expect(over.getByRole("status")).toHaveText("0 tokens revoked or gone, 3 not tried");
  const opened = page.context().waitForEvent("page", { timeout: 6_000 });
  await over.getByRole("alert").getByRole("link", { name: "Sign in again in a new tab" }).click({ timeout: 5_000 });
  const tab = await opened;
  await submitSignIn(tab, ana);
  await tab.waitForURL("/tokens");
  await tab.close();
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
