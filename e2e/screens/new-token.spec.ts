import type { Sandbox } from "../../test/sandbox-control.ts";
import { allowClipboard, clipboard, enter, everythingKept, rowOf } from "../browser.ts";
import { expect, submitSignIn, test } from "../fixtures.ts";
import { hintOf } from "../visitor.ts";

const nils = "new@example.com";

async function onlyToken(sandbox: Sandbox): Promise<string> {
  const values = await sandbox.tokens(nils);
  expect(values).toHaveLength(1);
  return values[0] ?? "";
}

test("a new token needs a label, shows its value once with Copy, and after that the value is nowhere", async ({
  app,
  page,
  sandbox,
}) => {
  await allowClipboard(page);
  await enter(page, app, nils);
  await page.getByRole("button", { name: "New token" }).click();
  const form = page.getByRole("dialog", { name: "New token" });
  const label = form.getByLabel("Label");
  await expect(label).toBeFocused();
  await label.fill("   ");
  await form.getByRole("button", { name: "Create" }).click();
  await expect(label).toHaveAttribute("aria-invalid", "true");
  await expect(label).toHaveAccessibleDescription(/A label is needed/);
  expect(await sandbox.journal("token.create")).toEqual([]);

  await label.fill("Nightly export");
  await form.getByLabel("Purpose").fill("CRM sync");
  await form.getByLabel("Environment").fill("production");
  await form.getByLabel("Rotate by").fill("2031-05-17");
  await form.getByRole("button", { name: "Create" }).click();

  const created = page.getByRole("dialog", { name: "Token created" });
  await expect(created).toContainText("Nightly export");
  const value = await onlyToken(sandbox);
  await expect(created.getByText(value, { exact: true })).toBeVisible();
  await expect(created).toContainText("It never expires: it works until someone revokes it.");
  const copy = created.getByRole("button", { name: "Copy token value" });
  await expect(copy).toBeFocused();
  await copy.click();
  await expect(created.getByRole("status")).toContainText("Copied the value of");
  expect(await clipboard(page)).toBe(value);
  await created.getByRole("button", { name: "Done" }).click();

  await expect(page.getByRole("dialog")).toHaveCount(0);
  const row = rowOf(page, hintOf(value));
  await expect(row).toContainText("Nightly export");
  await expect(row).toContainText("production");
  await expect(row).toContainText("17 May 2031");
  expect(await everythingKept(page)).not.toContain(value.slice(6, -4));
  await page.reload();
  await expect(row).toBeVisible();
  expect(await everythingKept(page)).not.toContain(value.slice(6, -4));
});

test("a label that is missing takes the focus", async ({ app, page }) => {
  await enter(page, app, nils);
  await page.getByRole("button", { name: "New token" }).click();
  const form = page.getByRole("dialog", { name: "New token" });
  await form.getByRole("button", { name: "Create" }).click();
  await expect(form.getByText("A label is needed")).toBeVisible();
  await expect(form.getByLabel("Label")).toBeFocused();
});

test("closing before the value is copied asks first, whichever way it is closed", async ({ app, page, sandbox }) => {
  await enter(page, app, "parent@example.com");
  const opener = page.getByRole("button", { name: "New token" });
  await opener.click();
  await page.getByLabel("Label").fill("Never copied");
  await page.keyboard.press("Enter");
  const created = page.getByRole("dialog", { name: "Token created" });
  await expect(created).toBeVisible();
  const value = (await sandbox.tokens("parent@example.com")).at(-1) ?? "";
  await expect(created.getByText(value, { exact: true })).toBeVisible();

  const question = created.getByRole("alert").filter({ hasText: "Close without copying?" });
  for (const close of [
    () => page.keyboard.press("Escape"),
    () => created.getByRole("button", { name: "Close", exact: true }).click(),
    () => created.getByRole("button", { name: "Done" }).click(),
  ]) {
    await close();
    await expect(question).toBeVisible();
    await expect(question.getByRole("button", { name: "Go back" })).toBeFocused();
    await question.getByRole("button", { name: "Go back" }).click();
    await expect(question).toHaveCount(0);
    await expect(created.getByText(value, { exact: true })).toBeVisible();
  }
  // A press beside the dialog loses nothing.
  await page.mouse.click(8, 8);
  await expect(created).toBeVisible();
  await page.keyboard.press("Escape");
  await question.getByRole("button", { name: "Close without copying" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(opener).toBeFocused();
});

test("a double click on Create makes one token", async ({ app, page, sandbox }) => {
  await sandbox.hold("token.create");
  await enter(page, app, nils);
  await page.getByRole("button", { name: "New token" }).click();
  const form = page.getByRole("dialog", { name: "New token" });
  await form.getByLabel("Label").fill("Only one");
  await form.getByRole("button", { name: "Create" }).dblclick();
  await expect(form.getByRole("button", { name: "Asking RingCX" })).toHaveAttribute("aria-busy", "true");
  await page.keyboard.press("Enter");
  // What was asked is not to be walked away from.
  await page.keyboard.press("Escape");
  await expect(form).toBeVisible();
  await sandbox.clearFaults();
  await expect(page.getByRole("dialog", { name: "Token created" })).toBeVisible();
  expect(await sandbox.journal("token.create")).toMatchObject([{ effect: true }]);
});

test("a creation whose answer is lost is not called a success or a failure, and names what appeared", async ({
  app,
  page,
  problems,
  sandbox,
}) => {
  problems.expect(/status of 502/);
  await enter(page, app, nils);
  await sandbox.fault({ operation: "token.create", kind: "resetAfter" });
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Label").fill("Lost on the way");
  await page.getByRole("button", { name: "Create" }).click();
  const dialog = page.getByRole("dialog", { name: "Nobody knows whether a token was made" });
  await expect(dialog).toBeVisible();
  const value = await onlyToken(sandbox);
  await expect(dialog.getByRole("alert")).toContainText("RingCX did not confirm the new token");
  await expect(dialog.getByRole("heading", { name: "One token appeared in your list meanwhile" })).toBeVisible();
  await expect(dialog.getByRole("listitem")).toContainText(hintOf(value));
  expect(await everythingKept(page)).not.toContain(value.slice(6, -4));
  await dialog.getByRole("button", { name: "Refresh the list" }).click();
  await expect(rowOf(page, hintOf(value))).toBeVisible();
  expect(await sandbox.journal("token.create")).toHaveLength(1);
});

test("a refused creation keeps what was typed and says that nothing was created", async ({
  app,
  page,
  problems,
  sandbox,
}) => {
  problems.expect(/status of 503/);
  await enter(page, app, nils);
  await page.getByRole("button", { name: "New token" }).click();
  const form = page.getByRole("dialog", { name: "New token" });
  await form.getByLabel("Label").fill("Patience");
  await form.getByLabel("Purpose").fill("Typed with care");
  await sandbox.fault({ operation: "token.list", kind: "html502", count: -1 });
  await form.getByRole("button", { name: "Create" }).click();
  await expect(form.getByRole("alert")).toContainText("RingCX is not available");
  await expect(form.getByLabel("Label")).toHaveValue("Patience");
  await expect(form.getByLabel("Purpose")).toHaveValue("Typed with care");
  await sandbox.clearFaults();
  await form.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("dialog", { name: "Token created" })).toBeVisible();
  expect(await sandbox.journal("token.create")).toHaveLength(1);
});

test("a session that ends in the middle loses nothing: sign in again in a new tab, come back, Create", async ({
  app,
  page,
  problems,
  sandbox,
}) => {
  problems.expect(/status of 401/);
  await enter(page, app, nils);
  await page.getByRole("button", { name: "New token" }).click();
  const form = page.getByRole("dialog", { name: "New token" });
  await form.getByLabel("Label").fill("IVR lookup");
  await form.getByLabel("Purpose").fill("Typed before the session ended");
  await form.getByLabel("Rotate by").fill("2031-05-17");
  await sandbox.endSessions(nils);
  await sandbox.expireAccessTokens();
  await form.getByRole("button", { name: "Create" }).click();

  const alert = form.getByRole("alert");
  await expect(alert).toContainText("Your session has ended");
  await expect(alert).toContainText("What you typed stays here.");
  await expect(form.getByLabel("Label")).toHaveValue("IVR lookup");
  const opened = page.context().waitForEvent("page");
  await alert.getByRole("link", { name: "Sign in again in a new tab" }).click();
  const tab = await opened;
  await expect(tab.getByRole("status")).toContainText("Your session has ended.");
  await submitSignIn(tab, nils);
  await tab.waitForURL("/tokens");
  await expect(tab.getByRole("heading", { name: "You have no API tokens" })).toBeVisible();
  await tab.close();

  await expect(form.getByLabel("Label")).toHaveValue("IVR lookup");
  await expect(form.getByLabel("Purpose")).toHaveValue("Typed before the session ended");
  await expect(form.getByLabel("Rotate by")).toHaveValue("2031-05-17");
  await form.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("dialog", { name: "Token created" })).toBeVisible();
  const value = await onlyToken(sandbox);
  await expect(page.getByText(value, { exact: true })).toBeVisible();
});
