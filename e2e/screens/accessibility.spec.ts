import type { Locator } from "@playwright/test";
import { enter, expectGoodEverywhere, expectNoViolation, rows } from "../browser.ts";
import { expect, expectNoSidewaysScroll, submitSignIn, test } from "../fixtures.ts";

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

  test("of the menus", async ({ app, page }) => {
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
  });
});

test("in the system's own high-contrast colours, what is chosen and what can be pressed are told apart", async ({
  app,
  page,
}) => {
  await page.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
  await enter(page, app, ana);
  /** The colour behind it, or that of its edge: what sets it apart when there are no shadows. */
  const ground = (target: Locator) => target.evaluate((element) => getComputedStyle(element).backgroundColor);
  const edge = (target: Locator) =>
    target.evaluate((element) => {
      const { borderTopWidth, borderTopStyle } = getComputedStyle(element);
      return borderTopStyle === "solid" ? Number.parseFloat(borderTopWidth) : 0;
    });

  const place = (name: string) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name });
  expect(await ground(place("Tokens"))).not.toBe(await ground(place("Overview")));
  expect(await edge(page.getByRole("button", { name: "New token" }))).toBe(1);

  await rows(page).first().getByRole("checkbox").check();
  expect(await edge(page.getByRole("button", { name: "Revoke selected (1)" }))).toBe(1);
  await rows(page)
    .first()
    .getByRole("button", { name: /^Actions for/ })
    .click();
  expect(await edge(page.getByRole("menu"))).toBe(1);
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "Reveal" })).toBeFocused();
  const item = (name: string) => page.getByRole("menuitem", { name, exact: true });
  expect(await ground(item("Reveal"))).not.toBe(await ground(item("Edit")));
  await page.keyboard.press("Escape");

  await page.keyboard.press("ControlOrMeta+K");
  expect(await edge(page.getByRole("dialog"))).toBe(1);
  const chosen = page.getByRole("option", { selected: true });
  expect(await ground(chosen)).not.toBe(await ground(page.getByRole("option", { selected: false }).first()));
});
