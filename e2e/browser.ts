/** Steps that the tests of the screens share. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Locator, type Page, type Request } from "@playwright/test";
import { passwordOf } from "../test/sandbox-control.ts";
import type { Target } from "./visitor.ts";

/** Signs in over HTTP, into the page's own cookies, and opens the page at `path`. */
export async function enter(page: Page, app: Target, username = "ana@example.com", path = "/tokens"): Promise<void> {
  const csrf = await page.request.get(`${app.url}/api/auth/csrf`);
  const { csrfToken } = (await csrf.json()) as { csrfToken: string };
  const form = { username, password: passwordOf(username), platformId: "aws80", csrfToken, json: "true" };
  const headers = { origin: app.origin };
  const answer = await page.request.post(`${app.url}/api/auth/callback/ringcx`, { form, headers });
  expect(answer.status(), await answer.text()).toBe(200);
  await page.goto(path);
}

/**
 * From now on a page that was opened or loaded again in full is there when React works in it: what is pressed before is
 * lost, and a test does not press twice. `waitUntil` says that the test is about what comes before.
 */
export function waitForReact(page: Page): void {
  for (const name of ["goto", "waitForURL", "reload", "goBack", "goForward"] as const) {
    const load = page[name].bind(page) as (...args: unknown[]) => Promise<unknown>;
    const arrive = async (...args: unknown[]) => {
      const answer = await load(...args);
      const options = args.at(-1) as { waitUntil?: string } | undefined;
      if (options?.waitUntil === undefined) await reactWorks(page);
      return answer;
    };
    Object.assign(page, { [name]: arrive });
  }
}

/** Resolves when React has taken over the document that the page shows, or when that is none of Next's. */
async function reactWorks(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    if (!("__next_f" in window)) return document.readyState === "complete";
    const key = Object.keys(document).find((name) => name.startsWith("__reactContainer$"));
    const root = (document as unknown as Record<string, ReactRoot | undefined>)[key ?? ""];
    return root?.stateNode.current.memoizedState.isDehydrated === false;
  });
}

/** What React keeps at a document that it hydrates. No other way leads to knowing whether it has. */
type ReactRoot = { stateNode: { current: { memoizedState: { isDehydrated: boolean } } } };

/** Holds back the scripts of every page that is opened from now on, until the function it gives is called. */
export async function holdScripts(page: Page): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route(/\/_next\/static\/.*\.js/, async (route) => {
    await promise;
    await route.continue();
  });
  return resolve;
}

/** Lets the page read and write the clipboard, as it may in front of a person. */
export async function allowClipboard(page: Page): Promise<void> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
}

export function clipboard(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Pastes a text into what has the focus. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await page.keyboard.press("ControlOrMeta+V");
}

/** The rows of the tokens, without the one of the headings. */
export function rows(page: Page): Locator {
  return page.getByRole("row").filter({ has: page.getByRole("cell") });
}

export function rowOf(page: Page, hint: string): Locator {
  return rows(page).filter({ hasText: hint });
}

/** Opens the menu of a token's row and chooses from it. */
export async function choose(page: Page, hint: string, item: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${hint}` }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/** Writes down every address that is asked for or shown, by any page of the context. */
export function recordAddresses(page: Page): string[] {
  const seen: string[] = [];
  page.context().on("request", (request: Request) => seen.push(request.url()));
  page.on("framenavigated", (frame) => seen.push(frame.url()));
  return seen;
}

/** All that a page keeps or shows as text: its document with the inlined payload, its address, both storages. */
export function everythingKept(page: Page): Promise<string> {
  return page.evaluate(() =>
    [
      document.documentElement.outerHTML,
      location.href,
      JSON.stringify(history.state),
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      document.cookie,
    ].join("\n"),
  );
}

/** The text that a control's `aria-describedby` names. */
export function expectDescribed(control: Locator, text: string | RegExp): Promise<void> {
  return expect(control).toHaveAccessibleDescription(text);
}

/** Presses Tab until `target` has the focus. */
export async function tabTo(page: Page, target: Locator, key = "Tab"): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press(key);
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`no way by ${key} to ${target}`);
}

const widths = [1280, 375] as const;
/** What axe looks at in each theme: all of its rules, then those that colours can change. */
const schemes = [
  ["light", undefined],
  ["dark", ["color-contrast", "link-in-text-block"]],
] as const;

/** axe itself, without the frame around it: that sends its half megabyte again for each look, a hundred times. */
const axeSource = readFileSync(
  createRequire(createRequire(import.meta.url).resolve("@axe-core/playwright")).resolve("axe-core/axe.min.js"),
  "utf8",
);

type Axe = {
  run(
    context: Document,
    options: object,
  ): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }>;
};

/** Asserts that axe finds nothing in the page as it stands. No page of ours has frames. */
export async function expectNoViolation(page: Page, what: string, rules?: readonly string[]): Promise<void> {
  await settled(page);
  // A document keeps it until the next one is loaded.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const said = await page.evaluate(
    async (only) => {
      const { axe } = window as unknown as { axe: Axe };
      const runOnly = only === undefined ? {} : { runOnly: { type: "rule", values: only } };
      const { violations } = await axe.run(document, { resultTypes: ["violations"], selectors: false, ...runOnly });
      return violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => node.html).join("\n")}`);
    },
    rules as string[] | undefined,
  );
  expect(said, what).toEqual([]);
}

/**
 * Asserts of what the page shows now that axe finds nothing at either width in either theme, and that it does not
 * scroll sideways. The theme follows the system here, so that nothing has to be loaded again.
 */
export async function expectGoodEverywhere(page: Page, what: string): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 780 });
    for (const [colorScheme, rules] of schemes) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await expectNoViolation(page, `${what}, ${width} px, ${colorScheme}`, rules);
    }
    const content = await page.evaluate(() => document.scrollingElement?.scrollWidth ?? Number.POSITIVE_INFINITY);
    expect(content, `${what}: wider than ${width} px`).toBeLessThanOrEqual(width);
  }
}

/** Brings what moves to its end, and what moves after it: colours in the midst of a fade are nobody's. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // What turns for ever has no end.
    const isOnItsWay = ({ effect, playState }: Animation) =>
      playState !== "finished" && Number.isFinite(Number(effect?.getComputedTiming().endTime));
    for (;;) {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const moving = document.getAnimations().filter(isOnItsWay);
      if (moving.length === 0) return;
      for (const animation of moving) animation.finish();
    }
  });
}
