import { allowClipboard, enter, everythingKept, paste, recordAddresses, rowOf, rows } from "../browser.ts";
import { expect, test } from "../fixtures.ts";
import type { App } from "../servers.ts";
import { hintOf } from "../visitor.ts";

const ana = "ana@example.com";
const many = "many@example.com";

/** Runs of hexadecimal digits of a value that are longer than its hint shows. */
const pieces = (value: string) => value.slice(6, -4).match(/[0-9a-f]{8}/g) ?? [];

test("the tokens are listed by their hints, and their values are nowhere in the page", async ({
  app,
  page,
  sandbox,
}) => {
  const values = await sandbox.tokens(ana);
  await enter(page, app, ana);
  await expect(page).toHaveTitle("Tokens · Tokendesk");
  await expect(page.getByRole("table", { name: "Tokens" })).toBeVisible();
  await expect(rows(page)).toHaveCount(3);
  await expect(page.getByText("3 tokens", { exact: true })).toBeVisible();
  for (const value of values) await expect(rowOf(page, hintOf(value))).toHaveCount(1);
  const kept = await everythingKept(page);
  for (const value of values) {
    expect(kept).not.toContain(value.slice(6, -4));
    for (const piece of pieces(value)) expect(kept).not.toContain(piece);
  }
});

test("who has no token is told what one is for, and can make the first", async ({ app, page }) => {
  await enter(page, app, "new@example.com");
  await expect(page.getByRole("heading", { name: "You have no API tokens" })).toBeVisible();
  await expect(page.getByText("It never expires")).toBeVisible();
  await page.getByRole("button", { name: "New token" }).click();
  await expect(page.getByRole("dialog", { name: "New token" })).toBeVisible();
});

/** What the server has used of a processor. How long that took depends on what else the machine does. */
async function processorSeconds({ url }: App): Promise<number> {
  const text = await (await fetch(`${url}/api/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]);
}

/** What an act costs the server's processor, in seconds: the least of three times, for what it does besides is in it. */
async function costOf(app: App, act: () => Promise<void>): Promise<number> {
  const costs: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const before = await processorSeconds(app);
    await act();
    costs.push((await processorSeconds(app)) - before);
  }
  return Math.min(...costs);
}

test("ten thousand tokens: the page costs no more than twice their list, and paging, sizes, Back and the address agree", async ({
  app,
  page,
  visitor,
}) => {
  await visitor.signIn(many);
  await enter(page, app, many, "/accounts");
  const list = await costOf(app, async () => {
    expect((await visitor.get("/api/tokens")).status).toBe(200);
  });
  const firstRow = await costOf(app, async () => {
    await page.goto("/tokens");
    await expect(rows(page).first()).toBeVisible();
  });
  expect(firstRow, `processor seconds to the first row; the list alone: ${list}`).toBeLessThan(2 * list);

  await expect(rows(page)).toHaveCount(50);
  await expect(page.getByText("10,000 tokens", { exact: true })).toBeVisible();
  const pagination = page.getByRole("navigation", { name: "Pagination" });
  await expect(pagination).toContainText("1–50 of 10,000");
  const previous = pagination.getByRole("button", { name: "Previous page" });
  await expect(previous).toHaveAttribute("aria-disabled", "true");

  await pagination.getByRole("button", { name: "Next page" }).click();
  await expect(pagination).toContainText("51–100 of 10,000");
  await expect(page).toHaveURL("/tokens?page=2");
  await pagination.getByRole("button", { name: "Last page" }).click();
  await expect(pagination).toContainText("9,951–10,000 of 10,000");
  await expect(page).toHaveURL("/tokens?page=200");
  await page.goBack();
  await expect(pagination).toContainText("51–100 of 10,000");
  await pagination.getByLabel("Rows per page").selectOption("100");
  await expect(rows(page)).toHaveCount(100);
  await expect(page).toHaveURL("/tokens?size=100");
  await page.reload();
  await expect(pagination).toContainText("1–100 of 10,000");
  await expect(pagination.getByLabel("Rows per page")).toHaveValue("100");

  await page.goto("/tokens?page=999999&size=77&sort=nonsense&order=up");
  await expect(pagination).toContainText("9,951–10,000 of 10,000");
});

test("sorting, searching and filtering ten thousand tokens stand in the address, and Back undoes them", async ({
  app,
  page,
  visitor,
}) => {
  test.slow();
  await visitor.signIn(many);
  const tokens = await visitor.tokens();
  const [first, second] = [tokens[1234], tokens[4321]];
  if (!first || !second) throw new Error("there are not enough tokens");
  for (const [token, label, environment] of [
    [first, "Aardvark export", "Atoll"],
    [second, "Zebra import", "Zanzibar"],
  ] as const) {
    expect((await visitor.patch(`/api/tokens/${token.id}`, { label, environment })).status).toBe(200);
  }
  await enter(page, app, many);
  const labelHead = page.getByRole("columnheader", { name: "Label" });

  await labelHead.getByRole("button").click();
  await expect(labelHead).toHaveAttribute("aria-sort", "ascending");
  await expect(rows(page).first()).toContainText("Aardvark export");
  await labelHead.getByRole("button").click();
  await expect(labelHead).toHaveAttribute("aria-sort", "descending");
  await expect(rows(page).first()).toContainText("Zebra import");
  await expect(page).toHaveURL("/tokens?sort=label");
  await expect(page.locator("[aria-sort]")).toHaveCount(1);

  const search = page.getByLabel("Search tokens");
  await page.keyboard.press("/");
  await expect(search).toBeFocused();
  await search.fill("aardvark");
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText("Aardvark export");
  await expect(page).toHaveURL("/tokens?q=aardvark&sort=label");
  await search.fill(second.hint);
  await expect(rows(page).filter({ hasText: "Zebra import" })).toHaveCount(1);
  await expect(page).toHaveURL(/q=aws80/);
  await search.fill(second.hint.slice(-4));
  await expect(rows(page).filter({ hasText: "Zebra import" })).toHaveCount(1);
  await page.getByRole("button", { name: "Clear search" }).click();
  await expect(page).toHaveURL("/tokens?sort=label");
  await expect(search).toHaveValue("");
  await expect(search).toBeFocused();

  await page.getByLabel("Show tokens of").selectOption("Zanzibar");
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL("/tokens?environment=Zanzibar&sort=label");
  await page.getByLabel("Show tokens that are").selectOption("Unlabelled");
  await expect(page.getByRole("heading", { name: "No token matches" })).toBeVisible();
  await page.goBack();
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByLabel("Show tokens that are")).toHaveValue("");
  await page.getByLabel("Show tokens of").selectOption("All environments");
  await expect(rows(page)).toHaveCount(50);

  await search.fill("no such token");
  await expect(page.getByRole("heading", { name: "No token matches" })).toBeVisible();
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(rows(page)).toHaveCount(50);
  await expect(search).toHaveValue("");

  // What is chosen before the search has gone out is not lost by it.
  await search.fill("Aardvark");
  await page.getByLabel("Show tokens of").selectOption("Atoll");
  await page.getByLabel("Rows per page").selectOption("25");
  await expect(page).toHaveURL("/tokens?q=Aardvark&environment=Atoll&sort=label&size=25");
  await expect(rows(page)).toHaveCount(1);
});

test("a selection lasts from page to page, and one of more than a page can be revoked", async ({ app, page }) => {
  await enter(page, app, many, "/tokens?size=100&sort=hint&order=asc");
  const pagination = page.getByRole("navigation", { name: "Pagination" });
  await rows(page).nth(0).getByRole("checkbox").check();
  await rows(page).nth(3).getByRole("checkbox").check();
  await pagination.getByRole("button", { name: "Next page" }).click();
  await expect(pagination).toContainText("101–200 of 10,000");
  await expect(page.getByText("2 selected")).toBeVisible();
  await expect(rows(page).first().getByRole("checkbox")).not.toBeChecked();
  await rows(page).nth(1).getByRole("checkbox").check();
  await expect(page.getByText("3 selected")).toBeVisible();
  await pagination.getByRole("button", { name: "Previous page" }).click();
  await expect(pagination).toContainText("1–100 of 10,000");
  await expect(rows(page).nth(0).getByRole("checkbox")).toBeChecked();
  await expect(rows(page).nth(3)).toHaveAttribute("aria-selected", "true");

  await page.getByRole("checkbox", { name: "Select all on this page" }).check();
  await expect(page.getByText("101 selected")).toBeVisible();
  const revoke = page.getByRole("button", { name: "Revoke selected" });
  await revoke.click();
  await expect(page.getByRole("dialog", { name: "Revoke 101 tokens" }).getByRole("listitem")).toHaveCount(101);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await expect(revoke).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1, name: "Tokens", exact: true })).toBeFocused();
});

test("a token value in the search finds its token and stands in no address, pasted or typed", async ({
  app,
  page,
  sandbox,
}) => {
  const [value = "", other = ""] = await sandbox.tokens(ana);
  await allowClipboard(page);
  await enter(page, app, ana);
  const addresses = recordAddresses(page);
  const search = page.getByLabel("Search tokens");
  const said = page.getByText("That was a token value. The search uses its hint;");

  await search.focus();
  await paste(page, value);
  await expect(search).toHaveValue(hintOf(value));
  await expect(said).toBeVisible();
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(hintOf(value));
  await expect.poll(() => decodeURIComponent(new URL(page.url()).search)).toBe(`?q=${hintOf(value)}`);

  // Inside a line of a configuration file, and sent at once.
  await search.fill("");
  await expect(rows(page)).toHaveCount(3);
  await paste(page, `RINGCX_TOKEN="${other}"`);
  await page.keyboard.press("Enter");
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(hintOf(other));

  await search.fill("");
  await expect(rows(page)).toHaveCount(3);
  await search.pressSequentially(value);
  await expect(said).toBeVisible();
  await expect(rows(page)).toHaveCount(1);

  // Without the prefix, and half of one.
  await search.fill(value.slice(6));
  await expect(said).toBeVisible();
  await expect(rows(page)).toContainText(hintOf(value));
  await search.fill(other.slice(6, 30));
  await expect(page.getByText("Part of a token value is not searched")).toBeVisible();
  await page.keyboard.press("Enter");
  await page.reload();

  expect(addresses.length).toBeGreaterThan(3);
  for (const piece of [...pieces(value), ...pieces(other)]) {
    expect(addresses.filter((address) => address.includes(piece))).toEqual([]);
  }
  expect(await everythingKept(page)).not.toContain(value.slice(6, -4));
});
