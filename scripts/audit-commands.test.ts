import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { seedAudit } from "@/bench/audit-events";
import { checkpoint } from "@/lib/audit/checkpoints";
import { record } from "@/lib/audit/log";
import { closeDatabase, read, write } from "@/lib/db/client";
import { databaseKinds, type TestDatabase, useDatabase } from "@/test/database";

let database: TestDatabase;
afterEach(() => database.remove());

const actor = { tenant: "h|1", id: "u1", name: "ana@example.com", address: null, userAgent: null, requestId: null };

function command(
  name: string,
  args: string[] = [],
  changes: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`scripts/${name}.ts`, ...args], {
      env: {
        PATH: process.env.PATH ?? "",
        NODE_ENV: "test",
        NODE_NO_WARNINGS: "1",
        ...database.variables,
        ...changes,
      } as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data) => (stdout += data));
    child.stderr.on("data", (data) => (stderr += data));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

describe.each(databaseKinds)("audit:verify on %s", (kind) => {
  test("tells a whole log from one that was changed, and both from one that is not there", async () => {
    database = await useDatabase(kind);
    await seedAudit(300, () => {});
    await checkpoint("hourly");
    const whole = await command("audit-verify");
    expect(whole).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Verified: nothing was found that does not fit."),
    });
    expect(whole.stderr).toContain("300 events");
    expect(JSON.parse((await command("audit-verify", ["--json"])).stdout)).toMatchObject({
      ok: true,
      verified: 300,
      checkpoints: 1,
    });

    // A saved checkpoint finds what the machine's own file no longer tells.
    const kept = join(database.folder, "saved");
    renameSync(join(database.folder, "audit-checkpoints.jsonl"), kept);
    await write("test", async (trx) => {
      await trx.deleteFrom("audit_checkpoints").execute();
      await trx.deleteFrom("audit_events").where("seq", ">", 200).execute();
      const last = await trx.selectFrom("audit_events").selectAll().where("seq", "=", 200).executeTakeFirstOrThrow();
      await trx.updateTable("audit_chain").set({ seq: 200, hash: last.hash, at: last.at }).execute();
    });
    expect((await command("audit-verify")).code).toBe(0);
    const truncated = await command("audit-verify", ["--checkpoints", kept]);
    expect(truncated).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("truncated: The newest events are missing"),
    });

    writeFileSync(kept, "nothing");
    expect((await command("audit-verify", ["--checkpoints", kept])).code).toBe(2);
    expect((await command("audit-verify", ["--nonsense"])).code).toBe(2);
    if (kind === "postgres") {
      const url = new URL(database.variables.DATABASE_URL ?? "");
      url.pathname = "/nothing-there";
      const missing = await command("audit-verify", [], { DATABASE_URL: url.href });
      expect(missing.code).toBe(2);
      expect(missing.stderr).not.toContain(url.password);
    } else {
      const elsewhere = join(database.folder, "elsewhere");
      expect((await command("audit-verify", [], { DATA_DIR: elsewhere })).code).toBe(2);
      expect(existsSync(elsewhere)).toBe(false);
    }
  }, 60_000);
});

test("db:backup copies a SQLite database that is written to, and the copy serves in its place", async () => {
  database = await useDatabase("sqlite");
  await seedAudit(5000, () => {});
  await checkpoint("hourly");
  let writing = true;
  let written = 0;
  const writer = (async () => {
    while (writing) {
      await record(actor, { action: "token.edit", outcome: "succeeded" });
      written += 1;
      await sleep(1);
    }
  })();
  const target = join(database.folder, "safe", "copy.db");
  const made = await command("db-backup", [target]);
  writing = false;
  await writer;
  expect(written).toBeGreaterThan(5);
  expect(made).toMatchObject({ code: 0, stdout: `${target}\n`, stderr: expect.stringContaining("verified") });
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(database.folder, "safe"))).toEqual(["copy.db"]);

  const again = await command("db-backup", [target]);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("exists already") });

  // The restore of docs/deploy.md.
  await closeDatabase();
  for (const name of readdirSync(database.folder))
    if (name.startsWith("tokendesk.db")) rmSync(join(database.folder, name));
  copyFileSync(target, join(database.folder, "tokendesk.db"));
  const count = () => read((db) => db.selectFrom("audit_chain").select("seq").executeTakeFirstOrThrow());
  expect((await count()).seq).toBeGreaterThanOrEqual(5000);
  await record(actor, { action: "session.create", outcome: "succeeded" });
  await closeDatabase();
  expect((await command("audit-verify")).code).toBe(0);
}, 60_000);

test("db:backup says so when the audit log of the copy does not verify", async () => {
  database = await useDatabase("sqlite");
  await seedAudit(100, () => {});
  await write("test", (trx) => trx.updateTable("audit_events").set({ reason: "x" }).where("seq", "=", 7).execute());
  const made = await command("db-backup");
  expect(made).toMatchObject({ code: 1, stderr: expect.stringContaining("NOT VERIFIED") });
  expect(existsSync(made.stdout.trim())).toBe(true);
});

test("db:backup on PostgreSQL runs pg_dump, with the password out of sight", async () => {
  database = await useDatabase("postgres");
  await seedAudit(1, () => {});
  const bin = join(database.folder, "bin");
  mkdirSync(bin);
  const script = `#!/bin/sh\nfor a in "$@"; do case "$a" in --file=*) echo dump >"\${a#--file=}";; esac; done\necho "$@" >"${bin}/args"\necho "$PGPASSWORD" >"${bin}/password"\n`;
  writeFileSync(join(bin, "pg_dump"), script);
  chmodSync(join(bin, "pg_dump"), 0o755);
  const target = join(database.folder, "copy.dump");
  const { password } = new URL(database.variables.DATABASE_URL ?? "");
  // Without this machine's pg_restore, which would not take that for a dump.
  const made = await command("db-backup", [target], { PATH: bin });
  expect(made).toMatchObject({ code: 0, stdout: `${target}\n` });
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(bin, "args"), "utf8")).toContain("--format=custom");
  expect(readFileSync(join(bin, "args"), "utf8")).not.toContain(password);
  expect(readFileSync(join(bin, "password"), "utf8")).toBe(`${password}\n`);
  expect(made.stderr).not.toContain(password);

  const none = await command("db-backup", [`${target}.2`], { PATH: "/bin-none" });
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("pg_dump is not on the PATH") });
}, 30_000);
