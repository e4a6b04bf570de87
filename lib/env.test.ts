import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { EnvError, parseEnv } from "@/lib/env";
import { runModule } from "@/test/child";

const secret = "0123456789abcdef0123456789abcdef";
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "tokendesk-env-"));
});

const parse = (variables: Record<string, string | undefined> = {}) => parseEnv({ DATA_DIR: dataDir, ...variables });

function problems(variables: Record<string, string>): readonly string[] {
  try {
    parse(variables);
  } catch (error) {
    expect(error).toBeInstanceOf(EnvError);
    for (const value of Object.values(variables)) {
      if (value.length > 4) expect((error as EnvError).message).not.toContain(value);
    }
    return (error as EnvError).problems;
  }
  return [];
}

test("the defaults are those that are promised", () => {
  expect(parse({ DATABASE_URL: "", PORT: "", APP_URL: "" })).toMatchObject({
    appUrl: "http://localhost:3000",
    secureCookies: false,
    dataDir,
    databaseUrl: null,
    ringcxHosts: ["https://engage.ringcentral.com", "https://ringcx.ringcentral.com"],
    ringcxLegacyHosts: ["https://portal.vacd.biz/api", "https://portal.virtualacd.biz/api"],
    ringcxRateLimit: 120,
    ringcxTimeoutMs: 10_000,
    allowedAccounts: null,
    opsUsers: [],
    adminUsers: [],
    sessionIdleMs: 3_600_000,
    sessionMaxMs: 12 * 3_600_000,
    auditRetentionMs: null,
    sessionRetentionMs: 90 * 24 * 3_600_000,
    metricsToken: null,
    trustedProxies: 0,
    logLevel: "info",
    production: false,
    sandbox: false,
  });
  expect(parse({ DATA_DIR: undefined, SESSION_SECRET: secret, FINGERPRINT_KEY: secret }).dataDir).toBe(resolve("data"));
});

test.each([
  ["PORT", "8080", { appUrl: "http://localhost:8080" }],
  ["APP_URL", "https://tokendesk.example.com/", { appUrl: "https://tokendesk.example.com", secureCookies: true }],
  ["APP_URL", "http://intranet:8080", { appUrl: "http://intranet:8080", secureCookies: false }],
  ["SESSION_SECRET", `${secret}A, ${secret}B`, { sessionSecrets: [`${secret}A`, `${secret}B`] }],
  ["FINGERPRINT_KEY", secret, { fingerprintKey: secret }],
  [
    "RINGCX_HOSTS",
    "https://a.example, https://b.example:8443",
    { ringcxHosts: ["https://a.example", "https://b.example:8443"] },
  ],
  ["RINGCX_HOSTS", "http://localhost:4010", { ringcxHosts: ["http://localhost:4010"] }],
  ["RINGCX_HOSTS", "http://127.0.0.1:4010", { ringcxHosts: ["http://127.0.0.1:4010"] }],
  ["RINGCX_HOSTS", "http://[::1]:4010", { ringcxHosts: ["http://[::1]:4010"] }],
  ["RINGCX_LEGACY_HOSTS", "https://p.example/api/", { ringcxLegacyHosts: ["https://p.example/api"] }],
  ["RINGCX_LEGACY_HOSTS", "none", { ringcxLegacyHosts: [] }],
  ["RINGCX_RATE_LIMIT", "60", { ringcxRateLimit: 60 }],
  ["RINGCX_TIMEOUT_MS", "500", { ringcxTimeoutMs: 500 }],
  ["ALLOWED_ACCOUNTS", "1, 2,", { allowedAccounts: ["1", "2"] }],
  ["OPS_USERS", "a@x.y,*@z.y", { opsUsers: ["a@x.y", "*@z.y"] }],
  ["ADMIN_USERS", "a@x.y", { adminUsers: ["a@x.y"] }],
  ["SESSION_IDLE_MINUTES", "5", { sessionIdleMs: 300_000 }],
  ["SESSION_MAX_HOURS", "1", { sessionMaxMs: 3_600_000 }],
  ["AUDIT_RETENTION_DAYS", "365", { auditRetentionMs: 365 * 24 * 3_600_000 }],
  ["SESSION_RETENTION_DAYS", "7", { sessionRetentionMs: 7 * 24 * 3_600_000 }],
  ["METRICS_TOKEN", "0123456789abcdef", { metricsToken: "0123456789abcdef" }],
  ["TRUST_PROXY", "2", { trustedProxies: 2 }],
  ["LOG_LEVEL", "debug", { logLevel: "debug" }],
  ["NODE_ENV", "production", { production: true }],
  ["TOKENDESK_SANDBOX", "1", { sandbox: true }],
])("%s may be %s", (name, value, expected) => {
  expect(parse({ [name]: value })).toMatchObject(expected);
});

const bad: [string, string][] = [
  ["PORT", "eighty"],
  ["PORT", "65536"],
  ["PORT", "-1"],
  ["PORT", "3000.5"],
  ["HOSTNAME", "local/host"],
  ["APP_URL", "dashboard.internal"],
  ["APP_URL", "https://example.com/path"],
  ["APP_URL", "https://user:password@example.com"],
  ["APP_URL", "ftp://example.com"],
  ["SESSION_SECRET", "too-short-secret"],
  ["SESSION_SECRET", `${secret},short-second`],
  ["FINGERPRINT_KEY", "too-short-key"],
  ["DATABASE_URL", "mysql://user:CANARY@host/db"],
  ["DATABASE_URL", "not a url CANARY"],
  ["RINGCX_HOSTS", "http://engage.ringcentral.com"],
  ["RINGCX_HOSTS", "http://localhost.evil.example"],
  ["RINGCX_HOSTS", "http://127.0.0.1.evil.example"],
  ["RINGCX_HOSTS", "https://a.example/path"],
  ["RINGCX_HOSTS", "https://a.example,nonsense"],
  ["RINGCX_LEGACY_HOSTS", "http://portal.example/api"],
  ["RINGCX_LEGACY_HOSTS", "https://portal.example/api?x=1"],
  ["RINGCX_LEGACY_HOSTS", "none,https://portal.example/api"],
  ["RINGCX_LEGACY_HOSTS", "https://user:CANARY@portal.example/api"],
  ["RINGCX_RATE_LIMIT", "0"],
  ["RINGCX_TIMEOUT_MS", "1e4"],
  ["SESSION_IDLE_MINUTES", "0"],
  ["SESSION_MAX_HOURS", "0x10"],
  ["AUDIT_RETENTION_DAYS", "-1"],
  ["SESSION_RETENTION_DAYS", "0"],
  ["METRICS_TOKEN", "too-short"],
  ["TRUST_PROXY", "yes-please"],
  ["LOG_LEVEL", "verbose"],
  ["TOKENDESK_SANDBOX", "maybe"],
];

test.each(bad)("%s may not be %s, and the message names the variable alone", (name, value) => {
  const found = problems({
    [name]: value,
    ...(name === "DATABASE_URL" ? { SESSION_SECRET: secret, FINGERPRINT_KEY: secret } : {}),
  });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(new RegExp(`^${name}: `));
});

test("a session's record outlives every cookie of it", () => {
  const days = parse({ SESSION_RETENTION_DAYS: "1", SESSION_MAX_HOURS: "240" });
  expect(days.sessionRetentionMs).toBe(10 * 24 * 3_600_000);
});

test("all problems stand in one message, a line each", () => {
  const all = Object.fromEntries(bad);
  const names = Object.keys(all);
  const found = problems(all);
  for (const name of names) expect(found.filter((problem) => problem.startsWith(`${name}: `))).toHaveLength(1);
  expect(new EnvError(found).message.split("\n")).toHaveLength(found.length + 1);
});

describe("a data folder that cannot be one", () => {
  const below = () => {
    const file = join(dataDir, "a-file");
    writeFileSync(file, "");
    return join(file, "below");
  };

  test("is told beside what else is wrong", () => {
    expect(problems({ DATA_DIR: below(), LOG_LEVEL: "verbose", PORT: "eighty" })).toEqual([
      expect.stringMatching(/^PORT: /),
      expect.stringMatching(/^LOG_LEVEL: /),
      expect.stringMatching(/^DATA_DIR: /),
    ]);
  });

  test("is told where the secrets are given: the database is to stand there", () => {
    const given = { SESSION_SECRET: secret, FINGERPRINT_KEY: secret };
    expect(problems({ DATA_DIR: below(), ...given })).toEqual([expect.stringMatching(/^DATA_DIR: /)]);
    expect(problems({ DATA_DIR: below(), ...given, DATABASE_URL: "postgres://user:CANARY@host/db" })).toEqual([]);
  });
});

test.each([
  ["RC_CLIENT_ID", ["RC_CLIENT_SECRET"]],
  ["RC_CLIENT_SECRET", ["RC_CLIENT_ID"]],
  ["OIDC_CLIENT_SECRET", ["OIDC_ISSUER", "OIDC_CLIENT_ID"]],
])("%s alone is half of a door, and the message names both", (name, missing) => {
  const found = problems({ [name]: "a-value-of-its-own" });
  expect(found).toEqual(missing.map((other) => expect.stringMatching(new RegExp(`^${other}: .*\\b${name}\\b`))));
});

describe("several replicas", () => {
  const databaseUrl = "postgres://user:CANARY@host/db";

  test("need their secrets given", () => {
    expect(problems({ DATABASE_URL: databaseUrl })).toEqual([
      expect.stringMatching(/^SESSION_SECRET: /),
      expect.stringMatching(/^FINGERPRINT_KEY: /),
    ]);
    expect(parse({ DATABASE_URL: databaseUrl, SESSION_SECRET: secret, FINGERPRINT_KEY: secret })).toMatchObject({
      databaseUrl,
    });
  });

  test("a list without a secret in it is no secret", () => {
    const found = problems({ DATABASE_URL: databaseUrl, SESSION_SECRET: " , ", FINGERPRINT_KEY: secret });
    expect(found).toEqual([expect.stringMatching(/^SESSION_SECRET: /)]);
  });
});

describe("secrets that were not given", () => {
  test("are made once, kept for their owner alone, and differ from each other", () => {
    const nested = join(dataDir, "a", "b");
    const first = parse({ DATA_DIR: nested });
    expect(parse({ DATA_DIR: nested })).toEqual(first);
    expect(first.sessionSecrets[0].length).toBeGreaterThanOrEqual(32);
    expect(first.fingerprintKey).not.toBe(first.sessionSecrets[0]);
    expect(readdirSync(nested).sort()).toEqual(["fingerprint-key", "session-secret"]);
    for (const name of readdirSync(nested)) expect(statSync(join(nested, name)).mode & 0o777).toBe(0o600);
    expect(statSync(nested).mode & 0o077).toBe(0);
  });

  test("are not made when they were given", () => {
    parse({ SESSION_SECRET: secret, FINGERPRINT_KEY: secret });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test("are not made when something else is wrong", () => {
    expect(problems({ PORT: "nonsense" })).toHaveLength(1);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test("are refused when what is kept is too short, and it is not overwritten", () => {
    writeFileSync(join(dataDir, "session-secret"), "short");
    expect(problems({})).toEqual([expect.stringMatching(/^DATA_DIR: .*session-secret/)]);
    expect(readFileSync(join(dataDir, "session-secret"), "utf8")).toBe("short");
  });

  test("name the folder's variable when they cannot be kept", () => {
    const file = join(dataDir, "a-file");
    writeFileSync(file, "");
    expect(problems({ DATA_DIR: join(file, "below") })).toEqual([expect.stringMatching(/^DATA_DIR: /)]);
  });

  test.runIf(process.platform === "linux")("do not hold up the start where no folder can be made", async () => {
    // Node's own recursive mkdir never comes back from there.
    const code = `import { parseEnv } from "@/lib/env"; try { parseEnv(process.env); } catch (error) { console.log(error.message); }`;
    for (const given of [{}, { SESSION_SECRET: secret, FINGERPRINT_KEY: secret }]) {
      const { stdout } = await runModule(code, { variables: { DATA_DIR: "/proc/nowhere/below", ...given } });
      expect(stdout).toMatch(/^The environment is not usable:\n {2}- DATA_DIR: /);
    }
  });

  test("are the same in processes that start at once", async () => {
    const shared = join(dataDir, "shared");
    mkdirSync(shared);
    const code = `import { env } from "@/lib/env"; console.log(env().sessionSecrets[0] + " " + env().fingerprintKey);`;
    const starts = await Promise.all(
      Array.from({ length: 6 }, () => runModule(code, { variables: { DATA_DIR: shared } })),
    );
    for (const { code: exit, stderr } of starts) expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(new Set(starts.map(({ stdout }) => stdout)).size).toBe(1);
    expect(starts[0]?.stdout.trim().length).toBeGreaterThan(64);
    expect(readdirSync(shared).sort()).toEqual(["fingerprint-key", "session-secret"]);
  });
});
