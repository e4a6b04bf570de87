import { passwordOf } from "../../test/sandbox-control.ts";
import { allowClipboard, clipboard, enter, paste, rowOf, tabTo } from "../browser.ts";
import { expect, expectNoSidewaysScroll, narrow, test } from "../fixtures.ts";
import { hintOf } from "../visitor.ts";

const ana = "ana@example.com";
const nils = "new@example.com";

test("on a phone the actions of a row are within reach and its dialog fits", async ({ app, page, sandbox }) => {
  await page.setViewportSize(narrow);
  const [value = ""] = await sandbox.tokens(ana);
  const hint = hintOf(value);
  await enter(page, app, ana);
  const actions = page.getByRole("button", { name: `Actions for ${hint}` });
  await expect(actions).toBeInViewport({ ratio: 1 });
  for (const item of ["Reveal", "Edit", "Rotate", "Revoke"]) {
    await actions.click();
    await expect(page.getByRole("menuitem", { name: item, exact: true })).toBeInViewport({ ratio: 1 });
    await page.getByRole("menuitem", { name: item, exact: true }).click();
    const dialog = page.getByRole("dialog");
    for (const button of await dialog.getByRole("button").all()) await expect(button).toBeInViewport({ ratio: 1 });
    await expectNoSidewaysScroll(page);
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(actions).toBeFocused();
  }
  await page.getByRole("button", { name: "New token" }).click();
  await expect(page.getByRole("button", { name: "Create" })).toBeInViewport({ ratio: 1 });
  await page.keyboard.press("Escape");
  await page.getByLabel("Sort by").selectOption("Token");
  await expect(page).toHaveURL("/tokens?sort=hint&order=asc");
  await rowOf(page, hint).getByRole("checkbox").check();
  await expect(page.getByRole("button", { name: "Revoke selected (1)" })).toBeInViewport({ ratio: 1 });
});

test("the whole job is done by keyboard alone: sign in, create, copy, revoke, sign out", async ({ page, sandbox }) => {
  await allowClipboard(page);
  const keys = page.keyboard;
  await page.goto("/sign-in");
  await tabTo(page, page.getByLabel("Username"));
  await keys.type(nils);
  await keys.press("Tab");
  await expect(page.getByLabel("Password", { exact: true })).toBeFocused();
  await keys.type(passwordOf(nils));
  await tabTo(page, page.getByLabel("Platform ID"));
  await keys.type("aws80");
  await keys.press("Enter");
  await page.waitForURL("/tokens");

  await tabTo(page, page.getByRole("button", { name: "New token" }));
  await keys.press("Enter");
  await expect(page.getByLabel("Label")).toBeFocused();
  await keys.type("By keyboard");
  await tabTo(page, page.getByRole("button", { name: "Create" }));
  await keys.press("Space");
  const copy = page.getByRole("button", { name: "Copy token value" });
  await expect(copy).toBeFocused();
  await keys.press("Enter");
  await expect(page.getByText("Copied the value of")).toBeVisible();
  const [value = ""] = await sandbox.tokens(nils);
  expect(await clipboard(page)).toBe(value);
  // The focus stays inside the dialog.
  for (let press = 0; press < 8; press += 1) {
    await keys.press("Tab");
    await expect(page.getByRole("dialog").locator(":focus")).toHaveCount(1);
  }
  await tabTo(page, page.getByRole("button", { name: "Done" }));
  await keys.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.locator(":focus")).toBeVisible();

  await tabTo(page, page.getByRole("button", { name: `Actions for ${hintOf(value)}` }));
  await keys.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Reveal" })).toBeFocused();
  await keys.press("End");
  await expect(page.getByRole("menuitem", { name: "Revoke" })).toBeFocused();
  await keys.press("Enter");
  await expect(page.getByLabel("Last four characters")).toBeFocused();
  await paste(page, value);
  await keys.press("Enter");
  await expect(page.getByRole("dialog", { name: "Token revoked" })).toBeVisible();
  await keys.press("Enter");
  await expect(page.getByRole("heading", { name: "You have no API tokens" })).toBeVisible();
  expect(await sandbox.tokens(nils)).toEqual([]);

  await tabTo(page, page.getByRole("button", { name: /^User menu/ }), "Shift+Tab");
  await keys.press("Enter");
  await keys.press("End");
  await expect(page.getByRole("menuitem", { name: "Sign out" })).toBeFocused();
  await keys.press("Enter");
  await page.waitForURL("/sign-in?reason=signed-out");
});

test("who asks for less motion gets none that can be seen", async ({ app, page, sandbox }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await enter(page, app, ana);
  await page.evaluate(() => {
    const moving: string[] = [];
    Object.assign(window, { moving });
    for (const kind of ["animationstart", "transitionrun"] as const) {
      document.addEventListener(kind, (event) => {
        for (const animation of (event.target as Element).getAnimations()) {
          const { duration, iterations } = animation.effect?.getComputedTiming() ?? {};
          if (Number(duration) > 10 || iterations === Number.POSITIVE_INFINITY) {
            moving.push(`${(event.target as Element).className}: ${duration} ms, ${iterations} times`);
          }
        }
      });
    }
  });
  await sandbox.fault({ operation: "token.list", kind: "latency", ms: 500, count: 2 });
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Label").hover();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^User menu/ }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Accounts" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Accounts", exact: true })).toBeVisible();
  await page.getByRole("button", { name: /^RingForce/ }).click();
  expect(await page.evaluate(() => (window as unknown as { moving: string[] }).moving)).toEqual([]);
});
