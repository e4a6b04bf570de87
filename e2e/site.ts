/**
 * An installation behind a real nginx with TLS: the configuration is deploy/nginx.conf, everything that it does not name
 * is nginx's default.
 */
import tls from "node:tls";
import { untilHealthy } from "../scripts/setup.ts";
import { freePort } from "../test/free-port.ts";
import { startPostgres } from "../test/postgres.ts";
import { type Certificate, selfSigned } from "./certificate.ts";
import { startNginx } from "./nginx.ts";
import { type App, type AppOptions, startApp } from "./servers.ts";

export type Site = App & {
  /** Where it answers without TLS. */
  plainUrl: string;
  /** In PEM. The tests themselves trust it. */
  certificate: string;
  /** All that nginx wrote into its error log, from warnings on. */
  proxyLog(): string;
};

const host = "127.0.0.1";
let own: Certificate | undefined;

/** The one of every site that this process starts, which trusts it. */
export function trustedCertificate(): Certificate {
  if (own === undefined) {
    own = selfSigned(host);
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), own.certificate]);
  }
  return own;
}

/** @param count How many processes nginx sends requests to in turn; several share a PostgreSQL of their own. */
export async function startSite(upstream: string, options: AppOptions = {}, count: 1 | 2 = 2): Promise<Site> {
  const { port = await freePort(), env, ...rest } = options;
  const [httpPort, postgres] = await Promise.all([freePort(), count > 1 ? startPostgres() : null]);
  const url = `https://${host}:${port}`;
  const settings = {
    APP_URL: url,
    TRUST_PROXY: "1",
    ...(postgres && {
      DATABASE_URL: await postgres.createDatabase(),
      SESSION_SECRET: "s".repeat(40),
      FINGERPRINT_KEY: "f".repeat(40),
    }),
    ...env,
  };
  const start = () => startApp(upstream, { ...rest, env: settings });
  const replicas = await Promise.all(Array.from({ length: count }, start));
  const [first] = replicas as [App];
  // Until they have their database, as whoever sends people there waits for.
  await Promise.all(replicas.map((replica) => untilHealthy(`${replica.url}/api/ready`, AbortSignal.timeout(60_000))));
  const { certificate, key } = trustedCertificate();
  const urls = replicas.map((replica) => replica.url);
  const nginx = await startNginx({ replicas: urls, host, httpsPort: port, httpPort, certificate, key });
  const joined = (stream: "stdout" | "stderr") => replicas.map(({ output }) => output[stream]).join("");
  return {
    url,
    origin: url,
    plainUrl: `http://${host}:${httpPort}`,
    certificate,
    proxyLog: nginx.log,
    replicas,
    dataDir: first.dataDir,
    output: {
      get stdout() {
        return joined("stdout");
      },
      get stderr() {
        return joined("stderr");
      },
    },
    pid: first.pid,
    running: () => replicas.every((replica) => replica.running()),
    stop: async () => {
      await nginx.stop();
      for (const replica of replicas) await replica.stop();
      await postgres?.stop();
    },
    kill: async () => {
      for (const replica of replicas) await replica.kill();
    },
  };
}
