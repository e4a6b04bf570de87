import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import { run } from "../scripts/processes.ts";
import { nextBin, serverScript } from "../scripts/setup.ts";
import { passwordOf, type Sandbox } from "../test/sandbox-control.ts";
import { expect, submitSignIn, test } from "./fixtures.ts";
import { findLeaks, formsOf, type Piece } from "./leaks.ts";
import { sqliteLog } from "./log-file.ts";
import { everyPage, waysToAsk, waysToAskAt } from "./rsc.ts";
import type { App } from "./servers.ts";
import { type ListedToken, type Recorder, Visitor } from "./visitor.ts";

/** A password of no meaning elsewhere: the sandbox's usual one is a word that stands in our own texts. */
const user = "password@example.com";
const wrongPassword = "Wr0ng+pass&word é/42";
/** An administrator, who sees all that there is to see. */
const settings = { ADMIN_USERS: user, LOG_LEVEL: "trace" };

/** What an export leaves in the data folder. */
const exported = ["audit-checkpoints.jsonl"];

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

/** A file as text: its bytes one by one, and what is not ASCII as UTF-8. */
function textsOf(source: string, path: string): Piece[] {
  return (["latin1", "utf8"] as const).map((encoding) => ({ source, text: readFileSync(path, encoding) }));
}

/** Log, database, spool, checkpoints and client files of a dashboard. The secrets that it keeps are what they are. */
function piecesOnDisk(app: App, script: string, alsoThere: string[] = []): Piece[] {
  const data = filesBelow(app.dataDir).filter((path) => !/(session-secret|fingerprint-key)$/.test(path));
  const bundles = filesBelow(join(dirname(script), ".next/static"));
  const names = data.map((path) => path.slice(app.dataDir.length + 1));
  expect(names, "what there is to search").toEqual(
    expect.arrayContaining(["tokendesk.db", "tokendesk.db-wal", "tokendesk.db-shm", ...alsoThere]),
  );
  expect(bundles.length, "client files").toBeGreaterThan(10);
  return [
    { source: "stdout", text: app.output.stdout },
    { source: "stderr", text: app.output.stderr },
    ...data.flatMap((path) => textsOf(`data ${path.slice(app.dataDir.length)}`, path)),
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
/** Secrets where they do not belong. What is in an address comes back to who sent it; nothing of it may stay. */
async function smuggle(app: App, person: Visitor, id: string, secrets: string[]): Promise<void> {
  const unrecorded = new Visitor(app);
  for (const [name, value] of person.cookies) unrecorded.cookies.set(name, value);
  for (const secret of [...secrets, passwordOf(user), wrongPassword]) {
    const typed = encodeURIComponent(secret);
    for (const path of ["/tokens?q=", "/team?q=", "/audit?actor=", "/audit?token=", "/api/audit?actor=", `/tokens/`]) {
      await unrecorded.get(`${path}${typed}`);
    }
    await new Visitor(app).attemptSignIn({ username: secret, password: wrongPassword });
    await new Visitor(app).attemptSignIn({ username: `${secret} `, password: secret, platformId: secret });
  }
  for (const secret of secrets) {
    for (const about of ["label", "purpose", "environment", "usedIn"]) {
      await person.patch(`/api/tokens/${id}`, { [about]: secret });
    }
    await person.post(`/api/tokens/${id}/adopt`, { label: secret });
    await person.delete(`/api/tokens/${id}`, { body: { reason: secret } });
    await person.post("/api/team/orders", { tokenId: id, reason: secret });
    // What RingCX itself would be sent by a careless script.
    const script = new Visitor(app, { "user-agent": `curl/8 ${secret}`, "x-request-id": secret, referer: secret });
    await script.signIn(user);
    await script.post(`/api/tokens/${id}/reveal`);
    await script.signOut();
  }
}

/** A copy of the database, as `npm run db:backup` makes it of a running dashboard. */
async function backedUp({ dataDir }: App): Promise<Piece[]> {
  const folder = mkdtempSync(join(tmpdir(), "tokendesk-backup-"));
  const target = join(folder, "copy.db");
  try {
    const env = { ...process.env, NODE_NO_WARNINGS: "1", DATA_DIR: dataDir };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["scripts/db-backup.ts", target], { env });
    return [{ source: "the backup's output", text: stdout + stderr }, ...textsOf("the backup", target)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What waits for the log while it cannot be written: a copy of the file as it is then. */
async function spooled(app: App, person: Visitor): Promise<Piece[]> {
  const [token] = await person.tokens();
  const release = await sqliteLog(app.dataDir).holdWrites();
  try {
    await person.delete(`/api/tokens/${token?.id}`, { body: { reason: "Canary, at once", urgent: true } });
    const names = readdirSync(app.dataDir).filter((name) => name.startsWith("audit-spool"));
    expect(names, "a spool").not.toEqual([]);
    return names.flatMap((name) => textsOf("the spool", join(app.dataDir, name)));
  } finally {
    await release();
  }
}

/** Somebody who is told of everything. What was sent to them is theirs to read, and has no value in it. */
async function listen(): Promise<{ url: string; heard: Piece[]; close(): void }> {
  const heard: Piece[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      heard.push({ source: `posted to ${request.url}`, text: `${JSON.stringify(request.headers)}\n${body}` });
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, heard, close: () => void server.close() };
}

/** A leaked text from the paste to the report, by a person, by a scanner and from the command line. */
async function incident(app: App, person: Visitor, sandbox: Sandbox, pieces: Piece[]): Promise<string> {
  const leaked = await Promise.all([
    sandbox.addToken(user),
    sandbox.addToken(user),
    sandbox.addToken("child1@example.com"),
  ]);
  const text = leaked
    .map((value, line) => `line ${line}: token=${encodeURIComponent(value)} again ${value}`)
    .join("\n");
  type Scan = { incident: string; findings: { id: string; tokenId: string }[] };
  const scanned = (await person.post("/api/incidents/scan", { text })).json<Scan>();
  expect(scanned.findings).toHaveLength(3);
  await person.post("/api/incidents/scan", { text }, { headers: { accept: "application/x-ndjson" } });
  await person.post("/api/incidents/scan", { text, [leaked[0] as string]: 1 });
  const findings = scanned.findings.map(({ id }) => id);
  await person.post("/api/incidents/revoke", { findings, reason: leaked[0] });
  await person.post("/api/incidents/revoke", { findings: [leaked[0]], reason: "Canary" });
  const run = await person.post("/api/incidents/revoke", { findings: findings.slice(0, 1), reason: "Canary" });
  expect(run.text).toContain('"revoked"');
  await person.post(`/api/incidents/${scanned.incident}/follow`);
  for (const path of ["", `/${scanned.incident}/report`, `/${scanned.incident}/report?format=md`]) {
    const reply = await person.get(`/api/incidents${path}`);
    expect(reply.status, `${path} ${reply.text}`).toBe(200);
  }
  for (const { path, options } of waysToAskAt(`/incident/${scanned.incident}`)) await person.get(path, options);

  const unrecorded = new Visitor(app);
  for (const [name, cookie] of person.cookies) unrecorded.cookies.set(name, cookie);
  const made = await unrecorded.post("/api/keys", { name: "Canary", revoke: true });
  const key = made.json<{ value: string }>().value;
  const scanner = new Visitor(app, { authorization: `Bearer ${key}` }, recorder(pieces));
  const source = "build 7";
  for (const accept of ["application/json", "application/x-ndjson"]) {
    await scanner.post("/api/incidents/report", { text, source }, { origin: null, headers: { accept } });
  }
  const reported = leaked.map((value) => ({ value, source: value }));
  const killed = await scanner.post(
    "/api/incidents/report",
    { findings: reported, source, revoke: true },
    { origin: null },
  );
  expect(killed.status, killed.text).toBe(200);
  await scanner.post("/api/incidents/verify", { RingCX: { token: leaked } }, { origin: null });
  await new Visitor(app, { authorization: `Bearer ${key}x` }, recorder(pieces)).post("/api/incidents/report", { text });
  await person.get("/api/keys");
  await person.get("/api/notifications");

  const more = await sandbox.addToken(user);
  const env = { ...process.env, NODE_NO_WARNINGS: "1", TOKENDESK_URL: app.url, TOKENDESK_API_KEY: key };
  for (const direct of [[], ["--direct"]]) {
    for (const format of [[], ["--json"]]) {
      const args = ["scripts/launch.mjs", "tokendesk", "scan", ...direct, ...format];
      const output = await withInput(args, `${text}\n${more}`, {
        ...env,
        RINGCX_HOST: sandbox.url,
        RINGCX_HOSTS: sandbox.url,
      });
      expect(output, "findings").toContain("…");
      pieces.push({ source: args.join(" "), text: output });
    }
  }
  return key;
}

/** All that a command writes, with a text on its standard input. */
async function withInput(args: string[], input: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  child.stdin.end(input);
  await once(child, "close");
  return output;
}

/** `undisturbed`: without what goes wrong and what is smuggled in, which a control needs no second time. */
async function journey(app: App, sandbox: Sandbox, pieces: Piece[] = [], undisturbed = false): Promise<Piece[]> {
  const person = new Visitor(app, {}, recorder(pieces));
  const look = async () => {
    for (const { path, options } of everyPage.flatMap(waysToAsk)) await person.get(path, options);
  };
  await look();
  await person.attemptSignIn({ username: user, password: wrongPassword });
  await person.attemptSignIn({ username: "reset@example.com" });
  await person.attemptSignIn({ username: user, host: "https://evil.example" });
  for (const kind of undisturbed ? [] : ["html502", "malformedJson", "redirect"]) {
    await sandbox.fault({ operation: "login", kind, ...(kind === "redirect" ? { location: "/" } : {}) });
    await person.attemptSignIn({ username: user });
  }
  await person.signIn(user);
  await look();
  const reads = ["session", "tokens", "accounts", "auth/session", "auth/csrf", "audit", "sessions?scope=team"];
  for (const path of reads) await person.get(`/api/${path}`);
  const created = (await person.post("/api/tokens", { label: "Canary" })).json<{ token: ListedToken; value: string }>();
  const { id } = created.token;
  const [mine = ""] = await sandbox.tokens(user);
  await person.post(`/api/tokens/${id}/reveal`);
  await person.patch(`/api/tokens/${id}`, { label: "Canary, renamed" });
  await person.patch(`/api/tokens/${id}`, { label: { mine } });
  const rotated = (await person.post(`/api/tokens/${id}/rotate`)).json<{ token: ListedToken }>();
  const disturbances = ["resetAfter", "cutBody", "malformedJson", "html502", "unauthorized", "status"];
  for (const kind of undisturbed ? [] : disturbances) {
    for (const operation of ["token.list", "token.create", "token.delete", "accounts"] as const) {
      await sandbox.fault({ operation, kind, ...(kind === "status" ? { body: mine, status: 400 } : {}) });
    }
    await person.get("/api/tokens");
    await person.get("/api/accounts");
    await person.post("/api/tokens", { label: "Canary, lost" });
    await person.delete(`/api/tokens/${rotated.token.id}`);
    await sandbox.clearFaults();
  }
  if (!undisturbed)
    await smuggle(app, person, id, [mine, ...((await sandbox.secrets()).accessTokens?.slice(-1) ?? [])]);
  await person.post("/api/team/orders", { tokenId: id, reason: "Canary" });
  await person.delete(`/api/tokens/${id}`, { body: { reason: "Canary" } });
  pieces.push(...(await spooled(app, person)));
  for (const { path, options } of waysToAskAt(`/tokens/${id}`)) await person.get(path, options);
  await person.get(`/api/audit?token=${id}`);
  await person.get("/api/audit?limit=500");
  for (const format of ["jsonl", "csv"]) await person.get(`/api/audit/export?format=${format}`);
  await person.post("/api/audit/verify");
  await look();
  pieces.push(...(await backedUp(app)));
  await sandbox.expireAccessTokens();
  await look();
  await sandbox.expireAccessTokens();
  for (const kind of undisturbed ? [] : ["html502", "hang"]) {
    await sandbox.fault({ operation: "refresh", kind, ...(kind === "hang" ? { count: -1 } : {}) });
    await look();
  }
  await sandbox.clearFaults();
  await person.send("/api/tokens", { method: "PUT" });
  await person.get("/nothing-here");
  await person.get("/api/nothing");
  await person.post("/api/tokens", { label: "x" }, { origin: "https://evil.example" });
  await person.signOut();
  await look();

  await person.signIn(user);
  await sandbox.endSessions();
  await sandbox.expireAccessTokens();
  await person.get("/api/tokens");
  await look();
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
  test.setTimeout(180_000);
  problems.expect(/"audit spooled"/);
  const receiver = await listen();
  const secret = "canary-webhook-secret-0123456789abcdef";
  const notified = {
    NOTIFY_WEBHOOKS: `${receiver.url}/hook`,
    NOTIFY_WEBHOOK_SECRET: secret,
    NOTIFY_SLACK_WEBHOOKS: `${receiver.url}/slack/of-nobodys-business`,
  };
  const app = await launch({ env: { ...settings, ...notified, RINGCX_TIMEOUT_MS: "2000" } });
  const pieces: Piece[] = [];
  const key = await incident(app, await new Visitor(app, {}, recorder(pieces)).signIn(user), sandbox, pieces);
  await journey(app, sandbox, pieces);
  await problems.settle(app);
  receiver.close();
  expect(receiver.heard.map(({ source }) => source)).toEqual(
    expect.arrayContaining(["posted to /hook", "posted to /slack/of-nobodys-business"]),
  );
  const secrets = { ...(await secretsOf(sandbox, app)), keys: [key], webhooks: [secret, "of-nobodys-business"] };
  const heard = receiver.heard.map(({ text }) => ({ source: "a notification", text }));
  const findings = findLeaks(secrets, [...pieces, ...heard, ...piecesOnDisk(app, serverScript, exported)]);
  expect(findings).toEqual([]);
});

test("no secret leaves the dashboard, whatever a person does in a browser", async ({
  sandbox,
  launch,
  problems,
  browser,
}) => {
  test.setTimeout(90_000);
  const app = await launch({ env: settings });
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
  patch("lib/tokens/creation.ts", /createdHint: mark\.hint \};/, "createdHint: mark.hint, planted: btoa(value) };");
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

test.describe("in a build that leaks", () => {
  let script: string;

  test.beforeAll(async () => {
    test.setTimeout(900_000);
    script = await buildLeaking();
  });

  test("the search finds what leaks", async ({ sandbox, launch, problems }) => {
    test.setTimeout(300_000);
    problems.expect(/"audit spooled"/);
    const app = await launch({ script, env: { ...settings, RINGCX_TIMEOUT_MS: "2000" } });
    const pieces = await journey(app, sandbox, [], true);
    await problems.settle(app);
    const findings = findLeaks(await secretsOf(sandbox, app), [...pieces, ...piecesOnDisk(app, script, exported)]);
    expect(findings).toContainEqual(expect.objectContaining({ source: "GET /tokens (body)", kind: "apiTokens" }));
    expect(findings).toContainEqual(expect.objectContaining({ source: "stdout", kind: "refreshTokens", form: "raw" }));
    for (const place of [
      "data /tokendesk.db-wal",
      "the backup",
      "GET /audit (body)",
      "GET /api/audit?limit=500 (body)",
      "GET /api/audit/export?format=jsonl (body)",
      "GET /api/audit/export?format=csv (body)",
    ]) {
      expect(findings, place).toContainEqual(expect.objectContaining({ source: place, kind: "apiTokens" }));
    }
    const places = new Set(findings.map(({ source }) => source.replace(/\?.*? /, " ")));
    const leaking = /^GET \/tokens|^GET (\/api)?\/audit|^data \/tokendesk\.db(-wal)?$|^the backup$|^stdout$/;
    expect(
      [...places].filter((place) => !leaking.test(place)),
      "and nothing else",
    ).toEqual([]);
  });
});
