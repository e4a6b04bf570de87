import { enter, expectGoodEverywhere, holdScripts, rows } from "../browser.ts";
import { expect, test } from "../fixtures.ts";

// Longer than any look at what loads takes.
test.use({ appEnv: { RINGCX_TIMEOUT_MS: "120000" } });

test("a slow list shows that it is loading, on a first visit, on the way from another page, and when it is read again", async ({
  app,
  page,
  sandbox,
}) => {
  await enter(page, app, "ana@example.com", "/accounts");
  const loading = page.getByRole("status", { name: "Loading your tokens" });

  await sandbox.hold("token.list");
  await page.getByRole("link", { name: "Tokens" }).click();
  await expect(loading).toBeVisible();
  await sandbox.clearFaults();
  await expect(rows(page)).toHaveCount(3);
  await expect(loading).toHaveCount(0);

  await sandbox.hold("token.list");
  await page.goto("/tokens", { waitUntil: "commit" });
  await expect(loading).toBeVisible();
  await expect(page.getByRole("link", { name: "Accounts" })).toBeVisible();
  await sandbox.clearFaults();
  await expect(rows(page)).toHaveCount(3);

  // The rows stay readable while they are read again.
  await sandbox.hold("token.list");
  const refresh = page.getByRole("button", { name: "Refresh" });
  await refresh.click();
  await expect(refresh).toHaveAttribute("aria-busy", "true");
  await expect(rows(page)).toHaveCount(3);
  await sandbox.clearFaults();
  await expect(refresh).not.toHaveAttribute("aria-busy");
});

for (const [what, isHeld] of [
  ["nothing of the page was fetched ahead", () => true],
  ["only its outline was fetched ahead", (headers: Record<string, string>) => !headers["next-router-segment-prefetch"]],
] as const) {
  test(`a click while ${what} shows that the list is loading, not an empty page`, async ({ app, page, sandbox }) => {
    // What Next fetches ahead comes too late, as on a slow line.
    await page.route("**/tokens?_rsc=*", (route) => {
      const headers = route.request().headers();
      return headers["next-router-prefetch"] && isHeld(headers) ? undefined : route.continue();
    });
    // Nothing that is fetched ahead is as good.
    const held = page
      .waitForRequest((request) => "next-router-prefetch" in request.headers() && isHeld(request.headers()), {
        timeout: 3_000,
      })
      .catch(() => null);
    await enter(page, app, "ana@example.com", "/accounts");
    await held;
    await sandbox.hold("token.list");
    await page.getByRole("link", { name: "Tokens" }).click();
    await expect(page.getByRole("status", { name: /^Loading/ })).toBeVisible();
    await sandbox.clearFaults();
    await expect(rows(page)).toHaveCount(3);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });
}

test("a list that cannot be read says why, and Retry shows that it is trying and then works", async ({
  app,
  page,
  sandbox,
}) => {
  await sandbox.fault({ operation: "token.list", kind: "html502", count: -1 });
  await enter(page, app);
  const alert = page.getByRole("main").getByRole("alert");
  await expect(alert.getByRole("heading", { name: "RingCX is not available" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Tokens", exact: true })).toBeVisible();
  const retry = alert.getByRole("button", { name: "Retry" });
  const said = await alert.getByText("Request ID").textContent();
  await retry.click();
  await expect(alert.getByText("Request ID")).not.toHaveText(said ?? "");

  await sandbox.clearFaults();
  await sandbox.hold("token.list");
  await retry.click();
  await expect(retry).toHaveAttribute("aria-busy", "true");
  await sandbox.clearFaults();
  await expect(rows(page)).toHaveCount(3);
  await expect(alert).toHaveCount(0);
});

test("axe has nothing to say of what loads, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", async ({
  app,
  page,
  sandbox,
}) => {
  test.setTimeout(90_000);
  await enter(page, app);
  await sandbox.hold("accounts");
  await page.getByRole("link", { name: "Accounts" }).click();
  await expect(page.getByRole("status", { name: "Loading your accounts" })).toBeVisible();
  await expectGoodEverywhere(page, "accounts, loading");
  await expect(page.getByRole("status", { name: "Loading your accounts" })).toBeVisible();
  await sandbox.clearFaults();
  await expect(page.getByRole("status", { name: "Loading your accounts" })).toHaveCount(0);
});

test("what is typed and chosen before the page's script works is used as soon as it does", async ({ app, page }) => {
  await enter(page, app, "ana@example.com", "/accounts");
  const letScripts = await holdScripts(page);

  await page.goto("/tokens", { waitUntil: "commit" });
  await page.getByLabel("Rows per page").selectOption("100");
  await rows(page).first().getByRole("checkbox").check();
  await page.getByLabel("Search tokens").fill("no such token");
  letScripts();
  await expect(page.getByText("1 selected")).toBeVisible();
  await expect(page).toHaveURL("/tokens?q=no+such+token&size=100");
});
