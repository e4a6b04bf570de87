/**
 * `npm run db:backup [-- TARGET]`: a consistent copy of the database while Tokendesk runs. Exit code 0: done and checked, 1:
 * the copy was made, but its audit log does not verify, 2: there is no copy.
 */
import { join, resolve } from "node:path";
import "./app-modules.ts";
import { findInstallation } from "./installation.ts";

async function backUp(): Promise<number> {
  const [given, ...more] = process.argv.slice(2).filter((argument) => argument !== "--");
  if (more.length > 0 || given?.startsWith("-")) throw new Error("Usage: npm run db:backup [-- TARGET]");
  const { dataDir, at } = findInstallation();
  const { backUpPostgres, backUpSqlite } = await import("@/lib/db/backup");
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  const ending = "file" in at ? "db" : "dump";
  const target = resolve(given ?? join(dataDir, "backups", `tokendesk-${stamp}.${ending}`));

  let intact = true;
  if ("url" in at) {
    console.error("Dumping the database with pg_dump ...");
    await backUpPostgres(at.url, target);
  } else {
    const { keptCheckpoints } = await import("@/lib/audit/checkpoints");
    const { verifyLog } = await import("@/lib/audit/verify");
    const { inspect } = await import("@/lib/db/inspection");
    // Before the copy: the server may make another one meanwhile.
    const kept = keptCheckpoints();
    let told = -1;
    const progress = (share: number) => {
      const percent = Math.floor(share * 100);
      if (percent === told) return;
      told = percent;
      process.stderr.write(process.stderr.isTTY ? `\r${percent} % copied` : `${percent} % copied\n`);
    };
    await backUpSqlite(at.file, target, progress, async (copy) => {
      if (process.stderr.isTTY) process.stderr.write("\n");
      const database = inspect({ file: copy });
      try {
        for await (const line of verifyLog(database.read, kept)) {
          if (line.type !== "result") continue;
          intact = line.ok;
          console.error(`Audit log of the copy: ${line.verified} events, ${line.ok ? "verified" : "NOT VERIFIED"}`);
          for (const { kind, detail } of line.problems) console.error(`  ${kind}: ${detail}`);
        }
      } finally {
        await database.close();
      }
    });
  }
  console.log(target);
  console.error(
    `Keep the secrets with it, but not beside it: FINGERPRINT_KEY and SESSION_SECRET, or the files of ${dataDir}.`,
  );
  return intact ? 0 : 1;
}

try {
  process.exitCode = await backUp();
} catch (error) {
  console.error(`No backup: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
