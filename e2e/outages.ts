/** What may happen to the database of a running dashboard, done for real: a full disk, a lost file, a lost server. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Disk = {
  folder: string;
  /** A command to start the server through; null: none. */
  through: string[];
  /** Leaves no room for another byte; `pid` is the server's. */
  fill(pid: number): void;
  /** Gives the room back. */
  clear(pid: number): void;
  /** Nothing may be written, until it may again. Only while nothing is open. */
  forbidWrites(): void;
  allowWrites(): void;
  remove(): void;
};

function works(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A disk of its own, of 16 MB, where this user may mount one; else a folder, and limits on the process. */
export function smallDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), "tokendesk-disk-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (process.getuid?.() === 0 && works("mount", ["-t", "tmpfs", "-o", "size=16m,mode=0700", "tokendesk", folder])) {
    const ballast = join(folder, "ballast");
    return {
      folder,
      through: [],
      fill: () => {
        const file = openSync(ballast, "w");
        try {
          for (const size of [65_536, 4096]) writeAll(file, Buffer.alloc(size));
        } finally {
          closeSync(file);
        }
      },
      clear: () => rmSync(ballast),
      forbidWrites: () => void execFileSync("mount", ["-o", "remount,ro", folder]),
      allowWrites: () => void execFileSync("mount", ["-o", "remount,rw", folder]),
      remove: () => {
        execFileSync("umount", ["--lazy", folder]);
        remove();
      },
    };
  }
  const limit = (pid: number, bytes: string) =>
    void execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`]);
  const setModes = (directory: number, file: number) => {
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), file);
    chmodSync(folder, directory);
  };
  return {
    folder,
    // A file that may not grow is told by an error, not by a signal.
    through: ["sh", "-c", 'trap "" XFSZ; exec "$0" "$@"'],
    fill: (pid) => limit(pid, "0"),
    clear: (pid) => limit(pid, "unlimited"),
    forbidWrites: () => setModes(0o500, 0o400),
    allowWrites: () => {
      chmodSync(folder, 0o700);
      setModes(0o700, 0o600);
    },
    remove,
  };
}

function writeAll(file: number, block: Buffer): void {
  try {
    for (;;) if (writeSync(file, block) < block.length) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

/** Takes the database's files away. Gives the way to put them back. */
export function takeAway(dataDir: string): () => void {
  const aside = join(dataDir, "aside");
  mkdirSync(aside);
  const names = readdirSync(dataDir).filter((name) => name.startsWith("tokendesk.db"));
  for (const name of names) renameSync(join(dataDir, name), join(aside, name));
  return () => {
    for (const name of names) renameSync(join(aside, name), join(dataDir, name));
    rmSync(aside, { recursive: true });
  };
}

type ServerGate = { url: string; lose(): Promise<void>; restore(): Promise<void>; close(): Promise<void> };

/** Stands before a PostgreSQL, so that it can be lost. */
export async function startServerGate(databaseUrl: string): Promise<ServerGate> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on("error", () => {});
      end.on("close", () => sockets.delete(end));
    }
    socket.pipe(upstream).pipe(socket);
    socket.on("close", () => upstream.destroy());
    upstream.on("close", () => socket.destroy());
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const lose = async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(databaseUrl);
  url.port = String(port);
  url.hostname = "127.0.0.1";
  return {
    url: url.href,
    lose,
    restore: () => listen(port),
    close: async () => (server.listening ? lose() : undefined),
  };
}
