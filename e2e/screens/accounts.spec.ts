import { allowClipboard, clipboard, enter, tabTo } from "../browser.ts";
import { expect, test } from "../fixtures.ts";

const many = "many@example.com";

test("the accounts are a tree that is searched, opened and closed by keyboard, and gives its IDs", async ({
  app,
  page,
}) => {
  await allowClipboard(page);
  await enter(page, app, many, "/accounts");
  await expect(page).toHaveTitle("Accounts · Tokendesk");
  await expect(page.getByText("40 sub-accounts in 2 main accounts")).toBeVisible();
  const northwind = page.getByRole("button", { name: /^Northwind/ });
  const southwind = page.getByRole("button", { name: /^Southwind/ });
  await expect(northwind).toHaveAttribute("aria-expanded", "true");
  await expect(page.getByText("Northwind Region 07", { exact: true })).toBeVisible();

  await tabTo(page, northwind);
  await page.keyboard.press("Enter");
  await expect(northwind).toHaveAttribute("aria-expanded", "false");
  await expect(page.getByText("Northwind Region 07", { exact: true })).toBeHidden();
  await expect(page.getByText("Southwind Region 07", { exact: true })).toBeVisible();
  await page.keyboard.press("Space");
  await expect(northwind).toHaveAttribute("aria-expanded", "true");
  await page.getByRole("button", { name: "Collapse all" }).click();
  await expect(southwind).toHaveAttribute("aria-expanded", "false");
  await page.getByRole("button", { name: "Expand all" }).click();
  await expect(southwind).toHaveAttribute("aria-expanded", "true");

  const search = page.getByLabel("Search accounts");
  await search.fill("region 07");
  await expect(page.getByRole("status").filter({ hasText: "2 sub-accounts match" })).toBeVisible();
  await expect(page.getByText("Southwind Region 07", { exact: true })).toBeVisible();
  await expect(page.getByText("Northwind Region 08", { exact: true })).toHaveCount(0);
  await search.fill("666608");
  await expect(page.getByText("Northwind Region 08", { exact: true })).toBeVisible();
  await expect(southwind).toHaveCount(0);
  await search.fill("southwind");
  await expect(page.getByRole("status").filter({ hasText: "20 sub-accounts match" })).toBeVisible();
  await search.fill("nothing of that name");
  await expect(page.getByRole("heading", { name: "No account matches" })).toBeVisible();
  await page.getByRole("button", { name: "Clear search" }).click();
  await expect(page.getByText("Northwind Region 08", { exact: true })).toBeVisible();

  await page.getByRole("button", { name: "Copy account ID 666608" }).click();
  await expect(page.getByText("Copied account ID 666608", { exact: true })).toBeVisible();
  expect(await clipboard(page)).toBe("666608");
  await page.getByRole("button", { name: "Copy main account ID 777700" }).click();
  await expect.poll(() => clipboard(page)).toBe("777700");
});

test("nothing of an account but its names and IDs reaches the page", async ({ app, page, sandbox }) => {
  await enter(page, app, "ana@example.com", "/accounts");
  await expect(page.getByText("RingForce Sales", { exact: true })).toBeVisible();
  const { accountFields = [] } = await sandbox.secrets();
  expect(accountFields.length).toBeGreaterThan(0);
  const content = await page.content();
  expect(accountFields.filter((field) => field.length >= 8 && content.includes(field))).toEqual([]);
});

test("who sees no account is told whom to ask", async ({ app, page }) => {
  await enter(page, app, "noaccounts@example.com", "/accounts");
  await expect(page.getByRole("heading", { name: "No account is visible to you" })).toBeVisible();
  await expect(page.getByText("Your administrator can grant access")).toBeVisible();
});

test("who may not see accounts or tokens is told so, and the rest of the page stays", async ({ app, page }) => {
  await enter(page, app, "denied@example.com", "/accounts");
  const alert = page.getByRole("main").getByRole("alert");
  await expect(alert.getByRole("heading", { name: "This is not permitted" })).toBeVisible();
  await page.getByRole("link", { name: "Tokens" }).click();
  await page.waitForURL("/tokens");
  await expect(alert.getByRole("heading", { name: "This is not permitted" })).toBeVisible();
  await expect(page.getByRole("button", { name: "New token" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: /^User menu/ })).toBeVisible();
});

test("accounts that cannot be read say so with a Retry, which then works", async ({ app, page, sandbox }) => {
  await sandbox.fault({ operation: "accounts", kind: "html502", count: -1 });
  await enter(page, app, "ana@example.com", "/accounts");
  const alert = page.getByRole("main").getByRole("alert");
  await expect(alert.getByRole("heading", { name: "RingCX is not available" })).toBeVisible();
  await expect(alert).toContainText("look at RingCX's status page");
  await expect(alert).toContainText(/Request ID [0-9a-f-]{36}/);
  await sandbox.clearFaults();
  await alert.getByRole("button", { name: "Retry" }).click();
  await expect(page.getByText("RingForce Sales", { exact: true })).toBeVisible();
  await expect(alert).toHaveCount(0);
});
