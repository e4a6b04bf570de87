import type { Page } from "@playwright/test";
import { enter, expectGoodEverywhere, rows } from "../browser.ts";
import { test as base, expect } from "../fixtures.ts";
import type { App } from "../servers.ts";
import { hintOf } from "../visitor.ts";

const ana = "ana@example.com";
const carl = "child1@example.com";
const petra = "parent@example.com";

/** A dashboard that has seen nobody's list yet, where Petra looks after the main account of Carl. */
const test = base.extend<{ desk: App }>({
  desk: async ({ launch }, use) => {
    await use(await launch({ env: { OPS_USERS: petra } }));
  },
});

const attention = (page: Page) => page.getByRole("region", { name: "Needs attention" });

test("who has nothing to look after is told so, and where to begin", async ({ desk, page }) => {
  await enter(page, desk, "new@example.com", `${desk.url}/overview`);
  await expect(page).toHaveTitle("Overview · Tokendesk");
  await expect(page.getByRole("heading", { name: "There is no token to look after yet" })).toBeVisible();
  await page.getByRole("link", { name: "Go to tokens" }).click();
  await page.waitForURL(`${desk.url}/tokens`);
});

test("what needs attention comes first, the most urgent on top, each with one way to deal with it", async ({
  desk,
  newVisitor,
  page,
  sandbox,
}) => {
  const visitor = await newVisitor(desk).signIn(carl);
  const [unlabelled, gone] = await visitor.tokens();
  const [, goneValue = ""] = await sandbox.tokens(carl);
  expect(gone?.hint).toBe(hintOf(goneValue));
  expect((await visitor.post("/api/tokens", { label: "Wallboard", rotateBy: "2020-02-02" })).status).toBe(201);
  const appeared = hintOf(await sandbox.addToken(carl));
  await sandbox.control("DELETE", "tokens", { value: goneValue });
  await enter(page, desk, carl, `${desk.url}/overview`);
  await expect(page.getByRole("main").getByText("Your own tokens")).toBeVisible();

  const items = attention(page).getByRole("listitem");
  // What appeared has no label either, and is named once.
  await expect(items).toHaveCount(4);
  await expect(items.nth(0)).toContainText("Appeared");
  await expect(items.nth(0)).toContainText(appeared);
  await expect(items.nth(1)).toContainText("Overdue");
  await expect(items.nth(1)).toContainText("Wallboard");
  await expect(items.nth(2)).toContainText("Vanished");
  await expect(items.nth(2)).toContainText(gone?.hint ?? "");
  await expect(items.nth(3)).toContainText("Unlabelled");
  await expect(items.nth(3)).toContainText(unlabelled?.hint ?? "");
  for (const item of await items.all()) await expect(item.getByRole("link")).toHaveCount(1);

  const counts = page.getByRole("list", { name: "Counts" });
  await expect(counts.getByRole("link", { name: /Unlabelled/ })).toContainText("2");
  await expect(counts.getByRole("link", { name: /Active tokens/ })).toContainText("3");

  await items.nth(0).getByRole("link", { name: "Adopt or revoke" }).click();
  await page.waitForURL(/\/tokens\?q=/);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(appeared);
  await page.goBack();
  await counts.getByRole("link", { name: /Unlabelled/ }).click();
  await page.waitForURL(`${desk.url}/tokens?labelled=no`);
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).filter({ hasText: unlabelled?.hint ?? "" })).toHaveCount(1);
});

test("of many the most urgent are shown, and each kind leads to all of it", async ({
  desk,
  newVisitor,
  page,
  sandbox,
}) => {
  const visitor = await newVisitor(desk).signIn(carl);
  await visitor.tokens();
  for (let count = 0; count < 30; count += 1) await sandbox.addToken(carl);
  await enter(page, desk, carl, `${desk.url}/overview`);
  const items = attention(page).getByRole("listitem");
  await expect(items).toHaveCount(8);
  await expect(attention(page)).toContainText("The 25 most urgent");
  await attention(page).getByText("Show 17 more").click();
  await expect(items).toHaveCount(25);
  await attention(page).getByText("Show fewer").click();
  await expect(items).toHaveCount(8);
  await attention(page).getByRole("link", { name: "Appeared (30)" }).click();
  await page.waitForURL(`${desk.url}/tokens?state=appeared`);
  await expect(rows(page)).toHaveCount(30);
});

test("the charts are pictures with a name and a sentence, and each is a table too", async ({
  desk,
  newVisitor,
  page,
}) => {
  const visitor = await newVisitor(desk).signIn(ana);
  await visitor.tokens();
  expect((await visitor.post("/api/tokens", { label: "One more" })).status).toBe(201);
  await enter(page, desk, ana, `${desk.url}/overview`);
  for (const [name, said, cells] of [
    ["Tokens over time", "4 known active tokens now, 4 more than known on", "4"],
    ["Activity", "1 created, 0 revoked, 0 revealed", "1"],
    ["Age", "4 active tokens, by when Tokendesk first saw them", "4"],
  ] as const) {
    const picture = page.getByRole("img", { name });
    await expect(picture).toBeVisible();
    await expect(picture.locator("desc").first()).toContainText(said);
    const figure = page.getByRole("figure").filter({ has: picture });
    const table = figure.getByRole("table", { name });
    await expect(table).toBeHidden();
    await figure.getByText("Show as table").click();
    await expect(table).toBeVisible();
    await expect(table.getByRole("row").nth(1).getByRole("cell").first()).toHaveText(cells);
  }
  await expect(page.getByRole("table", { name: "Tokens over time" }).getByRole("row")).toHaveCount(31);
});

test("of thousands each number has its comma", async ({ desk, page }) => {
  await enter(page, desk, "many@example.com", `${desk.url}/overview`);
  const picture = page.getByRole("img", { name: "Tokens over time" });
  await expect(picture.locator("desc").first()).toContainText(
    "10,000 known active tokens now, 10,000 more than known on",
  );
});

test("ops look at the whole main account, and are led to the team", async ({ desk, newVisitor, page, sandbox }) => {
  const visitor = await newVisitor(desk).signIn(carl);
  const [first] = await visitor.tokens();
  await enter(page, desk, petra, `${desk.url}/overview`);
  await expect(page.getByRole("main").getByText("The main account: 3 known tokens of 2 people seen")).toBeVisible();
  const item = attention(page)
    .getByRole("listitem")
    .filter({ hasText: first?.hint ?? "" });
  await expect(item).toContainText(carl);
  await item.getByRole("link", { name: "Show in Team" }).click();
  await page.waitForURL(/\/team\?q=/);
  await expect(rows(page)).toHaveCount(1);

  const order = await page.request.post(`${desk.url}/api/team/orders`, {
    data: { tokenId: first?.id },
    headers: { origin: desk.origin },
  });
  expect(order.status()).toBe(201);
  await page.goto(`${desk.url}/overview`);
  await attention(page).getByRole("link", { name: "See the order" }).click();
  await page.waitForURL(/\/team\?.*view=ordered/);
  await expect(rows(page)).toContainText("Revocation ordered");
  expect((await sandbox.tokens(carl)).map(hintOf)).toContain(first?.hint);
});

test("when RingCX does not answer, what is remembered is shown, and said to be that", async ({
  desk,
  page,
  sandbox,
}) => {
  await enter(page, desk, ana, `${desk.url}/tokens`);
  await expect(rows(page)).toHaveCount(3);
  await sandbox.fault({ operation: "token.list", kind: "html502", count: -1 });
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Overview" }).click();
  await expect(page.getByText("RingCX did not answer")).toBeVisible();
  await expect(attention(page).getByRole("listitem")).toHaveCount(3);
});

test("a slow overview shows that it is loading", async ({ desk, page, sandbox }) => {
  await enter(page, desk, ana, `${desk.url}/tokens`);
  await sandbox.hold("token.list");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("status", { name: "Loading the overview" })).toBeVisible();
  await sandbox.clearFaults();
  await expect(page.getByRole("heading", { level: 1, name: "Overview", exact: true })).toBeVisible();
  await expect(attention(page)).toBeVisible();
  await expect(page.getByRole("status", { name: "Loading the overview" })).toHaveCount(0);
});

test.describe("axe has nothing to say, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", () => {
  test.describe.configure({ timeout: 90_000 });

  test("of the overview", async ({ desk, newVisitor, page, sandbox }) => {
    const visitor = await newVisitor(desk).signIn(ana);
    await visitor.tokens();
    const label = "A label that is as long as labels may be, so that it has to be cut off somewhere on a small screen";
    expect((await visitor.post("/api/tokens", { label, rotateBy: "2020-01-31" })).status).toBe(201);
    for (let count = 0; count < 5; count += 1) await sandbox.addToken(ana);
    await enter(page, desk, ana, `${desk.url}/overview`);
    await expect(attention(page)).toBeVisible();
    await expectGoodEverywhere(page, "overview");
    for (const summary of await page.getByText(/^Show (as table|\d+ more)$/).all()) await summary.click();
    await expectGoodEverywhere(page, "overview with tables");
    await enter(page, desk, "new@example.com", `${desk.url}/overview`);
    await expectGoodEverywhere(page, "overview, nothing yet");
  });
});
