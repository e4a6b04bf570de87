import "server-only";
import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";

/**
 * The environment, parsed once. The variables and their defaults are promises: README.md, "Configuration".
 * Secrets that were not given are made once and kept in DATA_DIR with mode 0600.
 */
export type Env = {
  /** Origin that people open, without a trailing slash: `https://tokendesk.example.com`. */
  appUrl: string;
  secureCookies: boolean;
  dataDir: string;
  databaseUrl: string | null;
  /** The first seals, all open. */
  sessionSecrets: readonly [string, ...string[]];
  fingerprintKey: string;
  /** Origins that may be called; the first is preselected. */
  ringcxHosts: readonly [string, ...string[]];
  ringcxLegacyHosts: readonly string[];
  /** Upstream admin requests per 60 seconds and connection. */
  ringcxRateLimit: number;
  /** Deadline of one upstream call, in milliseconds. */
  ringcxTimeoutMs: number;
  /** Main account IDs that may sign in; null: any. */
  allowedAccounts: readonly string[] | null;
  opsUsers: readonly string[];
  adminUsers: readonly string[];
  /** RingEX single sign-on; null: not offered. */
  ringex: { clientId: string; clientSecret: string; serverUrl: string } | null;
  /** Exchanges of a RingEX token for a RingCX session per 60 seconds, all replicas together. */
  ringexExchangeLimit: number;
  /** The company's own identity provider; null: not offered. */
  oidc: OidcSettings | null;
  /** How old a sign-in may be for what asks for a fresh one. */
  stepUpMs: number;
  sessionIdleMs: number;
  sessionMaxMs: number;
  /** How long audit events are kept; null: for ever. */
  auditRetentionMs: number | null;
  /** How long the record of an ended session is kept; at least as long as its cookie could be presented. */
  sessionRetentionMs: number;
  /** Lets others than loopback read /api/metrics. */
  metricsToken: string | null;
  /** What stands before the colon of an API token, as a whole: which texts the incident desk takes for one. */
  tokenPrefixes: RegExp;
  /** So many tokens looked up or revoked by one person within an hour are unusual: ops are told. */
  incidentWarnPerHour: number;
  notify: {
    /** Where signed events are posted; nothing else is ever called. */
    webhooks: readonly string[];
    /** Signs them (HMAC-SHA-256). */
    webhookSecret: string | null;
    /** Slack-compatible incoming webhooks: their addresses are secrets themselves. */
    slackWebhooks: readonly string[];
  };
  /** Number of proxies whose `X-Forwarded-For` entry counts; 0: none. */
  trustedProxies: number;
  logLevel: LogLevel;
  production: boolean;
  /** The upstream is the sandbox: the footer says so. */
  sandbox: boolean;
};

export type OidcSettings = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** What the button calls it: "Continue with {name}". */
  name: string;
  scopes: string;
  /** The claim that lists the groups, and the group whose members are ops. */
  groupsClaim: string;
  opsGroup: string | null;
  /** The provider vouches for every e-mail address, also without `email_verified`. */
  trustEmail: boolean;
};

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
type LogLevel = (typeof logLevels)[number];

/** Every problem of the environment in one message, a line each. It names variables, never their values. */
export class EnvError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.name = "EnvError";
    this.problems = problems;
  }
}

const list = z
  .string()
  .default("")
  .transform((value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  );

const whole = (fallback: number, min: number, max: number) =>
  z
    .string()
    .default(String(fallback))
    .refine((value) => /^\d{1,9}$/.test(value.trim()) && Number(value) >= min && Number(value) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number);

const dayMs = 24 * 3_600_000;

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** An origin: scheme, host and port only. http is accepted for loopback alone unless `plainHttp`. */
function parseOrigin(value: string, plainHttp: boolean): string | null {
  if (!URL.canParse(value)) return null;
  const url = new URL(value);
  const bare =
    url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  const scheme =
    url.protocol === "https:" || (url.protocol === "http:" && (plainHttp || loopbackHosts.has(url.hostname)));
  return bare && scheme ? url.origin : null;
}

/** Legacy portals carry a path prefix (`https://portal.vacd.biz/api`). */
function parsePortal(value: string): string | null {
  if (!URL.canParse(value)) return null;
  const url = new URL(value);
  const origin = parseOrigin(url.origin, false);
  return origin && url.username === "" && url.password === "" && url.search === "" && url.hash === ""
    ? `${origin}${url.pathname.replace(/\/+$/, "")}`
    : null;
}

const originList = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((value, context) => {
      const items = value.split(",").map((item) => item.trim());
      const origins = items.map((item) => parseOrigin(item, false));
      if (origins.some((origin) => origin === null)) {
        context.addIssue({
          code: "custom",
          message: "must be https origins without a path, separated by commas (http only for loopback)",
        });
        return z.NEVER;
      }
      return [...new Set(origins)] as unknown as [string, ...string[]];
    });

/** Addresses to post to: https, or http on loopback. They may hold a secret in their path. */
const addressList = list.refine(
  (addresses) =>
    addresses.every((address) => {
      if (!URL.canParse(address)) return false;
      const { origin, username, password, hash } = new URL(address);
      return parseOrigin(origin, false) !== null && username === "" && password === "" && hash === "";
    }),
  { error: "must be https addresses separated by commas (http only for loopback)" },
);

const schema = z.object({
  PORT: whole(3000, 0, 65535),
  HOSTNAME: z
    .string()
    .regex(/^[\w.:[\]-]{1,253}$/, { error: "must be a host name or an address" })
    .optional(),
  APP_URL: z
    .string()
    .optional()
    .transform((value, context) => {
      if (value === undefined) return undefined;
      const origin = parseOrigin(value.replace(/\/+$/, ""), true);
      if (origin === null) {
        context.addIssue({
          code: "custom",
          message: "must be an http or https origin, such as https://tokendesk.example.com",
        });
        return z.NEVER;
      }
      return origin;
    }),
  SESSION_SECRET: list.refine((secrets) => secrets.every((secret) => secret.length >= 32), {
    error: "each secret needs at least 32 characters",
  }),
  FINGERPRINT_KEY: z.string().min(32, { error: "needs at least 32 characters" }).optional(),
  DATA_DIR: z.string().min(1).default("./data"),
  DATABASE_URL: z
    .string()
    .refine((value) => URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol), {
      error: "must be a postgres:// address",
    })
    .optional(),
  RINGCX_HOSTS: originList("https://engage.ringcentral.com,https://ringcx.ringcentral.com"),
  RINGCX_LEGACY_HOSTS: z
    .string()
    .default("https://portal.vacd.biz/api,https://portal.virtualacd.biz/api")
    .transform((value, context) => {
      // An empty variable is an unset one, so that the portals are left out by a word.
      if (value.trim() === "none") return [];
      const portals = value
        .split(",")
        .filter((item) => item.trim() !== "")
        .map((item) => parsePortal(item.trim()));
      if (portals.some((portal) => portal === null)) {
        context.addIssue({
          code: "custom",
          message: "must be https addresses separated by commas (http only for loopback), or none",
        });
        return z.NEVER;
      }
      return portals as string[];
    }),
  RINGCX_RATE_LIMIT: whole(120, 1, 100_000),
  RINGCX_TIMEOUT_MS: whole(10_000, 100, 120_000),
  ALLOWED_ACCOUNTS: list,
  OPS_USERS: list,
  ADMIN_USERS: list,
  RC_CLIENT_ID: z.string().optional(),
  RC_CLIENT_SECRET: z.string().optional(),
  RC_SERVER_URL: z
    .string()
    .default("https://platform.ringcentral.com")
    .transform((value, context) => {
      const origin = parseOrigin(value.replace(/\/+$/, ""), false);
      if (origin !== null) return origin;
      context.addIssue({ code: "custom", message: "must be an https origin without a path (http only for loopback)" });
      return z.NEVER;
    }),
  RINGEX_EXCHANGE_LIMIT: whole(5, 1, 10_000),
  OIDC_ISSUER: z
    .string()
    .optional()
    .transform((value, context) => {
      if (value === undefined) return undefined;
      const url = URL.canParse(value) ? new URL(value) : null;
      if (url && parseOrigin(url.origin, false) && !url.username && !url.password && !url.search && !url.hash) {
        // Providers write their issuer with or without a slash at the end, and compare it letter by letter.
        return value.trim();
      }
      context.addIssue({ code: "custom", message: "must be an https address (http only for loopback)" });
      return z.NEVER;
    }),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_CLIENT_SECRET: z.string().optional(),
  OIDC_OPS_GROUP: z.string().optional(),
  OIDC_GROUPS_CLAIM: z.string().default("groups"),
  OIDC_SCOPES: z
    .string()
    .default("openid email profile")
    .refine((value) => value.split(/\s+/).includes("openid"), { error: "must hold the scope openid" }),
  OIDC_NAME: z.string().max(40, { error: "must be 40 characters at most" }).default("SSO"),
  OIDC_TRUST_EMAIL: z.enum(["0", "1"]).default("0"),
  STEP_UP_MINUTES: whole(15, 1, 7 * 24 * 60),
  SESSION_IDLE_MINUTES: whole(60, 1, 7 * 24 * 60),
  SESSION_MAX_HOURS: whole(12, 1, 30 * 24),
  AUDIT_RETENTION_DAYS: whole(0, 0, 36_500),
  SESSION_RETENTION_DAYS: whole(90, 1, 3_650),
  METRICS_TOKEN: z.string().min(16, { error: "needs at least 16 characters" }).optional(),
  TOKEN_PREFIX_PATTERN: z
    .string()
    .max(200, { error: "must be 200 characters at most" })
    .default("[A-Za-z]{1,12}[0-9]{1,4}")
    .transform((value, context) => {
      try {
        return new RegExp(`^(?:${value})$`, "i");
      } catch {
        context.addIssue({ code: "custom", message: "must be a regular expression" });
        return z.NEVER;
      }
    }),
  INCIDENT_WARN_PER_HOUR: whole(50, 1, 1_000_000),
  NOTIFY_WEBHOOKS: addressList,
  NOTIFY_WEBHOOK_SECRET: z.string().min(32, { error: "needs at least 32 characters" }).optional(),
  NOTIFY_SLACK_WEBHOOKS: addressList,
  TRUST_PROXY: whole(0, 0, 10),
  LOG_LEVEL: z.enum(logLevels).default("info"),
  TOKENDESK_SANDBOX: z.enum(["0", "1"]).default("0"),
  NODE_ENV: z.string().optional(),
});

/**
 * Parses the environment. Creates DATA_DIR and the secrets that were not given.
 * @throws {EnvError} naming every problem
 */
export function parseEnv(source: Record<string, string | undefined>): Env {
  // An empty variable is an unset one: that is what `VAR=` in a compose file means.
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = schema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join(".") || "environment"}: ${issue.message}`);

  if (given.SESSION_SECRET !== undefined && !given.SESSION_SECRET.replaceAll(",", "").trim()) {
    problems.push("SESSION_SECRET: holds no secret");
  }
  if (given.DATABASE_URL !== undefined) {
    for (const name of ["SESSION_SECRET", "FINGERPRINT_KEY"]) {
      if (given[name] === undefined)
        problems.push(`${name}: must be set when DATABASE_URL is, so that all replicas share it`);
    }
  }
  if (given.NOTIFY_WEBHOOKS !== undefined && given.NOTIFY_WEBHOOK_SECRET === undefined) {
    problems.push("NOTIFY_WEBHOOK_SECRET: must be set when NOTIFY_WEBHOOKS is, so that receivers can check who posts");
  }
  for (const door of [
    ["RC_CLIENT_ID", "RC_CLIENT_SECRET"],
    ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"],
  ]) {
    const missing = door.filter((name) => given[name] === undefined);
    const present = door.filter((name) => given[name] !== undefined);
    if (missing.length > 0 && present.length > 0) {
      for (const name of missing) {
        problems.push(
          `${name}: must be set when ${present.join(" and ")} ${present.length > 1 ? "are" : "is"}, for this way to sign in`,
        );
      }
    }
  }
  // The mark keeps the build from copying that folder, secrets and all, into its output.
  const dataDir = resolve(/* turbopackIgnore: true */ given.DATA_DIR ?? "./data");
  if (given.DATABASE_URL === undefined) {
    const obstacle = obstacleTo(dataDir);
    if (obstacle !== null) problems.push(`DATA_DIR: cannot be made (${obstacle})`);
  }
  if (!parsed.success || problems.length > 0) throw new EnvError(problems);

  const values = parsed.data;
  if (values.DATABASE_URL === undefined) {
    try {
      makeFolder(dataDir);
    } catch (error) {
      throw new EnvError([`DATA_DIR: cannot be made (${codeOf(error)})`]);
    }
  }
  const appUrl = values.APP_URL ?? `http://localhost:${values.PORT}`;
  const [firstSecret, ...olderSecrets] = values.SESSION_SECRET;
  return {
    appUrl,
    secureCookies: appUrl.startsWith("https://"),
    dataDir,
    databaseUrl: values.DATABASE_URL ?? null,
    sessionSecrets: [firstSecret ?? keptSecret(dataDir, "session-secret"), ...olderSecrets],
    fingerprintKey: values.FINGERPRINT_KEY ?? keptSecret(dataDir, "fingerprint-key"),
    ringcxHosts: values.RINGCX_HOSTS,
    ringcxLegacyHosts: values.RINGCX_LEGACY_HOSTS,
    ringcxRateLimit: values.RINGCX_RATE_LIMIT,
    ringcxTimeoutMs: values.RINGCX_TIMEOUT_MS,
    allowedAccounts: values.ALLOWED_ACCOUNTS.length > 0 ? values.ALLOWED_ACCOUNTS : null,
    opsUsers: values.OPS_USERS,
    adminUsers: values.ADMIN_USERS,
    ringex:
      values.RC_CLIENT_ID !== undefined && values.RC_CLIENT_SECRET !== undefined
        ? {
            clientId: values.RC_CLIENT_ID,
            clientSecret: values.RC_CLIENT_SECRET,
            serverUrl: values.RC_SERVER_URL,
          }
        : null,
    ringexExchangeLimit: values.RINGEX_EXCHANGE_LIMIT,
    oidc:
      values.OIDC_ISSUER !== undefined && values.OIDC_CLIENT_ID !== undefined && values.OIDC_CLIENT_SECRET !== undefined
        ? {
            issuer: values.OIDC_ISSUER,
            clientId: values.OIDC_CLIENT_ID,
            clientSecret: values.OIDC_CLIENT_SECRET,
            name: values.OIDC_NAME,
            scopes: values.OIDC_SCOPES,
            groupsClaim: values.OIDC_GROUPS_CLAIM,
            opsGroup: values.OIDC_OPS_GROUP ?? null,
            trustEmail: values.OIDC_TRUST_EMAIL === "1",
          }
        : null,
    stepUpMs: values.STEP_UP_MINUTES * 60_000,
    sessionIdleMs: values.SESSION_IDLE_MINUTES * 60_000,
    sessionMaxMs: values.SESSION_MAX_HOURS * 3_600_000,
    auditRetentionMs: values.AUDIT_RETENTION_DAYS === 0 ? null : values.AUDIT_RETENTION_DAYS * dayMs,
    sessionRetentionMs: Math.max(values.SESSION_RETENTION_DAYS * dayMs, values.SESSION_MAX_HOURS * 3_600_000),
    metricsToken: values.METRICS_TOKEN ?? null,
    tokenPrefixes: values.TOKEN_PREFIX_PATTERN,
    incidentWarnPerHour: values.INCIDENT_WARN_PER_HOUR,
    notify: {
      webhooks: values.NOTIFY_WEBHOOKS,
      webhookSecret: values.NOTIFY_WEBHOOK_SECRET ?? null,
      slackWebhooks: values.NOTIFY_SLACK_WEBHOOKS,
    },
    trustedProxies: values.TRUST_PROXY,
    logLevel: values.LOG_LEVEL,
    production: values.NODE_ENV === "production",
    sandbox: values.TOKENDESK_SANDBOX === "1",
  };
}

type Setting = {
  name: string;
  /** `generated`: made once and kept in DATA_DIR; `unset`: there is no default either. */
  source: "environment" | "default" | "generated" | "unset";
  /** What is in force, as it would be written; null: a secret, or nothing. */
  value: string | null;
  secret: boolean;
};

/** What is never shown. */
const secretNames = new Set([
  "SESSION_SECRET",
  "FINGERPRINT_KEY",
  "RC_CLIENT_SECRET",
  "OIDC_CLIENT_SECRET",
  "METRICS_TOKEN",
  "NOTIFY_WEBHOOK_SECRET",
]);

/** Of addresses that can hold a secret in their path, their query or before their host: the host alone. */
const addressNames = new Set(["DATABASE_URL", "NOTIFY_WEBHOOKS", "NOTIFY_SLACK_WEBHOOKS"]);

/** Every variable, where it comes from and what is in force. No secret is in it. */
export function settings(source: Record<string, string | undefined> = process.env): Setting[] {
  return Object.entries(schema.shape)
    .filter(([name]) => name !== "NODE_ENV")
    .map(([name, parser]) => {
      const given = source[name];
      const secret = secretNames.has(name);
      if (given !== undefined && given !== "") {
        return { name, source: "environment", secret, value: secret ? null : shown(name, given) };
      }
      if (name === "SESSION_SECRET" || name === "FINGERPRINT_KEY") {
        return { name, source: "generated", secret, value: null };
      }
      const fallback = name === "APP_URL" ? env().appUrl : defaultOf(parser);
      return { name, source: fallback === null ? "unset" : "default", secret, value: secret ? null : fallback };
    });
}

function defaultOf(parser: z.ZodType): string | null {
  const { data } = parser.safeParse(undefined);
  const text = data instanceof RegExp ? data.source.slice("^(?:".length, -")$".length) : String(data ?? "");
  return text === "" ? null : text;
}

function shown(name: string, given: string): string {
  if (!addressNames.has(name)) return given;
  // Only the others are lists: a password may hold a comma.
  return (name === "DATABASE_URL" ? [given] : given.split(","))
    .map((address) => (URL.canParse(address.trim()) ? new URL(address.trim()) : null))
    .map((url) => (url === null ? "…" : `${url.protocol}//${url.host}${url.pathname === "/" ? "" : "/…"}`))
    .join(", ");
}

/**
 * Reads `$DATA_DIR/{name}`, or makes it. The file appears whole or not at all (a link, not a write), so that
 * two processes that start at once agree on one secret.
 */
function keptSecret(dataDir: string, name: string): string {
  const path = join(dataDir, name);
  try {
    const existing = readExisting(path);
    if (existing !== null) return existing;
    makeFolder(dataDir);
    const draft = join(dataDir, `.${name}-${randomBytes(6).toString("hex")}`);
    writeFileSync(draft, `${randomBytes(48).toString("base64url")}\n`, { mode: 0o600 });
    chmodSync(draft, 0o600);
    try {
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    const made = readExisting(path);
    if (made === null) throw new EnvError([`DATA_DIR: ${name} vanished while it was being made`]);
    return made;
  } catch (error) {
    if (error instanceof EnvError) throw error;
    throw new EnvError([`DATA_DIR: cannot keep ${name} there (${codeOf(error)})`]);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown error";
}

/**
 * Why there can be no folder at `path`, as far as that shows without making it; null: no reason is known. One that is
 * there and cannot be written to is none: what it holds can still be shown.
 */
function obstacleTo(path: string): string | null {
  try {
    return statSync(path).isDirectory() ? null : "ENOTDIR";
  } catch (error) {
    const parent = dirname(path);
    if (codeOf(error) !== "ENOENT" || parent === path) return codeOf(error);
    return obstacleTo(parent) ?? obstacleToWriting(parent);
  }
}

function obstacleToWriting(folder: string): string | null {
  try {
    // One that is missing is made, in a parent that is looked at.
    if (statSync(folder, { throwIfNoEntry: false })) accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

/** With its parents. Node's recursive mkdir never comes back where the file system has none (`/proc/x`). */
function makeFolder(path: string): void {
  for (const parentMayBeMissing of [true, false]) {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      // Another process may have been faster.
      if (codeOf(error) === "EEXIST") return;
      if (codeOf(error) !== "ENOENT" || !parentMayBeMissing || dirname(path) === path) throw error;
      makeFolder(dirname(path));
    }
  }
}

function readExisting(path: string): string | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  if (text.length < 32)
    throw new EnvError([`DATA_DIR: the kept secret ${path.split("/").at(-1)} is shorter than 32 characters`]);
  return text;
}

// The proxy, the route handlers and the server components are separate bundles of one process.
const slot = Symbol.for("tokendesk.env");
type Slot = { [slot]?: Env };

/** The environment of this process. @throws {EnvError} on the first call, when it is not usable */
export function env(): Env {
  const holder = globalThis as Slot;
  holder[slot] ??= parseEnv(process.env);
  return holder[slot];
}
