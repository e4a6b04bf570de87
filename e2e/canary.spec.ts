import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Page } from "@playwright/test";
import { run } from "../scripts/processes.ts";
import { nextBin, serverScript } from "../scripts/setup.ts";
import { expect, submitSignIn, test } from "./fixtures.ts";
import { findLeaks, formsOf, type Piece } from "./leaks.ts";
import { pages, waysToAsk } from "./rsc.ts";
import { passwordOf, type Sandbox } from "./sandbox.ts";
import type { App } from "./servers.ts";
import { type ListedToken, type Recorder, Visitor } from "./visitor.ts";

/** A password of no meaning elsewhere: the sandbox's usual one is a word that stands in our own texts. */
const user = "password@example.com";
const wrongPassword = "Wr0ng+pass&word é/42";

/** What the journeys are asked not to leak, by kind. */
async function secretsOf(sandbox: Sandbox, app: App): Promise<Record<string, string[]>> {
  const secrets = await sandbox.secrets();
  const kept = ["session-secret", "fingerprint-key"].map((name) =>
    readFileSync(join(app.dataDir, name), "utf8").trim(),
  );
  return {
    ...secrets,
    passwords: [
      ...(secrets.passwords ?? []).filter((password) => password !== passwordOf("ana@example.com")),
      wrongPassword,
    ],
    ownSecrets: kept,
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Log, database and client files of a dashboard. The secrets that it keeps are what they are. */
function piecesOnDisk(app: App, script: string): Piece[] {
  const data = filesBelow(app.dataDir).filter((path) => !/(session-secret|fingerprint-key)$/.test(path));
  const bundles = filesBelow(join(dirname(script), ".next/static"));
  expect(data.length, "a database").toBeGreaterThan(0);
  expect(bundles.length, "client files").toBeGreaterThan(10);
  return [
    { source: "stdout", text: app.output.stdout },
    { source: "stderr", text: app.output.stderr },
    ...data.map((path) => ({ source: `data ${path.slice(app.dataDir.length)}`, text: readFileSync(path, "latin1") })),
    ...bundles.map((path) => ({ source: `bundle ${path.split("/").at(-1)}`, text: readFileSync(path, "latin1") })),
  ];
}

/** Keeps every answer. What a creation, a reveal or a rotation gives away is its purpose: that one value is cut out. */
function recorder(pieces: Piece[]): Recorder {
  return ({ method, path, head, body }) => {
    const source = `${method} ${path}`;
    const isCall = method === "POST" && /^\/api\/tokens(\/[\w-]+\/(reveal|rotate))?$/.test(path);
    const value = isCall && body.startsWith("{") ? (JSON.parse(body) as { value?: string }).value : undefined;
    pieces.push({ source: `${source} (head)`, text: `${path}\n${head}` });
    pieces.push({ source: `${source} (body)`, text: value === undefined ? body : body.replace(value, "") });
  };
}

/** Everything that a person may do, and what may go wrong with it, over HTTP. */
async function journey(app: App, sandbox: Sandbox): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const person = new Visitor(app, {}, recorder(pieces));
  const everyPage = async () => {
    for (const { path, options } of pages.flatMap(waysToAsk)) await person.get(path, options);
  };
  await everyPage();
  await person.attemptSignIn({ username: user, password: wrongPassword });
  await person.attemptSignIn({ username: "reset@example.com" });
  await person.attemptSignIn({ username: user, host: "https://evil.example" });
  for (const kind of ["html502", "malformedJson", "redirect"]) {
    await sandbox.fault({ operation: "login", kind, ...(kind === "redirect" ? { location: "/" } : {}) });
    await person.attemptSignIn({ username: user });
  }
  await person.signIn(user);
  await everyPage();
  for (const path of ["/api/session", "/api/tokens", "/api/accounts", "/api/auth/session", "/api/auth/csrf"]) {
    await person.get(path);
  }
  const created = (await person.post("/api/tokens", { label: "Canary" })).json<{ token: ListedToken; value: string }>();
  const { id } = created.token;
  const [mine = ""] = await sandbox.tokens(user);
  await person.post(`/api/tokens/${id}/reveal`);
  await person.patch(`/api/tokens/${id}`, { label: "Canary, renamed" });
  await person.patch(`/api/tokens/${id}`, { label: { mine } });
  const rotated = (await person.post(`/api/tokens/${id}/rotate`)).json<{ token: ListedToken }>();
  for (const kind of ["resetAfter", "cutBody", "malformedJson", "html502", "unauthorized", "status"]) {
    for (const operation of ["token.list", "token.create", "token.delete", "accounts"] as const) {
      await sandbox.fault({ operation, kind, ...(kind === "status" ? { body: mine, status: 400 } : {}) });
    }
    await person.get("/api/tokens");
    await person.get("/api/accounts");
    await person.post("/api/tokens", { label: "Canary, lost" });
    await person.delete(`/api/tokens/${rotated.token.id}`);
    await sandbox.clearFaults();
  }
  await person.delete(`/api/tokens/${id}`);
  await everyPage();
  await sandbox.expireAccessTokens();
  await everyPage();
  await sandbox.expireAccessTokens();
  for (const kind of ["html502", "hang"]) {
    await sandbox.fault({ operation: "refresh", kind, ...(kind === "hang" ? { count: -1 } : {}) });
    await everyPage();
  }
  await sandbox.clearFaults();
  await person.send("/api/tokens", { method: "PUT" });
  await person.get("/nothing-here");
  await person.get("/api/nothing");
  await person.post("/api/tokens", { label: "x" }, { origin: "https://evil.example" });
  await person.signOut();
  await everyPage();

  await person.signIn(user);
  await sandbox.endSessions();
  await sandbox.expireAccessTokens();
  await person.get("/api/tokens");
  await everyPage();
  expect(pieces.length).toBeGreaterThan(150);
  return pieces;
}

/** The same in a browser: what it requests, gets, shows and keeps. */
async function browse(page: Page, sandbox: Sandbox): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const record = recorder(pieces);
  const bodies: Promise<void>[] = [];
  page.on("request", (request) => {
    pieces.push({ source: "requested URL", text: `${request.url()}\n${JSON.stringify(request.headers())}` });
  });
  page.on("response", (response) => {
    if (/\/_next\/static\//.test(response.url())) return;
    const { pathname } = new URL(response.url());
    const head = JSON.stringify(response.headers());
    const kept = response.text().then(
      (body) => record({ method: response.request().method(), path: pathname, head, body }),
      // A redirect, or an answer that the browser has dropped, has no body to read.
      () => record({ method: response.request().method(), path: pathname, head, body: "" }),
    );
    bodies.push(kept);
  });
  const look = async (where: string) => {
    pieces.push({ source: `HTML of ${where}`, text: await page.content() });
    pieces.push({ source: `address of ${where}`, text: page.url() });
    const storage = await page.evaluate(async () =>
      JSON.stringify({
        local: { ...localStorage },
        session: { ...sessionStorage },
        cookie: document.cookie,
        caches: "caches" in window ? await caches.keys() : [],
        databases: await indexedDB.databases(),
        history: history.state,
        name: window.name,
      }),
    );
    pieces.push({ source: `storage of ${where}`, text: storage });
    pieces.push({ source: `cookies of ${where}`, text: JSON.stringify(await page.context().cookies()) });
  };
  const open = async (action: string) => {
    await page
      .getByRole("button", { name: /^Actions for / })
      .first()
      .click();
    await page.getByRole("menuitem", { name: action }).click();
  };

  await page.goto("/accounts");
  await submitSignIn(page, user, wrongPassword);
  await page.getByRole("alert").first().waitFor();
  await look("a failed sign-in");
  await page.getByRole("checkbox", { name: /^Remember / }).check();
  await submitSignIn(page, user);
  await page.waitForURL("**/accounts");
  await look("the accounts");
  await page.getByRole("link", { name: "Tokens" }).first().click();
  await page.waitForURL("**/tokens");
  await page.getByRole("button", { name: "New token" }).first().waitFor();
  await look("the tokens");

  const [mine = ""] = await sandbox.tokens(user);
  await page.getByLabel("Search tokens", { exact: true }).fill(mine);
  await page.waitForURL(/[?&]q=/);
  // The value that was just typed stands in its field only.
  await page.getByLabel("Search tokens", { exact: true }).fill("");
  await page.waitForURL((url) => !url.searchParams.has("q"));
  await look("a search for a value");

  await open("Reveal");
  const dialog = page.getByRole("dialog");
  await dialog
    .getByRole("button", { name: /^Reveal|^Show/ })
    .first()
    .click();
  await expect(dialog).toContainText(mine.slice(6, 20));
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await look("the tokens after a reveal");
  await page.reload();
  await look("the tokens after a reload");
  await Promise.all(bodies);
  return pieces;
}

test("no secret leaves the dashboard, whatever a person does over HTTP", async ({ sandbox, launch, problems }) => {
  test.setTimeout(90_000);
  const app = await launch({ env: { RINGCX_TIMEOUT_MS: "1000", LOG_LEVEL: "trace" } });
  const pieces = await journey(app, sandbox);
  await problems.settle(app);
  const findings = findLeaks(await secretsOf(sandbox, app), [...pieces, ...piecesOnDisk(app, serverScript)]);
  expect(findings).toEqual([]);
});

test("no secret leaves the dashboard, whatever a person does in a browser", async ({
  sandbox,
  launch,
  problems,
  browser,
}) => {
  test.setTimeout(90_000);
  const app = await launch({ env: { LOG_LEVEL: "trace" } });
  const context = await browser.newContext({ baseURL: app.url });
  await problems.watchBrowser(context);
  problems.expect(/status of 401/);
  const pieces = await browse(await context.newPage(), sandbox);
  await problems.settle(app);
  await context.close();
  expect(pieces.length).toBeGreaterThan(50);
  const findings = findLeaks(await secretsOf(sandbox, app), [...pieces, ...piecesOnDisk(app, serverScript)]);
  expect(findings).toEqual([]);
});

test("a token that is pasted where it does not belong is not sent back, and not logged", async ({
  app,
  sandbox,
  visitor,
}) => {
  await visitor.signIn(user);
  const [{ id } = { id: "" }] = await visitor.tokens();
  const [mine = ""] = await sandbox.tokens(user);
  const replies = [
    await visitor.post("/api/tokens", { label: "CI", [mine]: 1 }),
    await visitor.post("/api/tokens", { label: "CI", rotateBy: mine }),
    await visitor.patch(`/api/tokens/${id}`, { [mine]: null }),
    await visitor.post(`/api/tokens/${encodeURIComponent(mine)}/reveal`),
    await visitor.delete(`/api/tokens/${encodeURIComponent(mine)}`),
    await visitor.get(`/api/${encodeURIComponent(mine)}`),
  ];
  const pieces = replies.map(({ text }, index) => ({ source: `answer ${index + 1}`, text }));
  expect(replies.map(({ status }) => status)).toEqual([400, 400, 400, 404, 404, 404]);
  expect(findLeaks({ apiTokens: [mine] }, [...pieces, { source: "stdout", text: app.output.stdout }])).toEqual([]);
});

test("the search finds every form of a secret, alone and in the midst of other text", () => {
  const secrets = {
    apiTokens: ["aws80:c2353445-bc74-af1a-2850-1d55a371c0a9"],
    passwords: ['p+&#é ß"%2B'],
    accessTokens: ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEiLCJleHAiOjEyM30.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk"],
  };
  for (const [kind, [secret = ""]] of Object.entries(secrets)) {
    for (const [form, text] of formsOf(secret)) {
      const found = findLeaks(secrets, [{ source: "planted", text: `before ${text} after` }]);
      expect(found, `${kind}, ${form}`).toContainEqual(expect.objectContaining({ source: "planted", kind }));
    }
    for (const offset of [0, 1, 2]) {
      const whole = Buffer.from(`${"x".repeat(offset + 3)}${secret} and more`).toString("base64");
      expect(findLeaks(secrets, [{ source: "planted", text: whole }])).toContainEqual(
        expect.objectContaining({ kind }),
      );
    }
  }
  expect(findLeaks(secrets, [{ source: "clean", text: "aws80:…c0a9, 1d55a371, eyJhbGciOiJIUzI1NiJ9" }])).toEqual([]);
});

/** Builds a copy of the sources that leaks: a token into the page, a refresh token into the log. Gives its server. */
async function buildLeaking(): Promise<string> {
  const folder = ".setup/leaking";
  // What the bundler kept of the last build makes this one faster.
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (name !== ".next") rmSync(join(folder, name), { recursive: true });
  }
  mkdirSync(folder, { recursive: true });
  const inputs = ["app", "lib", "components", "public", "proxy.ts", "instrumentation.ts", "tailwind.config.ts"];
  const settings = ["next.config.mjs", "postcss.config.mjs", "tsconfig.json", "package.json"];
  for (const name of [...inputs, ...settings])
    if (existsSync(name))
      cpSync(name, join(folder, name), { recursive: true, filter: (path) => !/\.test\.tsx?$/.test(path) });

  const patch = (path: string, pattern: RegExp, replacement: string) => {
    const before = readFileSync(join(folder, path), "utf8");
    const after = before.replace(pattern, replacement);
    if (after === before) throw new Error(`${path} is not what this test thinks: change its patch`);
    writeFileSync(join(folder, path), after);
  };
  patch(
    "app/(dashboard)/tokens/page.tsx",
    /<TokensView[\s\S]*?\/>/,
    "<div data-values={btoa((await session.client.listTokenValues()).items.join())}>$&</div>",
  );
  patch(
    "lib/session/refresh.ts",
    /const grant = await refreshSession\(.*\);/,
    '$& logger().info({ outcome: grant.refreshToken }, "renewed");',
  );
  // Below the repository, so that the packages are found; the types are judged elsewhere.
  patch("next.config.mjs", /const root = import\.meta\.dirname;/, 'const root = import.meta.dirname + "/../..";');
  patch("next.config.mjs", /output: "standalone",/, "$& typescript: { ignoreBuildErrors: true },");

  const code = await run("sh", ["-c", `cd ${folder} && exec "$0" ../../${nextBin} build`, process.execPath], {
    output: "keep",
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
  });
  if (code !== 0) throw new Error(`the leaking build ended with ${code}`);
  const server = join(folder, ".next/standalone", folder);
  cpSync(join(folder, ".next/static"), join(server, ".next/static"), { recursive: true });
  return join(server, "server.js");
}

test("in a build that leaks, the search finds what leaks", async ({ sandbox, launch, problems }) => {
  test.setTimeout(180_000);
  const script = await buildLeaking();
  const app = await launch({ script, env: { RINGCX_TIMEOUT_MS: "1000" } });
  const pieces = await journey(app, sandbox);
  await problems.settle(app);
  const findings = findLeaks(await secretsOf(sandbox, app), [...pieces, ...piecesOnDisk(app, script)]);
  expect(findings).toContainEqual(expect.objectContaining({ source: "GET /tokens (body)", kind: "apiTokens" }));
  expect(findings).toContainEqual(expect.objectContaining({ source: "stdout", kind: "refreshTokens", form: "raw" }));
  const places = new Set(findings.map(({ source }) => source.replace(/\?.*? /, " ")));
  expect(
    [...places].filter((place) => !/^GET \/tokens|^stdout$/.test(place)),
    "and nothing else",
  ).toEqual([]);
});
