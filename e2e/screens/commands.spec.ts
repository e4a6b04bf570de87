import type { Page } from "@playwright/test";
import {
  allowClipboard,
  clipboard,
  enter,
  everythingKept,
  expectGoodEverywhere,
  paste,
  recordAddresses,
  rows,
  tabTo,
} from "../browser.ts";
import { expect, expectNoSidewaysScroll, narrow, test } from "../fixtures.ts";
import { hintOf } from "../visitor.ts";

const ana = "ana@example.com";

const box = (page: Page) => page.getByRole("combobox", { name: "Commands, pages and tokens" });
const option = (page: Page, name: string | RegExp) => page.getByRole("option", { name, exact: true });
const result = (page: Page) => page.getByRole("dialog", { name: "Commands" }).getByRole("status").first();
const sheet = (page: Page) => page.getByRole("dialog", { name: "Keyboard shortcuts" });
const title = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true });

/** The option that the box says is active. */
async function expectActive(page: Page, name: string | RegExp): Promise<void> {
  const active = page.getByRole("option", { name, exact: true, selected: true });
  await expect(active).toHaveCount(1);
  await expect(box(page)).toHaveAttribute("aria-activedescendant", (await active.getAttribute("id")) ?? "none");
}

test("the palette does by name what the pages do, by keyboard alone, and keeps no value", async ({
  app,
  page,
  sandbox,
}) => {
  const keys = page.keyboard;
  const [value = ""] = await sandbox.tokens(ana);
  await allowClipboard(page);
  const addresses = recordAddresses(page);
  await enter(page, app, ana, "/overview");
  await expect(title(page, "Overview")).toBeVisible();

  // Escape gives the focus back.
  const opener = page.getByRole("button", { name: "Commands" });
  await tabTo(page, opener);
  await keys.press("Enter");
  await expect(box(page)).toBeFocused();
  await keys.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(opener).toBeFocused();

  await keys.press("ControlOrMeta+K");
  await expectActive(page, "New token");
  await keys.press("ArrowUp");
  await expectActive(page, "Sign out");
  await keys.press("ArrowDown");
  await expectActive(page, "New token");
  await expect(option(page, /^Team/)).toHaveCount(0);
  await keys.type("aud");
  await expectActive(page, /^Audit log/);
  await expect(result(page)).toHaveText("2 results");
  await keys.press("Enter");
  await page.waitForURL("/audit");
  await expect(title(page, "Audit log")).toBeVisible();

  // What is searched stands in the address; a value does not.
  await keys.press("ControlOrMeta+K");
  await paste(page, value);
  await expect(box(page)).toHaveValue(hintOf(value));
  await expect(page.getByText("That was a token value.")).toBeVisible();
  await expectActive(page, `Search tokens for “${hintOf(value)}”`);
  await keys.press("Enter");
  await page.waitForURL((url) => url.pathname === "/tokens" && url.searchParams.get("q") === hintOf(value));
  await expect(rows(page)).toHaveCount(1);
  await keys.press("ControlOrMeta+K");
  await keys.type(value.slice(6, 24));
  await expect(page.getByText("Part of a token value is not searched.")).toBeVisible();
  await expect(page.getByRole("option")).toHaveCount(0);
  await expect(result(page)).toBeEmpty();
  await box(page).fill("");
  await expect(option(page, /^Audit log/).first()).toBeVisible();
  expect(addresses.filter((address) => address.includes(value.slice(6, 24)))).toEqual([]);

  // A page of before, with the name that it has.
  await expectActive(page, "Audit log");
  await keys.press("Enter");
  await page.waitForURL("/audit");
  await keys.press("ControlOrMeta+K");
  await expect(page.getByRole("group", { name: "Recent" }).getByRole("option")).toHaveText([/^Tokens/, /^Overview/]);

  await keys.type("copy link");
  await keys.press("Enter");
  await expect(page.getByText("Copied the link to this view", { exact: true })).toBeVisible();
  expect(await clipboard(page)).toBe(`${app.url}/audit`);
  // What says so does not take Escape from what is opened next.
  await keys.press("ControlOrMeta+K");
  await expect(box(page)).toBeFocused();
  await keys.press("Escape");
  await expect(box(page)).toHaveCount(0);

  // From another page, and from the page itself.
  await keys.press("ControlOrMeta+K");
  await keys.type("nt");
  await expectActive(page, "New token");
  await keys.press("Enter");
  await page.waitForURL("/tokens");
  const creation = page.getByRole("dialog", { name: "New token" });
  await expect(creation.getByLabel("Label")).toBeFocused();
  // A dialog has the keys to itself.
  await keys.press("ControlOrMeta+K");
  await expect(box(page)).toHaveCount(0);
  await keys.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await keys.press("ControlOrMeta+K");
  await keys.type("new token");
  await keys.press("Enter");
  await expect(creation).toBeVisible();
  await keys.press("Escape");
  await expect(creation).toHaveCount(0);

  await keys.press("ControlOrMeta+K");
  await keys.type("theme dark");
  await keys.press("Enter");
  await expect(page.locator("html")).toHaveClass(/\bdark\b/);
  expect(await everythingKept(page)).not.toContain(value);
  await keys.press("ControlOrMeta+K");
  await keys.type("sign out");
  await keys.press("Enter");
  await page.waitForURL("/sign-in?reason=signed-out");
});

test("axe has nothing to say of the palette and the sheet, and a finger reaches them on a phone", async ({
  app,
  page,
}) => {
  await enter(page, app, ana);
  await page.keyboard.press("?");
  await expect(sheet(page)).toBeVisible();
  await expectGoodEverywhere(page, "shortcuts");
  await page.keyboard.press("Escape");
  await page.setViewportSize(narrow);
  await page.getByRole("button", { name: "Commands" }).click();
  await expect(box(page)).toBeFocused();
  await expectGoodEverywhere(page, "palette");
  await page.setViewportSize(narrow);
  await box(page).fill("acc");
  await expectNoSidewaysScroll(page);
  await option(page, /^Accounts/).click();
  await page.waitForURL("/accounts");
});

test("single keys lead from page to page, never while one types, and can be switched off for good", async ({
  app,
  page,
}) => {
  const keys = page.keyboard;
  await enter(page, app, ana, "/overview");
  for (const [key, name] of [
    ["i", "Incident"],
    ["a", "Accounts"],
    ["l", "Audit log"],
    ["s", "Settings"],
    ["o", "Overview"],
    ["t", "Tokens"],
  ] as const) {
    await keys.press("g");
    await keys.press(key);
    await expect(title(page, name)).toBeVisible();
  }
  await expect(rows(page)).toHaveCount(3);
  // Not for a member, and not after another key.
  await keys.press("g");
  await keys.press("m");
  await keys.press("g");
  await keys.press("x");
  await keys.press("a");
  await keys.press("/");
  const search = page.getByLabel("Search tokens");
  await expect(search).toBeFocused();
  await expect(page).toHaveURL("/tokens");
  await keys.type("ng a/?");
  await expect(search).toHaveValue("ng a/?");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await keys.press("Escape");
  await title(page, "Tokens").focus();
  await keys.press("Shift+N");
  await keys.press("n");
  await expect(page.getByRole("dialog", { name: "New token" })).toBeVisible();
  await keys.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await keys.press("?");
  await expect(sheet(page).getByText("New token, on the tokens page")).toBeVisible();
  await tabTo(page, sheet(page).getByRole("checkbox", { name: "Use single keys and sequences" }));
  await keys.press("Space");
  await expect(sheet(page).getByText("Switched off")).toHaveCount(2);
  await keys.press("Escape");
  await expect(sheet(page)).toHaveCount(0);
  await page.reload();
  await expect(rows(page)).toHaveCount(3);
  for (const key of ["n", "/", "?", "g", "a"]) await keys.press(key);
  await expect(search).not.toBeFocused();
  await expect(search).not.toHaveAttribute("aria-keyshortcuts");
  // The palette stays, and is the way back.
  await keys.press("ControlOrMeta+K");
  await expect(page.getByRole("dialog")).toHaveAccessibleName("Commands");
  await expect(page).toHaveURL("/tokens");
  await keys.type("keyboard");
  await keys.press("Enter");
  await sheet(page).getByRole("checkbox").check();
  await keys.press("Escape");
  await expect(sheet(page)).toHaveCount(0);
  await keys.press("/");
  await expect(search).toBeFocused();
});

test.describe("in Kathmandu", () => {
  test.use({ timezoneId: "Asia/Kathmandu" });

  test("times are one's own or UTC everywhere, by choice, and both stand beside them", async ({ app, page }) => {
    await enter(page, app, ana, "/audit");
    const time = rows(page).first().locator("time");
    const iso = (await time.getAttribute("datetime")) ?? "";
    const local = new Date(Date.parse(iso) + 345 * 60_000).toISOString().slice(11, 19);
    const utc = `${iso.slice(11, 19)} UTC`;
    await expect(time).toHaveText(new RegExp(`, ${local}$`));
    await expect(time).toHaveAttribute("title", new RegExp(`${utc}\n.*${local} UTC\\+05:45, your time$`));

    const choose = async (name: string) => {
      await page.getByRole("button", { name: /^User menu/ }).click();
      await page.getByRole("menuitemradio", { name, exact: true }).click();
    };
    await choose("UTC");
    await expect(time).toHaveText(new RegExp(`, ${utc}$`));
    await rows(page).first().getByRole("button").click();
    const drawer = page.getByRole("dialog");
    await expect(drawer.getByText(`${local} UTC+05:45`)).toBeVisible();
    await page.keyboard.press("Escape");
    await page.goto("/tokens");
    await expect(page.getByText("Read from RingCX at")).toContainText(/\d\d:\d\d:\d\d UTC$/);
    await page.keyboard.press("ControlOrMeta+K");
    await page.keyboard.type("times");
    await page.keyboard.press("Enter");
    await expect(page.getByText("Read from RingCX at")).toContainText(/\d\d:\d\d:\d\d$/);
    expect((await page.context().cookies()).filter(({ name }) => name === "tokendesk-times")).toEqual([]);
  });
});

test("a view is saved under a name, found again, renamed and deleted; its link is for everyone", async ({
  app,
  page,
}) => {
  const keys = page.keyboard;
  await allowClipboard(page);
  await enter(page, app, ana, "/tokens?q=aws80&sort=label");
  const menu = page.getByRole("button", { name: "Saved views" });
  const item = (name: string | RegExp) => page.getByRole("menuitem", { name });
  await expect(rows(page)).toHaveCount(3);
  await menu.click();
  await expect(page.getByText("No view is saved in this browser")).toBeVisible();
  await item("Copy link").click();
  await expect(page.getByText("Copied the link to this view", { exact: true })).toBeVisible();
  expect(await clipboard(page)).toBe(`${app.url}/tokens?q=aws80&sort=label`);

  await menu.click();
  await item("Save this view").click();
  const saving = page.getByRole("dialog", { name: "Save this view" });
  await expect(saving.getByText("Search aws80, Sorted by label")).toBeVisible();
  await saving.getByRole("button", { name: "Save" }).click();
  await expect(saving.getByLabel("Name")).toHaveAccessibleDescription(/Give the view a name\.$/);
  await expect(saving.getByLabel("Name")).toBeFocused();
  await keys.type("Dialler");
  await keys.press("Enter");
  await expect(saving).toHaveCount(0);
  await expect(menu).toBeFocused();
  expect(await page.evaluate(() => ({ ...localStorage }))).toEqual({
    "tokendesk-views": JSON.stringify([{ page: "/tokens", name: "Dialler", query: "?q=aws80&sort=label" }]),
  });

  await page.goto("/accounts");
  await keys.press("ControlOrMeta+K");
  await keys.type("dial");
  await keys.press("Enter");
  await page.waitForURL("/tokens?q=aws80&sort=label");
  await page.getByRole("button", { name: "Clear search" }).click();
  await page.waitForURL("/tokens?sort=label");
  await menu.click();
  await item("Dialler").click();
  await page.waitForURL("/tokens?q=aws80&sort=label");

  await menu.click();
  await expect(item("Dialler")).toHaveAttribute("aria-current", "true");
  await item("Rename or delete").click();
  const list = page.getByRole("dialog", { name: "Saved views" });
  await list.getByRole("button", { name: "Copy the link to the view Dialler" }).click();
  await expect(page.getByText("Copied the link to the view Dialler", { exact: true })).toBeVisible();
  await list.getByRole("button", { name: "Rename Dialler" }).click();
  await list.getByLabel("New name of Dialler").fill("Dialler, by label");
  await keys.press("Enter");
  await expect(list.getByText("Dialler, by label", { exact: true })).toBeVisible();
  await expectGoodEverywhere(page, "saved views");
  await list.getByRole("button", { name: "Delete Dialler, by label" }).click();
  await expect(list.getByText("No view is saved in this browser.")).toBeVisible();
  await keys.press("Escape");
  await expect(menu).toBeFocused();
  expect(await page.evaluate(() => ({ ...localStorage }))).toEqual({});

  // Where the browser keeps nothing, the link is what there is.
  await page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get: () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      },
    });
  });
  await page.goto("/audit?outcome=failed");
  await menu.click();
  await expect(page.getByText("This browser keeps nothing for this site")).toBeVisible();
  await expect(item("Save this view")).toHaveCount(0);
  await expect(item("Copy link")).toBeVisible();
});
