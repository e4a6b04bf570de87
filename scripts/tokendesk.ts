/**
 * `tokendesk scan|revoke|report`: finds RingCX tokens in text, tells which live, and revokes them with proof, through a
 * Tokendesk server or straight at RingCX (docs/cli.md). Results on stdout, everything else on stderr.
 */
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { Found } from "../lib/incidents/scan.ts";
import type { Finding, RunSummary } from "../lib/incidents/schema.ts";
import { type Command, readCommand } from "./cli/arguments.ts";
import type { Backend, Line, Wish } from "./cli/backend.ts";
import { environmentFor } from "./cli/environment.ts";
import { readSources, readStdin } from "./cli/input.ts";
import { findingLines, plain, runSummaryLine, scanSummary, stepLine } from "./cli/printing.ts";
import { Progress, timeLeft } from "./cli/progress.ts";
import { type ExitCode, exits, Stop } from "./cli/stop.ts";

// Node announces its SQLite as experimental, which is no news to whoever runs this.
process.removeAllListeners("warning");

const progress = new Progress();

function say(text: string): void {
  progress.clear();
  process.stderr.write(`${text}\n`);
}

function print(text: string): void {
  progress.clear();
  process.stdout.write(`${text}\n`);
}

/** What an interruption has to tell. */
let interruption = () => "Interrupted. Nothing was changed.";

async function run(): Promise<ExitCode> {
  const { holdsSecret } = await import("@/lib/tokens/schema");
  const command = readCommand(process.argv.slice(2), holdsSecret);
  switch (command.name) {
    case "help":
      print(command.text);
      return exits.fine;
    case "report":
      return report(command);
    default:
      return search(command);
  }
}

async function report({ id, format, output, keyFile }: Extract<Command, { name: "report" }>): Promise<ExitCode> {
  const text = id === null ? await reportOfLines(format) : await reportOfServer(id, format, keyFile);
  if (output === null) process.stdout.write(text);
  else {
    try {
      writeFileSync(output, text, { mode: 0o600 });
    } catch (error) {
      throw new Stop(
        exits.usage,
        `${output} cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown error"}).`,
      );
    }
    say(`Written to ${output}.`);
  }
  return exits.fine;
}

async function reportOfServer(id: string, format: string, keyFile: string | null): Promise<string> {
  const { serverBackend } = await import("./cli/server.ts");
  return serverBackend(keyFile).report(id, format);
}

async function reportOfLines(format: "md" | "json"): Promise<string> {
  const { reportMarkdown } = await import("@/lib/incidents/report-text");
  const text = (await readStdin("Paste the lines of the run, then press Ctrl-D.")).toString("utf8");
  for (const one of text.split("\n").reverse()) {
    const line = parsed(one);
    if (line?.type !== "report") continue;
    return format === "md" ? reportMarkdown(line.report) : `${JSON.stringify(line.report, null, 2)}\n`;
  }
  throw new Stop(exits.usage, "There is no report in these lines: give what a run with --direct --json wrote.");
}

function parsed(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}

type Search = Extract<Command, { name: "scan" | "revoke" }>;

async function search(command: Search): Promise<ExitCode> {
  const revoke = command.name === "revoke";
  const backend = await backendFor(command);
  try {
    const { found, truncated } = await match(await readSources(command.files));
    if (truncated)
      say(
        "Not everything was looked at: something is packed otherwise than by gzip, or it is too much. Unpack or split it.",
      );
    if (found.length === 0) {
      if (command.json)
        print(JSON.stringify({ type: "result", incident: null, findings: [], truncated, unchecked: 0 }));
      else print(scanSummary([], truncated));
      return truncated ? exits.unproven : exits.fine;
    }
    if (command.name === "revoke" && !command.yes) await confirm(found, command);
    const wish: Wish = {
      findings: findingsOf(found),
      revoke,
      siblings: revoke && command.siblings,
      ...(revoke ? { reason: command.reason } : {}),
    };
    const code = await follow(backend, wish, command.json);
    return truncated && code === exits.fine ? exits.unproven : code;
  } finally {
    await backend.close?.();
  }
}

async function backendFor({ direct, keyFile }: Search): Promise<Backend & { close?(): Promise<void> }> {
  if (direct) return (await import("./cli/direct.ts")).directBackend();
  const backend = (await import("./cli/server.ts")).serverBackend(keyFile);
  environmentFor();
  return backend;
}

async function match(sources: Awaited<ReturnType<typeof readSources>>) {
  const { findTokens } = await import("@/lib/incidents/scan");
  const { env } = await import("@/lib/env");
  const { maxFindings } = await import("@/lib/incidents/schema");
  return findTokens(sources, {
    prefixes: env().tokenPrefixes,
    limit: maxFindings,
    onProgress: (done, total) => progress.show(`Searching: ${Math.floor((100 * done) / Math.max(1, total))} %`),
  });
}

/** Every place of every token, while that is not too many; else the first of each. */
function findingsOf(found: readonly Found[]): Wish["findings"] {
  const all = found.reduce((sum, { places }) => sum + places.length, 0);
  return found.flatMap(({ value, places }) =>
    places.slice(0, all > 2_000 ? 1 : undefined).map(({ source, line }) => ({
      value,
      ...(source === null ? {} : { source }),
      line,
    })),
  );
}

/** @throws {Stop} `usage` */
async function confirm(found: readonly Found[], { siblings }: Extract<Command, { name: "revoke" }>): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Stop(
      exits.usage,
      "Nobody can be asked here: give --yes to revoke without a question. Nothing was changed.",
    );
  }
  const { tokenHint } = await import("@/lib/tokens/schema");
  for (const { value, places } of found) {
    say(`  ${tokenHint(value)}  ${plain(places[0]?.source ?? "stdin")}:${places[0]?.line ?? 1}`);
  }
  const others = siblings ? ", and all other tokens of the same users," : "";
  const tokens = found.length === 1 ? "this token" : `these ${found.length} tokens`;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  asking.once("SIGINT", () => process.emit("SIGINT"));
  const answer = await asking.question(
    `RingCX cannot bring back ${tokens}${others} once revoked. Type revoke to go on: `,
  );
  asking.close();
  if (answer.trim().toLowerCase() !== "revoke") throw new Stop(exits.usage, "Nothing was changed.");
}

/** Passes the lines on, and tells by its exit code what they say. */
async function follow(backend: Backend, wish: Wish, json: boolean): Promise<ExitCode> {
  let findings: Finding[] | null = null;
  let complete = true;
  let summary: RunSummary | null = null;
  const settled = { done: 0, total: 0, proven: 0 };
  interruption = () => {
    if (!wish.revoke) return "Interrupted. Nothing was changed.";
    if (findings === null) return "Interrupted before anything was revoked.";
    const { done, total, proven } = settled;
    const all = total || `${findings.length}${wish.siblings ? " or more" : ""}`;
    return `Interrupted: ${done} of ${all} settled, ${proven} of them proven dead. ${backend.afterInterruption}`;
  };
  for await (const line of backend.lines(wish)) {
    if (json) printLine(line);
    switch (line.type) {
      case "finding":
        progress.show(`Looked up ${line.checked} of ${line.total}${timeLeft(line.etaMs)}`);
        break;
      case "result":
        findings = line.findings;
        complete = isComplete(wish, line);
        if (!json) printFindings(line.findings, line.truncated);
        break;
      case "step":
        settled.done = line.done;
        settled.total = line.total;
        if (line.outcome === "revoked" || line.outcome === "already_dead") settled.proven += 1;
        if (!json) print(stepLine(line));
        progress.show(`Settled ${line.done} of ${line.total}${timeLeft(line.etaMs)}`);
        break;
      case "waiting":
        progress.show(
          `${"done" in line ? `Settled ${line.done}` : `Looked up ${line.checked}`} of ${line.total}${timeLeft(line.etaMs)}`,
        );
        break;
      case "summary":
        summary = line;
        if (!json) print(runSummaryLine(line));
        if (!line.logged) say("The audit log could not be written meanwhile; its records follow.");
        break;
      case "failed":
        throw new Stop(exits.failure, line.detail);
    }
  }
  progress.clear();
  if (findings === null)
    throw new Stop(exits.failure, "The answer ended before its result. Run the same command again.");
  const worst = (code: ExitCode) => (code === exits.fine && !complete ? exits.unproven : code);
  if (!wish.revoke) return worst(ofScan(findings));
  if (summary !== null) return worst(summary.outcome === "contained" ? exits.fine : exits.unproven);
  if (findings.length === 0) return worst(exits.fine);
  throw new Stop(exits.failure, "The answer ended before its summary. Run the same command again.");
}

/** The server may know fewer forms of a token than this command: of those that it left out nobody knows anything. */
function isComplete({ findings }: Wish, { findings: known, truncated }: Extract<Line, { type: "result" }>): boolean {
  const sent = new Set(findings.map(({ value }) => value)).size;
  const missing = sent - new Set(known.map(({ tokenId }) => tokenId)).size;
  if (missing > 0) {
    say(
      `${missing} of ${sent} tokens are none to the server, and were not checked: treat them as alive. Is its TOKEN_PREFIX_PATTERN another?`,
    );
  }
  return missing <= 0 && !truncated;
}

function ofScan(findings: readonly Finding[]): ExitCode {
  if (findings.some(({ status }) => status === "live")) return exits.live;
  return findings.some(({ status }) => status === "unchecked") ? exits.unproven : exits.fine;
}

function printFindings(findings: readonly Finding[], truncated: boolean): void {
  for (const finding of findings) for (const line of findingLines(finding)) print(line);
  print(scanSummary(findings, truncated));
}

/** Progress is for stderr; and the sealed form of a value, which only its server can use, goes nowhere. */
function printLine(line: Line): void {
  if (line.type === "matching" || line.type === "found" || line.type === "waiting") return;
  const named = <T extends { id: string; tokenId: string }>(one: T): T => ({ ...one, id: one.tokenId });
  if (line.type === "finding") print(JSON.stringify({ ...line, finding: named(line.finding) }));
  else if (line.type === "result") print(JSON.stringify({ ...line, findings: line.findings.map(named) }));
  else print(JSON.stringify(line.type === "step" ? named(line) : line));
}

function interrupt(): void {
  say(interruption());
  process.exit(exits.interrupted);
}
process.once("SIGINT", interrupt);
process.once("SIGTERM", interrupt);
// Who reads our output may have seen enough: `| head`.
process.stdout.on("error", () => process.exit(exits.failure));

try {
  process.exitCode = await run();
} catch (error) {
  if (error instanceof Stop) {
    say(error.message);
    process.exitCode = error.code;
  } else {
    // Its message may hold anything.
    say(`tokendesk failed unexpectedly (${error instanceof Error ? error.name : typeof error}).`);
    process.exitCode = exits.failure;
  }
}
