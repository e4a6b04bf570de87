import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Download, Locator, Page } from "@playwright/test";
import { allowClipboard, clipboard, enter, expectDescribed, expectGoodEverywhere, rows, tabTo } from "../browser.ts";
import { expect, narrow, test } from "../fixtures.ts";
import type { App } from "../servers.ts";
import type { Visitor } from "../visitor.ts";

// Each test that counts has a log of its own: see `emptyLog`.
test.use({ appEnv: { OPS_USERS: "ana@example.com" } });

const ana = "ana@example.com";
const nils = "new@example.com";
const secret = "c2353445-bc74-af1a-2850-1d55a371c0a9";

type Event = {
  seq: number;
  action: string;
  outcome: string;
  hash: string;
  correlationId: string;
  actor: { name: string };
};

async function eventsOf(visitor: Visitor): Promise<Event[]> {
  const reply = await visitor.get("/api/audit");
  expect(reply.status, reply.text).toBe(200);
  return reply.json<{ events: Event[] }>().events;
}

/** A dashboard whose log begins with this test. */
function emptyLog(launch: (options: { env: Record<string, string> }) => Promise<App>): Promise<App> {
  return launch({ env: { OPS_USERS: ana } });
}

async function createToken(visitor: Visitor, label: string): Promise<string> {
  const reply = await visitor.post("/api/tokens", { label });
  expect(reply.status, reply.text).toBe(201);
  return reply.json<{ token: { id: string } }>().token.id;
}

async function edit(visitor: Visitor, id: string, purpose: string): Promise<void> {
  expect((await visitor.patch(`/api/tokens/${id}`, { purpose })).status).toBe(200);
}

function drawer(page: Page): Locator {
  return page.getByRole("dialog");
}

function event(page: Page, name: string): Locator {
  return page.getByRole("button", { name: new RegExp(`^${name}, event`) });
}

test("ops read what was done, newest first and in words, and open the details of an event by keyboard", async ({
  launch,
  newVisitor,
  page,
}) => {
  const app = await emptyLog(launch);
  await allowClipboard(page);
  const visitor = await newVisitor(app).signIn(nils);
  const id = await createToken(visitor, "Seen in the log");
  await edit(visitor, id, "Calls");
  await enter(page, app, ana, `${app.url}/audit`);
  await expect(page).toHaveTitle("Audit log · Tokendesk");
  await expect(page.getByText("Everything done in main account 333333.")).toBeVisible();
  const names = ["Sign-in", "Token edit", "Token creation", "Token creation", "Sign-in"];
  await expect(rows(page)).toHaveCount(names.length);
  for (const [index, name] of names.entries()) {
    const button = rows(page).nth(index).getByRole("button");
    await expect(button).toHaveAccessibleName(`${name}, event ${names.length - index}`);
  }
  await expect(rows(page).nth(2)).toContainText("Succeeded");
  await expect(rows(page).nth(3)).toContainText("Attempted");
  await expect(rows(page).nth(3)).toContainText(nils);

  const third = event(page, "Token creation").first();
  await tabTo(page, third);
  await page.keyboard.press("Enter");
  await expect(drawer(page)).toBeFocused();
  await expect(drawer(page).getByRole("heading", { name: "Token creation" })).toBeVisible();
  await expect(drawer(page).getByText("Event 3")).toBeVisible();
  await drawer(page).getByRole("button", { name: "Copy hash", exact: true }).click();
  expect(await clipboard(page)).toMatch(/^[0-9a-f]{64}$/);
  expect(await clipboard(page)).toBe((await eventsOf(visitor)).find(({ seq }) => seq === 3)?.hash);
  for (const name of ["Copy request ID", "Copy correlation ID", "Copy token ID", "Copy event ID"]) {
    await expect(drawer(page).getByRole("button", { name, exact: true })).toBeVisible();
  }

  // Its intent is a part of the same act.
  await drawer(page)
    .getByRole("button", { name: /^Attempted/ })
    .click();
  await expect(drawer(page).getByText("Event 2")).toBeVisible();
  await expect(drawer(page).getByText("Written down before anything was done")).toBeVisible();
  await drawer(page).getByRole("button", { name: "Newer event" }).click();
  await drawer(page).getByRole("button", { name: "Newer event" }).click();
  await expect(drawer(page).getByRole("heading", { name: "Token edit" })).toBeVisible();
  // The note that something was copied does not take it.
  await drawer(page).getByRole("button", { name: "Copy hash", exact: true }).click();
  await expect(page.getByText("Copied hash", { exact: true }).last()).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(drawer(page)).toHaveCount(0);
  await expect(event(page, "Token edit")).toBeFocused();
});

test("the filters stand in the address, come back with it, and are cleared", async ({ launch, newVisitor, page }) => {
  const app = await emptyLog(launch);
  const visitor = await newVisitor(app).signIn(nils);
  const id = await createToken(visitor, "To be filtered");
  await enter(page, app, ana, `${app.url}/audit`);

  await page.getByLabel("Action").selectOption("Token creation");
  await expect(rows(page)).toHaveCount(2);
  await expect(page).toHaveURL(/\/audit\?action=token\.create$/);
  await page.getByLabel("Outcome").selectOption("Attempted");
  await expect(rows(page)).toHaveCount(1);
  await page.goBack();
  await expect(rows(page)).toHaveCount(2);
  await expect(page.getByLabel("Outcome")).toHaveValue("");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(`${app.url}/audit`);
  await expect(rows(page)).toHaveCount(4);

  await page.getByLabel("Actor", { exact: true }).fill(nils.toUpperCase());
  await expect(rows(page)).toHaveCount(3);
  await page.getByLabel("Token", { exact: true }).fill(id);
  await expect(rows(page)).toHaveCount(1);
  await page.reload();
  await expect(page.getByLabel("Token", { exact: true })).toHaveValue(id);
  await page.getByLabel("From", { exact: true }).fill("2099-01-01");
  await expect(page.getByRole("heading", { name: "No event matches" })).toBeVisible();
  await page.goto(`${app.url}/audit?action=token.destroy&from=tomorrow&cursor=nowhere`);
  await expect(rows(page)).toHaveCount(4);
  await expect(page).toHaveURL(`${app.url}/audit`);
});

test("the drawer leads on to the same actor and the same token", async ({ launch, newVisitor, page }) => {
  const app = await emptyLog(launch);
  const visitor = await newVisitor(app).signIn(nils);
  const id = await createToken(visitor, "Followed");
  await edit(visitor, id, "Calls");
  await enter(page, app, ana, `${app.url}/audit`);
  await event(page, "Token edit").click();
  await drawer(page).getByRole("button", { name: "Only this token" }).click();
  await expect(drawer(page)).toHaveCount(0);
  await expect(rows(page)).toHaveCount(2);
  await expect(page).toHaveURL(`${app.url}/audit?token=${id}`);
  await rows(page).first().getByRole("link").click();
  await expect(page).toHaveURL(`${app.url}/tokens/${id}`);
  await expect(page.getByRole("heading", { level: 1, name: "Followed", exact: true })).toBeVisible();
});

test("a token value that is pasted into a filter goes nowhere", async ({ app, page }) => {
  await enter(page, app, ana, "/audit");
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  const box = page.getByLabel("Token", { exact: true });
  await box.fill(`aws80:${secret}`);
  await expect(page.getByRole("status").filter({ hasText: "Not a token value" })).toBeVisible();
  await expect(box).toHaveValue("");
  await box.press("Enter");
  await page.getByLabel("Action").selectOption("Token reveal");
  await expect(page).toHaveURL(/action=token\.reveal/);
  expect([...requests, page.url()].filter((url) => url.includes("c2353445"))).toEqual([]);
});

test("pages go by key: older, newer, and back to the newest, which stays the newest", async ({
  launch,
  newVisitor,
  page,
}) => {
  const app = await emptyLog(launch);
  const visitor = await newVisitor(app).signIn(nils);
  const id = await createToken(visitor, "Much edited");
  // More than a page of events takes a while to write.
  for (let turn = 0; turn < 60; turn += 1) await edit(visitor, id, `Turn ${turn}`);
  await enter(page, app, ana, `${app.url}/audit`);
  await expect(rows(page)).toHaveCount(50);
  const pages = page.getByRole("navigation", { name: "Pagination" });
  await expect(pages.getByText("50 events, from 15 to 64")).toBeVisible();
  await expect(pages.getByRole("button", { name: "Newer" })).toHaveAttribute("aria-disabled", "true");
  await pages.getByRole("button", { name: "Older" }).click();
  await expect(pages.getByText("14 events, from 1 to 14")).toBeVisible();
  await expect(pages.getByRole("button", { name: "Older" })).toHaveAttribute("aria-disabled", "true");
  await expectDescribed(page.getByRole("button", { name: "Live" }), /newest/);
  // What is written meanwhile does not shift the page, which is an address.
  await edit(visitor, id, "Meanwhile");
  await page.reload();
  await expect(pages.getByText("14 events, from 1 to 14")).toBeVisible();
  await pages.getByRole("button", { name: "Newer" }).click();
  await expect(pages.getByText("50 events, from 16 to 65")).toBeVisible();
  await expect(page).toHaveURL(`${app.url}/audit`);
  await page.goBack();
  await pages.getByRole("button", { name: "Newest" }).click();
  await expect(pages.getByText("50 events, from 16 to 65")).toBeVisible();
});

test("members see their own events only, are told so, and verify nothing", async ({ launch, newVisitor, page }) => {
  const app = await emptyLog(launch);
  await newVisitor(app).signIn(ana);
  await enter(page, app, nils, `${app.url}/audit`);
  await expect(page.getByText("You see your own events.")).toBeVisible();
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText(nils);
  await expect(page.getByRole("button", { name: "Verify" })).toHaveCount(0);
  await page.goto(`${app.url}/audit?actor=${ana}`);
  await expect(page.getByRole("heading", { name: "No event matches" })).toBeVisible();
});

test.describe("live", () => {
  test("new events appear at the top and are counted aloud, while it is on", async ({ launch, newVisitor, page }) => {
    const app = await emptyLog(launch);
    const visitor = await newVisitor(app).signIn(nils);
    await enter(page, app, ana, `${app.url}/audit?actor=${nils}`);
    await expect(rows(page)).toHaveCount(1);
    const live = page.getByRole("button", { name: "Live" });
    await expect(live).toHaveAttribute("aria-pressed", "false");
    await live.click();
    await expect(live).toHaveAttribute("aria-pressed", "true");
    const id = await createToken(visitor, "Live");
    await expect(rows(page)).toHaveCount(3);
    await expect(rows(page).first()).toContainText("Token creation");
    await expect(page.getByRole("status").filter({ hasText: "2 new events" })).toBeAttached();
    // What does not fit the filter does not come.
    await newVisitor(app).signIn(ana);
    await edit(visitor, id, "Calls");
    await expect(rows(page)).toHaveCount(4);
    await expect(rows(page).filter({ hasText: ana })).toHaveCount(0);
    await live.click();
    await expect(live).toHaveAttribute("aria-pressed", "false");
  });

  test("it asks for nothing in a hidden tab, and catches up when it is seen again", async ({
    app,
    newVisitor,
    page,
  }) => {
    await page.clock.install();
    await enter(page, app, ana, "/audit");
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().includes("/api/audit?")) asked += 1;
    });
    const show = (hidden: boolean) =>
      page.evaluate((isHidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await page.getByRole("button", { name: "Live" }).click();
    await expect.poll(() => asked).toBe(1);
    await show(true);
    await page.clock.runFor(60_000);
    expect(asked).toBe(1);
    const before = await event(page, "Sign-in").count();
    await newVisitor(app).signIn(nils);
    await show(false);
    await expect(event(page, "Sign-in")).toHaveCount(before + 1);
  });

  test("trouble is said calmly, and over when an answer comes", async ({ app, page, problems }) => {
    problems.expect(/ERR_FAILED/);
    await enter(page, app, ana, "/audit");
    await page.route("**/api/audit?*", (route) => route.abort());
    await page.getByRole("button", { name: "Live" }).click();
    const trouble = page.getByRole("status").filter({ hasText: "Live has no answer just now" });
    await expect(trouble).toBeVisible();
    await expect(rows(page).first()).toBeVisible();
    await page.unroute("**/api/audit?*");
    await expect(trouble).toHaveCount(0, { timeout: 15_000 });
  });

  test("it ends with the session, and with nobody there for a quarter of an hour", async ({ app, page, problems }) => {
    problems.expect(/status of 401/);
    await page.clock.install();
    await enter(page, app, ana, "/audit");
    const live = page.getByRole("button", { name: "Live" });
    await live.click();
    await page.clock.runFor(16 * 60_000);
    await expect(page.getByText("Nobody was here for 15 minutes.")).toBeVisible();
    await expect(live).toHaveAttribute("aria-pressed", "false");
    await page.context().clearCookies();
    await live.click();
    await expect(page.getByText("Your session has ended.")).toBeVisible();
    await expect(live).toHaveAttribute("aria-pressed", "false");
  });
});

test.describe("export", () => {
  async function exportAs(page: Page, format: string): Promise<{ name: string; text: string }> {
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: format }).click();
    const download: Download = await coming;
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
  }

  test("gives what the filters show, as JSON lines and as CSV, and is itself recorded", async ({
    launch,
    newVisitor,
    page,
  }) => {
    const app = await emptyLog(launch);
    const visitor = await newVisitor(app).signIn(nils);
    const id = await createToken(visitor, "To be exported");
    await edit(visitor, id, "Calls");
    await enter(page, app, ana, `${app.url}/audit?actor=${nils}`);
    await expect(rows(page)).toHaveCount(4);

    const lines = await exportAs(page, "JSON Lines");
    expect(lines.name).toMatch(/^tokendesk-audit-.*\.jsonl$/);
    const events = lines.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Event);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(events.every(({ actor }) => actor.name === nils)).toBe(true);
    await expect(drawer(page).getByText("Saved 4 events")).toBeVisible();
    await drawer(page).getByRole("button", { name: "Done" }).click();
    await expect(page.getByRole("button", { name: "Export" })).toBeFocused();

    const table = await exportAs(page, "CSV");
    expect(table.name).toMatch(/\.csv$/);
    expect(table.text.trimEnd().split("\r\n")).toHaveLength(5);
    await expect(drawer(page).getByText("Saved 4 events")).toBeVisible();
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Clear filters" }).click();
    await expect(event(page, "Log download").first()).toBeVisible();
  });

  test("can be cancelled, and saves nothing then", async ({ app, page }) => {
    await enter(page, app, ana, "/audit");
    let downloads = 0;
    page.on("download", () => {
      downloads += 1;
    });
    // An answer that is long in coming.
    await page.route("**/api/audit/export?*", () => {});
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "CSV" }).click();
    await expect(page.getByRole("progressbar", { name: "Events exported" })).toBeVisible();
    await drawer(page).getByRole("button", { name: "Cancel" }).click();
    await expect(drawer(page).getByText("Nothing was saved.")).toBeVisible();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await Promise.all([
      page.waitForEvent("download"),
      drawer(page).getByRole("button", { name: "Start again" }).click(),
    ]);
    await expect(drawer(page).getByText(/^Saved/)).toBeVisible();
    expect(downloads).toBe(1);
  });

  test("says why it was refused", async ({ app, page, problems }) => {
    problems.expect(/status of 401/);
    await enter(page, app, ana, "/audit");
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "CSV" }).click();
    await expect(drawer(page).getByRole("alert")).toContainText("You are not signed in");
    await expect(drawer(page).getByRole("link", { name: "Sign in again in a new tab" })).toBeVisible();
    await expect(drawer(page).getByText("Nothing was saved")).toBeVisible();
  });
});

test.describe("verify", () => {
  test("finds an intact log intact, and names an event that was changed in the database", async ({
    launch,
    newVisitor,
    page,
    problems,
  }) => {
    problems.expect(/the audit log does not verify/);
    const app = await emptyLog(launch);
    const visitor = await newVisitor(app).signIn(nils);
    await edit(visitor, await createToken(visitor, "Written once"), "Calls");
    await enter(page, app, ana, `${app.url}/audit`);
    await page.getByRole("button", { name: "Verify" }).click();
    await expect(drawer(page).getByText("Nothing was found that does not fit")).toBeVisible();
    await expect(drawer(page).getByText("Newest hash")).toBeVisible();
    await drawer(page).getByRole("button", { name: "Done" }).click();
    await expect(page.getByRole("button", { name: "Verify" })).toBeFocused();

    const database = new DatabaseSync(`${app.dataDir}/tokendesk.db`);
    database.exec("update audit_events set actor_name = 'somebody@example.com' where seq = 3");
    database.close();
    await page.getByRole("button", { name: "Verify" }).click();
    await expect(drawer(page).getByRole("alert")).toContainText("The log is not as it was written");
    const found = drawer(page).getByRole("list", { name: "Problems" }).getByRole("listitem");
    await expect(found.filter({ hasText: "Event 3" })).toContainText("Edited");
  });

  test("says so when there was no signed checkpoint to compare with", async ({ app, page }) => {
    await enter(page, app, ana, "/audit");
    const result = {
      type: "result",
      ok: true,
      verified: 3,
      firstSeq: 1,
      lastSeq: 3,
      headHash: null,
      checkpoints: 0,
      openIntents: 0,
      problems: [],
    };
    let checkpoints = 0;
    await page.route("**/api/audit/verify", (route) =>
      route.fulfill({
        status: 200,
        contentType: "application/x-ndjson",
        body: `${JSON.stringify({ ...result, checkpoints })}\n`,
      }),
    );
    await page.getByRole("button", { name: "Verify" }).click();
    const said = drawer(page).getByRole("status").filter({ hasText: "Nothing was found that does not fit" });
    await expect(said).toContainText("There is no signed checkpoint to compare with yet.");
    checkpoints = 1;
    await drawer(page).getByRole("button", { name: "Verify again" }).click();
    await expect(said).toContainText("1 signed checkpoint");
    await expect(said).not.toContainText("no signed checkpoint");
  });

  test("can be cancelled, and says when its answer is cut short", async ({ app, page }) => {
    await enter(page, app, ana, "/audit");
    await page.route("**/api/audit/verify", () => {});
    await page.getByRole("button", { name: "Verify" }).click();
    await drawer(page).getByRole("button", { name: "Cancel" }).click();
    await expect(drawer(page).getByText("Cancelled")).toBeVisible();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    const cut = '{"type":"progress","verified":2000,"total":9000}\n';
    await page.route("**/api/audit/verify", (route) =>
      route.fulfill({ status: 200, contentType: "application/x-ndjson", body: cut }),
    );
    await drawer(page).getByRole("button", { name: "Verify again" }).click();
    await expect(drawer(page).getByRole("alert")).toContainText("The verification did not come to an end");
    await expect(drawer(page).getByText("This says nothing about the log itself.")).toBeVisible();
  });
});

test.describe("axe has nothing to say, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", () => {
  test.describe.configure({ timeout: 90_000 });

  test("of the log and an event", async ({ app, newVisitor, page, sandbox }) => {
    const visitor = await newVisitor(app).signIn(ana);
    const id = await createToken(visitor, "Looked at");
    await sandbox.fault({ operation: "token.create", kind: "html502" });
    expect((await visitor.post("/api/tokens", { label: "Lost" })).status).toBe(502);
    const reason = "A reason, and rather a long one, as people give them";
    expect((await visitor.send(`/api/tokens/${id}`, { method: "DELETE", body: { reason } })).status).toBe(200);
    await enter(page, app, ana, "/audit");
    await expect(rows(page).first()).toBeVisible();
    await expectGoodEverywhere(page, "audit log");
    await page.goto(`/audit?token=${id}`);
    await event(page, "Token revocation").first().click();
    await expect(drawer(page)).toBeVisible();
    await expectGoodEverywhere(page, "an event");
  });

  test("of a verification, an export, and a log in which nothing is found", async ({ app, page }) => {
    await enter(page, app, ana, "/audit?actor=nobody");
    await expect(page.getByRole("heading", { name: "No event matches" })).toBeVisible();
    await page.setViewportSize(narrow);
    await page.getByRole("button", { name: "1 filter" }).click();
    await expect(page.getByLabel("Actor", { exact: true })).toBeVisible();
    await expectGoodEverywhere(page, "audit log, nothing found");
    await page.getByRole("button", { name: "Verify" }).click();
    await expect(drawer(page).getByText("Nothing was found that does not fit")).toBeVisible();
    await expectGoodEverywhere(page, "a verification");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "CSV" }).click();
    await expect(drawer(page).getByText(/^Saved/)).toBeVisible();
    await expectGoodEverywhere(page, "an export");
  });
});
