import type { Page } from "@playwright/test";
import { enter, expectGoodEverywhere, rowOf, rows } from "./browser.ts";
import { expect, test } from "./fixtures.ts";
import { startSandbox } from "./servers.ts";
import { hintOf } from "./visitor.ts";

const ana = "ana@example.com";
const other = "other@example.com";

/** Opens the menu of the connections with its key, and chooses with the arrows. */
async function chooseByKeys(page: Page, item: RegExp): Promise<void> {
  await page.keyboard.press("c");
  const menu = page.getByRole("menu");
  await expect(menu).toBeVisible();
  const wanted = menu.getByRole("menuitemradio", { name: item }).or(menu.getByRole("menuitem", { name: item }));
  for (let presses = 0; presses < 10; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Enter");
  await expect(menu).toHaveCount(0);
}

test("two accounts at two hosts: connected, one table, switched by keyboard, one of them down, disconnected", async ({
  sandbox,
  launch,
  page,
  problems,
}) => {
  test.slow();
  const second = await startSandbox();
  try {
    const there = second.control;
    const app = await launch({ env: { RINGCX_HOSTS: `${sandbox.url},${there.url}` } });
    const host = new URL(there.url).host;
    await enter(page, app, ana, `${app.url}/tokens`);
    await expect(rows(page)).toHaveCount(3);
    await expect(page.getByRole("columnheader", { name: "Connection" })).toHaveCount(0);

    await chooseByKeys(page, /^Connect RingCX account/);
    const dialog = page.getByRole("dialog", { name: "Connect RingCX account" });
    await dialog.getByLabel("Username").fill(other);
    await dialog.getByLabel("Password").fill("sandbox");
    await dialog.getByLabel("Platform ID").fill("aws80");
    await dialog.getByLabel("Host").selectOption(host);
    // The company would know the person by another name: they are asked, and the form is sent once more.
    await page.route("**/api/connections", (route) =>
      route.request().postDataJSON().linkConfirmed
        ? route.continue()
        : route.fulfill({
            ...{ status: 409, contentType: "application/problem+json" },
            body: JSON.stringify({
              ...{ code: "link_unconfirmed", title: "Another name", detail: "Another name.", requestId: "r" },
              ...{ identity: "ana@company.example", username: other },
            }),
          }),
    );
    problems.expect(/409/);
    await dialog.getByRole("button", { name: "Connect" }).click();
    await expect(dialog.getByRole("alert")).toContainText("ana@company.example");
    await dialog.getByRole("button", { name: `Yes, connect ${other}` }).click();
    await expect(dialog).toHaveCount(0);
    await page.unroute("**/api/connections");

    const card = page.getByRole("region", { name: "Connection", exact: true });
    await expect(card).toContainText(other);
    await expect(card).toContainText("444444");
    await expect(rows(page)).toHaveCount(5);
    await expect(page.getByRole("columnheader", { name: "Connection" })).toBeVisible();
    const [leaked = ""] = await there.tokens(other);
    await expect(rowOf(page, hintOf(leaked))).toContainText(other);

    await page.getByRole("combobox", { name: "Show tokens through" }).selectOption({ label: `${ana}, 333333` });
    await expect(rows(page)).toHaveCount(3);
    await page.getByRole("combobox", { name: "Show tokens through" }).selectOption({ label: "All connections" });
    await expect(rows(page)).toHaveCount(5);

    await page.getByRole("button", { name: "New token" }).click();
    const creation = page.getByRole("dialog", { name: "New token" });
    await expect(creation.getByLabel("Connection")).toContainText(other);
    await creation.getByLabel("Connection").selectOption({ index: 1 });
    await creation.getByLabel("Label").fill("Made at the first");
    await creation.getByRole("button", { name: "Create" }).click();
    await expect.poll(async () => (await sandbox.tokens(ana)).length).toBe(4);
    await page.getByRole("dialog", { name: "Token created" }).getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Close without copying" }).click();
    await expect(rowOf(page, "Made at the first")).toContainText(ana);

    await there.fault({ operation: "token.list", kind: "html502", count: -1 });
    await page.reload();
    const down = page.getByRole("region", { name: "Connections without an answer" });
    await expect(down).toContainText(`Tokens of ${other}, 444444 at ${host} are missing for now`);
    await expect(rows(page)).toHaveCount(4);
    await there.clearFaults();
    await down.getByRole("button", { name: `Retry ${other}` }).click();
    await expect(rows(page)).toHaveCount(6);
    await expect(down).toHaveCount(0);

    await page.getByRole("checkbox", { name: `Select ${hintOf(leaked)}` }).check();
    await rowOf(page, "Made at the first").getByRole("checkbox").check();
    await page.getByRole("button", { name: "Revoke selected (2)" }).click();
    const revocation = page.getByRole("dialog", { name: "Revoke 2 tokens" });
    await expect(revocation).toContainText("They are of several connections");
    await revocation.getByLabel("Number of tokens").fill("2");
    await revocation.getByRole("button", { name: "Revoke 2 tokens" }).click();
    const over = page.getByRole("dialog", { name: "Revocation finished" });
    await expect(over.getByRole("status")).toHaveText("2 tokens revoked or gone");
    expect(await there.tokens(other)).not.toContain(leaked);
    expect(await sandbox.tokens(ana)).toHaveLength(3);
    await over.getByRole("button", { name: "Done" }).click();
    await expect(rows(page)).toHaveCount(4);

    await page.getByRole("heading", { level: 1 }).click();
    await chooseByKeys(page, /^ana@example\.com/);
    await expect(card).toContainText("333333");
    await expect(page.getByRole("button", { name: "User menu, Ana Lima" })).toBeVisible();
    await expect(page).toHaveTitle(/^Tokens/);
    await expectGoodEverywhere(page, "the tokens of two connections");
    await page.setViewportSize({ width: 375, height: 740 });
    await page.getByRole("button", { name: "Menu", exact: true }).click();
    await page.getByRole("button", { name: /^Switch to other@example\.com/ }).click();
    await page.setViewportSize({ width: 1280, height: 780 });
    await expect(card).toContainText("444444");

    await page.goto(`${app.url}/settings#connections`);
    const section = page.getByRole("region", { name: "Connections" });
    await expectGoodEverywhere(page, "the settings of two connections");
    await page.setViewportSize({ width: 1280, height: 780 });
    await expect(section.getByRole("listitem").filter({ hasText: ana })).toContainText("Signed in through it");
    await section.getByRole("button", { name: `Disconnect ${other}` }).click();
    await page
      .getByRole("dialog", { name: `Disconnect ${other}?` })
      .getByRole("button", { name: "Disconnect" })
      .click();
    await expect(section.getByRole("listitem")).toHaveCount(1);
    await expect(card).toContainText("333333");
    expect((await there.journal("logout")).map(({ status }) => status)).toEqual([200]);
    expect(await sandbox.journal("logout")).toEqual([]);
  } finally {
    await second.stop();
  }
});
