/**
 * A leak of 500 tokens of one user, within the vendor's limit: the reader leaves, the server is killed, the network to
 * RingCX is lost. In the end all are dead, each deleted once, and the budget was used and never exceeded.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "./fixtures.ts";
import { startGate } from "./gate.ts";
import { type App, startApp, startSandbox } from "./servers.ts";
import { hintOf, Visitor } from "./visitor.ts";

const leaky = "new@example.com";
const count = 500;
/** Calls per minute. */
const limit = 1_200;

type Line = {
  type: string;
  id: string;
  hint: string;
  outcome: string;
  done: number;
  total: number;
  revoked: number;
  incident: string;
  findings: { id: string; hint: string; status: string }[];
  secondsToProof: number;
  logged: boolean;
};

/** The lines of an answer until there are enough of them, it ends, or the connection is lost. */
async function read(person: Visitor, app: App, path: string, body: unknown, enough: (lines: Line[]) => boolean) {
  const stop = new AbortController();
  const lines: Line[] = [];
  try {
    const response = await fetch(`${app.url}${path}`, {
      method: "POST",
      headers: {
        cookie: person.cookieHeader(),
        origin: app.origin,
        "content-type": "application/json",
        accept: "application/x-ndjson",
      },
      body: JSON.stringify(body),
      signal: stop.signal,
    });
    expect(response.status).toBe(200);
    let rest = "";
    const decoder = new TextDecoder();
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      const parts = `${rest}${decoder.decode(piece, { stream: true })}`.split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts.map((part) => JSON.parse(part) as Line));
      if (enough(lines)) break;
    }
  } catch (error) {
    // The server was killed.
    if (app.running()) throw error;
  }
  stop.abort();
  return lines;
}

const steps = (lines: Line[]) => lines.filter(({ type }) => type === "step");
const atLeast = (settled: number) => (lines: Line[]) => steps(lines).length >= settled;

/** The most calls that arrived in any 60 seconds. */
function busiestMinute(arrivals: readonly number[]): number {
  let first = 0;
  let most = 0;
  for (const [last, at] of arrivals.entries()) {
    while ((arrivals[first] ?? 0) <= at - 60_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

test("500 tokens die once each, whatever is cut, killed or lost on the way", async () => {
  test.setTimeout(240_000);
  const upstream = await startSandbox({ SANDBOX_RATE_LIMIT: String(limit) });
  const sandbox = upstream.control;
  const gate = await startGate(upstream.control.url);
  const dataDir = mkdtempSync(join(tmpdir(), "tokendesk-run-"));
  const start = (port?: number) =>
    startApp(gate.url, {
      dataDir,
      env: { RINGCX_RATE_LIMIT: String(limit), RINGCX_TIMEOUT_MS: "5000" },
      ...(port === undefined ? {} : { port }),
    });
  let app = await start();
  try {
    for (let minted = 0; minted < count; minted += 1) await sandbox.addToken(leaky);
    const values = await sandbox.tokens(leaky);
    const person = await new Visitor(app).signIn();
    await sandbox.clearJournal();
    const arrivals: number[] = [];
    let isLost = false;
    let lost = 0;
    gate.watch(async (call) => {
      arrivals.push(Date.now());
      if (isLost) lost += 1;
      if (isLost && lost % 2 === 1) return call.drop();
      await call.forward();
      if (isLost) call.drop();
      else await call.answer();
    });

    const pastedAt = Date.now();
    const text = values.map((value, index) => `line ${index} X-Auth-Token: ${value}`).join("\n");
    const scanned = await read(person, app, "/api/incidents/scan", { text }, () => false);
    const findings = scanned.at(-1)?.findings ?? [];
    expect(findings.filter(({ status }) => status === "live")).toHaveLength(count);
    const body = { findings: findings.map(({ id }) => id), siblings: true, reason: "Leaked in a log" };
    const revoke = (enough: (lines: Line[]) => boolean) => read(person, app, "/api/incidents/revoke", body, enough);

    // The tab is closed. The run goes on.
    expect(steps(await revoke(atLeast(20)))).not.toEqual([]);

    // The server is killed in the midst of it.
    const seen = steps(await revoke(atLeast(120))).length;
    expect(seen).toBeLessThan(count);
    await app.kill();
    const killedAt = (await sandbox.tokens(leaky)).length;
    expect(killedAt, "it was in the midst of it").toBeGreaterThan(0);
    app = await start(Number(new URL(app.url).port));

    // The network is lost for a while: of what is under way a half arrives.
    const told = revoke(() => false);
    await expect.poll(async () => (await sandbox.tokens(leaky)).length, { timeout: 90_000 }).toBeLessThan(killedAt - 5);
    isLost = true;
    await sleep(2_000);
    isLost = false;

    const lines = await told;
    const summary = lines.at(-1);
    expect(summary).toMatchObject({
      type: "summary",
      outcome: "contained",
      total: count,
      revoked: count,
      logged: true,
    });
    expect(new Set(steps(lines).map(({ hint }) => hint))).toEqual(new Set(values.map(hintOf)));
    expect(
      steps(lines)
        .map(({ id }) => id)
        .sort(),
      "each is told once",
    ).toEqual([...body.findings].sort());
    expect(steps(lines).at(-1)).toMatchObject({ done: count, total: count });
    expect(lost).toBeGreaterThan(0);

    expect(await sandbox.tokens(leaky)).toEqual([]);
    const journal = await sandbox.journal();
    const effects = journal.filter(({ operation, effect }) => operation === "token.delete" && effect);
    expect(effects).toHaveLength(count);
    expect(new Set(effects.map(({ path }) => path)).size).toBe(count);
    expect(journal.filter(({ status }) => status === 429)).toEqual([]);
    const busiest = busiestMinute(arrivals);
    process.stdout.write(
      `${count} tokens: ${arrivals.length} calls, ${busiest} of ${limit} in the busiest minute, proven dead ` +
        `${summary?.secondsToProof} s after the paste (${Math.round((Date.now() - pastedAt) / 1_000)} s with what was broken)\n`,
    );
    expect(busiest).toBeLessThanOrEqual(limit);
    expect(busiest).toBeGreaterThanOrEqual(0.95 * limit);

    const secrets = values.map((value) => value.slice(6));
    const kept = readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name), "latin1"));
    for (const told of [JSON.stringify(lines), app.output.stdout, app.output.stderr, ...kept]) {
      expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
    }
  } finally {
    await app.stop();
    await gate.close();
    await upstream.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
