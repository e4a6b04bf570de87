import { enter, expectGoodEverywhere } from "../browser.ts";
import { expect, test } from "../fixtures.ts";
import type { Visitor } from "../visitor.ts";

test.use({ appEnv: { OPS_USERS: "ana@example.com" } });

const ana = "ana@example.com";
const nils = "new@example.com";

async function create(visitor: Visitor, label: string): Promise<{ id: string; hint: string }> {
  const reply = await visitor.post("/api/tokens", { label, environment: "production", rotateBy: "2020-01-31" });
  expect(reply.status, reply.text).toBe(201);
  return reply.json<{ token: { id: string; hint: string } }>().token;
}

function revoke(visitor: Visitor, id: string, reason: string) {
  return visitor.send(`/api/tokens/${id}`, { method: "DELETE", body: { reason } });
}

test("a token's page tells what it is for and all that happened to it, newest first", async ({
  launch,
  newVisitor,
  page,
}) => {
  const app = await launch();
  const visitor = await newVisitor(app).signIn(nils);
  const { id, hint } = await create(visitor, "Wallboard");
  expect((await visitor.patch(`/api/tokens/${id}`, { usedIn: "wall-3", purpose: null })).status).toBe(200);
  expect((await visitor.post(`/api/tokens/${id}/reveal`)).status).toBe(200);
  await enter(page, app, nils, `${app.url}/tokens`);
  await page.getByRole("link", { name: hint }).first().click();
  await expect(page).toHaveURL(`${app.url}/tokens/${id}`);
  await expect(page).toHaveTitle("Token history · Tokendesk");
  await expect(page.getByRole("heading", { level: 1, name: "Wallboard", exact: true })).toBeVisible();
  const summary = page.getByRole("region", { name: "Summary" });
  await expect(summary).toContainText(nils);
  await expect(summary).toContainText("production");
  await expect(summary).toContainText("wall-3");
  await expect(summary).toContainText("Created here");
  await expect(summary).toContainText("Overdue");

  const history = page.getByRole("list", { name: "History" }).getByRole("listitem");
  await expect(history).toHaveCount(3);
  await expect(history.nth(0)).toContainText("Token reveal");
  await expect(history.nth(0)).toContainText(nils);
  await expect(history.nth(1)).toContainText("Token edit");
  await expect(history.nth(1)).toContainText("where used");
  await expect(history.nth(2)).toContainText("Token creation");

  expect((await revoke(visitor, id, "The wallboard is gone")).status).toBe(200);
  await page.reload();
  await expect(page.getByText("Revoked", { exact: true })).toBeVisible();
  await expect(summary).toContainText("Proven dead.");
  await expect(history).toHaveCount(4);
  await expect(history.nth(0)).toContainText("Token revocation");
  await expect(history.nth(0)).toContainText("Succeeded");
  await expect(history.nth(0)).toContainText("The wallboard is gone");

  await page.getByRole("link", { name: "Show in the audit log" }).click();
  await expect(page).toHaveURL(`${app.url}/audit?token=${id}`);
  await page.goBack();
  await page.getByRole("link", { name: "Tokens" }).last().click();
  await expect(page).toHaveURL(`${app.url}/tokens`);
});

test("a token from elsewhere was first seen, never created; and what nobody knows is explained", async ({
  launch,
  newVisitor,
  page,
  sandbox,
}) => {
  const app = await launch();
  const visitor = await newVisitor(app).signIn(ana);
  const [token] = await visitor.tokens();
  const id = token?.id ?? "";
  await sandbox.fault({ operation: "token.list", kind: "html502", count: -1, skip: 1 });
  expect((await revoke(visitor, id, "Leaked")).status).toBe(502);
  await sandbox.clearFaults();
  await enter(page, app, ana, `${app.url}/tokens/${id}`);
  await expect(page.getByRole("heading", { level: 1, name: "No label", exact: true })).toBeVisible();
  const history = page.getByRole("list", { name: "History" }).getByRole("listitem");
  const revocation = history.filter({ hasText: "Token revocation" }).filter({ hasText: "Unknown" });
  await expect(revocation).toContainText("Leaked");
  await expect(revocation).toContainText("The token may be alive: nothing proved it dead.");
  await expect(history.last()).toContainText("First seen");
  await expect(page.getByRole("main")).not.toContainText(/created/i);
});

test("ops look at any token of their main account; members at their own, and learn nothing of others", async ({
  launch,
  newVisitor,
  page,
}) => {
  const app = await launch({ env: { OPS_USERS: ana } });
  const { id } = await create(await newVisitor(app).signIn(nils), "Not yours");
  await enter(page, app, ana, `${app.url}/tokens/${id}`);
  await expect(page.getByRole("heading", { level: 1, name: "Not yours", exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "Summary" })).toContainText(nils);

  for (const somebody of ["password@example.com", "other@example.com"]) {
    await enter(page, app, somebody, `${app.url}/tokens/${id}`);
    await expect(page.getByRole("heading", { name: "Tokendesk does not know this token" })).toBeVisible();
    await expect(page.getByText("Not yours")).toHaveCount(0);
  }
  await page.goto(`${app.url}/tokens/${"%20".repeat(3)}`);
  await expect(page.getByRole("heading", { name: "Tokendesk does not know this token" })).toBeVisible();
  await page.getByRole("link", { name: "Go to your tokens" }).click();
  await expect(page).toHaveURL(`${app.url}/tokens`);
});

test("axe has nothing to say, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", async ({
  app,
  page,
  visitor,
}) => {
  await visitor.signIn(ana);
  const label = "A label that is as long as labels may be, so that it has to be cut off somewhere on a small screen";
  const { id } = await create(visitor, label);
  expect(
    (
      await visitor.patch(`/api/tokens/${id}`, {
        usedIn: "https://a-host-with-a-long-name.example.com/and/a/path/that/does/not/end",
      })
    ).status,
  ).toBe(200);
  await revoke(
    visitor,
    id,
    "A reason that is told in more than a few words, so that it needs more than one line on a phone",
  );
  await enter(page, app, ana, `/tokens/${id}`);
  await expectGoodEverywhere(page, "history");
  await page.goto("/tokens/nothing");
  await expect(page.getByRole("heading", { name: "Tokendesk does not know this token" })).toBeVisible();
  await expectGoodEverywhere(page, "history, not found");
});
