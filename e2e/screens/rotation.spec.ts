import type { Locator, Page } from "@playwright/test";
import { allowClipboard, choose, enter, expectGoodEverywhere, rowOf, rows } from "../browser.ts";
import { expect, test } from "../fixtures.ts";
import type { Visitor } from "../visitor.ts";
import { hintOf } from "../visitor.ts";

const carl = "child1@example.com";

/** Carl's first token, with what is said of where it is used. */
async function described(visitor: Visitor) {
  await visitor.signIn(carl);
  const [token] = await visitor.tokens();
  const patch = { label: "IVR", usedIn: "ivr-1, crm\nnightly export", environment: "Production" };
  expect((await visitor.patch(`/api/tokens/${token?.id}`, patch)).status).toBe(200);
  return { id: token?.id ?? "", hint: token?.hint ?? "" };
}

const checklist = (page: Page) => page.getByRole("dialog", { name: "Replace the old token" });
const field = (dialog: Locator) => dialog.getByLabel("Revoke the old one on");

test("a token is rotated with overlap: the places are ticked off, a date is set, and the old one is revoked", async ({
  app,
  page,
  sandbox,
  visitor,
}) => {
  test.slow();
  const { hint } = await described(visitor);
  const old = (await sandbox.tokens(carl)).find((value) => hintOf(value) === hint) ?? "";
  await allowClipboard(page);
  await enter(page, app, carl);
  await choose(page, hint, "Rotate");
  await page.getByRole("button", { name: "Create the new one" }).click();
  const created = page.getByRole("dialog", { name: "New token created" });
  await created.getByRole("button", { name: "Copy token value" }).click();
  await created.getByRole("button", { name: "Go on to the checklist" }).click();

  const dialog = checklist(page);
  const successor = hintOf((await sandbox.tokens(carl)).at(-1) ?? "");
  await expect(dialog).toContainText(`${successor} replaces ${hint}, IVR. Both work until the old one is revoked.`);
  await expect(dialog).toContainText("RingCX does not say when a token was last used");
  const places = dialog.getByRole("group", { name: "Where the old one is used" });
  await expect(places.getByRole("checkbox")).toHaveCount(3);
  // Faster than any answer comes: the last state is the one that stays.
  for (const name of ["ivr-1", "nightly export"]) await places.getByRole("checkbox", { name }).check();
  await dialog.getByLabel("Another place").fill("lab");
  await page.keyboard.press("Enter");
  await places.getByRole("checkbox", { name: "lab" }).check();
  await dialog.getByLabel("Another place").fill("crm");
  await page.keyboard.press("Enter");
  await expect(dialog).toContainText("It is in the list already");
  await dialog.getByLabel("Another place").fill("");
  await expect(places.getByRole("status")).toHaveText("3 of 4 places done");

  await dialog.getByRole("button", { name: "Revoke at a date" }).click();
  await expect(field(dialog)).toBeFocused();
  await field(dialog).fill("2020-01-31T09:00");
  await dialog.getByRole("button", { name: "Set the date" }).click();
  await expect(dialog).toContainText("This is over.");
  const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  await field(dialog).fill(`${day}T09:00`);
  await expectGoodEverywhere(page, "rotation, choosing a date");
  await dialog.getByRole("button", { name: "Set the date" }).click();
  await expect(dialog).toContainText("To be revoked on");
  await expectGoodEverywhere(page, "rotation, planned");
  await page.setViewportSize({ width: 1280, height: 780 });
  await dialog.getByRole("button", { name: "Close" }).last().click();

  const row = (own: string) => rows(page).filter({ has: page.getByRole("button", { name: `Actions for ${own}` }) });
  await expect(row(hint)).toContainText("Being replaced, 3 of 4 places done");
  await expect(row(successor)).toContainText(`Replaces ${hint}`);
  await expectGoodEverywhere(page, "tokens being rotated");
  await page.setViewportSize({ width: 1280, height: 780 });

  await page.goto("/overview");
  const item = page.getByRole("region", { name: "Needs attention" }).getByRole("listitem").filter({ hasText: hint });
  await expect(item).toContainText("Rotation open");
  await expect(item).toContainText(`Being replaced by ${successor}, 3 of 4 places done. To be revoked on `);
  await item.getByRole("link", { name: "Continue it" }).click();
  await page.waitForURL(/\/tokens\?.*state=rotating/);
  await choose(page, hint, "Continue rotation");
  await expect(places.getByRole("checkbox", { name: "ivr-1" })).toBeChecked();
  await expect(places.getByRole("checkbox", { name: "crm" })).not.toBeChecked();
  await dialog.getByRole("button", { name: "Take the date back" }).click();
  await expect(dialog).not.toContainText("To be revoked on");
  expect(await sandbox.journal("token.delete")).toEqual([]);

  await dialog.getByRole("button", { name: "Revoke old now" }).click();
  const revoke = page.getByRole("dialog", { name: "Revoke token" });
  await expect(revoke).toContainText(hint);
  await revoke.getByLabel("Last four characters").fill(old.slice(-4));
  await revoke.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("dialog", { name: "Token revoked" }).getByRole("button", { name: "Done" }).click();
  await page.goto("/tokens");
  await expect(rowOf(page, successor)).not.toContainText("Replaces");
  await expect(rowOf(page, hint)).toHaveCount(0);
  expect(await sandbox.tokens(carl)).not.toContain(old);
});

test("both tokens can be kept for good", async ({ app, page, sandbox, visitor }) => {
  const { id, hint } = await described(visitor);
  expect((await visitor.post(`/api/tokens/${id}/rotate`, {})).status).toBe(201);
  await enter(page, app, carl);
  await page.getByRole("button", { name: `Replaces ${hint}` }).click();
  await checklist(page).getByRole("button", { name: "Keep both and end this rotation" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("Replaces", { exact: false })).toHaveCount(0);
  expect(await sandbox.journal("token.delete")).toEqual([]);
  expect((await visitor.get("/api/rotations")).json()).toEqual({ rotations: [] });
});
