/**
 * Each worker has a sandbox and a built dashboard of its own, as processes; each test starts from the sandbox's seed.
 * `test.use({ appEnv: { ... } })` at the top of a file gives its worker's dashboard more environment; `launch` starts
 * one more dashboard for a single test. Errors that nobody expected fail the test: see `problems`.
 */
import { test as base, expect, type Page } from "@playwright/test";
import { passwordOf, type Sandbox } from "../test/sandbox-control.ts";
import { expectNoViolation, waitForReact } from "./browser.ts";
import { Problems } from "./problems.ts";
import { type App, type AppOptions, type Environment, type RunningSandbox, startApp, startSandbox } from "./servers.ts";
import { startSite, trustedCertificate } from "./site.ts";
import { type Target, Visitor } from "./visitor.ts";

type WorkerFixtures = {
  /** Two replicas behind nginx with TLS, in place of one process that is reached directly; `launch`ed ones, too. */
  https: boolean;
  /** More environment for the worker's dashboard. */
  appEnv: Environment;
  upstream: RunningSandbox;
  server: App;
};

type TestFixtures = {
  /** The worker's sandbox, back at its seed. */
  sandbox: Sandbox;
  /** The worker's dashboard. */
  app: App;
  /** Starts one more dashboard, against the same sandbox. It ends with the test. */
  launch: (options?: AppOptions) => Promise<App>;
  /** Somebody without a browser who has not signed in; `headers` go with every request. */
  newVisitor: (app?: Target, headers?: Record<string, string>) => Visitor;
  /** The same, one of them. */
  visitor: Visitor;
  /** `problems.expect(/.../)` says that a console.error or an error in the log belongs to the test. */
  problems: Problems;
  /** Signs in through the form, in the test's own page, and gives it, at the page that follows. */
  signedInPage: (username?: string) => Promise<Page>;
  /** Asserts that axe finds nothing to say of the page as it stands. */
  expectAccessible: (page: Page) => Promise<void>;
};

/** Of a test that brings its own proxy, or is about there being none: it is not repeated behind nginx. */
export const once = { tag: "@once" };

/** A phone, as narrow as they come: `test.use({ viewport: narrow })` or `page.setViewportSize(narrow)`. */
export const narrow = { width: 375, height: 740 };

/** Asserts that the page does not scroll sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  expect(content, "the page is wider than its window").toBeLessThanOrEqual(window);
}

/** Fills in and sends the sign-in form that the page shows. */
export async function submitSignIn(
  page: Page,
  username = "ana@example.com",
  password = passwordOf(username),
): Promise<void> {
  await page.getByRole("textbox", { name: "Username" }).fill(username);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("textbox", { name: "Platform ID" }).fill("aws80");
  await page.getByRole("button", { name: "Sign in" }).click();
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  https: [false, { option: true, scope: "worker" }],

  // `ignoreHTTPSErrors` would let every connection fail first and be asked for again, and now and then Chromium asks no
  // more: ERR_TOO_MANY_RETRIES.
  launchOptions: [
    async ({ launchOptions }, use) => {
      const trust = `--ignore-certificate-errors-spki-list=${trustedCertificate().pin}`;
      await use({ ...launchOptions, args: [...(launchOptions.args ?? []), trust] });
    },
    { scope: "worker" },
  ],

  appEnv: [{}, { option: true, scope: "worker" }],

  upstream: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the dependencies from the pattern
    async ({}, use) => {
      const sandbox = await startSandbox();
      await use(sandbox);
      await sandbox.stop();
    },
    { scope: "worker" },
  ],

  server: [
    async ({ upstream, appEnv, https }, use) => {
      const start = https ? startSite : startApp;
      const app = await start(upstream.control.url, { env: appEnv });
      await use(app);
      await app.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],

  problems: [
    async ({ server }, use) => {
      const problems = new Problems();
      problems.watchApp(server, "now");
      await use(problems);
      await problems.judge();
    },
    { auto: true },
  ],

  sandbox: [
    async ({ upstream }, use) => {
      await upstream.control.reset();
      await use(upstream.control);
    },
    { auto: true },
  ],

  app: async ({ server }, use) => {
    await use(server);
  },

  baseURL: async ({ server }, use) => {
    await use(server.url);
  },

  launch: async ({ sandbox, problems, https }, use) => {
    const started: App[] = [];
    await use(async (options) => {
      const app = await (https ? startSite(sandbox.url, options, 1) : startApp(sandbox.url, options));
      started.push(app);
      problems.watchApp(app, "start");
      return app;
    });
    for (const app of started) await problems.end(app);
  },

  newVisitor: async ({ app }, use) => {
    await use((target = app, headers = {}) => new Visitor(target, headers));
  },

  visitor: async ({ newVisitor }, use) => {
    await use(newVisitor());
  },

  context: async ({ context, problems }, use) => {
    await problems.watchBrowser(context);
    context.on("page", waitForReact);
    await use(context);
  },

  signedInPage: async ({ page }, use) => {
    await use(async (username) => {
      await page.goto("/sign-in");
      await submitSignIn(page, username);
      await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
      return page;
    });
  },

  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the dependencies from the pattern
  expectAccessible: async ({}, use) => {
    await use((page) => expectNoViolation(page, "axe"));
  },
});

export { expect };
