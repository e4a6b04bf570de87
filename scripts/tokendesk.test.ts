import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { IncidentReport } from "@/lib/incidents/schema";
import { holdsSecret } from "@/lib/tokens/schema";
import { until } from "@/test/process";
import { TestSandbox } from "@/test/sandbox";
import { startUpstream } from "@/test/upstream";
import { readCommand } from "./cli/arguments.ts";
import { Stop } from "./cli/stop.ts";

const repository = dirname(import.meta.dirname);
const key = `tdk_${"k".repeat(43)}`;
const dead = "aws80:11112222-3333-4444-8555-666677778888";
const owner = "child1@example.com";

let sandbox: TestSandbox;
let folder: string;
let live: string[];

beforeAll(async () => {
  sandbox = await TestSandbox.start({ rateLimit: 100_000 });
});
afterAll(() => sandbox.close());

beforeEach(async () => {
  await sandbox.reset();
  live = await sandbox.tokens(owner);
  folder = mkdtempSync(join(tmpdir(), "tokendesk-cli-"));
  mkdirSync(join(folder, "tmp"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Result = { code: number | null; stdout: string; stderr: string };
type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const script = join(repository, "scripts", "tokendesk.ts");

function launch(
  args: string[],
  variables: Record<string, string> = {},
  program = script,
): { child: Child; ended: Promise<Result> } {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      TMPDIR: join(folder, "tmp"),
      RINGCX_HOST: sandbox.url,
      RINGCX_RATE_LIMIT: "100000",
      RINGCX_TIMEOUT_MS: "2000",
      ...variables,
    } as unknown as NodeJS.ProcessEnv,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  // It may end without having read all.
  child.stdin.on("error", () => {});
  return { child, ended: once(child, "close").then(([code]) => ({ code, stdout, stderr })) };
}

/** Runs it to its end. Whatever it was given, it has told no value and no key, and left nothing behind. */
async function tokendesk(args: string[], stdin = "", variables: Record<string, string> = {}): Promise<Result> {
  const { child, ended } = launch(args, variables);
  child.stdin.end(stdin);
  const result = await ended;
  for (const secret of [...live, dead, key]) expect(result.stdout + result.stderr).not.toContain(secret.slice(6));
  expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  return result;
}

const lines = ({ stdout }: Result) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string } & Record<string, unknown>);

const text = () => `one\nTOKEN=${live[0]}\n\n${dead}\n`;

describe("scan --direct", () => {
  test("tells by its exit code what it found, with places and reach, and changes nothing", async () => {
    writeFileSync(join(folder, "app.env"), text());
    const found = await tokendesk(["scan", "--direct", "app.env"]);
    expect(found).toMatchObject({ code: 1, stderr: "" });
    expect(found.stdout).toMatch(/^LIVE +aws80:…\w{4} +app\.env:2\n +Carl Arendt <child1@example\.com>/);
    expect(found.stdout).toMatch(/^dead +aws80:…8888 +app\.env:4$/m);
    expect(found.stdout).toMatch(/\n2 tokens: 1 live, 1 dead, 0 not checked\.\n$/);

    expect((await tokendesk(["scan", "--direct"], dead)).code).toBe(0);
    expect(await tokendesk(["scan", "--direct", "-"], "nothing")).toEqual({
      code: 0,
      stdout: "No token was found.\n",
      stderr: "",
    });
    expect((await sandbox.journal("token.delete")).length).toBe(0);
  }, 30_000);

  test("writes lines that programs read, and nothing else, to stdout", async () => {
    const found = lines(await tokendesk(["scan", "--direct", "--json"], text()));
    expect(found.map(({ type }) => type)).toEqual(["finding", "finding", "result", "report"]);
    expect(found[2]).toMatchObject({
      truncated: false,
      findings: [
        { status: "live", places: [{ source: null, line: 2 }], user: { login: owner } },
        { status: "dead", line: 4 },
      ],
    });
    for (const { id, tokenId } of (found[2]?.findings ?? []) as { id: string; tokenId: string }[])
      expect(id).toBe(tokenId);
    expect(lines(await tokendesk(["scan", "--direct", "--json"], "nothing"))).toMatchObject([{ findings: [] }]);
  }, 30_000);

  test("tells what could not be checked from what is dead", async () => {
    await sandbox.fault({ operation: "token.list", kind: "html502", count: -1 });
    const found = await tokendesk(["scan", "--direct"], live[0]);
    expect(found.code).toBe(3);
    expect(found.stdout).toMatch(/^NOT CHECKED +aws80:/);
  }, 30_000);

  test("lets no name from outside steer the terminal", async () => {
    const name = "\u001b[31mred\u202e.env";
    writeFileSync(join(folder, name), text());
    const found = await tokendesk(["scan", "--direct", name]);
    expect(found.code).toBe(1);
    for (const mark of ["\u001b", "\u202e"]) expect(found.stdout).not.toContain(mark);
  });
});

describe("revoke --direct", () => {
  test("revokes with proof, the siblings too if told to, and does nothing twice", async () => {
    const args = ["revoke", "--direct", "--yes", "--reason", "leaked", "--json"];
    const first = await tokendesk(args, text());
    expect(first.code).toBe(0);
    expect(lines(first).find(({ type }) => type === "summary")).toMatchObject({
      outcome: "contained",
      revoked: 1,
      alreadyDead: 1,
    });
    expect(await sandbox.tokens(owner)).toEqual(live.slice(1));

    const again = await tokendesk(
      ["revoke", "--direct", "-y", "--reason", "leaked", "--siblings"],
      `${live[0]} ${live[1]}`,
    );
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^revoked +aws80:/m);
    expect(again.stdout).toMatch(/^already dead +aws80:/m);
    expect(again.stdout).toContain("All 2 are proven dead: 1 revoked now, 1 dead before.");
    expect(await sandbox.tokens(owner)).toEqual([]);

    const markdown = await tokendesk(["report", "--direct"], first.stdout);
    expect(markdown.code).toBe(0);
    expect(markdown.stdout).toMatch(/^# Incident report\n/);
    expect(markdown.stdout).toContain("aws80:…8888");
    await tokendesk(["report", "--direct", "--format", "json", "-o", "report.json"], first.stdout);
    const written = readFileSync(join(folder, "report.json"), "utf8");
    expect(written).not.toContain(live[0]?.slice(6));
    const report = JSON.parse(written) as IncidentReport;
    expect(report).toMatchObject({ incident: { state: "contained", reason: "leaked" }, totals: { revoked: 1 } });
    expect((await tokendesk(["report", "--direct"], "no lines")).code).toBe(2);
  }, 60_000);

  test("asks a person, and where there is none does nothing", async () => {
    const { code, stderr } = await tokendesk(["revoke", "--direct", "--reason", "x"], text());
    expect([code, stderr]).toEqual([2, expect.stringContaining("give --yes")]);
    expect((await tokendesk(["revoke", "--direct", "--yes"], text())).code).toBe(2);
    expect(await sandbox.journal()).toEqual([]);
  });

  test("says what is settled when it is interrupted, and leaves no folder behind", async () => {
    await sandbox.fault({ operation: "token.delete", kind: "hang", count: -1 });
    const { child, ended } = launch(["revoke", "--direct", "--yes", "--reason", "x"]);
    child.stdin.end(live[0]);
    await until(async () => (await sandbox.journal("token.delete")).length > 0, 10_000);
    const { argv, cmdline } = { argv: child.spawnargs.join(" "), cmdline: commandLine(child.pid ?? 0) };
    for (const secret of live) expect(argv + cmdline).not.toContain(secret.slice(6));
    child.kill("SIGINT");
    const result = await ended;
    expect(result).toMatchObject({ code: 130, stderr: expect.stringContaining("0 of 1 settled") });
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  }, 30_000);
});

function commandLine(pid: number): string {
  const path = `/proc/${pid}/cmdline`;
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

describe("the command line", () => {
  const refused = (args: string[]): string => {
    try {
      readCommand(args, holdsSecret);
    } catch (error) {
      expect(error).toBeInstanceOf(Stop);
      expect((error as Stop).code).toBe(2);
      return (error as Stop).message;
    }
    throw new Error(`${args.join(" ")} was taken`);
  };

  test("refuses tokens and keys as arguments, says why, and does not repeat them", async () => {
    for (const args of [
      ["scan", dead],
      ["revoke", `--reason=${dead}`],
      ["scan", "--help", dead.replace(":", "%3A")],
      ["scan", "--key-file", key],
      ["report", "-o", `x${key}`],
      [dead],
    ]) {
      const sentence = refused(args);
      expect(sentence).toContain("looks like a token or an API key");
      for (const secret of [dead, key]) expect(sentence).not.toContain(secret.slice(6));
    }
    const { code, stdout, stderr } = await tokendesk(["scan", "--direct", live[0] ?? ""]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("looks like a token or an API key");
    expect(await sandbox.journal()).toEqual([]);
  });

  test.each([
    [[], "Say what to do"],
    [["frob"], "no such command"],
    [["scan", "--nonsense"], "Unknown option '--nonsense'"],
    [["scan", "--direct=5"], "does not take an argument"],
    [["scan", "--yes"], "Unknown option '--yes'"],
    [["revoke", "--yes", "--reason", " "], "Say why"],
    [["revoke", "--reason", "x".repeat(501)], "Say why"],
    [["report"], "Give the ID of one incident"],
    [["report", "a", "b"], "Give the ID of one incident"],
    [["report", "a", "--direct"], "Give the ID of one incident"],
    [["report", "../x"], "not the ID of an incident"],
    [["report", "a", "--format", "pdf"], "md or json"],
  ])("%j is refused with a sentence", (args, sentence) => {
    expect(refused(args)).toContain(sentence);
  });

  test.each([[["--help"]], [["scan", "--help"]], [["revoke", "-h"]], [["report", "--help"]], [["help", "revoke"]]])(
    "%j helps",
    (args) => {
      const help = readCommand(args, holdsSecret);
      if (help.name !== "help") throw new Error("no help");
      expect(help.text).toContain("Exit codes");
      for (const line of help.text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(120);
    },
  );

  test("says what it cannot read, and what it is not told", async () => {
    for (const [args, sentence] of [
      [["scan", "--direct", "absent"], "absent cannot be read (ENOENT)"],
      [["scan", "--direct", "tmp"], "tmp is a folder"],
      [["scan"], "TOKENDESK_URL"],
    ] as const) {
      const { code, stdout, stderr } = await tokendesk([...args]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(sentence);
    }
    expect((await tokendesk(["--help"])).code).toBe(0);
  }, 30_000);

  test("takes no address that would show the key, and no host that is none", async () => {
    const run = async (variables: Record<string, string>, args = ["scan"]) => {
      const { code, stderr } = await tokendesk(args, dead, variables);
      expect(code).toBe(2);
      return stderr;
    };
    const withKey = { TOKENDESK_API_KEY: key };
    for (const TOKENDESK_URL of ["http://tokendesk.example.com", "https://a:b@tokendesk.example.com"]) {
      expect(await run({ ...withKey, TOKENDESK_URL })).toContain("https");
    }
    expect(await run({ TOKENDESK_URL: "http://127.0.0.1:1" })).toContain("There is no API key");
    expect(await run({ TOKENDESK_URL: "http://127.0.0.1:1", TOKENDESK_API_KEY: "other" })).toContain("tdk_");
    expect(await run({ RINGCX_HOST: "http://ringcx.example.com" }, ["scan", "--direct"])).toContain("RINGCX_HOST");
  }, 30_000);

  test("says when there is no Tokendesk at the address, and sends there what was found and no more", async () => {
    const upstream = await startUpstream((asked, response) => {
      if (asked.url.startsWith("/redirect")) response.writeHead(302, { location: "/elsewhere" }).end();
      else response.writeHead(200, { "content-type": "text/html" }).end("<html>sign in</html>");
    });
    writeFileSync(join(folder, "key"), `${key}\n`);
    const at = (path: string) =>
      tokendesk(["scan", "--key-file", "key"], `private words\n${dead}`, { TOKENDESK_URL: `${upstream.url}${path}` });
    for (const path of ["", "/redirect"]) expect((await at(path)).code, path).toBe(4);
    await upstream.close();
    expect(await at("")).toMatchObject({ code: 4, stderr: expect.stringContaining("cannot be reached") });
    const [asked] = upstream.asked;
    expect(asked).toMatchObject({ method: "POST", url: "/api/incidents/report" });
    expect(JSON.parse(asked?.body ?? "")).toEqual({
      findings: [{ value: dead, line: 2 }],
      revoke: false,
      siblings: false,
    });
    expect(asked?.headers.authorization).toBe(`Bearer ${key}`);
    expect(upstream.asked).toHaveLength(2);
  }, 30_000);

  test("does not call it fine when the server recognised less than was sent, or looked at less", async () => {
    const finding = {
      id: "x".repeat(22),
      tokenId: "x".repeat(22),
      hint: "aws80:…8888",
      line: 1,
      places: [],
      count: 1,
      status: "dead",
      why: "RingCX refuses it.",
      checkedAt: null,
      notChecked: [],
      known: null,
    };
    let result = {};
    const upstream = await startUpstream((_, response) => {
      const summary = {
        incident: "i",
        outcome: "contained",
        total: 1,
        revoked: 0,
        alreadyDead: 1,
        alive: 0,
        unknown: 0,
      };
      const lines = [
        { type: "waiting", checked: 0, total: 1, etaMs: 0 },
        { type: "result", incident: "i", truncated: false, unchecked: 0, recorded: true, ...result },
        { type: "summary", ...summary, secondsToProof: null, logged: true },
      ];
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    });
    const at = async (args: string[], answered: object) => {
      result = answered;
      const { code, stderr } = await tokendesk(args, dead, { TOKENDESK_URL: upstream.url, TOKENDESK_API_KEY: key });
      return [code, stderr.includes("1 of 1 tokens are none to the server")];
    };
    const revoke = ["revoke", "--yes", "--reason", "x"];
    expect(await at(["scan"], { findings: [finding] })).toEqual([0, false]);
    expect(await at(["scan"], { findings: [] })).toEqual([3, true]);
    expect(await at(["scan"], { findings: [finding], truncated: true })).toEqual([3, false]);
    expect(await at(revoke, { findings: [finding] })).toEqual([0, false]);
    expect(await at(revoke, { findings: [] })).toEqual([3, true]);
    await upstream.close();
  }, 30_000);

  test("works from any folder when the package is somebody's dependency", async () => {
    const modules = join(folder, "node_modules");
    const home = join(modules, "tokendesk");
    mkdirSync(home, { recursive: true });
    for (const name of ["lib", "scripts", "package.json"]) {
      cpSync(join(repository, name), join(home, name), { recursive: true, filter: (path) => !path.includes(".test.") });
    }
    for (const name of readdirSync(join(repository, "node_modules"))) {
      if (!name.startsWith(".")) symlinkSync(join(repository, "node_modules", name), join(modules, name));
    }
    writeFileSync(join(folder, "app.env"), text());
    const { bin } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { bin: Record<string, string> };
    const { child, ended } = launch(["scan", "--direct", "app.env"], {}, join(home, bin.tokendesk ?? ""));
    child.stdin.end();
    expect(await ended).toMatchObject({ code: 1, stderr: "", stdout: expect.stringContaining("app.env:2") });
  }, 30_000);
});
