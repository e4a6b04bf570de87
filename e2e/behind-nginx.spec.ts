/** What only a proxy in front of two replicas can show. Each door is tried behind it, too: playwright.config.ts. */
import { request as requestRaw } from "node:https";
import { passwordOf } from "../test/sandbox-control.ts";
import { test as base, oidcEnv } from "./company.ts";
import { expect, submitSignIn } from "./fixtures.ts";
import type { App } from "./servers.ts";
import type { Site } from "./site.ts";
import { expectSignedIn, expiryOfNewest, isSignedOut, signInFor, storm, until } from "./storm.ts";
import { expectProblem, parseSetCookie, type Reply, type Visitor } from "./visitor.ts";

const test = base.extend<{ site: Site }>({
  appEnv: [
    async ({ identityProvider, upstream }, use) => {
      await use({
        ...oidcEnv(identityProvider.issuer),
        RC_CLIENT_ID: "sandbox-client",
        RC_CLIENT_SECRET: "sandbox-secret",
        RC_SERVER_URL: upstream.control.url,
        RINGEX_EXCHANGE_LIMIT: "1000",
      });
    },
    { scope: "worker" },
  ],

  site: async ({ app, company }, use) => {
    expect(company.issuer).toContain("/realms/acme");
    await use(app as Site);
  },
});
test.use({ https: true });

/** The cookies that an answer sets, with their attributes, without those that it removes. */
const cookiesOf = ({ headers }: Reply) =>
  headers
    .getSetCookie()
    .map(parseSetCookie)
    .filter(({ value }) => value !== "");

/** How many requests a replica has answered so far. */
const answered = ({ output }: App) => output.stdout.split('"msg":"request"').length - 1;

test("a person signs in on https, sees the tokens, and plain http leads there", async ({ site, page, context }) => {
  const plain = await fetch(`${site.plainUrl}/tokens?q=ci`, { redirect: "manual" });
  expect([plain.status, plain.headers.get("location")]).toEqual([301, `${site.url}/tokens?q=ci`]);

  await page.goto("/tokens");
  await submitSignIn(page);
  await page.waitForURL("**/tokens");
  await expect(page.getByRole("row", { name: /aws80:…/ })).toHaveCount(3);
  await page.getByRole("link", { name: "Accounts" }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: "Accounts", exact: true })).toBeVisible();
  const cookies = await context.cookies();
  const ours = cookies.filter(({ name }) => /tokendesk/.test(name));
  expect(ours.length).toBeGreaterThan(1);
  for (const { name, secure, httpOnly, path } of ours) {
    expect({ name, secure, httpOnly, path }).toEqual({
      name: expect.stringMatching(/^__Host-tokendesk/),
      secure: true,
      httpOnly: true,
      path: "/",
    });
  }
});

test("every door leads in on https, and back out: RingCentral, the company, a legacy portal", async ({
  site,
  sandbox,
  newVisitor,
  page,
  context,
}) => {
  test.slow();
  const signOut = async () => {
    await page.getByRole("button", { name: /^User menu/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
  };
  const mine = page.getByRole("row", { name: /aws80:…/ });

  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Continue with RingCentral" }).click();
  await page.getByRole("button", { name: "Deny" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "The sign-in was declined" })).toBeVisible();
  await page.getByRole("button", { name: "Continue with RingCentral" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL("**/tokens");
  await expect(mine).toHaveCount(3);
  await signOut();
  await page.waitForURL("**/sign-in?reason=signed-out");

  await page.getByRole("button", { name: "Continue with SSO" }).click();
  await page.getByRole("textbox", { name: "Acme account" }).fill("unverified");
  await page.getByRole("button", { name: "Sign in at Acme" }).click();
  await page.waitForURL(/problem=unverified_email/);
  await context.clearCookies();
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Continue with SSO" }).click();
  await page.getByRole("textbox", { name: "Acme account" }).fill("ana");
  await page.getByRole("button", { name: "Sign in at Acme" }).click();
  await page.waitForURL("**/tokens");
  await expect(page.getByRole("heading", { name: "No RingCX account is connected" })).toBeVisible();

  // Her address is the RingCX name: nothing is asked.
  const connected = await page.request.post("/api/connections", {
    headers: { origin: site.origin },
    data: { username: "ana@example.com", password: passwordOf("ana@example.com"), platformId: "aws80" },
  });
  expect(connected.status(), await connected.text()).toBe(201);
  await page.goto("/tokens");
  await expect(mine).toHaveCount(3);
  for (const { name, secure, httpOnly } of await context.cookies(site.url)) {
    if (name.includes("tokendesk"))
      expect([name, secure, httpOnly]).toEqual([expect.stringMatching(/^__Host-/), true, true]);
  }
  await signOut();
  await page.getByRole("button", { name: "Yes, sign me out of Acme" }).click();
  await page.waitForURL("**/sign-in?reason=signed-out");
  expect((await sandbox.journal("logout")).map(({ status }) => status)).toEqual([200, 200]);

  const visitor = newVisitor(site);
  const portal = await visitor.attemptSignIn({ platformId: "", host: `${sandbox.url}/api` });
  expect(portal.status, portal.text).toBe(200);
  expect(await visitor.tokens()).toHaveLength(3);
  expect((await visitor.get("/api/auth/callback/oidc?code=x&state=y")).headers.get("location")).toBe(
    `${site.url}/sign-in?problem=state&returnTo=%2Ftokens`,
  );
});

test("the cookies of access tokens of 3 and of 6 KB pass nginx in both directions", async ({
  site,
  sandbox,
  newVisitor,
}) => {
  for (const [accessTokenBytes, chunked] of [
    [3 * 1024, false],
    [6 * 1024, true],
  ] as const) {
    await sandbox.configure({ accessTokenBytes });
    const visitor = newVisitor(site);
    const signedIn = await visitor.attemptSignIn();
    expect(signedIn.status, signedIn.text).toBe(200);
    const set = cookiesOf(signedIn).filter(({ name }) => name.includes("tokendesk"));
    expect(set.some(({ name }) => name === "__Host-tokendesk.1")).toBe(chunked);
    for (const { name, attributes } of set) {
      expect(name).toMatch(/^__Host-/);
      expect([...attributes.keys()], name).toEqual(expect.arrayContaining(["secure", "httponly", "samesite", "path"]));
      expect(attributes.has("domain"), name).toBe(false);
    }
    expect(visitor.cookieHeader().length).toBeGreaterThan(accessTokenBytes);
    expect(await visitor.tokens()).toHaveLength(3);
    for (const path of ["/tokens", "/api/session", "/api/incidents"]) {
      const reply = await visitor.get(path);
      const hsts = reply.headers.get("strict-transport-security");
      expect([path, reply.status, hsts]).toEqual([path, 200, "max-age=31536000; includeSubDomains"]);
    }
  }
});

test("two hundred requests at the expiry, and again at the next, make one refresh each, on both replicas, and a sign-out ends it on both", async ({
  site,
  sandbox,
  newVisitor,
}) => {
  test.slow();
  const visitor = newVisitor(site);
  const twoHundred = (cookies: string[]) => Promise.all([...storm([visitor], cookies), ...storm([visitor], cookies)]);
  // None may expire again while they are answered, however long this machine takes for two hundred.
  await visitor.signIn();
  const begun = performance.now();
  expectSignedIn(await twoHundred([visitor.cookieHeader()]));
  const lifetime = Math.max(12, Math.ceil((3 * (performance.now() - begun)) / 1000));
  const expired = await signInFor(1, sandbox, visitor);
  const oldest = visitor.cookieHeader();
  await until(expired);

  const before = site.replicas.map(answered);
  await sandbox.configure({ accessTokenSeconds: lifetime });
  await sandbox.fault({ operation: "refresh", kind: "latency", ms: 300 });
  expectSignedIn(await twoHundred([oldest]));
  expect(await sandbox.journal("refresh")).toMatchObject([{ status: 200, effect: true }]);
  const renewed = visitor.cookieHeader();
  expect(renewed).not.toBe(oldest);
  for (const [index, replica] of site.replicas.entries()) {
    expect(answered(replica) - (before[index] ?? 0), "both were asked").toBeGreaterThan(20);
  }

  await until(await expiryOfNewest(sandbox, lifetime));
  await sandbox.configure({ accessTokenSeconds: 300 });
  await sandbox.fault({ operation: "refresh", kind: "latency", ms: 300 });
  expectSignedIn(await twoHundred([oldest, renewed]));
  expect((await sandbox.journal("refresh")).map(({ status }) => status)).toEqual([200, 200]);

  const last = visitor.cookieHeader();
  expect((await visitor.signOut()).status).toBe(200);
  for (const replica of site.replicas) {
    for (const cookie of [oldest, renewed, last]) {
      expectProblem(await newVisitor(replica).get("/api/session", { cookie }), 401, "session_expired");
    }
  }
  expect(isSignedOut({ what: "a page", reply: await newVisitor(site).get("/tokens", { cookie: last }) })).toBe(true);
});

/** What a scan says, line by line; each is handed over as it arrives. */
async function linesOf(
  site: Site,
  visitor: Visitor,
  text: string,
  arrived: (line: Record<string, unknown>) => Promise<void>,
): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${site.url}/api/incidents/scan`, {
    method: "POST",
    headers: {
      cookie: visitor.cookieHeader(),
      origin: site.origin,
      "content-type": "application/json",
      accept: "application/x-ndjson",
    },
    body: JSON.stringify({ text }),
  });
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  const lines: Record<string, unknown>[] = [];
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    const whole = `${rest}${decoder.decode(piece, { stream: true })}`.split("\n");
    rest = whole.pop() ?? "";
    for (const line of whole) {
      lines.push(JSON.parse(line));
      await arrived(lines.at(-1) ?? {});
    }
  }
  return lines;
}

test("the incident desk's lines arrive as they are said, its bodies pass up to their limits and touch no disk", async ({
  site,
  sandbox,
  newVisitor,
}) => {
  test.slow();
  const visitor = await newVisitor(site).signIn();
  const [value = ""] = await sandbox.tokens("ana@example.com");
  // RingCX answers no sooner than the first line has arrived.
  await sandbox.hold("token.list");
  const lines = await linesOf(site, visitor, value, async ({ type }) => {
    if (type === "found") await sandbox.clearFaults();
  });
  expect(lines.filter(({ type }) => type === "result")).toMatchObject([{ findings: [{ status: "live" }] }]);

  const mega = 1024 * 1024;
  const filler = "2026-11-22 03:01:12 nothing to see here\n";
  const log = (bytes: number) => `${filler.repeat(Math.floor((bytes - value.length) / filler.length))}${value}`;
  const upload = (bytes: number) => {
    const form = new FormData();
    form.append("files", new Blob([log(bytes)]), "access.log");
    return visitor.post("/api/incidents/scan", form);
  };
  const scans = [await visitor.post("/api/incidents/scan", { text: log(5 * mega) }), await upload(20 * mega)];
  for (const scan of scans) {
    expect(scan.status, scan.text.slice(0, 300)).toBe(200);
    expect(scan.json<{ findings: { status: string }[] }>().findings.map(({ status }) => status)).toEqual(["live"]);
  }
  // The dashboard's own limit is met first there, and says what it is.
  expectProblem(await upload(21 * mega), 413, "payload_too_large");
  const elsewhere = await visitor.post("/api/tokens", { label: "x".repeat(2 * mega) }).catch(() => null);
  expect(elsewhere?.status ?? 413, "elsewhere nginx's own limit").toBe(413);
  expect(site.proxyLog()).not.toContain("temporary file");
});

/** A request as no client library would send it. */
function send(site: Site, path: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { headers, ca: site.certificate, servername: "" };
    const request = requestRaw(`${site.url}${path}`, options, (response) => {
      let text = JSON.stringify(response.headers);
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject).end();
  });
}

test("what a client claims of itself in headers is not believed", async ({ site, newVisitor }) => {
  const forged = { "x-forwarded-for": "203.0.113.9, 198.51.100.7", "x-real-ip": "203.0.113.9" };
  const visitor = await newVisitor(site, forged).signIn();
  type Listed = { sessions: { address: string; current: boolean }[] };
  const { sessions } = (await visitor.get("/api/sessions")).json<Listed>();
  expect(sessions.filter(({ current }) => current).map(({ address }) => address)).toEqual(["127.0.0.1"]);

  const elsewhere = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http", forwarded: "host=evil.example" };
  for (const host of [new URL(site.url).host, "evil.example"]) {
    for (const path of ["/tokens", "/sign-in", "/api/auth/csrf", "/api/auth/providers", "/api/session"]) {
      const { status, text } = await send(site, path, { host, ...elsewhere });
      expect(text, `${host}${path}`).not.toContain("evil.example");
      expect(status, `${host}${path}: ${text.slice(0, 200)}`).toBeLessThan(402);
    }
  }
  const redirect = await send(site, "/tokens", { host: "evil.example", ...elsewhere });
  expect(redirect.status).toBe(307);
  expect(redirect.text).toMatch(/"location":"(https:\/\/127\.0\.0\.1:\d+)?\/sign-in/);
  for (const origin of ["https://evil.example", "https://127.0.0.1", site.plainUrl, null]) {
    expectProblem(await visitor.post("/api/tokens", { label: "CI" }, { origin }), 403, "bad_origin");
  }
  expect((await visitor.get("/api/metrics")).status, "who asks is not on this machine").toBe(403);
});
