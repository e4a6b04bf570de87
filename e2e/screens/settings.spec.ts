import type { Page } from "@playwright/test";
import { enter, expectGoodEverywhere, tabTo } from "../browser.ts";
import { expect, test } from "../fixtures.ts";
import { expectProblem } from "../visitor.ts";

test.use({ appEnv: { OPS_USERS: "ana@example.com" } });

const pia = "password@example.com";
const phone =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

function sessions(page: Page) {
  return page.getByRole("list", { name: "Your sessions" }).getByRole("listitem");
}

/** Ends what earlier tests left, and opens the settings in a new session. */
async function enterAlone(page: Page, app: Parameters<typeof enter>[1], username: string): Promise<void> {
  await enter(page, app, username, "/settings");
  // The list may still be on its way.
  await expect(sessions(page).first()).toBeVisible();
  const others = page.getByRole("button", { name: "Sign out everywhere else" });
  if (await others.isVisible()) {
    await others.click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  await expect(sessions(page)).toHaveCount(1);
}

test("the profile says who is signed in, as what, and to which RingCX", async ({ app, page }) => {
  await enter(page, app, "ana@example.com", "/settings");
  await expect(page).toHaveTitle("Settings · Tokendesk");
  const profile = page.getByRole("region", { name: "Profile" });
  await expect(profile).toContainText("Ana Lima");
  await expect(profile).toContainText("ana@example.com");
  await expect(profile).toContainText("Operations");
  const connections = page.getByRole("region", { name: "Connections", exact: true });
  await expect(connections).toContainText("333333");
  await expect(connections).toContainText("aws80");
});

test("one session is ended from another, after a question, and its cookie is dead at once", async ({
  app,
  newVisitor,
  page,
}) => {
  await enterAlone(page, app, pia);
  const visitor = await newVisitor(app, { "user-agent": phone }).signIn(pia);
  await page.reload();
  await expect(sessions(page)).toHaveCount(2);
  await expect(sessions(page).filter({ hasText: "This session" })).toContainText("Chrome on");
  const other = sessions(page).filter({ hasText: "Safari on iPhone" });
  await expect(other).toContainText("127.0.0.1");
  await expect(other).toContainText("Signed in");
  await expect(other).toContainText("Last seen");

  const signOut = other.getByRole("button", { name: "Sign out Safari on iPhone, 127.0.0.1" });
  await tabTo(page, signOut);
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Sign out of this session?" });
  await expect(dialog).toContainText("Safari on iPhone, 127.0.0.1");
  await page.keyboard.press("Escape");
  await expect(signOut).toBeFocused();
  expect((await visitor.get("/api/session")).status).toBe(200);

  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByText("Ended 1 session", { exact: true })).toBeVisible();
  await expect(sessions(page)).toHaveCount(1);
  await expect(page.getByRole("heading", { name: "Your sessions" })).toBeFocused();
  await expect(page.getByRole("button", { name: "Sign out everywhere else" })).toHaveCount(0);
  expectProblem(await visitor.get("/api/session"), 401, "session_expired");
});

test("a session that is over already is no trouble", async ({ app, newVisitor, page, problems }) => {
  problems.expect(/status of 404/);
  await enterAlone(page, app, pia);
  const visitor = await newVisitor(app, { "user-agent": phone }).signIn(pia);
  await page.reload();
  await visitor.signOut();
  await page.getByRole("button", { name: /^Sign out Safari on iPhone/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByRole("dialog").getByRole("status")).toHaveText("It was over already.");
  await expect(page.getByText(/^Ended/)).toHaveCount(0);
  await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(sessions(page)).toHaveCount(1);
});

test("everywhere else means all but this one", async ({ app, newVisitor, page }) => {
  await enterAlone(page, app, pia);
  const visitors = await Promise.all([
    newVisitor(app).signIn(pia),
    newVisitor(app, { "user-agent": phone }).signIn(pia),
  ]);
  await page.reload();
  await expect(sessions(page)).toHaveCount(3);
  await page.getByRole("button", { name: "Sign out everywhere else" }).click();
  await expect(page.getByRole("dialog")).toContainText("2 other sessions");
  await page.getByRole("dialog").getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByText("Ended 2 sessions", { exact: true })).toBeVisible();
  await expect(sessions(page)).toHaveCount(1);
  for (const visitor of visitors) expectProblem(await visitor.get("/api/session"), 401, "session_expired");
});

test("everywhere means this one too", async ({ app, newVisitor, page }) => {
  await enterAlone(page, app, pia);
  const visitor = await newVisitor(app).signIn(pia);
  await page.getByRole("button", { name: "Sign out everywhere", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL(/\/sign-in\?reason=signed-out/);
  expectProblem(await visitor.get("/api/session"), 401, "session_expired");
  await page.goto("/settings");
  await expect(page).toHaveURL(/\/sign-in/);
});

test("this session is ended like any other", async ({ app, page }) => {
  await enter(page, app, pia, "/settings");
  await page.getByRole("button", { name: /, this session$/ }).click();
  await expect(page.getByRole("dialog")).toContainText("sign in again in this browser");
  await page.getByRole("dialog").getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL(/\/sign-in\?reason=signed-out/);
});

test("a refusal stays in the question, with the way on", async ({ app, newVisitor, page, problems }) => {
  problems.expect(/status of 401/);
  await enterAlone(page, app, pia);
  await newVisitor(app, { "user-agent": phone }).signIn(pia);
  await page.reload();
  await page.getByRole("button", { name: "Sign out everywhere else" }).click();
  await page.context().clearCookies();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("You are not signed in");
  await expect(page.getByRole("dialog").getByRole("button", { name: "Try again" })).toBeVisible();
});

test("axe has nothing to say, in light and dark, at 1280 and 375 px, where nothing scrolls sideways", async ({
  app,
  newVisitor,
  page,
}) => {
  await newVisitor(app, { "user-agent": phone }).signIn(pia);
  await enter(page, app, pia, "/settings");
  await expectGoodEverywhere(page, "settings");
  await page.getByRole("button", { name: "Sign out everywhere else" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectGoodEverywhere(page, "settings, a question");
});
