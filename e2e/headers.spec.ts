import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { serverScript } from "../scripts/setup.ts";
import { expect, test } from "./fixtures.ts";
import type { Reply, Visitor } from "./visitor.ts";

/** One of each kind of answer. */
async function everyAnswer(stranger: Visitor, ana: Visitor): Promise<[what: string, reply: Reply][]> {
  const [asset] = readdirSync(join(dirname(serverScript), ".next/static/chunks")).filter((name) =>
    name.endsWith(".js"),
  );
  const asked: [string, Promise<Reply>][] = [
    ["the sign-in page", stranger.get("/sign-in")],
    ["a page", ana.get("/tokens")],
    ["a page's payload", ana.get("/accounts", { headers: { rsc: "1" } })],
    ["a redirect to sign-in", stranger.get("/tokens")],
    ["a page that does not exist", ana.get("/nothing-here")],
    ["an answer of the API", ana.get("/api/session")],
    ["a refusal of the API", stranger.get("/api/tokens")],
    ["a refused origin", stranger.post("/api/tokens", {}, { origin: null })],
    ["an unknown address of the API", stranger.get("/api/nothing")],
    ["a method that is not allowed", ana.send("/api/tokens", { method: "PUT" })],
    ["next-auth", stranger.get("/api/auth/csrf")],
    ["health", stranger.get("/api/health")],
    ["a static file", stranger.get(`/_next/static/chunks/${asset}`)],
    ["a static file that does not exist", stranger.get("/_next/static/chunks/nothing.js")],
    ["the icon, a static file", stranger.get("/icon.svg")],
  ];
  return Promise.all(asked.map(async ([what, reply]) => [what, await reply] as [string, Reply]));
}

function directives(policy: string): Map<string, string> {
  return new Map(
    policy.split(";").map((part) => {
      const [name = "", ...sources] = part.trim().split(" ");
      return [name, sources.join(" ")];
    }),
  );
}

test("every answer carries the security headers, and no HSTS on plain http", async ({ newVisitor }) => {
  const ana = await newVisitor().signIn();
  for (const [what, { headers }] of await everyAnswer(newVisitor(), ana)) {
    expect(headers.get("x-content-type-options"), what).toBe("nosniff");
    expect(headers.get("referrer-policy"), what).toMatch(/^(no-referrer|same-origin)$/);
    expect(headers.get("cross-origin-opener-policy"), what).toBe("same-origin");
    expect(headers.get("permissions-policy"), what).toMatch(/camera=\(\).*geolocation=\(\).*microphone=\(\)/);
    expect(headers.has("strict-transport-security"), what).toBe(false);
    expect(headers.has("x-powered-by"), what).toBe(false);
    expect(headers.has("server"), what).toBe(false);
    expect(headers.has("access-control-allow-origin"), what).toBe(false);
  }
});

test("with an https address every answer carries HSTS", async ({ launch, newVisitor }) => {
  const app = await launch({ env: { APP_URL: "https://tokendesk.example" } });
  const ana = await newVisitor(app).signIn();
  for (const [what, { headers }] of await everyAnswer(newVisitor(app), ana)) {
    // A file's own answer may leave it out: the page that names the file has set it for the whole host.
    if (what.includes("static file")) continue;
    const value = headers.get("strict-transport-security") ?? "";
    expect(Number(/max-age=(\d+)/.exec(value)?.[1]), `${what}: ${value}`).toBeGreaterThanOrEqual(31_536_000);
  }
});

test("every answer that is not a static file has a strict policy with a nonce of its own", async ({ newVisitor }) => {
  const ana = await newVisitor().signIn();
  const nonces = new Set<string>();
  const answers = (await everyAnswer(newVisitor(), ana)).filter(([what]) => !what.includes("static file"));
  for (const [what, { headers }] of answers) {
    const policy = directives(headers.get("content-security-policy") ?? "");
    for (const name of ["default-src", "object-src", "base-uri", "frame-ancestors"]) {
      expect(policy.get(name), `${what}: ${name}`).toBe("'none'");
    }
    expect(policy.get("form-action"), what).toBe("'self'");
    const scripts = policy.get("script-src") ?? "";
    expect(scripts, what).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(policy.get("style-src"), what).not.toContain("unsafe");
    const nonce = /'nonce-([\w+/=]{22,})'/.exec(scripts)?.[1] ?? "";
    expect(nonce, `${what}: a nonce`).not.toBe("");
    nonces.add(nonce);
  }
  expect(nonces.size, "a nonce is used once").toBe(answers.length);
});

test("every script of a page carries the nonce of its own answer", async ({ newVisitor }) => {
  const ana = await newVisitor().signIn();
  for (const path of ["/sign-in?reason=required", "/tokens", "/accounts", "/nothing-here"]) {
    const { headers, text } = await ana.get(path);
    const nonce = /'nonce-([^']+)'/.exec(headers.get("content-security-policy") ?? "")?.[1] ?? "";
    const scripts = text.match(/<script\b[^>]*>/g) ?? [];
    expect(scripts.length, path).toBeGreaterThan(3);
    for (const script of scripts) expect(script, path).toContain(`nonce="${nonce}"`);
  }
});

test("nothing that belongs to a person may be kept by a cache", async ({ newVisitor }) => {
  const ana = await newVisitor().signIn();
  for (const [what, { headers }] of await everyAnswer(newVisitor(), ana)) {
    // Nothing of a person is in them.
    if (["a static file", "the icon, a static file", "a method that is not allowed"].includes(what)) continue;
    expect(headers.get("cache-control"), what).toContain("no-store");
  }
});

test("a request that claims another host is answered for APP_URL all the same", async ({ launch, newVisitor }) => {
  const app = await launch({ env: { APP_URL: "https://tokendesk.example" } });
  const visitor = newVisitor(app);
  for (const headers of [
    { "x-forwarded-host": "evil.example" },
    { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" },
  ]) {
    const redirect = await visitor.get("/accounts", { headers });
    expect(redirect.status).toBe(307);
    const location = new URL(redirect.headers.get("location") ?? "", app.origin);
    expect(location.href).toBe("https://tokendesk.example/sign-in?reason=required&returnTo=%2Faccounts");
    const providers = (await visitor.get("/api/auth/providers", { headers })).text;
    expect(providers).toContain("https://tokendesk.example/");
    expect(providers).not.toContain("evil.example");
  }
});

for (const [returnTo, path] of [
  ["/accounts", "/accounts"],
  ["/tokens?q=ivr&page=2", "/tokens?q=ivr&page=2"],
  ["https://evil.example/", "/tokens"],
  ["//evil.example/", "/tokens"],
  ["/\\evil.example/", "/tokens"],
  ["/\t/evil.example/", "/tokens"],
  ["/x/..//evil.example/", "/tokens"],
  ["javascript:alert(1)", "/tokens"],
  ["/api/auth/signout", "/tokens"],
  ["/sign-in?returnTo=/sign-in", "/tokens"],
] as const) {
  test(`somebody who is signed in already is led from ${JSON.stringify(returnTo)} to ${path}`, async ({
    app,
    visitor,
  }) => {
    await visitor.signIn();
    const reply = await visitor.get(`/sign-in?${new URLSearchParams({ returnTo })}`);
    expect(reply.status).toBe(307);
    expect(new URL(reply.headers.get("location") ?? "", app.origin).href).toBe(`${app.origin}${path}`);
  });
}
