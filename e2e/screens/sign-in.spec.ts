import { passwordOf } from "../../test/sandbox-control.ts";
import {
  allowClipboard,
  enter,
  everythingKept,
  expectDescribed,
  holdScripts,
  paste,
  recordAddresses,
} from "../browser.ts";
import { expect, submitSignIn, test } from "../fixtures.ts";

test.use({ appEnv: { RINGCX_TIMEOUT_MS: "3000" } });

/** Its password is full of characters that a careless form or address would break. */
const pia = "password@example.com";

const forms = (secret: string) => [secret, encodeURIComponent(secret), new URLSearchParams({ q: secret }).toString()];

test("a person signs in by the labels of the contract, pastes the password, lands on the tokens, and it is kept nowhere", async ({
  page,
  sandbox,
}) => {
  await allowClipboard(page);
  const addresses = recordAddresses(page);
  await page.goto("/sign-in");
  await expect(page).toHaveTitle("Sign in · Tokendesk");
  await expect(page.getByRole("heading", { level: 1, name: "Sign in to RingCX", exact: true })).toBeVisible();
  const password = page.getByLabel("Password", { exact: true });
  await expect(password).toHaveAttribute("type", "password");
  await expect(password).toHaveAttribute("autocomplete", "current-password");
  await expect(page.getByLabel("Host", { exact: true })).toHaveValue(sandbox.url);

  await page.getByLabel("Username", { exact: true }).fill(pia);
  await password.focus();
  await paste(page, passwordOf(pia));
  await expect(password).toHaveValue(passwordOf(pia));
  await page.getByRole("button", { name: "Show characters" }).click();
  await expect(password).toHaveAttribute("type", "text");
  await page.getByRole("button", { name: "Hide characters" }).click();
  await page.getByLabel("Platform ID", { exact: true }).fill("aws80");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();

  await page.waitForURL("/tokens");
  await expect(page.getByRole("heading", { level: 1, name: "Tokens", exact: true })).toBeVisible();
  const kept = await everythingKept(page);
  for (const form of forms(passwordOf(pia))) {
    expect(kept).not.toContain(form);
    expect(addresses.filter((address) => address.includes(form))).toEqual([]);
  }

  // Back does not bring the form back to somebody who is signed in.
  await page.goBack();
  await page.waitForURL("/tokens");
});

test("the form is not sent before its script works: neither by its button nor by Enter", async ({ page }) => {
  const letScripts = await holdScripts(page);
  const sent: string[] = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  await page.goto("/sign-in", { waitUntil: "commit" });
  const button = page.getByRole("button", { name: "Sign in", exact: true });
  await page.getByLabel("Username", { exact: true }).fill("ana@example.com");
  await page.getByLabel("Password", { exact: true }).fill(passwordOf("ana@example.com"));
  await page.getByLabel("Platform ID", { exact: true }).fill("aws80");
  await page.keyboard.press("Enter");
  await button.click({ force: true });
  await expect(button).toBeDisabled();
  letScripts();
  await expect(button).toBeEnabled();
  expect(sent).toEqual([]);
  // What was typed meanwhile is there.
  await button.click();
  await page.waitForURL("/tokens");
});

test("without JavaScript the page says that it needs it", async ({ page }) => {
  const html = await (await page.request.get("/sign-in")).text();
  // Chromium's switch for the tests' pages leaves its parser as it is, which takes this for text.
  expect(html).toMatch(/<noscript>((?!<\/noscript>).)*Tokendesk needs JavaScript/s);
});

test("what is missing is named, in a summary that has the focus and at each field", async ({ page, sandbox }) => {
  await page.goto("/sign-in");
  await page.getByLabel("Username").fill("ana@example.com");
  await page.getByRole("button", { name: "Sign in" }).click();
  const summary = page.getByRole("alert").filter({ hasText: "Fill in Password and Platform ID" });
  await expect(summary).toBeFocused();
  await expect(page.getByLabel("Username")).not.toHaveAttribute("aria-invalid");
  for (const name of ["Password", "Platform ID"]) {
    await expect(page.getByLabel(name, { exact: true })).toHaveAttribute("aria-invalid", "true");
    await expectDescribed(page.getByLabel(name, { exact: true }), new RegExp(`${name} is needed`));
  }
  expect(await sandbox.journal()).toEqual([]);
});

test("a legacy portal asks for no platform ID and offers two weeks; what is remembered brings it back", async ({
  page,
  sandbox,
  expectAccessible,
}) => {
  const portal = `${sandbox.url}/api`;
  await page.goto("/sign-in");
  const host = page.getByLabel("Host", { exact: true });
  await expect(host.locator('optgroup[label="Legacy portal"] option')).toHaveText([portal.replace("http://", "")]);
  await expect(page.getByRole("checkbox", { name: "Stay signed in for two weeks" })).toHaveCount(0);
  await page.getByLabel("Platform ID", { exact: true }).fill("aws80");
  await host.selectOption(portal);
  await expect(page.getByRole("textbox", { name: "Platform ID" })).toHaveCount(0);
  await expect(page.getByLabel("Platform ID", { exact: true })).toBeHidden();
  const stay = page.getByRole("checkbox", { name: "Stay signed in for two weeks" });
  await expectDescribed(stay, /an hour without use/);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: "Fill in Username and Password" })).toBeFocused();
  // With another host what was typed is there again.
  await host.selectOption(sandbox.url);
  await expect(page.getByLabel("Platform ID", { exact: true })).toHaveValue("aws80");
  await host.selectOption(portal);

  await page.getByLabel("Username", { exact: true }).fill("ana@example.com");
  await page.getByLabel("Password", { exact: true }).fill(passwordOf("ana@example.com"));
  await stay.check();
  await page.getByRole("checkbox", { name: "Remember me on this device" }).check();
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL("/tokens");
  await expect(page.getByRole("heading", { level: 1, name: "Tokens", exact: true })).toBeVisible();
  expect(await sandbox.journal("legacy.login")).toMatchObject([{ username: "ana@example.com" }]);

  await page.context().clearCookies();
  await page.goto("/sign-in");
  await expect(host).toHaveValue(portal);
  await expect(stay).toBeVisible();
});

for (const { what, username, password, fault, status, title, says } of [
  {
    what: "a wrong password",
    username: "child1@example.com",
    password: "wrong horse battery",
    status: 401,
    title: "RingCX did not accept these credentials",
    says: ["Check all three, and the host.", "RingCX may lock a user after several tries."],
  },
  {
    what: "a password that must be set anew first",
    username: "reset@example.com",
    status: 403,
    title: "RingCX wants a new password first",
    says: ["Sign in to RingCX itself, set it, then come back."],
  },
  {
    what: "a user who is not let in",
    username: "forbidden@example.com",
    status: 403,
    title: "This is not permitted",
    says: ["Ask a RingCX administrator."],
  },
  {
    what: "a gateway's page in place of an answer",
    username: pia,
    fault: { operation: "login", kind: "html502", count: -1 } as const,
    status: 503,
    title: "RingCX is not available",
    says: ["Nothing was changed.", "try again"],
  },
  {
    what: "no answer in time",
    username: pia,
    fault: { operation: "login", kind: "hang", count: -1 } as const,
    status: 504,
    title: "RingCX did not answer in time",
    says: ["Nothing was changed.", "try again"],
  },
]) {
  test(`${what} at sign-in is said with what to do, takes the focus, and the password stays out of the page and its address`, async ({
    page,
    problems,
    sandbox,
  }) => {
    problems.expect(new RegExp(`status of ${status}`));
    const typed = password ?? passwordOf(username);
    const addresses = recordAddresses(page);
    await page.goto("/sign-in?returnTo=%2Faccounts");
    if (fault) await sandbox.fault(fault);
    await submitSignIn(page, username, typed);
    const alert = page.getByRole("alert").filter({ hasText: title });
    await expect(alert).toBeFocused();
    for (const text of says) await expect.soft(alert).toContainText(new RegExp(text.replaceAll(".", "\\."), "i"));
    await expect(alert).toContainText(/Request ID [0-9a-f-]{36}/);
    await expect(page.getByLabel("Username")).toHaveValue(username);
    await expect(page.getByLabel("Platform ID")).toHaveValue("aws80");
    if (typed !== "sandbox") {
      const kept = await everythingKept(page);
      for (const form of forms(typed)) {
        expect(kept).not.toContain(form);
        expect(addresses.filter((address) => address.includes(form))).toEqual([]);
      }
    }
    // The form is still good: the next try goes through, and on to where the person wanted to be.
    await sandbox.clearFaults();
    await submitSignIn(page, pia);
    await page.waitForURL("/accounts");
  });
}

test("after too many failures the form counts down, also while the lid is closed, and then works again", async ({
  page,
  problems,
  visitor,
}) => {
  problems.expect(/status of 401/);
  problems.expect(/status of 429/);
  // A name of its own: failures are remembered for minutes.
  const username = `guessed-${Date.now()}@example.com`;
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    expect((await visitor.attemptSignIn({ username, password: "guess" })).status).toBe(401);
  }
  await page.clock.install();
  await page.goto("/sign-in");
  await submitSignIn(page, username, "guess");
  await expect(page.getByRole("alert").filter({ hasText: "RingCX did not accept these credentials" })).toBeFocused();
  await submitSignIn(page, username, "guess");
  const alert = page.getByRole("alert").filter({ hasText: "Too many failed sign-ins. Wait before you try again" });
  await expect(alert).toBeFocused();
  const button = page.getByRole("button", { name: "Sign in" });
  await expect(button).toHaveAttribute("aria-disabled", "true");
  await expectDescribed(button, /You can try again in (5 min 0|4 min \d+) s/);
  await expect(button).toHaveAccessibleDescription(/4 min 5\d s/);

  await page.clock.fastForward("05:01");
  await expect(button).not.toHaveAttribute("aria-disabled");
  await submitSignIn(page, "ana@example.com");
  await page.waitForURL("/tokens");
});

test("a page that was asked for comes after sign-in, with its query", async ({ page }) => {
  await page.goto("/tokens?q=ivr&sort=label&order=asc");
  await page.waitForURL("/sign-in?**");
  await expect(page.getByRole("status")).toHaveText("Sign in to see that page.");
  await submitSignIn(page);
  await page.waitForURL("/tokens?q=ivr&sort=label&order=asc");
  await expect(page.getByLabel("Search tokens")).toHaveValue("ivr");
});

test("a hostile way back leads to the tokens", async ({ app, page }) => {
  const hostile = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "/\t/evil.example/",
    "javascript:alert(1)",
    "/..//evil.example/",
    "/api/session",
    "/sign-in?returnTo=//evil.example",
    "\u0000//evil.example",
  ];
  const [first = "", second = "", ...rest] = hostile;
  const addresses = recordAddresses(page);
  for (const value of [first, second]) {
    await page.context().clearCookies();
    await page.goto(`/sign-in?returnTo=${encodeURIComponent(value)}`);
    await submitSignIn(page);
    await page.waitForURL("/tokens");
  }
  // Signed in already, the page leads on by itself.
  for (const value of rest) {
    await page.goto(`/sign-in?returnTo=${encodeURIComponent(value)}`);
    expect(page.url(), value).toBe(`${app.url}/tokens`);
  }
  expect(addresses.filter((address) => new URL(address).origin !== app.url)).toEqual([]);
});

test("the reason for coming here is said, and a made-up one is not", async ({ page }) => {
  for (const [reason, text] of [
    ["expired", "Your session has ended. Sign in to go on where you were."],
    ["idle", "You were away for a while, so the session was closed. Sign in to go on where you were."],
    ["signed-out", "You are signed out, here and at RingCX."],
    ["required", "Sign in to see that page."],
  ] as const) {
    await page.goto(`/sign-in?reason=${reason}`);
    await expect(page.getByRole("status")).toHaveText(text);
  }
  await page.goto("/sign-in?reason=%3Cb%3EYour%20password%20has%20leaked%3C%2Fb%3E");
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expect(page.getByText("leaked")).toHaveCount(0);
});

test("a made-up reason that is a word of the language does not break the sign-in page", async ({ page }) => {
  for (const reason of ["constructor", "toString", "__proto__"]) {
    const answer = await page.goto(`/sign-in?reason=${reason}`);
    expect.soft(answer?.status(), reason).toBe(200);
    await expect.soft(page.getByLabel("Username"), reason).toBeVisible({ timeout: 2_000 });
  }
});

test("remember me keeps username, platform ID and host on this device, never the password, and forgets when asked", async ({
  app,
  page,
  sandbox,
}) => {
  await page.goto("/sign-in");
  await page.getByLabel("Remember me on this device").check();
  await submitSignIn(page, pia);
  await page.waitForURL("/tokens");
  const stored = await page.evaluate(() => ({ ...localStorage, ...sessionStorage }));
  const texts = Object.values(stored).map(String);
  expect(texts.map((text) => JSON.parse(text))).toContainEqual({
    host: sandbox.url,
    platformId: "aws80",
    username: pia,
  });
  expect(texts.filter((text) => JSON.parse(text) && text.includes(passwordOf(pia).slice(0, 5)))).toEqual([]);

  await page.context().clearCookies();
  await page.goto("/sign-in");
  await expect(page.getByLabel("Username")).toHaveValue(pia);
  await expect(page.getByLabel("Platform ID")).toHaveValue("aws80");
  await expect(page.getByLabel("Host")).toHaveValue(sandbox.url);
  await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
  await expect(page.getByLabel("Password", { exact: true })).toBeFocused();

  await page.getByLabel("Remember me on this device").uncheck();
  await submitSignIn(page, pia);
  await page.waitForURL("/tokens");
  expect(await page.evaluate(() => ({ ...localStorage, ...sessionStorage }))).toEqual({});
  await enter(page, app, pia, "/sign-in");
  await page.waitForURL("/tokens");
});
