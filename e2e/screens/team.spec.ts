import type { Page } from "@playwright/test";
import { choose, enter, expectGoodEverywhere, rowOf, rows } from "../browser.ts";
import { test as base, expect } from "../fixtures.ts";
import type { App } from "../servers.ts";
import { hintOf, type Visitor } from "../visitor.ts";

const ana = "ana@example.com";
const pia = "password@example.com";

/** A dashboard that has seen nobody's list yet, where Ana is ops, and Pia, who has been there once. */
const test = base.extend<{ desk: App; member: Visitor }>({
  desk: async ({ launch }, use) => {
    await use(await launch({ env: { OPS_USERS: ana } }));
  },
  member: async ({ desk, newVisitor }, use) => {
    const visitor = await newVisitor(desk).signIn(pia);
    await visitor.tokens();
    await use(visitor);
  },
});

/** As Ana, who has looked at her own list. */
async function enterTeam(page: Page, desk: App, query = ""): Promise<void> {
  await enter(page, desk, ana, `${desk.url}/tokens`);
  await page.goto(`${desk.url}/team${query}`);
  await expect(page.getByRole("heading", { level: 1, name: "Team", exact: true })).toBeVisible();
}

const views = (page: Page) => page.getByRole("navigation", { name: "Views" });

test("a member has no way to the team, and is told so calmly; the API refuses as well", async ({
  desk,
  page,
  member,
}) => {
  await enter(page, desk, pia, `${desk.url}/team`);
  await expect(page.getByRole("heading", { name: "This page is for operations" })).toBeVisible();
  const main = page.getByRole("navigation", { name: "Main" });
  await expect(main.getByRole("link", { name: "Overview" })).toBeVisible();
  await expect(main.getByRole("link", { name: "Team" })).toHaveCount(0);
  await page.getByRole("link", { name: "Go to your tokens" }).click();
  await page.waitForURL(`${desk.url}/tokens`);
  const [token] = await member.tokens();
  expect((await member.post("/api/team/orders", { tokenId: token?.id })).status).toBe(403);
});

test("ops see everybody's tokens of their main account and of no other", async ({
  desk,
  member,
  newVisitor,
  page,
  sandbox,
}) => {
  expect(await member.tokens()).toHaveLength(1);
  const stranger = await newVisitor(desk).signIn("other@example.com");
  await stranger.tokens();
  const [theirs = ""] = await sandbox.tokens("other@example.com");
  await enter(page, desk, ana, `${desk.url}/tokens`);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Team" }).click();
  await page.waitForURL(`${desk.url}/team`);
  await expect(rows(page)).toHaveCount(4);
  const [piasValue = ""] = await sandbox.tokens(pia);
  const row = rowOf(page, hintOf(piasValue));
  await expect(row).toContainText("No label");
  await expect(row).toContainText("Needs owner sign-in");
  const [own = ""] = await sandbox.tokens(ana);
  await expect(rowOf(page, hintOf(own))).toContainText("Can be revoked now");
  await expect(rowOf(page, hintOf(theirs))).toHaveCount(0);
  await row.getByRole("link", { name: hintOf(piasValue) }).click();
  await page.waitForURL(/\/tokens\/[\w-]+$/);
});

test("views, owners, search, order and pages stand in the address, and Back undoes them", async ({
  desk,
  member,
  page,
}) => {
  for (let number = 1; number <= 30; number += 1) {
    const rotateBy = number === 7 ? { rotateBy: "2020-02-02" } : {};
    // The search looks at hints, too, where any digits may stand.
    const label = number === 12 ? "Job twelve" : `Job ${number}`;
    expect((await member.post("/api/tokens", { label, ...rotateBy })).status).toBe(201);
  }
  await enterTeam(page, desk, "?size=25");
  await expect(rows(page)).toHaveCount(25);
  const pagination = page.getByRole("navigation", { name: "Pagination" });
  await pagination.getByRole("button", { name: "Next page" }).click();
  await expect(page).toHaveURL(`${desk.url}/team?page=2&size=25`);
  await expect(pagination).toContainText("26–34 of 34");

  await views(page)
    .getByRole("link", { name: /^Overdue/ })
    .click();
  await expect(page).toHaveURL(`${desk.url}/team?view=overdue&size=25`);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText("Job 7");
  await expect(rows(page)).toContainText("Overdue");
  await expect(views(page).getByRole("link", { name: /^Overdue/ })).toHaveAttribute("aria-current", "page");
  await expect(views(page).getByRole("link", { name: /^Unlabelled/ })).toContainText("4");
  await page.goBack();
  await expect(pagination).toContainText("26–34 of 34");

  await page.getByLabel("Owner", { exact: true }).selectOption({ label: "Ana Lima (3)" });
  await expect(rows(page)).toHaveCount(3);
  await page.getByLabel("Owner", { exact: true }).selectOption("All owners");
  await page.getByLabel("Search team tokens").fill("job twelve");
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(/q=job\+twelve/);
  await page.getByLabel("Search team tokens").fill("no such token");
  await expect(page.getByRole("heading", { name: "No token matches" })).toBeVisible();
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(rows(page)).toHaveCount(25);

  const head = page.getByRole("columnheader", { name: "Rotate by" });
  await head.getByRole("button").click();
  await expect(head).toHaveAttribute("aria-sort", "ascending");
  await expect(rows(page).first()).toContainText("Job 7");
});

test("an ordered revocation waits for its owner, and is carried out and proven when its list is read", async ({
  desk,
  member,
  page,
  sandbox,
}) => {
  const [value = ""] = await sandbox.tokens(pia);
  const hint = hintOf(value);
  await enterTeam(page, desk);
  await choose(page, hint, "Order revocation");
  const dialog = page.getByRole("dialog", { name: "Order revocation" });
  await expect(dialog).toContainText(hint);
  await expect(dialog).toContainText("Needs owner sign-in");
  const confirm = dialog.getByRole("button", { name: "Order revocation" });
  await expect(confirm).toHaveAttribute("aria-disabled", "true");
  await expect(confirm).toHaveAccessibleDescription(`Type ${value.slice(-4)} to go on`);
  await dialog.getByLabel("Last four characters").fill(value.slice(-4));
  await dialog.getByLabel("Reason").fill("Left the project");
  await confirm.dblclick();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("button", { name: `Actions for ${hint}` })).toBeFocused();
  await expect(rowOf(page, hint)).toContainText("Revocation ordered");
  await views(page)
    .getByRole("link", { name: /^Revocation ordered/ })
    .click();
  await expect(rows(page)).toHaveCount(1);
  expect(await sandbox.tokens(pia)).toContain(value);

  await member.tokens();
  await expect.poll(() => sandbox.tokens(pia)).not.toContain(value);
  await expect(async () => {
    await page.goto(`${desk.url}/team?view=gone`);
    await expect(rowOf(page, hint)).toContainText("Revoked", { timeout: 500 });
  }).toPass();
  await views(page)
    .getByRole("link", { name: /^Revocation ordered/ })
    .click();
  await expect(page.getByRole("heading", { name: "No token here" })).toBeVisible();
});

test("an order that RingCX does not carry out stays, and its owner sees who ordered it and what went wrong", async ({
  desk,
  member,
  page,
  sandbox,
}) => {
  const [value = ""] = await sandbox.tokens(pia);
  const hint = hintOf(value);
  const [token] = await member.tokens();
  await enterTeam(page, desk);
  const ordered = await page.request.post(`${desk.url}/api/team/orders`, {
    data: { tokenId: token?.id },
    headers: { origin: desk.origin },
  });
  expect(ordered.status()).toBe(201);
  await sandbox.fault({ operation: "token.delete", kind: "false200" });
  await member.tokens();
  await expect.poll(async () => (await sandbox.journal("token.delete")).length).toBe(1);
  await expect(async () => {
    await page.goto(`${desk.url}/team?view=ordered`);
    await expect(rowOf(page, hint)).toContainText("did not delete this token", { timeout: 500 });
  }).toPass();
  await enter(page, desk, pia, `${desk.url}/tokens`);
  await expect(rowOf(page, hint)).toContainText("Ordered to be revoked by Ana Lima. The last try: ");
  await expect(rowOf(page, hint)).toContainText("did not delete this token");
  await page.getByLabel("Show tokens that are").selectOption("Ordered to be revoked");
  await expect(page).toHaveURL(`${desk.url}/tokens?state=ordered`);
  await expect(rows(page)).toHaveCount(1);
});

test("an order can be cancelled before it is carried out, and then nothing happens", async ({
  desk,
  member,
  page,
  sandbox,
}) => {
  const [value = ""] = await sandbox.tokens(pia);
  const hint = hintOf(value);
  const [token] = await member.tokens();
  await enterTeam(page, desk);
  await page.request.post(`${desk.url}/api/team/orders`, {
    data: { tokenId: token?.id, reason: "By mistake" },
    headers: { origin: desk.origin },
  });
  await page.reload();
  await choose(page, hint, "Cancel order");
  const dialog = page.getByRole("dialog", { name: "Cancel the order" });
  await expect(dialog).toContainText("Ordered by Ana Lima");
  await expect(dialog).toContainText("By mistake");
  await expect(dialog.getByRole("button", { name: "Keep the order" })).toBeFocused();
  await dialog.getByRole("button", { name: "Cancel order" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(rowOf(page, hint)).not.toContainText("Revocation ordered");
  await member.tokens();
  await page.reload();
  await expect(rowOf(page, hint)).toContainText("Needs owner sign-in");
  expect(await sandbox.tokens(pia)).toContain(value);
  expect(await sandbox.journal("token.delete")).toEqual([]);
});

test("one's own token is not ordered to be revoked but leads to one's own list", async ({ desk, page, sandbox }) => {
  const [value = ""] = await sandbox.tokens(ana);
  const hint = hintOf(value);
  await enter(page, desk, ana, `${desk.url}/tokens`);
  await page.goto(`${desk.url}/team`);
  await page.getByRole("button", { name: `Actions for ${hint}` }).click();
  await expect(page.getByRole("menuitem", { name: "Order revocation" })).toHaveCount(0);
  await page.getByRole("menuitem", { name: "Yours: revoke it in Tokens" }).click();
  await page.waitForURL(/\/tokens\?q=/);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(hint);
});

test("coverage says how many lists were seen of how many admins, and who was never seen", async ({
  launch,
  newVisitor,
  page,
}) => {
  const desk = await launch({ env: { OPS_USERS: "parent@example.com" } });
  await (await newVisitor(desk).signIn("child1@example.com")).tokens();
  await enter(page, desk, "parent@example.com", `${desk.url}/tokens`);
  await page.goto(`${desk.url}/team`);
  const coverage = page.getByRole("region", { name: "Coverage" });
  const meter = coverage.getByRole("meter", { name: "Admins whose tokens were seen" });
  await expect(coverage).toContainText("2 of 4 admins seen, oldest look today");
  await expect(meter).toHaveAttribute("value", "2");
  await expect(meter).toHaveAttribute("max", "4");
  await coverage.getByText("2 admins never seen").click();
  await expect(coverage.getByRole("listitem")).toHaveText([/Cora/, /Gina/]);
});

test("where RingCX keeps its list of users to itself, coverage says so and names no number", async ({
  launch,
  page,
}) => {
  const desk = await launch({ env: { OPS_USERS: "child1@example.com" } });
  await enter(page, desk, "child1@example.com", `${desk.url}/team`);
  const coverage = page.getByRole("region", { name: "Coverage" });
  await expect(coverage).toContainText("RingCX does not let you see its list of users");
  await expect(coverage.getByRole("meter")).toHaveCount(0);
});

test("a session of the team is ended after a question, and is dead at once", async ({ desk, member, page }) => {
  await enterTeam(page, desk);
  const sessions = page.getByRole("list", { name: "Active sessions" });
  const own = sessions.getByRole("listitem").filter({ hasText: "This session" });
  await expect(own).toContainText("Ana Lima");
  await expect(own.getByRole("button")).toHaveCount(0);
  const theirs = sessions.getByRole("listitem").filter({ hasText: "password@example.com" });
  await theirs.getByRole("button", { name: "End session" }).click();
  const dialog = page.getByRole("dialog", { name: "End session" });
  await expect(dialog).toContainText("password@example.com");
  await page.keyboard.press("Escape");
  await expect(theirs.getByRole("button", { name: "End session" })).toBeFocused();
  expect((await member.get("/api/session")).status).toBe(200);
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "End session" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(theirs).toHaveCount(0);
  expect((await member.get("/api/session")).status).toBe(401);
});

test.describe("axe has nothing to say, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", () => {
  test.describe.configure({ timeout: 120_000 });

  test("of the team", async ({ desk, member, page, sandbox }) => {
    const [value = ""] = await sandbox.tokens(pia);
    const hint = hintOf(value);
    const label = "A label that is as long as labels may be, so that it has to be cut off somewhere on a small screen";
    expect((await member.post("/api/tokens", { label, rotateBy: "2020-01-31" })).status).toBe(201);
    await enter(page, desk, ana, `${desk.url}/tokens`);
    await page.goto(`${desk.url}/team`);
    await expect(rows(page)).toHaveCount(5);
    await expectGoodEverywhere(page, "team");
    await choose(page, hint, "Order revocation");
    await expectGoodEverywhere(page, "order revocation");
    await page.getByLabel("Last four characters").fill(value.slice(-4));
    await page.getByRole("dialog").getByRole("button", { name: "Order revocation" }).click();
    await expect(rowOf(page, hint)).toContainText("Revocation ordered");
    await expectGoodEverywhere(page, "team with an order");
    await choose(page, hint, "Cancel order");
    await expectGoodEverywhere(page, "cancel order");
    await page.keyboard.press("Escape");
    await page
      .getByRole("button", { name: /^End session/ })
      .first()
      .click();
    await expectGoodEverywhere(page, "end session");
    await page.goto(`${desk.url}/team?q=nothing+like+that`);
    await expect(page.getByRole("heading", { name: "No token matches" })).toBeVisible();
    await expectGoodEverywhere(page, "team, nothing found");
    await enter(page, desk, pia, `${desk.url}/team`);
    await expect(page.getByRole("heading", { name: "This page is for operations" })).toBeVisible();
    await expectGoodEverywhere(page, "team, as a member");
  });
});
