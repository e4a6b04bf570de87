import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "@playwright/test";
import { enter, everythingKept, rows } from "../browser.ts";
import { expect, submitSignIn, test } from "../fixtures.ts";
import { hintOf } from "../visitor.ts";

const ana = "ana@example.com";

const userMenu = (page: Page) => page.getByRole("button", { name: "User menu, Ana Lima" });
const scheme = (page: Page) => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);

/** Dark on the screen, whatever the reason. */
const isDark = (page: Page) =>
  page.evaluate(() => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("no canvas");
    context.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    return (context.getImageData(0, 0, 1, 1).data[0] ?? 0) < 128;
  });

test("the navigation leads from page to page and says where one is; the connection and the sandbox are named", async ({
  app,
  page,
  sandbox,
}) => {
  await enter(page, app, ana, "/");
  await page.waitForURL("/tokens");
  const main = page.getByRole("navigation", { name: "Main" });
  await expect(main.getByRole("link", { name: "Tokens" })).toHaveAttribute("aria-current", "page");
  await main.getByRole("link", { name: "Accounts" }).click();
  await page.waitForURL("/accounts");
  await expect(page.getByRole("heading", { level: 1, name: "Accounts", exact: true })).toBeVisible();
  await expect(main.getByRole("link", { name: "Accounts" })).toHaveAttribute("aria-current", "page");
  await expect(main.getByRole("link", { name: "Tokens" })).not.toHaveAttribute("aria-current");
  await page.goBack();
  await page.waitForURL("/tokens");
  await expect(rows(page)).toHaveCount(3);

  const names = ["Overview", "Incident", "Tokens", "Accounts", "Audit log", "Settings"];
  await expect(main.getByRole("link")).toHaveText(names);
  for (const name of names) {
    const link = main.getByRole("link", { name });
    await link.click();
    await expect(link).toHaveAttribute("aria-current", "page");
    await expect(page.getByRole("heading", { level: 1, name, exact: true })).toBeVisible();
  }

  const connection = page.getByRole("region", { name: "Connection", exact: true });
  await expect(connection).toContainText(new URL(sandbox.url).host);
  await expect(connection).toContainText("333333");
  await expect(connection).toContainText("aws80");
  await expect(page.getByRole("contentinfo")).toHaveText("Sandbox: not the real RingCX");
});

test("on a phone the navigation is behind a menu, which closes when one goes somewhere", async ({ app, page }) => {
  await page.setViewportSize({ width: 375, height: 740 });
  await enter(page, app, ana);
  const opener = page.getByRole("button", { name: "Menu", exact: true });
  await opener.click();
  const menu = page.getByRole("dialog", { name: "Menu" });
  await expect(menu.getByRole("region", { name: "Connection" })).toContainText("333333");
  await page.keyboard.press("Escape");
  await expect(menu).toHaveCount(0);
  await expect(opener).toBeFocused();
  await opener.click();
  await menu.getByRole("link", { name: "Accounts" }).click();
  await page.waitForURL("/accounts");
  await expect(menu).toHaveCount(0);
  await expect(userMenu(page)).toBeVisible();
});

test("the theme is light, dark or the system's, and a reload keeps it", async ({ app, page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await enter(page, app, ana);
  const choose = async (theme: string) => {
    await userMenu(page).click();
    await page.getByRole("menuitemradio", { name: theme }).click();
  };
  expect(await isDark(page)).toBe(false);
  await choose("Dark");
  await expect.poll(() => isDark(page)).toBe(true);
  await page.reload();
  expect(await isDark(page)).toBe(true);
  expect(await scheme(page)).toBe("dark");
  await userMenu(page).click();
  await expect(page.getByRole("menuitemradio", { name: "Dark" })).toBeChecked();
  await page.keyboard.press("Escape");
  await expect(userMenu(page)).toBeFocused();

  await page.emulateMedia({ colorScheme: "dark" });
  await choose("Light");
  await page.reload();
  expect(await isDark(page)).toBe(false);
  await choose("System");
  await page.reload();
  expect(await isDark(page)).toBe(true);
  await page.emulateMedia({ colorScheme: "light" });
  expect(await isDark(page)).toBe(false);
});

test("who asks for less motion sees another theme at once, not one that spreads from frame to frame", async ({
  app,
  page,
}) => {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await enter(page, app);
  await expect(rows(page)).toHaveCount(3);
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const moving = await page.evaluate(() => {
      document.body.getBoundingClientRect();
      return document.getAnimations().length;
    });
    expect(moving, colorScheme).toBe(0);
  }
});

test("the user menu says who it is, Sign out ends everything, and Back shows nothing", async ({
  app,
  page,
  sandbox,
}) => {
  const values = await sandbox.tokens(ana);
  await enter(page, app, ana);
  await page.getByRole("link", { name: "Accounts" }).click();
  await page.waitForURL("/accounts");
  await userMenu(page).click();
  const menu = page.getByRole("menu");
  await expect(menu).toContainText("Ana Lima");
  await expect(menu).toContainText(ana);
  await expect(menu).toContainText("Member");
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL("/sign-in?reason=signed-out");
  await expect(page.getByRole("status")).toHaveText("You are signed out, here and at RingCX.");
  expect(await sandbox.journal("logout")).toMatchObject([{ username: ana, effect: true }]);
  const kept = (await page.context().cookies()).filter(({ value }) => value !== "");
  expect(kept.filter(({ name }) => !/csrf|callback-url/.test(name))).toEqual([]);

  for (const step of ["back", "back", "forward"] as const) {
    await (step === "back" ? page.goBack() : page.goForward());
    await page.waitForURL("/sign-in**");
    await expect(page.getByLabel("Username")).toBeVisible();
    const shown = await everythingKept(page);
    for (const value of values) expect(shown).not.toContain(hintOf(value));
    expect(shown).not.toContain("RingForce");
  }
});

test("Back shows nothing after signing out where the browser keeps whole pages in memory", async ({
  app,
  launchOptions,
  playwright,
  problems,
  sandbox,
}) => {
  const [value = ""] = await sandbox.tokens(ana);
  // The tests' browser keeps none unless it is asked to.
  const browser = await playwright.chromium.launch({
    ...launchOptions,
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  const context = await browser.newContext({ baseURL: app.url });
  await problems.watchBrowser(context);
  const page = await context.newPage();
  await enter(page, app, ana);
  await expect(page.getByText(hintOf(value), { exact: true })).toBeVisible();
  await userMenu(page).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL("/sign-in?reason=signed-out");
  await page.evaluate(() => history.back());
  await page.waitForURL((url) => url.search !== "?reason=signed-out");
  await expect(page.getByLabel("Username")).toBeVisible();
  expect(await everythingKept(page)).not.toContain(hintOf(value));
  await browser.close();
});

test("when the sign-out cannot be sent, the person is told that they are still signed in", async ({
  app,
  page,
  problems,
}) => {
  problems.expect(/ERR_INTERNET_DISCONNECTED/);
  await enter(page, app, ana);
  await page.context().setOffline(true);
  await userMenu(page).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByText("You are still signed in", { exact: true })).toBeVisible();
  await page.context().setOffline(false);
  await userMenu(page).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL("/sign-in?reason=signed-out");
});

test("the first Tab offers to skip to the content", async ({ app, page }) => {
  await enter(page, app, ana);
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("main").locator(":focus")).toHaveCount(1);
});

test("an address without a page says so and leads back; a stranger must sign in first", async ({
  app,
  page,
  problems,
}) => {
  problems.expect(/status of 404/);
  await page.goto("/no/such/page");
  await page.waitForURL("/sign-in?**");
  await enter(page, app, ana, "/no/such/page");
  await expect(page).toHaveTitle("Not found · Tokendesk");
  await expect(
    page.getByRole("heading", { level: 1, name: "There is nothing at this address", exact: true }),
  ).toBeVisible();
  await page.getByRole("link", { name: "Go to tokens" }).click();
  await page.waitForURL("/tokens");
});

test("a refresh that fails for now gives a calm notice, nobody is signed out, and it mends itself", async ({
  app,
  page,
  sandbox,
}) => {
  await sandbox.configure({ accessTokenSeconds: 1 });
  await enter(page, app, ana);
  await sandbox.fault({ operation: "refresh", kind: "html503", count: -1 });
  // Both sides count from the sign-in, in whole seconds at most.
  await sleep(1_500);
  await page.goto("/tokens?sort=label");
  const notice = page
    .getByRole("main")
    .getByRole("status")
    .filter({ hasText: "could not renew your session just now" });
  await expect(notice).toContainText("You are still signed in; Tokendesk keeps trying.");
  expect(page.url()).toBe(`${app.url}/tokens?sort=label`);

  await sandbox.clearFaults();
  await sandbox.configure({ accessTokenSeconds: 300 });
  await expect(async () => {
    await page.reload();
    await expect(rows(page)).toHaveCount(3, { timeout: 500 });
    await expect(notice).toHaveCount(0, { timeout: 500 });
  }).toPass({ timeout: 10_000 });
});

test("a session that has ended leads to sign-in once, with the reason, and back to the same page with its query", async ({
  app,
  page,
  sandbox,
}) => {
  let arrivals = 0;
  await enter(page, app, ana, "/tokens?q=aws80&sort=label");
  await expect(rows(page)).toHaveCount(3);
  page.on("domcontentloaded", () => {
    if (page.url().includes("/sign-in")) arrivals += 1;
  });
  await sandbox.endSessions(ana);
  await sandbox.expireAccessTokens();
  await page.reload();
  await page.waitForURL("/sign-in?reason=expired&returnTo=**");
  await expect(page.getByRole("status")).toHaveText("Your session has ended. Sign in to go on where you were.");
  await submitSignIn(page, ana);
  await page.waitForURL("/tokens?q=aws80&sort=label");
  await expect(rows(page)).toHaveCount(3);
  expect(arrivals).toBe(1);

  // The same from within the application, to a page that it had not loaded.
  await sandbox.endSessions(ana);
  await sandbox.expireAccessTokens();
  await page.getByRole("link", { name: "Accounts" }).click();
  await page.waitForURL("/sign-in?reason=expired&returnTo=%2Faccounts");
  await submitSignIn(page, ana);
  await page.waitForURL("/accounts");
  await expect(page.getByRole("main").getByText("RingForce Sales", { exact: true })).toBeVisible();
});
