import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { Platform, SecretLedger, Settings } from "./platform.ts";
import { PLATFORM_ID, type SandboxUser } from "./seed.ts";

/** What a sign-in or a refresh hands out. No refresh token: a token exchange without `includeRefresh=true`. */
export type IssuedTokens = { user: SandboxUser; accessToken: string; refreshToken: string | null; ssoLogin: boolean };

/** A sign-in and everything that descends from it: the unit that reuse of an old refresh token ends. */
type Family = { id: string; username: string; ssoLogin: boolean; currentRefreshToken: string | null; ended: boolean };

/** A legacy portal session: 1 h, or 2 weeks with `stayLoggedIn`, from its last use. Milliseconds. */
type PortalSession = { username: string; lifetime: number; expiresAt: number };

type JwtFault = "Jwt is missing" | "Jwt is expired" | "Jwt verification fails";

const HOUR = 3_600_000;
const JWT_HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");

/** Access tokens (JWT), rotating refresh tokens and legacy portal sessions. */
export class Sessions {
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #ledger: SecretLedger;
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  readonly #families = new Map<string, Family>();
  readonly #refreshTokens = new Map<string, Family>();
  readonly #portal = new Map<string, PortalSession>();
  #serial = 0;
  #expiredUpTo = 0;

  constructor(platform: Platform, settings: Settings, ledger: SecretLedger, now: () => number) {
    this.#platform = platform;
    this.#settings = settings;
    this.#ledger = ledger;
    this.#now = now;
  }

  signIn(user: SandboxUser, ssoLogin: boolean, includeRefresh: boolean): IssuedTokens {
    const family: Family = {
      id: randomUUID(),
      username: user.username,
      ssoLogin,
      currentRefreshToken: null,
      ended: false,
    };
    this.#families.set(family.id, family);
    return this.#issue(family, user, includeRefresh);
  }

  /** New tokens for a current refresh token. Null for any other; one that was already used also ends its session. */
  refresh(refreshToken: string): IssuedTokens | null {
    const family = this.#refreshTokens.get(refreshToken);
    if (family === undefined || family.ended) return null;
    if (family.currentRefreshToken !== refreshToken) {
      family.ended = true;
      return null;
    }
    const user = this.#platform.users.get(family.username);
    if (user === undefined || !user.enabled) return null;
    return this.#issue(family, user, true);
  }

  userOfRefreshToken(refreshToken: string): SandboxUser | null {
    const family = this.#refreshTokens.get(refreshToken);
    return family === undefined ? null : (this.#platform.users.get(family.username) ?? null);
  }

  /** Ends the session of any of its refresh tokens, old ones included. False when the token was never issued. */
  end(refreshToken: string): boolean {
    const family = this.#refreshTokens.get(refreshToken);
    if (family === undefined) return false;
    family.ended = true;
    return true;
  }

  /** Refresh tokens die at once; access tokens live on until they expire. Null: those of every user. */
  killRefreshTokens(username: string | null): number {
    let killed = 0;
    for (const [token, family] of this.#refreshTokens) {
      if (username !== null && family.username !== username) continue;
      this.#refreshTokens.delete(token);
      killed += 1;
    }
    return killed;
  }

  /** The `authToken`s of a portal die at once. Null: those of every user. */
  killPortalSessions(username: string | null): number {
    const killed = [...this.#portal].filter(([, session]) => username === null || session.username === username);
    for (const [authToken] of killed) this.#portal.delete(authToken);
    return killed.length;
  }

  expireAccessTokens(): void {
    this.#expiredUpTo = this.#serial;
  }

  /** The user of a live access token with its claims, else what the vendor's gateway says about it. */
  verify(accessToken: string): { user: SandboxUser; claims: Record<string, unknown> } | JwtFault {
    const [header, payload, signature, ...rest] = accessToken.split(".");
    if (header !== JWT_HEADER || payload === undefined || signature === undefined || rest.length > 0) {
      return "Jwt verification fails";
    }
    const expected = createHmac("sha256", this.#key).update(`${header}.${payload}`).digest();
    const given = Buffer.from(signature, "base64url");
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "Jwt verification fails";
    const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    if (Number(claims.exp) * 1000 <= this.#now() || Number(claims.serial) <= this.#expiredUpTo) return "Jwt is expired";
    const family = this.#families.get(String(claims.sid));
    const user = this.#platform.users.get(String(claims.sub));
    if (family === undefined || family.ended || user === undefined) return "Jwt verification fails";
    return { user, claims };
  }

  openPortalSession(user: SandboxUser, stayLoggedIn: boolean): string {
    const authToken = randomUUID();
    const lifetime = stayLoggedIn ? 14 * 24 * HOUR : HOUR;
    this.#portal.set(authToken, { username: user.username, lifetime, expiresAt: this.#now() + lifetime });
    this.#ledger.authTokens.add(authToken);
    return authToken;
  }

  /** The user of a live portal session. A look, not a use: it prolongs nothing. */
  userOfAuthToken(authToken: string): SandboxUser | null {
    const session = this.#portal.get(authToken);
    if (session === undefined || session.expiresAt <= this.#now()) return null;
    return this.#platform.users.get(session.username) ?? null;
  }

  /** Each use prolongs a portal session by its whole lifetime. */
  prolong(authToken: string): void {
    const session = this.#portal.get(authToken);
    if (session !== undefined && session.expiresAt > this.#now()) session.expiresAt = this.#now() + session.lifetime;
  }

  #issue(family: Family, user: SandboxUser, includeRefresh: boolean): IssuedTokens {
    const accessToken = this.#accessToken(family, user);
    this.#ledger.accessTokens.add(accessToken);
    const refreshToken = includeRefresh ? randomBytes(48).toString("base64url") : null;
    if (refreshToken !== null) {
      this.#refreshTokens.set(refreshToken, family);
      this.#ledger.refreshTokens.add(refreshToken);
    }
    family.currentRefreshToken = refreshToken;
    return { user, accessToken, refreshToken, ssoLogin: family.ssoLogin };
  }

  /** An HS256 JWT, filled to the configured length with permission data that does not compress. */
  #accessToken(family: Family, user: SandboxUser): string {
    this.#serial += 1;
    const issuedAt = Math.floor(this.#now() / 1000);
    const claims = {
      iss: "engage-auth",
      aud: "engage-voice",
      sub: user.username,
      iat: issuedAt,
      exp: issuedAt + this.#settings.accessTokenSeconds,
      jti: randomUUID(),
      sid: family.id,
      serial: this.#serial,
      platformId: PLATFORM_ID,
      mainAccountId: user.mainAccountId,
      adminId: user.userId,
      ssoLogin: family.ssoLogin,
      authorities: user.roles,
      permissions: "",
    };
    const room = this.#settings.accessTokenBytes - JWT_HEADER.length - 43 - 2;
    const filler = Math.floor((room * 3) / 4) - Buffer.byteLength(JSON.stringify(claims));
    if (filler > 0) claims.permissions = randomBytes(filler).toString("base64url").slice(0, filler);
    const signed = `${JWT_HEADER}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
    return `${signed}.${createHmac("sha256", this.#key).update(signed).digest("base64url")}`;
  }
}
