/*
 * RingCX sandbox: a stand-in for the vendor's API, as strict and as awkward as its documentation. Imports nothing of the
 * dashboard.
 *
 *   node sandbox/main.ts            (Node 24: TypeScript runs as it is)
 *
 * Environment: SANDBOX_PORT (4010; 0 takes any free port), SANDBOX_HOST (127.0.0.1), SANDBOX_ACCESS_TOKEN_BYTES (3072),
 * SANDBOX_ACCESS_TOKEN_SECONDS (300), SANDBOX_RATE_LIMIT (120 per 60 s, surface and user), SANDBOX_EXCHANGE_LIMIT (5 per
 * 60 s and user), SANDBOX_QUOTED_TOKENS (off).
 *
 * Serves, on one port: sign-in (/api/auth/...), the admin API (/voice/api/v1/...), a legacy portal (/v1/... and
 * /api/v1/...) and RingEX OAuth and REST (/restapi/...; client sandbox-client, secret sandbox-secret). Calls need a
 * User-Agent of the form name/version.
 *
 * Control API, for tests and demonstrations: JSON below /__sandbox/, neither limited nor journalled. Errors: 400 {error}.
 *
 *   POST   faults {operation, kind, count?, skip?, username?, auth?, surface?, effect?, ...}   201 {fault}
 *   GET    faults                          {faults}            DELETE faults (also lets go what waits in a latency)
 *   GET    journal?since=n                 {entries}           DELETE journal
 *   GET    stats                           {operations: {name: {calls, effects, statuses}}, tokens: {username: n}}
 *   POST   reset                           back to the seed; faults, journal, settings and clock too
 *   GET    config, POST config {...}       the settings (platform.ts, Settings)
 *   POST   clock {advanceSeconds}          {now}: moves the sandbox's clock forward
 *   POST   expire-access-tokens            all issued ones answer 401 "Jwt is expired"
 *   POST   end-sessions {username?}        {refreshTokens}: the next refresh is a final 401
 *   POST   end-portal-sessions {username?} {authTokens}: the next call of a legacy portal is a 401
 *   POST   expire-codes                    OAuth codes that were given out and not redeemed are too old
 *   GET    tokens?username=                {tokens}: the values
 *   POST   tokens {username}               201 {value}: a token appears outside the dashboard
 *   DELETE tokens {value}                  {deleted}: a token vanishes
 *   GET    secrets                         {kind: [value]}: every secret this instance ever issued or holds
 *   GET    users                           {users}
 *   POST   users {username, enabled}       a user leaves, or comes back; the tokens stay alive
 *
 * The operations are listed in operations.ts (OPERATIONS), the kinds of fault and their fields in faults.ts (Fault).
 */
import { DEFAULT_SETTINGS } from "./platform.ts";
import { PLATFORM_ID, SEED_USERS } from "./seed.ts";
import { startSandbox } from "./server.ts";

function count(name: string, otherwise: number): number {
  const value = process.env[name];
  if (value === undefined || value === "") return otherwise;
  if (!/^\d+$/.test(value)) {
    console.error(`${name} must be a whole number`);
    process.exit(1);
  }
  return Number(value);
}

const sandbox = await startSandbox({
  port: count("SANDBOX_PORT", 4010),
  host: process.env.SANDBOX_HOST || "127.0.0.1",
  accessTokenBytes: count("SANDBOX_ACCESS_TOKEN_BYTES", DEFAULT_SETTINGS.accessTokenBytes),
  accessTokenSeconds: count("SANDBOX_ACCESS_TOKEN_SECONDS", DEFAULT_SETTINGS.accessTokenSeconds),
  rateLimit: count("SANDBOX_RATE_LIMIT", DEFAULT_SETTINGS.rateLimit),
  exchangeLimit: count("SANDBOX_EXCHANGE_LIMIT", DEFAULT_SETTINGS.exchangeLimit),
  quotedTokens: !["", "0", "false", "off"].includes(process.env.SANDBOX_QUOTED_TOKENS ?? ""),
  onError: (error) => console.error(error instanceof Error ? error.stack : "sandbox defect"),
}).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : "the sandbox did not start");
  process.exit(1);
});

console.log(`RingCX sandbox listening on ${sandbox.url}`);
console.log(`\nPlatform ID: ${PLATFORM_ID}\n`);
const width = Math.max(...SEED_USERS.map(({ username }) => username.length));
const passwordWidth = Math.max(...SEED_USERS.map(({ password }) => password.length));
console.log(`${"Username".padEnd(width)}  ${"Password".padEnd(passwordWidth)}  What for`);
for (const { username, password, note } of SEED_USERS) {
  console.log(`${username.padEnd(width)}  ${password.padEnd(passwordWidth)}  ${note}`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
}
