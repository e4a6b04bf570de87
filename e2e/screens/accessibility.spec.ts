import {
  allowClipboard,
  choose,
  clipboard,
  enter,
  expectGoodEverywhere,
  expectNoViolation,
  paste,
  rowOf,
  rows,
  tabTo,
} from "../browser.ts";
import { expect, expectNoSidewaysScroll, narrow, submitSignIn, test } from "../fixtures.ts";
import { passwordOf } from "../sandbox.ts";
import { hintOf } from "../visitor.ts";

// Its pictures cost more than all the rest, and what axe says needs none.
test.use({ trace: "off" });

const ana = "ana@example.com";
const nils = "new@example.com";

test.describe("axe has nothing to say, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", () => {
  // Each state is looked at four times.
  test.describe.configure({ timeout: 90_000 });

  test("of sign-in, empty, refused and with a reason", async ({ page, problems }) => {
    problems.expect(/status of 401/);
    await page.goto("/sign-in?reason=expired");
    await expectGoodEverywhere(page, "sign-in with a reason");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert").filter({ hasText: "Fill in" })).toBeVisible();
    await expectGoodEverywhere(page, "sign-in with fields missing");
    await submitSignIn(page, `axe-${Date.now()}@example.com`, "wrong");
    await expect(page.getByRole("alert").filter({ hasText: "did not accept" })).toBeVisible();
    await expectGoodEverywhere(page, "sign-in refused");
  });

  test("of the tokens: none, some, selected, nothing found, refused", async ({ app, page, visitor }) => {
    await visitor.signIn(ana);
    const [token] = await visitor.tokens();
    const label = "A label that is as long as labels may be, so that it has to be cut off somewhere on a small screen";
    const patch = { label, purpose: label, environment: "production", rotateBy: "2020-01-31" };
    expect((await visitor.patch(`/api/tokens/${token?.id}`, patch)).status).toBe(200);
    await enter(page, app, ana);
    await expect(rows(page)).toHaveCount(3);
    await expectGoodEverywhere(page, "tokens");
    await rows(page).first().getByRole("checkbox").check();
    await expect(page.getByText("1 selected")).toBeVisible();
    await expectGoodEverywhere(page, "tokens, one selected");
    await page.goto("/tokens?q=nothing+of+that+name");
    await expect(page.getByRole("heading", { name: "No token matches" })).toBeVisible();
    await expectGoodEverywhere(page, "tokens, nothing found");
    await enter(page, app, nils);
    await expectGoodEverywhere(page, "tokens, none");
    await enter(page, app, "denied@example.com");
    await expect(page.getByRole("button", { name: "Retry" })).toBeVisible();
    await expectGoodEverywhere(page, "tokens, refused");
  });

  test("of a page of ten thousand tokens", async ({ app, page }) => {
    await enter(page, app, "many@example.com", "/tokens?size=25");
    await expect(rows(page)).toHaveCount(25);
    await expectGoodEverywhere(page, "one page of many tokens");
  });

  test("of the accounts and of an address without a page", async ({ app, page, problems }) => {
    problems.expect(/status of 404/);
    await enter(page, app, "many@example.com", "/accounts");
    await expect(page.getByText("Northwind Region 07", { exact: true })).toBeVisible();
    await expectGoodEverywhere(page, "accounts");
    await page.getByLabel("Search accounts").fill("no such account");
    await expect(page.getByRole("heading", { name: "No account matches" })).toBeVisible();
    await expectGoodEverywhere(page, "accounts, nothing found");
    await enter(page, app, "noaccounts@example.com", "/accounts");
    await expect(page.getByRole("heading", { name: "No account is visible to you" })).toBeVisible();
    await expectGoodEverywhere(page, "accounts, none");
    await page.goto("/no/such/page");
    await expectGoodEverywhere(page, "not found");
  });

  test("of the menus and of what loads", async ({ app, page, sandbox }) => {
    await enter(page, app, ana);
    await rows(page)
      .first()
      .getByRole("button", { name: /^Actions for/ })
      .click();
    await expect(page.getByRole("menuitem", { name: "Rotate" })).toBeVisible();
    await expectGoodEverywhere(page, "actions of a row");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Menu", exact: true }).click();
    await expect(page.getByRole("dialog", { name: "Menu" })).toBeVisible();
    await expectNoViolation(page, "menu");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^User menu/ }).click();
    await expect(page.getByRole("menuitem", { name: "Sign out" })).toBeVisible();
    await expectNoViolation(page, "menu");
    await expectNoSidewaysScroll(page);
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 1280, height: 780 });
    await page.getByRole("button", { name: /^User menu/ }).click();
    await expect(page.getByRole("menuitem", { name: "Sign out" })).toBeVisible();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectNoViolation(page, "menu");
    }
    await page.keyboard.press("Escape");

    await sandbox.fault({ operation: "accounts", kind: "latency", ms: 8_000 });
    await page.getByRole("link", { name: "Accounts" }).click();
    await expect(page.getByRole("status", { name: "Loading your accounts" })).toBeVisible();
    await expectGoodEverywhere(page, "accounts, loading");
    await expect(page.getByRole("status", { name: "Loading your accounts" })).toBeVisible();
  });

  test("of the dialogs that make a token", async ({ app, page, problems, sandbox }) => {
    problems.expect(/status of 502/);
    await enter(page, app, nils);
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByRole("button", { name: "Create" }).click();
    await expect(page.getByText("A label is needed")).toBeVisible();
    await expectGoodEverywhere(page, "new token, label missing");
    await page.getByLabel("Label").fill("Axe");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("button", { name: "Copy token value" }).waitFor();
    await expectGoodEverywhere(page, "token created");
    await page.getByRole("button", { name: "Done" }).click();
    await expect(page.getByText("Close without copying?")).toBeVisible();
    await expectGoodEverywhere(page, "close without copying");
    await page.getByRole("button", { name: "Close without copying" }).click();

    await sandbox.fault({ operation: "token.create", kind: "resetAfter" });
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel("Label").fill("Axe");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("dialog", { name: "Nobody knows whether a token was made" }).waitFor();
    await expectGoodEverywhere(page, "unconfirmed creation");
  });

  test("of the dialogs of a row", async ({ app, page, problems, sandbox }) => {
    problems.expect(/status of 502/);
    const [value = ""] = await sandbox.tokens(ana);
    const hint = hintOf(value);
    await enter(page, app, ana);
    await choose(page, hint, "Reveal");
    await page.getByRole("button", { name: "Reveal", exact: true }).click();
    await expect(page.getByText(value, { exact: true })).toBeVisible();
    await expectGoodEverywhere(page, "reveal");
    await page.getByRole("button", { name: "Hide and close" }).click();
    await choose(page, hint, "Edit");
    await expectGoodEverywhere(page, "edit");
    await page.getByRole("button", { name: "Cancel" }).click();
    await choose(page, hint, "Rotate");
    await expectGoodEverywhere(page, "rotate");
    await page.getByRole("button", { name: "Create the new one" }).click();
    await page.getByRole("dialog", { name: "New token created" }).waitFor();
    await expectGoodEverywhere(page, "rotated");
    await page.getByRole("button", { name: "Keep both for now" }).click();
    await page.getByRole("button", { name: "Close without copying" }).click();

    await sandbox.fault({ operation: "token.delete", kind: "false200" });
    await choose(page, hint, "Revoke");
    await expectGoodEverywhere(page, "revoke, not confirmed");
    await page.getByLabel("Last four characters").fill(value.slice(-4));
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByText("Not proven: the token may still be alive").waitFor();
    await expectGoodEverywhere(page, "revoke, not proven");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("dialog", { name: "Token revoked" }).waitFor();
    await expectGoodEverywhere(page, "revoked");
  });

  test("of the dialog that revokes what is selected", async ({ app, page, problems, sandbox }) => {
    problems.expect(/status of 502/);
    await enter(page, app, ana);
    await page.getByRole("checkbox", { name: "Select all on this page" }).check();
    await page.getByRole("button", { name: "Revoke selected" }).click();
    await page.getByRole("dialog").waitFor();
    await expectGoodEverywhere(page, "revoke selected");
    await sandbox.fault({ operation: "token.delete", kind: "false200" });
    await sandbox.fault({ operation: "token.delete", kind: "latency", ms: 8_000, skip: 1 });
    await page.getByLabel("Number of tokens").fill("3");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("dialog").getByRole("status")).toHaveText("1 of 3 done");
    await expectGoodEverywhere(page, "revoking selected");
    await page.getByRole("button", { name: "Stop" }).click();
    await expect(page.getByRole("dialog", { name: "Revocation finished" })).toBeVisible({ timeout: 12_000 });
    await expectGoodEverywhere(page, "revoked selected");
  });
});

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
  await expect(page.getByRole("heading", { level: 1, name: "Accounts" })).toBeVisible();
  await page.getByRole("button", { name: /^RingForce/ }).click();
  expect(await page.evaluate(() => (window as unknown as { moving: string[] }).moving)).toEqual([]);
});
