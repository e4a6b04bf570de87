import type { Page } from "@playwright/test";
import { enter } from "../browser.ts";
import { expect, expectNoSidewaysScroll, narrow, test } from "../fixtures.ts";
import { hintOf } from "../visitor.ts";

const ana = "ana@example.com";
const parent = "parent@example.com";

test.use({ appEnv: { OPS_USERS: parent } });

/** Between a phone and a wide screen: a tablet upright and across, small laptops. */
const widths = [768, 900, 1024, 1280, 1440];

/** Asserts that every column of the page's tables is there to be read: not squeezed, not pushed out of its frame. */
async function expectRoomForColumns(page: Page, what: string): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(page);
    const squeezed = await page
      .getByRole("main")
      .getByRole("table")
      .evaluateAll((tables) => {
        const cells = tables.flatMap((table) => {
          const frame = (table.closest("section") ?? document.body).getBoundingClientRect();
          return [...table.querySelectorAll("th, td")].map((cell) => ({ cell, frame }));
        });
        return cells
          .filter(({ cell }) => cell.checkVisibility() && cell.textContent !== "")
          .filter(({ cell, frame }) => {
            const cut = [...cell.querySelectorAll("th *")].some(
              (part) => part.clientWidth > 1 && part.scrollWidth > part.clientWidth,
            );
            const outside = Math.ceil(cell.getBoundingClientRect().right) > Math.ceil(frame.right);
            return outside || cut || cell.clientWidth < 44 || cell.scrollWidth > cell.clientWidth;
          })
          .map(({ cell }) => `${cell.textContent}: ${cell.clientWidth} of ${cell.scrollWidth} px`);
      });
    expect(squeezed, `${what}, ${width} px`).toEqual([]);
  }
}

test("every column has its room at every width: tokens, those of two connections, the audit log, findings", async ({
  app,
  page,
  sandbox,
  visitor,
}) => {
  await (await visitor.signIn(parent)).tokens();
  await visitor.post("/api/tokens", { label: "IVR lookup", environment: "production", rotateBy: "2026-01-01" });
  await sandbox.addToken(parent);
  await enter(page, app, parent);
  await expect(page.getByText("Appeared", { exact: true })).toHaveCount(1);
  await expectRoomForColumns(page, "tokens");

  await page.goto("/audit");
  await expect(page.getByRole("button", { name: /^Token creation, event/ }).first()).toBeVisible();
  await expectRoomForColumns(page, "audit log");

  await page.goto("/incident");
  const [leaked = ""] = await sandbox.tokens(ana);
  const [own = ""] = await sandbox.tokens(parent);
  await page.getByLabel("Paste a token or any text that may hold one").fill(`${leaked}\n${own}`);
  await page.getByRole("button", { name: "Scan", exact: true }).click();
  await expect(page.getByRole("heading", { name: "2 tokens found" })).toBeVisible();
  await expect(page.getByText("2 more tokens of Ana Lima")).toBeVisible();
  await expectRoomForColumns(page, "findings");

  await page.goto("/settings");
  await page.getByRole("button", { name: "Connect RingCX account" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Username").fill(ana);
  await dialog.getByLabel("Password", { exact: true }).fill("sandbox");
  await dialog.getByLabel("Platform ID").fill("aws80");
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await page.goto("/tokens");
  await expect(page.getByText("333333, ").first()).toBeVisible();
  await expectRoomForColumns(page, "tokens of two connections");
});

test("the team's columns and sessions have their room at every width", async ({ app, page, newVisitor }) => {
  for (const username of ["child1@example.com", "child2@example.com"])
    await (await newVisitor().signIn(username)).tokens();
  await enter(page, app, parent, "/team");
  await expect(page.getByRole("cell", { name: "child2@example.com" }).first()).toBeVisible();
  await expectRoomForColumns(page, "team");
  const badge = page.getByText("This session", { exact: true });
  for (const width of [narrow.width, ...widths]) {
    await page.setViewportSize({ width, height: 900 });
    const cut = await badge.evaluate((element) => element.scrollWidth > element.clientWidth);
    expect(cut, `the badge of the session at ${width} px`).toBe(false);
  }
});

test.describe("with a finger, on a phone", () => {
  test.use({ viewport: narrow, hasTouch: true, isMobile: true });

  test("what is pressed often is 40 px high, and all tokens of the page are chosen at once", async ({
    app,
    page,
    sandbox,
    visitor,
  }) => {
    const values = await sandbox.tokens(ana);
    const [token] = await (await visitor.signIn(ana)).tokens();
    const label = "A label that is as long as labels may be, so that it has to be cut off somewhere on a small screen";
    await visitor.patch(`/api/tokens/${token?.id}`, { label });
    const hint = hintOf(values[0] ?? "");
    await enter(page, app, ana);
    const expectRoom = async (name: string, target: ReturnType<Page["locator"]>) => {
      await expect(target, name).toBeVisible();
      const box = await target.boundingBox();
      // What comes up grows a little on its way.
      expect(Math.round(Math.min(box?.height ?? 0, box?.width ?? 0)), name).toBeGreaterThanOrEqual(40);
    };
    await expectRoom("menu", page.getByRole("button", { name: "Menu", exact: true }));
    await page.getByRole("button", { name: "Menu", exact: true }).tap();
    await expectRoom("navigation", page.getByRole("link", { name: "Incident" }));
    await page.getByRole("button", { name: "Close menu" }).tap();
    const long = await page.getByRole("link", { name: label }).boundingBox();
    const beside = await page.getByRole("button", { name: `Actions for ${token?.hint}` }).boundingBox();
    expect((long?.x ?? 0) + (long?.width ?? 0), "a long label").toBeLessThanOrEqual(beside?.x ?? 0);
    await expectRoom("new token", page.getByRole("button", { name: "New token" }));
    await expectRoom("row actions", page.getByRole("button", { name: `Actions for ${hint}` }));
    await page.getByRole("button", { name: `Actions for ${hint}` }).tap();
    for (const item of ["Reveal", "Edit", "Rotate", "Revoke"]) {
      await expectRoom(item, page.getByRole("menuitem", { name: item, exact: true }));
    }
    await page.keyboard.press("Escape");
    const box = await page.getByRole("checkbox", { name: `Select ${hint}` }).boundingBox();
    // Beside it, where a thumb lands.
    await page.touchscreen.tap((box?.x ?? 0) - 6, (box?.y ?? 0) + 12);
    await expect(page.getByRole("button", { name: "Revoke selected (1)" })).toBeVisible();

    const all = page.getByRole("checkbox", { name: "Select all on this page" });
    const head = page.getByRole("columnheader").filter({ has: all });
    expect((await head.boundingBox())?.height, "one line").toBeLessThan(44);
    await all.tap();
    await expectNoSidewaysScroll(page);
    await expectRoom("revoke", page.getByRole("button", { name: `Revoke selected (${values.length})` }));
    await page.getByRole("button", { name: `Revoke selected (${values.length})` }).tap();
    await expectRoom("cancel", page.getByRole("button", { name: "Cancel" }));
    await expectRoom("confirm", page.getByRole("button", { name: `Revoke ${values.length} tokens` }));
    await page.getByRole("button", { name: "Cancel" }).tap();
    await all.tap();
    await expect(page.getByRole("button", { name: /^Revoke selected/ })).toHaveCount(0);
  });
});
