import { choose, enter, expectGoodEverywhere } from "../browser.ts";
import { expect, test } from "../fixtures.ts";
import { hintOf } from "../visitor.ts";

// Its pictures cost more than all the rest, and what axe says needs none.
test.use({ trace: "off" });

const ana = "ana@example.com";
const nils = "new@example.com";

test.describe("axe has nothing to say, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", () => {
  // Each state is looked at four times.
  test.describe.configure({ timeout: 90_000 });

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

  test("of the dialog that revokes what is selected", async ({ app, page, sandbox }) => {
    await enter(page, app, ana);
    await page.getByRole("checkbox", { name: "Select all on this page" }).check();
    await page.getByRole("button", { name: "Revoke selected" }).click();
    await page.getByRole("dialog").waitFor();
    await expectGoodEverywhere(page, "revoke selected");
    await sandbox.hold("token.delete", { skip: 2 });
    await page.getByLabel("Number of tokens").fill("3");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("dialog").getByRole("status")).toHaveText("2 of 3 done");
    await expectGoodEverywhere(page, "revoking selected");
    await sandbox.clearFaults();
    await expect(page.getByRole("dialog", { name: "Revocation finished" })).toBeVisible({ timeout: 20_000 });
    await expectGoodEverywhere(page, "revoked selected");
  });
});
