import { freePort } from "../test/free-port.ts";
import { holdScripts } from "./browser.ts";
import { begin, Desk, enterAs, goThrough, locationOf, type Name, oidcEnv, setOut, test } from "./company.ts";
import { expect, expectNoSidewaysScroll, narrow, once } from "./fixtures.ts";
import { startProvider } from "./servers.ts";
import { expectProblem, type Visitor } from "./visitor.ts";

type SessionView = {
  user: { id: string; name: string; email: string; role: string };
  connections: unknown[];
  workspaces: { id: string; tenant: string; connectionId: string | null }[];
};

const sessionOf = async (visitor: Visitor) => (await visitor.get("/api/session")).json<SessionView>();

/** Nobody is signed in here, and nothing of the way there is left. */
function expectNobody(visitor: Visitor): void {
  expect([...visitor.cookies.keys()].filter((name) => name.includes("tokendesk"))).toEqual([]);
}

const refusedAs = (problem: string) => `/sign-in?problem=${problem}&returnTo=%2Faudit`;

/** Goes with this cookie of another browser in place of its own. */
function withCookie(visitor: Visitor, name: string, of: Visitor): void {
  const named = visitor.cookieName(name);
  const value = of.cookies.get(named);
  if (value === undefined) throw new Error(`${named} is not there`);
  visitor.cookies.set(named, value);
}

test("a company's people come in however their provider signs, wherever it says who they are, also with new keys", async ({
  company,
  newVisitor,
  app,
}) => {
  const host = new URL(company.issuer).host;
  for (const behaviour of [
    { alg: "RS256", claimsIn: "id_token" },
    { alg: "ES256", claimsIn: "userinfo" },
    { alg: "ES256", claimsIn: "id_token", rotate: true },
    { alg: "RS256", claimsIn: "userinfo", rotate: true },
  ] as const) {
    await company.become(behaviour);
    const olga = await enterAs(newVisitor(), "olga");
    expect(await sessionOf(olga)).toEqual({
      user: { id: `oidc:${host}/realms/acme:olga`, name: "Olga Opsdóttir", email: "olga@acme.example", role: "ops" },
      connections: [],
      workspaces: [
        { id: expect.any(String), tenant: expect.stringMatching(/^127\.0\.0\.1:\d+\|333333$/), connectionId: null },
        { id: `sso|${host}`, tenant: `sso|${host}`, connectionId: null },
      ],
    });
  }
  expect(app.output.stdout).not.toContain(oidcEnv(company.issuer).OIDC_CLIENT_SECRET);
});

test("the way there carries state, nonce and PKCE, and asks for a new sign-in only to confirm", async ({
  app,
  company,
  visitor,
}) => {
  const { searchParams: asked, origin, pathname } = await begin(visitor);
  expect(`${origin}${pathname}`).toBe(`${company.issuer}/auth`);
  expect(Object.fromEntries(asked)).toEqual({
    client_id: "tokendesk",
    scope: "openid email profile",
    response_type: "code",
    redirect_uri: `${app.origin}/api/auth/callback/oidc`,
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: "S256",
  });
  await enterAs(visitor, "olga");
  const confirming = await begin(visitor, "confirm");
  expect(confirming.searchParams.get("prompt")).toBe("login");
  expect(confirming.searchParams.get("max_age")).toBe("0");
  // Nothing that the address of the call holds reaches the provider.
  const begun = await setOut(visitor, "?prompt=none&max_age=9999&redirect_uri=https%3A%2F%2Fevil.example");
  const { searchParams } = new URL(begun.json<{ url: string }>().url);
  expect(searchParams.get("prompt")).toBe("login");
  expect(searchParams.get("max_age")).toBe("0");
  expect(searchParams.get("redirect_uri")).toBe(asked.get("redirect_uri"));
});

test(
  "who could not come back, since no proxy takes so long a line of cookies, is told before they leave",
  once,
  async ({ company, visitor }) => {
    expect(company.issuer).toContain("/realms/acme");
    await enterAs(visitor, "olga");
    await begin(visitor, "confirm");
    visitor.cookies.set("filler", "x".repeat(7_000));
    expectProblem(await setOut(visitor), 502, "session_too_large");
  },
);

test("an ID token that is not the provider's for this sign-in lets nobody in", async ({ company, newVisitor }) => {
  for (const [flaw, problem] of [
    ["alg-none", "provider_error"],
    ["alg-hs256", "provider_error"],
    ["alg-rs512", "provider_error"],
    ["foreign-key", "provider_error"],
    ["audience", "provider_error"],
    ["issuer", "provider_error"],
    ["nonce", "provider_error"],
    ["no-nonce", "provider_error"],
    ["expired", "provider_error"],
    ["not-json", "provider_error"],
    ["server-error", "provider_down"],
  ] as const) {
    for (const alg of flaw === "foreign-key" ? (["RS256", "ES256"] as const) : (["RS256"] as const)) {
      await company.become({ flaw, alg });
      const visitor = newVisitor();
      expect(locationOf(await goThrough(visitor, "olga")), `${flaw} ${alg}`).toBe(refusedAs(problem));
      expectNobody(visitor);
    }
  }
  // The userinfo endpoint is not signed: it must speak of the same person.
  await company.become({ flaw: "other-subject", alg: "RS256", claimsIn: "userinfo" });
  const visitor = newVisitor();
  expect(locationOf(await goThrough(visitor, "olga"))).toBe(refusedAs("provider_error"));
  expectNobody(visitor);
});

test("a provider whose answer stalls or never ends is given up within seconds, one whose clock is a little ahead is not", async ({
  company,
  newVisitor,
}) => {
  for (const flaw of ["stalls", "keys-stall", "endless"] as const) {
    await company.become({ flaw });
    const visitor = newVisitor();
    const path = await new Desk().answer(await begin(visitor), "olga");
    const back = await visitor.get(path, { signal: AbortSignal.timeout(9_000) });
    expect(locationOf(back), flaw).toBe(refusedAs("provider_down"));
    expectNobody(visitor);
  }
  await company.become({ flaw: "clock-ahead" });
  await enterAs(newVisitor(), "olga");
});

test("who declines, and who has no verified address, stays outside; the log says so of the address", async ({
  company,
  newVisitor,
}) => {
  expect(company.issuer).toContain("/realms/acme");
  const decliner = newVisitor();
  expect(locationOf(await goThrough(decliner, "olga", { say: "deny" }))).toBe(refusedAs("denied"));
  expectNobody(decliner);
  // In OPS_USERS, and in the group: a name that is not proven is worth nothing.
  for (const name of ["unverified", "unsaid", "word", "nobody"] as const) {
    const visitor = newVisitor();
    expect(locationOf(await goThrough(visitor, name)), name).toBe(refusedAs("unverified_email"));
    expectNobody(visitor);
  }
  const admin = await enterAs(newVisitor(), "admin");
  const home = (await sessionOf(admin)).workspaces.find(({ tenant }) => tenant.startsWith("sso|"));
  await admin.post(`/api/connections/${encodeURIComponent(home?.id ?? "")}/activate`);
  const { events } = (await admin.get("/api/audit?action=session.denied")).json<{ events: object[] }>();
  expect(events).toContainEqual(
    expect.objectContaining({ outcome: "failed", actor: expect.objectContaining({ name: "ops@acme.example" }) }),
  );
});

test("a way back that this browser did not set out on leads nowhere, and each way leads in once", async ({
  company,
  newVisitor,
}) => {
  expect(company.issuer).toContain("/realms/acme");
  // Somebody's finished way, opened in another browser: they would work under a stranger's name.
  const attacker = newVisitor();
  const path = await new Desk().answer(await begin(attacker), "mem");
  const victim = newVisitor();
  expect(locationOf(await victim.get(path))).toBe("/sign-in?problem=state&returnTo=%2Ftokens");
  expectNobody(victim);
  // One that has set out itself is no better off, and its own way is over.
  const own = await new Desk().answer(await begin(victim), "olga");
  expect(locationOf(await victim.get(path))).toBe(refusedAs("state"));
  expect(locationOf(await victim.get(own))).toBe("/sign-in?problem=state&returnTo=%2Ftokens");
  expectNobody(victim);
  const stateless = new URL(path, "http://n");
  stateless.searchParams.delete("state");
  await begin(victim);
  expect(locationOf(await victim.get(`${stateless.pathname}${stateless.search}`))).toBe(refusedAs("state"));

  const before = new Map(attacker.cookies);
  expect(locationOf(await attacker.get(path))).toBe("/audit");
  // Once more with all that the browser had then: the provider takes a code once.
  const again = newVisitor();
  for (const [name, value] of before) again.cookies.set(name, value);
  expect(locationOf(await again.get(path))).toBe(refusedAs("code"));
  expectNobody(again);
});

test("a provider that is down, or is another one, is said before and after the way there", async ({
  launch,
  newVisitor,
}) => {
  const port = await freePort();
  const nobody = newVisitor(await launch({ env: oidcEnv(`http://localhost:${port}/realms/acme`) }));
  expectProblem(await setOut(nobody), 503, "upstream_unavailable", ["problem"]);

  const provider = await startProvider();
  try {
    await provider.become({ accounts: { mem: { email: "mem@acme.example", email_verified: true } } });
    const app = await launch({ env: oidcEnv(provider.issuer) });
    const misnamed = newVisitor(await launch({ env: oidcEnv(`${provider.issuer}/`) }));
    expectProblem(await setOut(misnamed), 502, "upstream_bad_response", ["problem"]);

    const signedIn = await enterAs(newVisitor(app), "mem");
    const late = newVisitor(app);
    const path = await new Desk().answer(await begin(late), "mem");
    await provider.stop();
    expect(locationOf(await late.get(path))).toBe(refusedAs("provider_down"));
    expectNobody(late);
    // Signing out does not need it.
    expect((await signedIn.signOut()).json()).toEqual({ url: expect.stringContaining(app.origin) });
    expectNobody(signedIn);
  } finally {
    await provider.stop();
  }
});

test("a role comes from the group as it is written or from a verified address, and counts where it is meant to", async ({
  company,
  launch,
  newVisitor,
}) => {
  const roles = {
    olga: "ops",
    oneGroup: "ops",
    byAddress: "ops",
    admin: "admin",
    mem: "member",
    listed: "member",
    mixed: "member",
    keyed: "member",
    nested: "member",
    otherClaim: "member",
    otherCase: "member",
  } satisfies Partial<Record<Name, string>>;
  for (const [name, role] of Object.entries(roles)) {
    const visitor = await enterAs(newVisitor(), name as Name);
    const session = await sessionOf(visitor);
    expect(session.user.role, name).toBe(role);
    expect(
      session.workspaces.map(({ tenant }) => tenant.startsWith("sso|")),
      name,
    ).toEqual(role === "member" ? [true] : [false, true]);
    const elsewhere = session.workspaces[0]?.tenant.replace(/.*\|/, "127.0.0.1|").replace("333333", "444444") ?? "";
    expectProblem(await visitor.post(`/api/connections/${encodeURIComponent(elsewhere)}/activate`), 404, "not_found");
    expect((await visitor.get("/api/keys")).status, name).toBe(role === "member" ? 403 : 200);
  }

  const connecting = await enterAs(newVisitor(), "olga");
  const other = { username: "other@example.com", password: "sandbox", platformId: "aws80", linkConfirmed: true };
  expectProblem(await connecting.post("/api/connections", other), 403, "account_not_allowed");

  // Without ALLOWED_ACCOUNTS no account is the company's: there they are who RingCX says.
  const open = await launch({ env: oidcEnv(company.issuer) });
  const olga = await enterAs(newVisitor(open), "olga");
  expect((await sessionOf(olga)).user.role).toBe("ops");
  const ana = { username: "ana@example.com", password: "sandbox", platformId: "aws80" };
  const asked = await olga.post("/api/connections", ana);
  expectProblem(asked, 409, "link_unconfirmed", ["identity", "username"]);
  expect((await sessionOf(olga)).connections).toEqual([]);
  expect((await olga.post("/api/connections", { ...ana, linkConfirmed: true })).status).toBe(201);
  expect((await sessionOf(olga)).user).toMatchObject({ role: "member", email: "olga@acme.example" });
  // The same address needs no question.
  const namesake = await enterAs(newVisitor(open), "ana");
  expect((await namesake.post("/api/connections", ana)).status).toBe(201);
});

test("cookies and intents of one person do not serve another, and nothing serves after the sign-out", async ({
  company,
  newVisitor,
}) => {
  expect(company.issuer).toContain("/realms/acme");
  const olga = await enterAs(newVisitor(), "olga");
  const mem = await enterAs(newVisitor(), "mem");

  // Who one is, and whose session it is, must be the same sign-in.
  const crossed = newVisitor();
  withCookie(crossed, "tokendesk", mem);
  withCookie(crossed, "tokendesk.identity", olga);
  expectProblem(await crossed.get("/api/session"), 401, "not_signed_in");

  // An intent belongs to the session that it was made in.
  await begin(mem, "confirm");
  const address = await begin(olga, "confirm");
  withCookie(olga, "tokendesk.intent", mem);
  const path = await new Desk().answer(address, "olga");
  expect(locationOf(await olga.get(path))).toBe("/audit?problem=stale");
  expect((await sessionOf(olga)).user.name).toBe("Olga Opsdóttir");

  // Somebody else cannot confirm, and does not become who is signed in.
  expect(locationOf(await goThrough(olga, "mem", { purpose: "confirm" }))).toBe("/audit?problem=other_person");
  expect(locationOf(await goThrough(olga, "olga", { purpose: "confirm", say: "deny" }))).toBe("/audit?problem=denied");
  expect((await sessionOf(olga)).user.name).toBe("Olga Opsdóttir");

  // A company identity is no RingCX account, and without a session there is nothing to connect or confirm.
  expectProblem(await olga.post("/api/auth/intent", { purpose: "connect", returnTo: "/" }), 400, "invalid_input");
  for (const purpose of ["connect", "confirm"]) {
    const asked = await newVisitor().post("/api/auth/intent", { purpose, returnTo: "/" });
    expectProblem(asked, 401, "not_signed_in");
  }
  expectProblem(
    await olga.post("/api/auth/intent", { purpose: "confirm", returnTo: "/" }, { origin: null }),
    403,
    "bad_origin",
  );

  // A new sign-in in the same browser takes nothing over from the one before.
  const before = mem.cookieHeader();
  await enterAs(mem, "olga");
  expect((await sessionOf(mem)).user.name).toBe("Olga Opsdóttir");
  expectProblem(await newVisitor().get("/api/session", { cookie: before }), 401, "session_expired");

  const kept = olga.cookieHeader();
  expect((await olga.signOut()).status).toBe(200);
  expectNobody(olga);
  expectProblem(await newVisitor().get("/api/session", { cookie: kept }), 401, "session_expired");
});

test("a sign-in that is old at the provider asks for a new one there, and only a new one counts", async ({
  company,
  newVisitor,
}) => {
  await company.become({ flaw: "long-ago" });
  const olga = newVisitor();
  await enterAs(olga, "olga");
  const makeKey = () => olga.post("/api/keys", { name: "scanner" });
  const refusal = expectProblem(await makeKey(), 403, "step_up_required", ["by", "login", "maxAgeMinutes"]);
  expect(refusal).toMatchObject({ by: "oidc", login: "olga@acme.example" });
  for (const flaw of ["long-ago", "no-auth-time"] as const) {
    await company.become({ flaw });
    const back = locationOf(await goThrough(olga, "olga", { purpose: "confirm", returnTo: "/settings#keys" }));
    expect(back, flaw).toBe("/settings?problem=not_fresh");
    expectProblem(await makeKey(), 403, "step_up_required", ["by", "login", "maxAgeMinutes"]);
  }
  await company.become({ flaw: null });
  expect(locationOf(await goThrough(olga, "olga", { purpose: "confirm", returnTo: "/settings" }))).toBe("/settings");
  expect((await makeKey()).status).toBe(201);
});

test("the doors cannot be pressed before they work", async ({ app, page }) => {
  const letScripts = await holdScripts(page);
  await page.goto(`${app.url}/sign-in`, { waitUntil: "commit" });
  const door = page.getByRole("button", { name: "Continue with SSO" });
  await expect(door).toBeDisabled();
  letScripts();
  await expect(door).toBeEnabled();
});

test("ops without a RingCX account find overview, incident desk, team and log, and leave by their provider", async ({
  company,
  page,
  sandbox,
  expectAccessible,
}) => {
  const [leaked = ""] = await sandbox.tokens("ana@example.com");
  expect(company.issuer).toContain("localhost");
  await page.goto("/sign-in?returnTo=%2Foverview");
  await expectAccessible(page);
  await page.setViewportSize(narrow);
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  const door = page.getByRole("button", { name: "Continue with SSO" });
  await expect(page.getByRole("button", { name: "Continue with RingCentral" })).toHaveCount(0);
  await expect(door).toBeEnabled();
  await door.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Acme account" }).fill("olga");
  await page.getByRole("button", { name: "Sign in at Acme" }).click();

  await page.waitForURL("/overview");
  await expect(page.getByRole("heading", { level: 1, name: "Overview", exact: true })).toBeVisible();
  const menu = page.getByRole("navigation", { name: "Main" });
  await menu.getByRole("link", { name: "Team" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Team", exact: true })).toBeVisible();
  await menu.getByRole("link", { name: "Audit log" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Audit log", exact: true })).toBeVisible();
  for (const name of ["Tokens", "Accounts"]) {
    await menu.getByRole("link", { name }).click();
    await expect(page.getByRole("heading", { level: 1, name, exact: true })).toBeVisible();
    await expect(page.getByRole("heading", { name: "No RingCX account is connected" })).toBeVisible();
    const connect = page.getByRole("main").getByRole("link", { name: "Connect RingCX account" });
    await expect(connect).toHaveAttribute("href", "/settings#connections");
  }
  await expectAccessible(page);
  await menu.getByRole("link", { name: "Incident" }).click();
  await page.getByRole("textbox", { name: /Paste a token/ }).fill(`export TOKEN=${leaked}`);
  await page.getByRole("button", { name: "Scan" }).click();
  await expect(page.getByRole("row").filter({ hasText: "Ana Lima" })).toContainText("Live");
  await page.getByRole("button", { name: "Revoke selected" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leaked in a log" }).click();
  await page.getByRole("button", { name: "Revoke 1 token now" }).click();
  await expect(page.getByRole("heading", { name: /1 of 1 proven dead/ })).toBeVisible();
  expect(await sandbox.tokens("ana@example.com")).not.toContain(leaked);

  await page.getByRole("button", { name: /^User menu/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL((url) => url.href.startsWith(`${company.issuer}/session/end`));
  await page.getByRole("button", { name: "Yes, sign me out of Acme" }).click();
  await page.waitForURL("/sign-in?reason=signed-out");
  await expect(page.getByRole("status")).toContainText("You are signed out");
});

test("a member without a RingCX account has a place to start, and a refusal is told once, calmly", async ({
  company,
  page,
}) => {
  expect(company.issuer).toContain("localhost");
  await page.goto("/sign-in?returnTo=%2Faudit");
  await page.getByRole("button", { name: "Continue with SSO" }).click();
  await page.getByRole("textbox", { name: "Acme account" }).fill("olga");
  await page.getByRole("button", { name: "Decline" }).click();
  const refusal = page.getByRole("alert").filter({ hasText: "The sign-in was declined" });
  await expect(refusal).toBeVisible();
  await page.goto("/sign-in?problem=%3Cb%3Eanything%20at%20all%3C%2Fb%3E");
  await expect(page.getByRole("alert").filter({ hasText: "The sign-in did not work" })).toBeVisible();
  await expect(page.getByText("anything at all")).toHaveCount(0);

  await page.goto("/sign-in?returnTo=%2Faudit");
  await page.getByRole("button", { name: "Continue with SSO" }).click();
  await page.getByRole("textbox", { name: "Acme account" }).fill("mem");
  await page.getByRole("button", { name: "Sign in at Acme" }).click();
  await page.waitForURL("/audit");
  for (const [path, heading] of [
    ["/overview", "Overview"],
    ["/incident", "Incident"],
    ["/settings", "Settings"],
  ] as const) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1, name: heading, exact: true })).toBeVisible();
  }
  await page.goto("/tokens?problem=other_person");
  const told = page.getByRole("alert").filter({ hasText: "That was somebody else" });
  await expect(told).toBeFocused();
  await page.waitForURL("/tokens");
  await page.reload();
  await expect(page.getByRole("heading", { name: "No RingCX account is connected" })).toBeVisible();
  await expect(told).toHaveCount(0);
});
