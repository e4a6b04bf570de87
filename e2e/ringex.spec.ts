/** The door over RingCentral: its page, the way back, and the line for the exchange. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "@playwright/test";
import type { Sandbox } from "../test/sandbox-control.ts";
import { test as base, expect, once } from "./fixtures.ts";
import type { App } from "./servers.ts";
import { type Site, startSite } from "./site.ts";
import type { Visitor } from "./visitor.ts";

const ringexOf = (sandbox: Sandbox) => ({
  RC_CLIENT_ID: "sandbox-client",
  RC_CLIENT_SECRET: "sandbox-secret",
  RC_SERVER_URL: sandbox.url,
});

/** Exchanges that may begin within a minute where fifty come at once: the vendor's five would keep them for ten. */
const limit = 45;

const test = base.extend<{ ringex: App; site: Site }>({
  /** A dashboard with that door. */
  ringex: async ({ sandbox, launch }, use) => {
    await use(
      await launch({
        env: {
          ...ringexOf(sandbox),
          ALLOWED_ACCOUNTS: "333333",
          RINGEX_EXCHANGE_LIMIT: "1000",
          RINGCX_TIMEOUT_MS: "3000",
        },
      }),
    );
  },

  /** Two replicas behind nginx, on which few have room at a time. */
  site: [
    async ({ sandbox, problems }, use) => {
      const env = { ...ringexOf(sandbox), RINGEX_EXCHANGE_LIMIT: String(limit) };
      const site = await startSite(sandbox.url, { env });
      problems.watchApp(site, "now");
      await use(site);
      await problems.end(site);
    },
    { timeout: 90_000 },
  ],
});

/** Leaves for RingCentral and gives what it asks, not answered yet. */
async function leave(page: Page, app: App, path = "/sign-in"): Promise<void> {
  await page.goto(app.url + path);
  await page.getByRole("button", { name: "Continue with RingCentral" }).click();
  await expect(page.getByRole("heading", { name: "RingCentral sandbox sign-in" })).toBeVisible();
}

async function allow(page: Page, username = "ana@example.com"): Promise<void> {
  await page.getByRole("radio", { name: username }).check();
  await page.getByRole("button", { name: "Allow" }).click();
}

const alert = (page: Page) => page.getByRole("alert").filter({ hasText: /./ }).first();

test("who allows it is signed in where they wanted to go, and each refusal is told where it can be mended", async ({
  page,
  ringex,
  sandbox,
  expectAccessible,
}) => {
  await leave(page, ringex, "/sign-in?returnTo=%2Faudit");
  await page.getByRole("button", { name: "Deny" }).click();
  await expect(alert(page)).toContainText("The sign-in was declined");

  // Not the state that this browser was given, and one that was never given.
  await leave(page, ringex);
  const state = new URL(page.url()).searchParams.get("state") ?? "";
  const back = `${ringex.url}/api/auth/callback/ringcentral`;
  await page.goto(`${back}?code=x&state=${state.slice(1)}A`);
  await expect(alert(page)).toContainText("This sign-in was not begun here");
  await page.goto(`${back}?code=x&state=${state}`);
  await expect(alert(page)).toContainText("This sign-in was not begun here");

  await leave(page, ringex);
  await sandbox.hold("oauth.token");
  const expireCode = async () => {
    await page.waitForRequest(/callback\/ringcentral/);
    await sandbox.control("POST", "expire-codes");
    await sandbox.clearFaults();
  };
  await Promise.all([expireCode(), page.waitForURL(/problem=/), allow(page)]);
  await expect(alert(page)).toContainText("This sign-in was used already");

  for (const kind of ["hang", "html503"]) {
    await sandbox.fault({ operation: "oauth.token", kind });
    await leave(page, ringex);
    await allow(page);
    await expect(alert(page)).toContainText("The sign-in service cannot be reached");
  }

  await leave(page, ringex);
  await allow(page, "other@example.com");
  await expect(alert(page)).toContainText("This account may not sign in here");
  expect((await page.context().cookies()).filter(({ name }) => /^(__Host-)?tokendesk(\.|$)/.test(name))).toEqual([]);

  await sandbox.fault({ operation: "exchange", kind: "html502" });
  await leave(page, ringex, "/sign-in?returnTo=%2Faudit");
  await allow(page);
  await expect(alert(page)).toContainText("The answer of RingCX got lost");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "Audit log" })).toBeVisible();
  expect(new URL(page.url()).pathname).toBe("/audit");
  await expect(page.getByText("Ana Lima").first()).toBeVisible();
  // The page that waited has nothing to wait for.
  await page.goto(`${ringex.url}/sign-in/ringex`);
  await expect(page.getByRole("button", { name: "New token" })).toBeVisible();
  for (const secret of (await sandbox.secrets()).oauth ?? []) {
    expect(ringex.output.stdout + ringex.output.stderr).not.toContain(secret);
  }
});

/** Through RingCentral without a browser. Gives the way back: true when it leads in at once, false to the page that waits. */
async function allowed(visitor: Visitor, username: string): Promise<() => Promise<boolean>> {
  expect((await visitor.post("/api/auth/intent", { purpose: "sign_in", returnTo: "/overview" })).status).toBe(204);
  const { csrfToken } = (await visitor.get("/api/auth/csrf")).json<{ csrfToken: string }>();
  const begun = await visitor.post("/api/auth/signin/ringcentral", new URLSearchParams({ csrfToken, json: "true" }));
  const asked = new URL(begun.json<{ url: string }>().url);
  const decision = new URLSearchParams(asked.searchParams);
  decision.set("sandbox_user", username);
  decision.set("sandbox_decision", "allow");
  const decided = await fetch(asked.origin + asked.pathname, {
    method: "POST",
    headers: { "user-agent": "e2e/1.0" },
    body: decision,
    redirect: "manual",
  });
  const { pathname, search } = new URL(decided.headers.get("location") ?? "");
  return async () => {
    const back = await visitor.get(pathname + search);
    const location = back.headers.get("location") ?? "";
    expect(location).toMatch(/\/(overview|sign-in\/ringex)$/);
    return location.endsWith("/overview");
  };
}

test(
  `fifty sign-ins at once on two replicas, ${limit} a minute: all are in, in their order, and RingCX refuses none`,
  once,
  async ({ page, sandbox, site, newVisitor, expectAccessible }) => {
    test.setTimeout(150_000);
    await sandbox.configure({ exchangeLimit: limit, exchangePerUser: false });

    const names = [
      "ana@example.com",
      "new@example.com",
      "many@example.com",
      "child1@example.com",
      "child2@example.com",
    ];
    const went: number[] = [];
    const visitors = Array.from({ length: 49 }, () => newVisitor(site));
    const askOn = async (visitor: Visitor, index: number) => {
      for (let ahead = 50; ; ) {
        const answer = await visitor.post("/api/auth/exchange");
        if (answer.status === 200) {
          went.push(index);
          expect((await visitor.get("/api/session")).status).toBe(200);
          return;
        }
        expect(answer.status, answer.text).toBe(202);
        const { place, waitSeconds } = answer.json<{ place: number; waitSeconds: number }>();
        // Nobody gets in before those who are in the line.
        expect(place).toBeLessThanOrEqual(ahead);
        ahead = place;
        expect(waitSeconds).toBeLessThanOrEqual(61);
        await sleep(Math.min(5, Math.max(1, waitSeconds / 4)) * 1000);
      }
    };
    await leave(page, site);
    const back = await Promise.all(
      visitors.map((visitor, index) => allowed(visitor, names[index % names.length] as string)),
    );
    // As long as there is room nobody waits.
    const waiting: number[] = [];
    await Promise.all(back.map(async (come, index) => ((await come()) ? went : waiting).push(index)));
    expect({ went: went.length, waiting: waiting.length }).toEqual({ went: limit, waiting: 49 - limit });
    for (const index of went) expect((await visitors[index]?.get("/api/session"))?.status).toBe(200);
    const others = Promise.all(waiting.map((index) => askOn(visitors[index] as Visitor, index)));
    await allow(page, "parent@example.com");
    await expect(page.getByRole("status")).toContainText(`You are number ${50 - limit} in line`);
    await expect(page.getByText(/^About (\d+ s|1 min [01] s)$/)).toBeVisible();
    await expectAccessible(page);
    await others;
    await expect(page.getByRole("button", { name: "New token" })).toBeVisible({ timeout: 30_000 });

    const exchanges = await sandbox.journal("exchange");
    expect(exchanges.map(({ status }) => status)).toEqual(Array(50).fill(200));
    // Whoever waited went soon after the minute of the one whose place they took.
    for (const [nth, { at }] of exchanges.slice(limit).entries()) {
      expect(at - (exchanges[nth]?.at ?? 0)).toBeLessThan(70_000);
    }
    expect(went).toHaveLength(49);
  },
);
