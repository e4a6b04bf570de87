/**
 * What a page costs, as a ratio to the floor of the same run: `/api/health`, which does nothing but pass through Next,
 * the proxy and the log. Prints the table of docs/benchmarks.md.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSandbox } from "../sandbox/server.ts";
import { start, stopAll } from "../scripts/processes.ts";
import { buildIfStale, serverScript } from "../scripts/setup.ts";

const requests = 200;
const warmUp = 20;
const parallel = 8;

const code = await buildIfStale();
if (code !== 0) process.exit(code);
const sandbox = await startSandbox({ rateLimit: 1_000_000 });
const dataDir = mkdtempSync(join(tmpdir(), "tokendesk-bench-"));
const port = sandbox.port + 1;
const origin = `http://localhost:${port}`;
const app = start(serverScript, [], {
  output: "keep",
  env: {
    PATH: process.env.PATH,
    NODE_ENV: "production",
    PORT: String(port),
    HOSTNAME: "127.0.0.1",
    APP_URL: origin,
    DATA_DIR: dataDir,
    RINGCX_HOSTS: sandbox.url,
    RINGCX_RATE_LIMIT: "100000",
    LOG_LEVEL: "warn",
  },
});

try {
  await answering();
  const ana = await signIn("ana@example.com");
  const many = await signIn("many@example.com");
  const cases: [name: string, path: string, cookie: string][] = [
    ["`/api/health` (floor)", "/api/health", ""],
    ["`/api/session`: both cookies opened", "/api/session", ana],
    ["`/tokens`, 3 tokens", "/tokens", ana],
    ["`/tokens`, 10,000 tokens", "/tokens", many],
    ["`/tokens`, 10,000 tokens, search", "/tokens?q=c0", many],
    ["`/accounts`, 40 sub-accounts", "/accounts", many],
  ];
  console.log(`\n${requests} requests each, ${parallel} at a time, after ${warmUp} to warm up\n`);
  console.log("| request | median ms | p95 ms | requests/s | time, to the floor |");
  console.log("| --- | --- | --- | --- | --- |");
  let floor = 0;
  for (const [name, path, cookie] of cases) {
    const { median, p95, perSecond } = await measure(path, cookie);
    floor ||= perSecond;
    const cells = [name, median.toFixed(1), p95.toFixed(1), perSecond.toFixed(0), `${(floor / perSecond).toFixed(1)}x`];
    console.log(`| ${cells.join(" | ")} |`);
  }
} catch (error) {
  console.error(app.tail());
  throw error;
} finally {
  await stopAll();
  await sandbox.close();
  rmSync(dataDir, { recursive: true, force: true });
}

async function measure(path: string, cookie: string) {
  const times: number[] = [];
  const one = async () => {
    const startedAt = performance.now();
    const response = await fetch(origin + path, { headers: { cookie }, redirect: "manual" });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    times.push(performance.now() - startedAt);
  };
  for (let count = 0; count < warmUp; count += 1) await one();
  times.length = 0;
  const startedAt = performance.now();
  let left = requests;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { median: at(0.5), p95: at(0.95), perSecond: requests / seconds };
}

async function answering(): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (Date.now() < giveUpAt) {
    const up = await fetch(`${origin}/api/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the dashboard did not start");
}

/** The `Cookie` header of a signed-in browser. */
async function signIn(username: string): Promise<string> {
  const csrf = await fetch(`${origin}/api/auth/csrf`);
  const { csrfToken } = (await csrf.json()) as { csrfToken: string };
  const response = await fetch(`${origin}/api/auth/callback/ringcx`, {
    method: "POST",
    headers: { origin, cookie: cookiesOf(csrf) },
    body: new URLSearchParams({ csrfToken, username, password: "sandbox", platformId: "aws80", json: "true" }),
  });
  if (!response.ok) throw new Error(`sign-in: ${response.status}`);
  return cookiesOf(response);
}

function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}
