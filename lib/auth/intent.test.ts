import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepIntent, readIntent, type SignInIntent, takeIntent } from "@/lib/auth/intent";
import { Browser } from "@/test/cookies";
import { freshProcess, TEST_SECRET } from "@/test/process";

const intent: SignInIntent = {
  purpose: "connect",
  returnTo: "/accounts?a=1",
  sid: "the ID of a session",
  linkConfirmed: true,
};
const none = { purpose: "sign_in", returnTo: "/tokens", sid: null, linkConfirmed: false };

let browser: Browser;
beforeEach(() => {
  freshProcess();
  browser = new Browser();
});
afterEach(() => {
  vi.useRealTimers();
});

test("is read as often as one likes, and taken once", async () => {
  await keepIntent(browser, intent);
  expect(browser.read("tokendesk.intent")).not.toContain("accounts");
  expect(await readIntent(browser)).toEqual(intent);
  expect(await takeIntent(browser)).toEqual(intent);
  expect(await takeIntent(browser)).toEqual(none);
});

test("leads to no other site, whoever asked for it", async () => {
  await keepIntent(browser, { ...intent, returnTo: "//evil.example/x" });
  expect((await takeIntent(browser)).returnTo).toBe("/tokens");
});

test("holds for ten minutes, also when the secrets move on, and not when they are others", async () => {
  await keepIntent(browser, intent);
  freshProcess({ SESSION_SECRET: `${"n".repeat(40)},${TEST_SECRET}` });
  expect(await readIntent(browser)).toEqual(intent);
  vi.useFakeTimers({ now: Date.now() + 9 * 60_000, toFake: ["Date"] });
  expect(await readIntent(browser)).toEqual(intent);
  vi.setSystemTime(Date.now() + 3 * 60_000);
  expect(await readIntent(browser)).toBeNull();
  vi.useRealTimers();
  freshProcess({ SESSION_SECRET: "o".repeat(40) });
  expect(await readIntent(browser)).toBeNull();
});

test("is none when it was changed", async () => {
  await keepIntent(browser, intent);
  const value = browser.read("tokendesk.intent") ?? "";
  browser.write("tokendesk.intent", `${value.slice(0, 60)}x${value.slice(61)}`, {});
  expect(await takeIntent(browser)).toEqual(none);
});
