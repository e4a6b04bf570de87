import { createHash, randomBytes, randomInt } from "node:crypto";
import { PLATFORM_ID, type SandboxUser, SEED_USERS, seedTokens, uuidOf } from "./seed.ts";

/** What can be changed at run time with `POST /__sandbox/config`. */
export type Settings = {
  /** Length of an access token in bytes. Real ones are some kilobytes long. */
  accessTokenBytes: number;
  accessTokenSeconds: number;
  /** Calls per rolling 60 s and user on `/voice/api/**`, and as many at the legacy portal, its sign-in apart. */
  rateLimit: number;
  /** RingEX token exchanges per rolling 60 s. */
  exchangeLimit: number;
  /** Whether each user has that limit, or all have it together: the vendor does not say. */
  exchangePerUser: boolean;
  /** A `Retry-After` header on the sandbox's own 429. The vendor documents none. */
  retryAfter: boolean;
  /** Created tokens come as a JSON string, as some gateways send them. */
  quotedTokens: boolean;
  /** DELETE of a token works with no credential ("Permissions: Anonymous User" in the vendor's OpenAPI file). */
  anonymousDelete: boolean;
  /** How long a deleted token is still listed and let in; a second deletion is answered with `false` meanwhile. */
  deletionSeconds: number;
  /** How long until an event shows in the audit log. */
  auditDelaySeconds: number;
  /** OAuth redirect URIs; empty allows every loopback address. */
  redirectUris: string[];
};

export const DEFAULT_SETTINGS: Settings = {
  accessTokenBytes: 3072,
  accessTokenSeconds: 300,
  rateLimit: 120,
  exchangeLimit: 5,
  exchangePerUser: true,
  retryAfter: false,
  quotedTokens: false,
  anonymousDelete: true,
  deletionSeconds: 0,
  auditDelaySeconds: 300,
  redirectUris: [],
};

/** Every secret an instance ever issued or holds, by kind, for leak tests. Outlives a reset. */
export class SecretLedger {
  readonly accessTokens = new Set<string>();
  readonly refreshTokens = new Set<string>();
  readonly apiTokens = new Set<string>();
  readonly authTokens = new Set<string>();
  readonly oauth = new Set<string>();
  readonly passwords = new Set<string>();
  readonly accountFields = new Set<string>();

  toJSON(): Record<string, string[]> {
    return {
      accessTokens: [...this.accessTokens],
      refreshTokens: [...this.refreshTokens],
      apiTokens: [...this.apiTokens],
      authTokens: [...this.authTokens],
      oauth: [...this.oauth],
      passwords: [...this.passwords],
      accountFields: [...this.accountFields],
    };
  }
}

/** The fields of the vendor's `Account` that nobody outside the vendor should ever see. */
type AccountSecrets = { crmPwd: string; ftpPwd: string; securityKey: string; phoneRecordingPin: number };

/** A creation or deletion of an API token, as the audit log keeps it. Never the value. */
export type TokenEvent = {
  id: string;
  at: number;
  action: "CREATE" | "DELETE";
  actor: SandboxUser | null;
  owner: SandboxUser;
  hint: string;
  digest: string;
};

/** How the journal and the audit log name a secret: `sha256:` and the first 12 hexadecimal digits. */
export function digestOf(secret: string): string {
  return `sha256:${createHash("sha256").update(secret).digest("hex").slice(0, 12)}`;
}

/** Counts calls per key in a rolling window of 60 s. */
class RollingWindow {
  readonly #calls = new Map<string, number[]>();

  /** Null when the call is within the limit (and counted), else the seconds until one is free. */
  refuse(key: string, limit: number, now: number): number | null {
    const recent = (this.#calls.get(key) ?? []).filter((at) => at > now - 60_000);
    this.#calls.set(key, recent);
    if (recent.length >= limit) return Math.max(1, Math.ceil(((recent[0] ?? now) + 60_000 - now) / 1000));
    recent.push(now);
    return null;
  }
}

/** Users, API tokens, account secrets and the audit log of one platform: the state between two resets. */
export class Platform {
  readonly users = new Map<string, SandboxUser>();
  readonly adminCalls = new RollingWindow();
  readonly exchanges = new RollingWindow();
  readonly events: TokenEvent[] = [];
  readonly #owners = new Map<string, string>();
  readonly #tokens = new Map<string, Set<string>>();
  /** When tokens end that are deleted already. */
  readonly #ending = new Map<string, number>();
  readonly #accountSecrets = new Map<string, AccountSecrets>();
  readonly #ledger: SecretLedger;
  readonly #now: () => number;
  readonly #marker = randomBytes(6).toString("hex");

  constructor(seed: string, ledger: SecretLedger, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
    for (const user of SEED_USERS) {
      this.users.set(user.username, { ...user });
      ledger.passwords.add(user.password);
      const values = seedTokens(user, seed);
      this.#tokens.set(user.username, new Set(values));
      for (const value of values) {
        this.#owners.set(value, user.username);
        ledger.apiTokens.add(value);
      }
      for (const account of user.accounts) this.accountSecrets(account.accountId);
    }
  }

  tokensOf(user: SandboxUser): string[] {
    this.#endTokens();
    return [...(this.#tokens.get(user.username) ?? [])];
  }

  tokenCount(user: SandboxUser): number {
    this.#endTokens();
    return this.#tokens.get(user.username)?.size ?? 0;
  }

  ownerOf(token: string): SandboxUser | null {
    this.#endTokens();
    const username = this.#owners.get(token);
    return username === undefined ? null : (this.users.get(username) ?? null);
  }

  createToken(owner: SandboxUser): string {
    const value = `${PLATFORM_ID}:${uuidOf(randomBytes(16).toString("hex"))}`;
    this.#owners.set(value, owner.username);
    this.#tokens.get(owner.username)?.add(value);
    this.#ledger.apiTokens.add(value);
    this.#record("CREATE", owner, owner, value);
    return value;
  }

  /** True when the token existed and is gone, or will be `afterMs` from now. `actor` null: nobody signed in. */
  deleteToken(value: string, actor: SandboxUser | null, afterMs = 0): boolean {
    const owner = this.ownerOf(value);
    if (owner === null || this.#ending.has(value)) return false;
    this.#ending.set(value, this.#now() + afterMs);
    this.#record("DELETE", actor, owner, value);
    this.#endTokens();
    return true;
  }

  #endTokens(): void {
    for (const [value, at] of this.#ending) {
      if (at > this.#now()) continue;
      this.#ending.delete(value);
      this.#tokens.get(this.#owners.get(value) ?? "")?.delete(value);
      this.#owners.delete(value);
    }
  }

  childrenOf(user: SandboxUser): SandboxUser[] {
    return [...this.users.values()].filter((other) => other.parent === user.username);
  }

  /** True when `manager` stands above `user` and has a role that manages users. */
  manages(manager: SandboxUser, user: SandboxUser): boolean {
    if (!mayManageUsers(manager)) return false;
    let parent = user.parent;
    while (parent !== null) {
      if (parent === manager.username) return true;
      parent = this.users.get(parent)?.parent ?? null;
    }
    return false;
  }

  /** The secret fields of a sub-account, random per instance and recognizable: `SECRET-crmPwd-{random}-{accountId}`. */
  accountSecrets(accountId: string): AccountSecrets {
    const known = this.#accountSecrets.get(accountId);
    if (known !== undefined) return known;
    const secret = (field: string) => `SECRET-${field}-${this.#marker}-${accountId}`;
    const secrets = {
      crmPwd: secret("crmPwd"),
      ftpPwd: secret("ftpPwd"),
      securityKey: secret("securityKey"),
      phoneRecordingPin: randomInt(1_000_000_000, 2_147_483_647),
    };
    this.#accountSecrets.set(accountId, secrets);
    for (const value of Object.values(secrets)) this.#ledger.accountFields.add(String(value));
    return secrets;
  }

  #record(action: TokenEvent["action"], actor: SandboxUser | null, owner: SandboxUser, value: string): void {
    this.events.push({
      id: String(this.events.length + 1),
      at: this.#now(),
      action,
      actor,
      owner,
      hint: `${PLATFORM_ID}:…${value.slice(-4)}`,
      digest: digestOf(value),
    });
  }
}

export function mayManageUsers(user: SandboxUser): boolean {
  return user.roles.includes("MANAGE_USERS") || user.roles.includes("SUPER_USER");
}
