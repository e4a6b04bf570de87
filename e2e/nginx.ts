/** A real nginx in front of replicas, with deploy/nginx.conf as it is shown to people. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findNginx, howToGetNginx } from "../scripts/nginx.ts";
import { endWithWorker } from "./servers.ts";

type Nginx = {
  /** All that it wrote into its error log, from warnings on. */
  log(): string;
  stop(): Promise<void>;
};

type Settings = {
  /** Where the dashboards listen: `http://127.0.0.1:4711`. */
  replicas: string[];
  host: string;
  httpsPort: number;
  httpPort: number;
  certificate: string;
  key: string;
};

/** The documented file with this installation's names in place of the examples, each of which must be there. */
function configured({ replicas, host, httpsPort, httpPort }: Settings, folder: string): string {
  let text = readFileSync("deploy/nginx.conf", "utf8");
  const fill = (example: string, mine: string) => {
    if (!text.includes(example)) throw new Error(`deploy/nginx.conf has no "${example}" any more: change this test`);
    text = text.replaceAll(example, mine);
  };
  fill("server 127.0.0.1:3000;", replicas.map((url) => `server ${new URL(url).host};`).join(" "));
  fill("https://tokendesk.example.com", `https://${host}:${httpsPort}`);
  fill("tokendesk.example.com", host);
  fill("listen 80;", `listen 127.0.0.1:${httpPort};`);
  fill("listen 443 ssl;", `listen 127.0.0.1:${httpsPort} ssl;`);
  // Not every machine has IPv6.
  fill("listen [::]:80;", "");
  fill("listen [::]:443 ssl;", "");
  fill("/etc/ssl/tokendesk/fullchain.pem", join(folder, "certificate.pem"));
  fill("/etc/ssl/tokendesk/privkey.pem", join(folder, "key.pem"));
  return text;
}

export async function startNginx(settings: Settings): Promise<Nginx> {
  const program = findNginx();
  if (program === undefined) throw new Error(howToGetNginx);
  const folder = mkdtempSync(join(tmpdir(), "tokendesk-nginx-"));
  const log = join(folder, "error.log");
  // Started by root, its workers are somebody else, who must reach its folders.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "temp"));
  writeFileSync(join(folder, "certificate.pem"), settings.certificate);
  writeFileSync(join(folder, "key.pem"), settings.key, { mode: 0o600 });
  writeFileSync(join(folder, "site.conf"), configured(settings, folder));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path temp/${name};`,
  );
  const main = [
    "daemon off;",
    "pid nginx.pid;",
    `error_log ${log} warn;`,
    "events {}",
    `http { access_log off; ${temporary.join(" ")} include site.conf; }`,
  ];
  writeFileSync(join(folder, "nginx.conf"), main.join("\n"));

  const child = spawn(program, ["-p", folder, "-c", "nginx.conf", "-e", log], { stdio: "ignore" });
  endWithWorker(child);
  const written = () => readFileSync(log, { encoding: "utf8", flag: "a+" });
  const stop = async () => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const probe = `http://127.0.0.1:${settings.httpPort}/`;
  for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
    const answer = await fetch(probe, { redirect: "manual" }).catch(() => null);
    await answer?.body?.cancel();
    if (answer) return { log: written, stop };
    if (child.exitCode !== null || Date.now() > deadline) {
      const said = written();
      await stop();
      throw new Error(`nginx did not start:\n${said}`);
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, "exit");
  // At once: nobody waits for its open connections.
  child.kill("SIGTERM");
  await over;
}
