/** `npm run demo`: the sandbox and the dashboard together, on this machine only, with data of their own. */
import { mkdirSync } from "node:fs";
import { styleText } from "node:util";
import { type Child, start, stopAll } from "./processes.ts";
import { buildIfStale, dashboardEnvironment, freePort, serverScript, untilHealthy } from "./setup.ts";

const dataDir = "data/demo";
const startTimeoutMs = 60_000;
/** Whose main account the sandbox's parent and children share. */
const opsUser = "parent@example.com";

// A demo never reaches the real RingCX, nor the database, the identity provider or the receivers of notifications that
// the environment may name.
const ownSettings =
  /^(APP_URL|DATABASE_URL|DATA_DIR|FINGERPRINT_KEY|SESSION_SECRET|RINGCX_.*|RC_.*|OIDC_.*|ALLOWED_ACCOUNTS|(OPS|ADMIN)_USERS|TRUST_PROXY|STEP_UP_MINUTES|NOTIFY_.*)$/;

const buildCode = await buildIfStale();
if (buildCode !== 0) process.exit(buildCode);
mkdirSync(dataDir, { recursive: true, mode: 0o700 });

const port = await freePort(Number(process.env.PORT) || 3000);
const sandboxPort = await freePort(4010);
const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
const appUrl = `http://localhost:${port}`;

/** Rejects with the last output as soon as `child` ends: the two belong together. */
function watch(name: string, child: Child, ends: AbortController): void {
  void child.ended.then(({ code, signal }) => {
    ends.abort(
      new Error(`${name} ended (${signal ?? `exit code ${code}`}). Its last output:\n${child.tail().trimEnd()}`),
    );
  });
}

const ends = new AbortController();
const plainEnvironment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ownSettings.test(name)));

async function untilAnswered(name: string, url: string): Promise<void> {
  const deadline = AbortSignal.timeout(startTimeoutMs);
  await untilHealthy(url, AbortSignal.any([ends.signal, deadline])).catch((error: unknown) => {
    throw deadline.aborted ? new Error(`${name} did not answer within ${startTimeoutMs / 1000} s`) : error;
  });
}

try {
  const sandbox = start("sandbox/main.ts", [], {
    env: { ...plainEnvironment, SANDBOX_PORT: String(sandboxPort), SANDBOX_HOST: "127.0.0.1" },
    output: "keep",
    logFile: `${dataDir}/sandbox.log`,
  });
  watch("The sandbox", sandbox, ends);
  const dashboard = start(serverScript, [], {
    env: dashboardEnvironment({
      ...plainEnvironment,
      PORT: String(port),
      HOSTNAME: "127.0.0.1",
      DATA_DIR: dataDir,
      APP_URL: appUrl,
      RINGCX_HOSTS: sandboxUrl,
      RINGCX_LEGACY_HOSTS: `${sandboxUrl}/api`,
      RC_CLIENT_ID: "sandbox-client",
      RC_CLIENT_SECRET: "sandbox-secret",
      RC_SERVER_URL: sandboxUrl,
      TOKENDESK_SANDBOX: "1",
      OPS_USERS: opsUser,
    }),
    output: "keep",
    logFile: `${dataDir}/dashboard.log`,
  });
  watch("The dashboard", dashboard, ends);

  await untilAnswered("The sandbox", `${sandboxUrl}/__sandbox/users`);
  await untilAnswered("The dashboard", `http://127.0.0.1:${port}/api/health`);

  console.log(`
  ${styleText("bold", "Tokendesk")} is at ${styleText(["cyan", "underline"], appUrl)}
  It talks to a sandbox, never to the real RingCX. Sign in there as one of its users:

${sandbox
  .tail()
  .trim()
  .replace(/^(?=.)/gm, "  ")}

  ${opsUser} is ops: the one who sees Team, and the whole main account on Overview and Audit log.
  Logs and data: ${dataDir}. Ctrl-C ends both.`);

  await new Promise((_, reject) => ends.signal.addEventListener("abort", () => reject(ends.signal.reason)));
} catch (error) {
  await stopAll();
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
