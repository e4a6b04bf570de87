import { createHash, randomBytes } from "node:crypto";
import type { SecretLedger } from "./platform.ts";
import type { SandboxUser } from "./seed.ts";

/** The one OAuth client that the sandbox knows. */
export const CLIENT_ID = "sandbox-client";
export const CLIENT_SECRET = "sandbox-secret";

const CODE_LIFETIME = 60_000;
const ACCESS_TOKEN_LIFETIME = 3_600_000;
const REFRESH_TOKEN_LIFETIME = 604_800_000;

type Grant = { username: string; ended: boolean };
type Code = { grant: Grant; redirectUri: string; challenge: string; expiresAt: number; used: boolean };
type Issued = { grant: Grant; expiresAt: number };

/** Codes and tokens of the RingEX OAuth server. */
export class RingexOAuth {
  readonly #users: ReadonlyMap<string, SandboxUser>;
  readonly #ledger: SecretLedger;
  readonly #now: () => number;
  readonly #codes = new Map<string, Code>();
  readonly #accessTokens = new Map<string, Issued>();
  readonly #refreshTokens = new Map<string, Issued & { used: boolean }>();

  constructor(users: ReadonlyMap<string, SandboxUser>, ledger: SecretLedger, now: () => number) {
    this.#users = users;
    this.#ledger = ledger;
    ledger.oauth.add(CLIENT_SECRET);
    this.#now = now;
  }

  issueCode(username: string, redirectUri: string, challenge: string): string {
    const code = this.#secret();
    this.#codes.set(code, {
      grant: { username, ended: false },
      redirectUri,
      challenge,
      expiresAt: this.#now() + CODE_LIFETIME,
      used: false,
    });
    return code;
  }

  /** Tokens for a code that is fresh, unused and proven by its verifier. A code used twice ends what it gave. */
  redeemCode(code: string, redirectUri: string, verifier: string): object | null {
    const known = this.#codes.get(code);
    if (known === undefined) return null;
    if (known.used) {
      known.grant.ended = true;
      return null;
    }
    known.used = true;
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    if (known.expiresAt <= this.#now() || known.redirectUri !== redirectUri || known.challenge !== challenge) {
      return null;
    }
    return this.#issue(known.grant);
  }

  /** New tokens for a current refresh token; an old one ends the grant. */
  refresh(refreshToken: string): object | null {
    const known = this.#refreshTokens.get(refreshToken);
    if (known === undefined || known.grant.ended || known.expiresAt <= this.#now()) return null;
    if (known.used) {
      known.grant.ended = true;
      return null;
    }
    known.used = true;
    return this.#issue(known.grant);
  }

  /** Codes that nobody has redeemed so far are too old. */
  expireCodes(): void {
    for (const code of this.#codes.values()) code.expiresAt = this.#now();
  }

  userOfAccessToken(accessToken: string): SandboxUser | null {
    const known = this.#accessTokens.get(accessToken);
    if (known === undefined || known.grant.ended || known.expiresAt <= this.#now()) return null;
    return this.#users.get(known.grant.username) ?? null;
  }

  #secret(): string {
    const secret = randomBytes(32).toString("base64url");
    this.#ledger.oauth.add(secret);
    return secret;
  }

  #issue(grant: Grant): object {
    const accessToken = this.#secret();
    const refreshToken = this.#secret();
    this.#accessTokens.set(accessToken, { grant, expiresAt: this.#now() + ACCESS_TOKEN_LIFETIME });
    this.#refreshTokens.set(refreshToken, { grant, expiresAt: this.#now() + REFRESH_TOKEN_LIFETIME, used: false });
    const ownerId = String(this.#users.get(grant.username)?.userId ?? "");
    return {
      access_token: accessToken,
      token_type: "bearer",
      expires_in: ACCESS_TOKEN_LIFETIME / 1000,
      refresh_token: refreshToken,
      refresh_token_expires_in: REFRESH_TOKEN_LIFETIME / 1000,
      scope: "ReadAccounts",
      owner_id: ownerId,
      endpoint_id: "sandbox",
    };
  }
}
