import { expectGoodEverywhere } from "./browser.ts";
import { expect, test } from "./fixtures.ts";

test.describe("the fixtures notice what nobody expected", () => {
  test("a console.error in the page fails the test", async ({ page }) => {
    test.fail();
    await page.goto("/sign-in");
    // biome-ignore lint/suspicious/noConsole: it is what the test is about
    await page.evaluate(() => console.error("something is wrong"));
  });

  test("an uncaught error in the page fails the test", async ({ page }) => {
    test.fail();
    await page.goto("/sign-in");
    const thrown = page.waitForEvent("pageerror");
    await page.evaluate(() => void setTimeout(() => Promise.reject(new Error("nobody caught this")), 0));
    await thrown;
  });

  test("a violation of the Content Security Policy fails the test", async ({ page }) => {
    test.fail();
    await page.goto("/sign-in");
    const violated = page.waitForEvent("console", (message) => message.text().includes("Content Security Policy:"));
    await page.evaluate(() => document.body.append(Object.assign(new Image(), { src: "https://elsewhere.example/" })));
    await violated;
  });

  test("an error in the dashboard's log fails the test", async ({ app }) => {
    test.fail();
    expect(app.running()).toBe(true);
    app.output.stdout += '{"level":"error","msg":"something is wrong"}\n';
  });

  test("a problem that was announced and did not come fails the test", async ({ app, problems }) => {
    test.fail();
    expect(app.running()).toBe(true);
    problems.expect(/never seen/);
  });

  test("a problem that was announced is none", async ({ page, problems }) => {
    await page.goto("/sign-in");
    const said = page.waitForEvent("console", (message) => message.text() === "as announced");
    // biome-ignore lint/suspicious/noConsole: it is what the test is about
    await page.evaluate(() => console.error("as announced"));
    expect((await said).type()).toBe("error");
    problems.expect(/as announced/);
  });
});

test("a test begins with the sandbox's seed, whatever the one before did", async ({ sandbox, visitor }) => {
  await sandbox.addToken("new@example.com");
  await visitor.signIn("new@example.com");
  expect(await visitor.tokens()).toHaveLength(1);
  await sandbox.reset();
  expect(await sandbox.journal()).toEqual([]);
  await visitor.signIn("new@example.com");
  expect(await visitor.tokens()).toEqual([]);
});

test("a page signs in through the form", async ({ signedInPage }) => {
  const page = await signedInPage();
  await expect(page.getByRole("heading", { name: "Tokens", level: 1 })).toBeVisible();
});

test("axe finds what is wrong at one width or in one theme alone, and in the midst of a fade", async ({ page }) => {
  await page.goto("/sign-in");
  await expectGoodEverywhere(page, "nothing planted");
  for (const condition of ["(max-width: 400px)", "(prefers-color-scheme: dark)"]) {
    await page.evaluate((media) => {
      const [sheet] = document.adoptedStyleSheets.length > 0 ? document.adoptedStyleSheets : [new CSSStyleSheet()];
      sheet?.replaceSync(
        `@media ${media} { label { color: #888 !important; background: #777; transition: color 5s } }`,
      );
      document.adoptedStyleSheets = sheet ? [sheet] : [];
    }, condition);
    await expect(expectGoodEverywhere(page, "planted")).rejects.toThrow("color-contrast");
  }
});
