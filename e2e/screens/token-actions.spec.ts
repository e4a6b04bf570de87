import { allowClipboard, choose, clipboard, enter, everythingKept, paste, rowOf } from "../browser.ts";
import { expect, test } from "../fixtures.ts";
import { hintOf } from "../visitor.ts";

const carl = "child1@example.com";

/** A token that no other test knows, so that nothing is remembered of it. */
const newToken = test.extend<{ value: string; hint: string }>({
  value: async ({ sandbox, app, page }, use) => {
    const value = await sandbox.addToken(carl);
    await allowClipboard(page);
    await enter(page, app, carl);
    await use(value);
  },
  hint: async ({ value }, use) => {
    await use(hintOf(value));
  },
});

newToken(
  "a value is revealed only when it is confirmed, can be copied, and is hidden again",
  async ({ page, sandbox, value, hint }) => {
    await page.clock.install();
    await page.reload();
    await choose(page, hint, "Reveal");
    const dialog = page.getByRole("dialog", { name: "Reveal token" });
    await expect(dialog).toContainText("Shows the value on this screen for 30 seconds.");
    await expect(dialog).toContainText(hint);
    const listed = (await sandbox.journal("token.list")).length;
    expect(await everythingKept(page)).not.toContain(value);
    expect(await sandbox.journal("token.list")).toHaveLength(listed);

    const confirm = dialog.getByRole("button", { name: "Reveal", exact: true });
    await expect(confirm).toBeFocused();
    await confirm.click();
    const shown = dialog.getByText(value, { exact: true });
    await expect(shown).toBeVisible();
    await dialog.getByRole("button", { name: "Copy token value" }).click();
    await expect(dialog.getByRole("status")).toContainText("Copied the value of");
    expect(await clipboard(page)).toBe(value);

    await dialog.getByRole("button", { name: "Hide and close" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(page.getByRole("button", { name: `Actions for ${hint}` })).toBeFocused();
    expect(await everythingKept(page)).not.toContain(value);

    // Left alone, it goes by itself.
    await choose(page, hint, "Reveal");
    await expect(shown).toHaveCount(0);
    await confirm.click();
    await expect(shown).toBeVisible();
    await page.clock.fastForward(31_000);
    await expect(shown).toHaveCount(0);
    await expect(confirm).toBeVisible();
    expect(await everythingKept(page)).not.toContain(value);
  },
);

newToken(
  "what is said of a token is edited and cleared, and RingCX is asked for no change",
  async ({ page, sandbox, hint }) => {
    const row = rowOf(page, hint);
    await row.getByRole("button", { name: "Add label" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit token" });
    await dialog.getByLabel("Label").fill("Warehouse <b>&amp; “quotes”");
    await dialog.getByLabel("Environment").fill("staging");
    await dialog.getByLabel("Rotate by").fill("2020-01-31");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toHaveCount(0);
    await expect(row).toContainText("Warehouse <b>&amp; “quotes”");
    await expect(row).toContainText("staging");
    await expect(row).toContainText("31 Jan 2020");
    await expect(row).toContainText("Overdue");
    await expect(page.getByText("Saved", { exact: true })).toBeVisible();
    await page.reload();
    await expect(row).toContainText("Warehouse <b>&amp; “quotes”");

    await choose(page, hint, "Edit");
    await expect(dialog.getByLabel("Label")).toHaveValue("Warehouse <b>&amp; “quotes”");
    await dialog.getByLabel("Label").fill("");
    await dialog.getByLabel("Rotate by").fill("");
    await page.keyboard.press("Enter");
    await expect(dialog).toHaveCount(0);
    await expect(row).toContainText("No label");
    await expect(row).not.toContainText("Overdue");
    await expect(row).toContainText("staging");
    await expect(page.getByRole("button", { name: `Actions for ${hint}` })).toBeFocused();

    await choose(page, hint, "Edit");
    await dialog.getByLabel("Label").fill("thrown away");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await expect(row).toContainText("No label");
    const effects = (await sandbox.journal()).filter(({ effect, operation }) => effect && operation !== "login");
    expect(effects).toEqual([]);
  },
);

newToken(
  "a rotation makes a second token, shows its value, and the old one lives until it is revoked",
  async ({ page, sandbox, value, hint }) => {
    await choose(page, hint, "Rotate");
    const form = page.getByRole("dialog", { name: "Rotate token" });
    await expect(form).toContainText("The old one keeps working.");
    await form.getByLabel("Label").fill("Successor");
    await form.getByRole("button", { name: "Create the new one" }).dblclick();

    const created = page.getByRole("dialog", { name: "New token created" });
    await expect(created).toContainText("which still works");
    expect(await sandbox.journal("token.create")).toHaveLength(1);
    const values = await sandbox.tokens(carl);
    expect(values).toContain(value);
    const successor = values.at(-1) ?? "";
    await expect(created.getByText(successor, { exact: true })).toBeVisible();
    await created.getByRole("button", { name: "Revoke the old one now" }).click();
    await expect(created.getByText("Close without copying?")).toBeVisible();
    await created.getByRole("button", { name: "Go back" }).click();
    await created.getByRole("button", { name: "Copy token value" }).click();
    await expect(created.getByRole("status")).toContainText("Copied the value of");
    expect(await clipboard(page)).toBe(successor);
    await created.getByRole("button", { name: "Revoke the old one now" }).click();

    const revoke = page.getByRole("dialog", { name: "Revoke token" });
    await expect(revoke).toContainText(hint);
    expect(await everythingKept(page)).not.toContain(successor.slice(6, -4));
    await revoke.getByLabel("Last four characters").fill(value.slice(-4));
    await revoke.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByRole("dialog", { name: "Token revoked" }).getByRole("button", { name: "Done" }).click();
    await expect(rowOf(page, hint)).toHaveCount(0);
    await expect(rowOf(page, hintOf(successor))).toContainText("Successor");
    expect(await sandbox.tokens(carl)).not.toContain(value);
    expect(await sandbox.tokens(carl)).toContain(successor);
  },
);

newToken("both tokens of a rotation may be kept for now", async ({ page, sandbox, value, hint }) => {
  await choose(page, hint, "Rotate");
  await page.getByRole("button", { name: "Create the new one" }).click();
  const created = page.getByRole("dialog", { name: "New token created" });
  await created.getByRole("button", { name: "Copy token value" }).click();
  await created.getByRole("button", { name: "Keep both for now" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(rowOf(page, hint).first()).toBeVisible();
  const values = await sandbox.tokens(carl);
  expect(values).toContain(value);
  await expect(rowOf(page, hintOf(values.at(-1) ?? ""))).toContainText(`Successor of ${hint}`);
});

newToken(
  "a token is revoked after its last four are given, with a proof, and its row goes",
  async ({ page, sandbox, value, hint }) => {
    await choose(page, hint, "Revoke");
    const dialog = page.getByRole("dialog", { name: "Revoke token" });
    await expect(dialog).toContainText("This cannot be undone.");
    const last = dialog.getByLabel("Last four characters");
    const revoke = dialog.getByRole("button", { name: "Revoke", exact: true });
    await expect(last).toBeFocused();
    await expect(revoke).toHaveAttribute("aria-disabled", "true");
    await expect(revoke).toHaveAccessibleDescription(`Type ${value.slice(-4)} to go on`);
    await last.fill("zzzz");
    await page.keyboard.press("Enter");
    await revoke.click({ force: true });
    await expect(revoke).toHaveAttribute("aria-disabled", "true");
    expect(await sandbox.journal("token.delete")).toEqual([]);

    // The whole value, from where it was used, confirms too, and does not stay on the screen.
    await last.fill("");
    await last.focus();
    await paste(page, value);
    await expect(last).toHaveValue(value.slice(-4));
    await expect(revoke).not.toHaveAttribute("aria-disabled");
    await revoke.dblclick();

    const done = page.getByRole("dialog", { name: "Token revoked" });
    await expect(done).toContainText(`${hint} is dead`);
    await expect(done.getByRole("status")).toContainText("RingCX refused the token itself, checked ");
    expect(await sandbox.tokens(carl)).not.toContain(value);
    expect(await sandbox.journal("token.delete")).toHaveLength(1);
    await expect(done.getByRole("button", { name: "Done" })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(rowOf(page, hint)).toHaveCount(0);
    await expect(page.getByRole("heading", { level: 1, name: "Tokens", exact: true })).toBeFocused();
    await page.reload();
    await expect(rowOf(page, hint)).toHaveCount(0);
  },
);

for (const { what, fault, says } of [
  {
    what: "answers that it deleted nothing",
    fault: { kind: "false200" },
    says: "RingCX answered that it did not delete this token.",
  },
  {
    what: "sends a gateway's page",
    fault: { kind: "html502", count: -1 },
    says: "RingCX did not confirm the deletion",
  },
]) {
  newToken(
    `when RingCX ${what}, the token is not called revoked, and trying again works`,
    async ({ page, problems, sandbox, value, hint }) => {
      problems.expect(/status of 502/);
      await sandbox.fault({ operation: "token.delete", ...fault });
      await choose(page, hint, "Revoke");
      const dialog = page.getByRole("dialog", { name: "Revoke token" });
      await dialog.getByLabel("Last four characters").fill(value.slice(-4).toUpperCase());
      await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
      const alert = dialog.getByRole("alert");
      await expect(alert).toContainText("Not proven: the token may still be alive");
      await expect(alert).toContainText(says);
      await expect(alert).toContainText(/Treat (it|this token) as alive and try again\./);
      await expect(alert).toContainText("Trying again is safe.");
      expect(await sandbox.tokens(carl)).toContain(value);
      await expect(page.getByRole("dialog", { name: "Token revoked" })).toHaveCount(0);
      await sandbox.clearFaults();
      await dialog.getByRole("button", { name: "Try again" }).click();
      await expect(page.getByRole("dialog", { name: "Token revoked" })).toBeVisible();
      expect(await sandbox.tokens(carl)).not.toContain(value);
    },
  );
}

newToken(
  "when the answer to a deletion is lost, what the proof says is said",
  async ({ page, sandbox, value, hint }) => {
    await sandbox.fault({ operation: "token.delete", kind: "resetAfter" });
    await choose(page, hint, "Revoke");
    await page.getByLabel("Last four characters").fill(value.slice(-4));
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    const done = page.getByRole("dialog", { name: "Token revoked" });
    await expect(done.getByRole("status")).toContainText("Proven");
    expect(await sandbox.tokens(carl)).not.toContain(value);
  },
);

newToken(
  "a token that vanished meanwhile is said to be gone, and so are the others that fail",
  async ({ page, problems, sandbox, value, hint }) => {
    problems.expect(/status of 404/);
    await choose(page, hint, "Reveal");
    await sandbox.control("DELETE", "tokens", { value });
    const dialog = page.getByRole("dialog", { name: "Reveal token" });
    await dialog.getByRole("button", { name: "Reveal", exact: true }).click();
    await expect(dialog.getByRole("alert")).toContainText("This token is not in your list");
    await expect(dialog.getByRole("alert")).toContainText("The page behind this shows what is there now.");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await expect(rowOf(page, hint)).toHaveCount(0);
  },
);
