/**
 * `npm run audit:verify [-- --checkpoints FILE] [-- --json]`: verifies the audit log and its signed checkpoints. FILE: saved
 * lines of the log stream, or a checkpoint file of another machine. Exit code 0: verified, 1: problems, 2: cannot tell.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import "./app-modules.ts";
import { findInstallation } from "./installation.ts";

async function verify(): Promise<number> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== "--"),
    options: {
      checkpoints: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
    },
  });
  const { at } = findInstallation();
  const { checkpointsIn, keptCheckpoints } = await import("@/lib/audit/checkpoints");
  const { verifyLog } = await import("@/lib/audit/verify");
  const { inspect } = await import("@/lib/db/inspection");

  const kept = keptCheckpoints();
  for (const file of values.checkpoints) {
    const found = checkpointsIn(readFileSync(file, "utf8"));
    if (found.length === 0) throw new Error(`${file} holds no checkpoint.`);
    kept.push(...found);
  }
  const database = inspect(at);
  try {
    for await (const line of verifyLog(database.read, kept)) {
      if (line.type === "progress") showProgress(line.verified, line.total);
      if (line.type !== "result") continue;
      endProgress();
      if (values.json) console.log(JSON.stringify(line));
      else {
        const range = line.lastSeq === null ? "" : ` (${line.firstSeq} to ${line.lastSeq})`;
        console.log(
          `${line.verified} events${range}, ${line.checkpoints} signed checkpoints, ${line.openIntents} open intents`,
        );
        for (const { kind, detail } of line.problems) console.log(`  ${kind}: ${detail}`);
        if (line.headHash) console.log(`Newest hash: ${line.headHash}`);
        if (line.checkpoints === 0) console.log("There is no signed checkpoint to compare with.");
        console.log(
          line.ok
            ? "Verified: nothing was found that does not fit."
            : "NOT VERIFIED: the log was changed, or a part of it is missing.",
        );
      }
      return line.ok ? 0 : 1;
    }
    throw new Error("The verification gave no result.");
  } finally {
    await database.close();
  }
}

function showProgress(verified: number, total: number): void {
  const text = `${verified} of ${total} events`;
  if (process.stderr.isTTY) process.stderr.write(`\r${text}`);
  else if (verified === 0 || verified % 50_000 < 2000) process.stderr.write(`${text}\n`);
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
}

try {
  process.exitCode = await verify();
} catch (error) {
  endProgress();
  console.error(`Cannot verify: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
