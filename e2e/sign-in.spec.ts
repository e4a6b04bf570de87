import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, once, test } from "./fixtures.ts";
import { expectProblem, parseSetCookie, type Reply, type Visitor } from "./visitor.ts";

const ours = (visitor: Visitor) => [...visitor.cookies.keys()].filter((name) => name.includes("tokendesk"));

const setCookies = (reply: Reply) => reply.headers.getSetCookie().map(parseSetCookie);

function expectNothingSet(visitor: Visitor, reply: Reply): void {
  expect(setCookies(reply).filter(({ name, value }) => name.includes("tokendesk") && value !== "")).toEqual([]);
  expect(ours(visitor)).toEqual([]);
}

for (const [username, name, mainAccountId] of [
  ["ana@example.com", "Ana Lima", "333333"],
  ["new@example.com", "new@example.com", "333333"],
  ["many@example.com", "Maya Nygaard", "666600"],
  ["password@example.com", "password@example.com", "333333"],
  ["parent@example.com", "parent@example.com", "888888"],
  ["child1@example.com", "child1@example.com", "888888"],
  ["child2@example.com", "child2@example.com", "888888"],
  ["grandchild@example.com", "grandchild@example.com", "888888"],
  ["denied@example.com", "denied@example.com", "333333"],
  ["other@example.com", "other@example.com", "444444"],
  ["noaccounts@example.com", "noaccounts@example.com", "555555"],
] as const) {
  test(`${username} signs in and is known by name and main account`, async ({ visitor }) => {
    const reply = await visitor.attemptSignIn({ username });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    const session = (await visitor.get("/api/session")).json();
    expect(session).toMatchObject({ user: { name, email: username }, connections: [{ username, mainAccountId }] });
  });
}

test("a user who must set a new password first is told so, and RingCX's session is ended", async ({
  sandbox,
  visitor,
}) => {
  const reply = await visitor.attemptSignIn({ username: "reset@example.com" });
  expect(expectProblem(reply, 403, "password_reset_required").detail).toBe(
    "RingCX wants you to set a new password first. Sign in to RingCX itself, set it, then come back.",
  );
  expectNothingSet(visitor, reply);
  expect(await sandbox.journal("logout")).toMatchObject([{ username: "reset@example.com", effect: true }]);
});

test("a user whom RingCX does not let in is told so", async ({ visitor }) => {
  const reply = await visitor.attemptSignIn({ username: "forbidden@example.com" });
  expect(expectProblem(reply, 403, "forbidden").detail).toBe(
    "RingCX knows this user but does not let it sign in. Ask a RingCX administrator.",
  );
  expectNothingSet(visitor, reply);
});

for (const [what, credentials] of [
  ["a wrong password", { username: "new@example.com", password: "wrong" }],
  ["an unknown user", { username: "nobody@example.com", password: "sandbox" }],
  ["a wrong platform ID", { username: "new@example.com", platformId: "aws99" }],
  ["a password that was URL-encoded once too often", { username: "password@example.com", password: "p%2B%26%23" }],
] as const) {
  test(`${what} is answered with invalid_credentials, and nothing is set`, async ({ visitor }) => {
    const reply = await visitor.attemptSignIn(credentials);
    expect(expectProblem(reply, 401, "invalid_credentials").detail).toBe(
      "RingCX did not accept this username, password and platform ID together. Check all three, and the host.",
    );
    expectNothingSet(visitor, reply);
  });
}

test("a 401 in a page is RingCX's no as well: a password that is wrong can be tried again", async ({
  sandbox,
  visitor,
}) => {
  const page = "<!doctype html><title>401</title>";
  await sandbox.fault({ operation: "login", kind: "status", status: 401, body: page, contentType: "text/html" });
  const reply = await visitor.attemptSignIn();
  expectProblem(reply, 401, "invalid_credentials");
  expectNothingSet(visitor, reply);
});

test("empty fields are invalid input, RingCX untouched", async ({ sandbox, visitor }) => {
  for (const credentials of [{ username: " ", password: "x" }, { password: "" }, { platformId: "" }]) {
    const reply = await visitor.attemptSignIn(credentials);
    expectProblem(reply, 400, "invalid_input", ["errors"]);
    expectNothingSet(visitor, reply);
  }
  expect(await sandbox.journal()).toEqual([]);
});

test("a host that is not on the list is refused, RingCX untouched", async ({ sandbox, visitor }) => {
  const hosts = [
    "https://evil.example",
    "https://engage.ringcentral.com",
    `${sandbox.url}/`,
    `${sandbox.url}@evil.example`,
    sandbox.url.replace("127.0.0.1", "localhost"),
    sandbox.url.toUpperCase(),
  ];
  for (const host of hosts) {
    const reply = await visitor.attemptSignIn({ host });
    expect(expectProblem(reply, 400, "invalid_input").detail).toBe(
      "This host is not one that Tokendesk may call. Choose one from the list.",
    );
    expectNothingSet(visitor, reply);
  }
  expect(await sandbox.journal()).toEqual([]);
});

test("users of accounts that are not allowed stay outside, and RingCX's session is ended", async ({
  sandbox,
  launch,
  newVisitor,
}) => {
  const app = await launch({ env: { ALLOWED_ACCOUNTS: "333333,888888" } });
  const olga = newVisitor(app);
  const reply = await olga.attemptSignIn({ username: "other@example.com" });
  expect(expectProblem(reply, 403, "account_not_allowed").detail).toBe(
    "Your RingCX account is not one that this Tokendesk serves. Ask its administrator to allow it.",
  );
  expectNothingSet(olga, reply);
  expect(await sandbox.journal("logout")).toMatchObject([{ username: "other@example.com", effect: true }]);
  await newVisitor(app).signIn("ana@example.com");
  await newVisitor(app).signIn("child2@example.com");
});

test(
  "five failures stop an attacker, whatever addresses are claimed, and not the victim elsewhere",
  once,
  async ({ sandbox, launch, newVisitor }) => {
    const app = await launch({ env: { TRUST_PROXY: "1" } });
    const from = (address: string) => newVisitor(app, { "x-forwarded-for": address });
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const reply = await from("203.0.113.9").attemptSignIn({ password: `guess ${attempt}` });
      expectProblem(reply, 401, "invalid_credentials");
    }
    const refused = await from("203.0.113.9").attemptSignIn();
    const problem = expectProblem(refused, 429, "rate_limited");
    expect(problem.detail).toBe("Too many failed sign-ins. Wait before you try again; nothing was sent to RingCX.");
    const wait = Number(refused.headers.get("retry-after"));
    expect(wait).toBe(problem.retryAfter);
    expect(wait).toBeGreaterThan(290);
    expect(wait).toBeLessThanOrEqual(300);

    // What the client itself claims stands before the entry that the proxy wrote.
    for (const claimed of ["198.51.100.7, 203.0.113.9", "198.51.100.7,198.51.100.8, 203.0.113.9"]) {
      expectProblem(await from(claimed).attemptSignIn(), 429, "rate_limited");
    }
    expectProblem(
      await from("203.0.113.9").attemptSignIn({ username: "ANA@example.com", password: "x" }),
      429,
      "rate_limited",
    );
    expect(await sandbox.journal("login")).toHaveLength(5);

    const victim = await from("198.51.100.7").signIn("ana@example.com");
    expect((await victim.get("/api/session")).status).toBe(200);
    await from("203.0.113.9").signIn("other@example.com");
  },
);

test(
  "without TRUST_PROXY a forged X-Forwarded-For does not help the attacker",
  once,
  async ({ sandbox, launch, newVisitor }) => {
    const app = await launch();
    const guess = (attempt: number) =>
      newVisitor(app, {
        "x-forwarded-for": `198.51.100.${attempt}`,
        "x-real-ip": `198.51.100.${attempt}`,
        forwarded: `for=198.51.100.${attempt}`,
        "x-tokendesk-peer": `198.51.100.${attempt}`,
      }).attemptSignIn({ password: `guess ${attempt}` });
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expectProblem(await guess(attempt), 401, "invalid_credentials");
    }
    expectProblem(await guess(6), 429, "rate_limited");
    expect(await sandbox.journal("login")).toHaveLength(5);
  },
);

test("many guesses at once do not slip through the throttle together", async ({ sandbox, launch, newVisitor }) => {
  const app = await launch();
  const guesses = Array.from({ length: 60 }, (_, index) =>
    newVisitor(app).attemptSignIn({ password: `guess ${index}` }),
  );
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  const asked = await sandbox.journal("login");
  expect(asked.length).toBe(statuses.filter((status) => status === 401).length);
  expect(asked.length).toBeLessThanOrEqual(25);
  expect(statuses.filter((status) => status === 429)).toHaveLength(60 - asked.length);
});

test("a session that was put into the browser before is replaced at sign-in, and dead", async ({ newVisitor }) => {
  const attacker = await newVisitor().signIn("other@example.com");
  const victim = newVisitor();
  for (const [name, value] of attacker.cookies) victim.cookies.set(name, value);
  await victim.signIn("ana@example.com");
  expect((await victim.get("/api/session")).json()).toMatchObject({ user: { email: "ana@example.com" } });
  for (const name of ours(attacker)) expect(victim.cookies.get(name)).not.toBe(attacker.cookies.get(name));
  expectProblem(await attacker.get("/api/session"), 401, "session_expired");
});

test("foreign cookies under our names do not disturb a sign-in", async ({ visitor }) => {
  for (const name of ["tokendesk", "tokendesk.0", "tokendesk.1", "tokendesk.7", "tokendesk.identity"]) {
    visitor.cookies.set(visitor.cookieName(name), "planted");
  }
  await visitor.signIn();
  expect((await visitor.get("/api/session")).json()).toMatchObject({ user: { email: "ana@example.com" } });
});

test("signing out ends the session at RingCX, clears every cookie, and copies are dead at once", async ({
  app,
  sandbox,
  visitor,
  newVisitor,
}) => {
  await visitor.signIn();
  const cookie = visitor.cookieHeader();
  const bystander = await newVisitor().signIn();
  await sandbox.clearJournal();

  const reply = await visitor.signOut();
  expect(reply.status, reply.text).toBe(200);
  expect(await sandbox.journal()).toMatchObject([{ operation: "logout", username: "ana@example.com", effect: true }]);
  expect(ours(visitor)).toEqual([]);
  expectProblem(await visitor.get("/api/session"), 401, "not_signed_in");

  expectProblem(await newVisitor().get("/api/tokens", { cookie }), 401, "session_expired");
  const page = await newVisitor().get("/accounts", { cookie });
  expect(page.status).toBe(307);
  const { origin, pathname, search } = new URL(page.headers.get("location") ?? "", app.origin);
  expect([origin, pathname + search]).toEqual([app.origin, "/sign-in?reason=expired&returnTo=%2Faccounts"]);
  // A replica that sees the copy later makes sure of it once more.
  const told = (await sandbox.journal()).map(({ operation, username }) => `${operation} of ${username}`);
  expect(new Set(told)).toEqual(new Set(["logout of ana@example.com"]));
  expect(told.length).toBeLessThanOrEqual(app.replicas.length);
  expect((await bystander.get("/api/session")).status).toBe(200);
});

test("signing out works although RingCX cannot be told", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  const copy = visitor.cookieHeader();
  await sandbox.fault({ operation: "logout", kind: "html503", count: -1 });
  expect((await visitor.signOut()).status).toBe(200);
  expect(ours(visitor)).toEqual([]);
  expectProblem(await visitor.get("/api/session", { cookie: copy }), 401, "session_expired");
});

test("a sign-out with a token of another page is none, and is not told as one", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  await sandbox.clearJournal();
  const form = new URLSearchParams({ csrfToken: "0".repeat(64), json: "true" });
  expectProblem(await visitor.post("/api/auth/signout", form), 400, "invalid_input");
  expect((await visitor.get("/api/session")).status).toBe(200);
  expect(await sandbox.journal()).toEqual([]);
  await visitor.signOut();
  // Who is out already is out.
  expect((await visitor.signOut()).status).toBe(200);
});

test("the pages of the library are ours, and what a step does not take is a problem like any other", async ({
  app,
  visitor,
}) => {
  for (const path of [
    "signin",
    "signin?callbackUrl=https://evil.example&error=%3Cscript%3E",
    "signin/ringcx",
    "signout?callbackUrl=https://evil.example",
    "error?error=%3Cscript%3Ealert(1)%3C/script%3E",
    "error?error=a%0D%0ASet-Cookie:%20a=b",
  ]) {
    const reply = await visitor.get(`/api/auth/${path}`);
    expect(reply.status, path).toBe(307);
    expect(new URL(reply.headers.get("location") ?? "", app.origin).href, path).toBe(`${app.origin}/sign-in`);
  }
  for (const [method, path] of [
    ["GET", "callback/ringcx"],
    ["HEAD", "callback/oidc"],
    ["POST", "callback/oidc"],
    ["POST", "csrf"],
    ["POST", "providers"],
  ] as const) {
    const reply = await visitor.send(`/api/auth/${path}`, { method });
    expect(reply.status, `${method} ${path}`).toBe(405);
    if (method !== "HEAD") expectProblem(reply, 405, "method_not_allowed");
  }
  for (const path of ["_log", "verify-request", "callback/credentials", "callback/oidc/more", "session/more"]) {
    expectProblem(await visitor.get(`/api/auth/${path}`), 404, "not_found");
  }
  const headers = { "content-type": "application/json" };
  for (const path of ["callback/ringcx", "signout"]) {
    expectProblem(await visitor.post(`/api/auth/${path}`, "{not json", { headers }), 400, "invalid_input");
  }
  expect((await visitor.send("/api/auth/csrf", { method: "HEAD" })).status).toBe(200);
  expect((await visitor.get("/api/auth/session")).json()).toEqual({});
});

test("the identity of one user with the session of another is refused", async ({ sandbox, newVisitor }) => {
  const ana = await newVisitor().signIn("ana@example.com");
  const olga = await newVisitor().signIn("other@example.com");
  await sandbox.clearJournal();
  for (const [first, second] of [
    [ana, olga],
    [olga, ana],
  ] as const) {
    const mixed = newVisitor();
    for (const name of ours(first)) mixed.cookies.set(name, first.cookies.get(name) ?? "");
    const identity = mixed.cookieName("tokendesk.identity");
    mixed.cookies.set(identity, second.cookies.get(identity) ?? "");
    const cookie = mixed.cookieHeader();
    for (const path of ["/api/session", "/api/tokens", "/api/accounts"]) {
      expectProblem(await mixed.get(path, { cookie }), 401, "not_signed_in");
    }
    expectProblem(await mixed.post("/api/tokens", { label: "CI" }, { cookie }), 401, "not_signed_in");
    const page = await mixed.get("/tokens", { cookie });
    expect(page.headers.get("location") ?? page.text).toContain("/sign-in");
    expect(page.text).not.toContain("aws80:…");
  }
  expect(await sandbox.journal()).toEqual([]);
});

test("one half of the cookies is not enough", async ({ sandbox, newVisitor }) => {
  const ana = await newVisitor().signIn();
  await sandbox.clearJournal();
  for (const name of ours(ana)) {
    const half = newVisitor();
    for (const [other, value] of ana.cookies) if (other !== name) half.cookies.set(other, value);
    expectProblem(await half.get("/api/tokens"), 401, "not_signed_in");
  }
  expect(await sandbox.journal()).toEqual([]);
});

/** The value with one character changed, at several places, never at the last one of a part: it may hold no bit. */
function tampered(value: string): string[] {
  const places = Array.from({ length: 24 }, (_, index) => Math.floor(((index + 0.5) * value.length) / 24));
  return places
    .filter((place) => /^[\w-]{2}/.test(value.slice(place)))
    .map((place) => `${value.slice(0, place)}${value[place] === "A" ? "B" : "A"}${value.slice(place + 1)}`);
}

test("a cookie that was changed in a single place is refused", async ({ sandbox, newVisitor }) => {
  const ana = await newVisitor().signIn();
  await sandbox.clearJournal();
  const names = ours(ana);
  const identity = ana.cookieName("tokendesk.identity");
  expect(names).toContain(identity);
  for (const name of names) {
    const value = ana.cookies.get(name) ?? "";
    const forgeries = [...tampered(value), value.slice(0, -10), `A${value}`, "A".repeat(value.length), "{}"];
    expect(forgeries.length).toBeGreaterThan(15);
    for (const forged of forgeries) {
      const cookie = [...ana.cookies].map(([other, kept]) => `${other}=${other === name ? forged : kept}`).join("; ");
      const reply = await newVisitor().get("/api/tokens", { cookie });
      expect(reply.status, `${name}: ${forged}`).toBe(401);
      expectProblem(reply, 401, name === identity ? "not_signed_in" : "session_expired");
    }
  }
  expect(await sandbox.journal()).toEqual([]);
  expect((await ana.get("/api/tokens")).status).toBe(200);
});

test(
  "an old SESSION_SECRET opens sessions after a rotation, and no more when it is dropped",
  once,
  async ({ launch, newVisitor }) => {
    const [old, current] = ["the-old-secret-of-32-characters-or-more", "the-new-secret-of-32-characters-or-more"];
    // The same database each time: a session is known there.
    const dataDir = mkdtempSync(join(tmpdir(), "tokendesk-e2e-"));
    const before = await launch({ dataDir, env: { SESSION_SECRET: old } });
    const ana = await newVisitor(before).signIn();
    const cookie = ana.cookieHeader();
    await before.stop();

    const during = await launch({ dataDir, env: { SESSION_SECRET: `${current},${old}` } });
    expect((await newVisitor(during).get("/api/session", { cookie })).status).toBe(200);
    expect((await newVisitor(during).get("/api/tokens", { cookie })).status).toBe(200);
    const late = await newVisitor(during).signIn();

    const after = await launch({ dataDir, env: { SESSION_SECRET: current } });
    expectProblem(await newVisitor(after).get("/api/session", { cookie }), 401, "session_expired");
    const kept = await newVisitor(after).get("/api/session", { cookie: late.cookieHeader() });
    expect(kept.status).toBe(200);
  },
);

for (const [scheme, env, prefix] of [
  ["http", {}, ""],
  ["https", { APP_URL: "https://tokendesk.example" }, "__Host-"],
] as const) {
  test(
    `over ${scheme} the cookies are HttpOnly, SameSite=Lax and for every path${prefix && ", Secure and __Host-"}`,
    once,
    async ({ launch, newVisitor }) => {
      const app = await launch({ env });
      const ana = newVisitor(app);
      const reply = await ana.attemptSignIn();
      expect(reply.status, reply.text).toBe(200);
      const session = setCookies(reply).filter(({ value }) => value !== "");
      expect(session.map(({ name }) => name)).toEqual(
        expect.arrayContaining([`${prefix}tokendesk.identity`, `${prefix}tokendesk`]),
      );
      const csrf = setCookies(await newVisitor(app).get("/api/auth/csrf"));
      expect(csrf.length).toBeGreaterThan(0);
      for (const { name, attributes } of [...session, ...csrf]) {
        expect(attributes.has("httponly"), name).toBe(true);
        expect(attributes.get("samesite")?.toLowerCase(), name).toBe("lax");
        expect(attributes.get("path"), name).toBe("/");
        expect(attributes.has("domain"), name).toBe(false);
        expect(attributes.has("secure"), name).toBe(scheme === "https");
        expect(name.startsWith("__Host-"), name).toBe(scheme === "https");
      }
      for (const { name, attributes } of session) {
        const seconds = Number(
          attributes.get("max-age") ?? (Date.parse(attributes.get("expires") ?? "") - Date.now()) / 1000,
        );
        expect(seconds, name).toBeGreaterThan(11 * 3600);
        expect(seconds, name).toBeLessThanOrEqual(12 * 3600);
      }
      expect((await ana.get("/api/session")).status).toBe(200);
      await ana.signOut();
      expect(ours(ana)).toEqual([]);
    },
  );
}

for (const bytes of [3_072, 6_144]) {
  test(
    `with an access token of ${bytes} bytes all cookies together stay below 7,500`,
    once,
    async ({ sandbox, newVisitor, launch }) => {
      await sandbox.configure({ accessTokenBytes: bytes });
      for (const env of [{}, { APP_URL: "https://tokendesk.example" }]) {
        const app = await launch({ env });
        const ana = await newVisitor(app).signIn();
        ana.cookies.set("tokendesk-theme", "light");
        expect(Buffer.byteLength(ana.cookieHeader())).toBeLessThan(7_500);
        for (const [name, value] of ana.cookies) expect(name.length + value.length).toBeLessThanOrEqual(4_096);
        expect((await ana.get("/tokens")).text).toContain("aws80:…");

        await sandbox.expireAccessTokens();
        expect(await ana.tokens()).toHaveLength(3);
        expect(Buffer.byteLength(ana.cookieHeader())).toBeLessThan(7_500);
        expect((await ana.get("/api/session")).status).toBe(200);
      }
    },
  );
}

test("an access token that does not fit is session_too_large: nothing is set, and RingCX's session is ended", async ({
  sandbox,
  visitor,
}) => {
  for (const accessTokenBytes of [8_192, 16_384, 40_000]) {
    await sandbox.configure({ accessTokenBytes });
    await sandbox.clearJournal();
    const reply = await visitor.attemptSignIn();
    expect(expectProblem(reply, 502, "session_too_large").detail).toContain("does not fit into the encrypted cookie");
    expectNothingSet(visitor, reply);
    expect(await sandbox.journal("logout")).toMatchObject([{ effect: true }]);
    expectProblem(await visitor.get("/api/session"), 401, "not_signed_in");
  }
});

test("a larger access token at a refresh does not sign anybody out", async ({ sandbox, visitor }) => {
  await visitor.signIn();
  await sandbox.configure({ accessTokenBytes: 16_384 });
  await sandbox.expireAccessTokens();
  const reply = await visitor.get("/api/tokens");
  expect(reply.status, reply.text).toBe(200);
  expect((await visitor.get("/api/tokens")).status).toBe(200);
  expect(await sandbox.journal("refresh")).toHaveLength(1);
});
