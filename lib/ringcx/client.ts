import "server-only";
import { z } from "zod";
import type { SubAccount } from "@/lib/accounts/schema";
import { env } from "@/lib/env";
import { UpstreamError } from "@/lib/ringcx/errors";
import { type Answer, type Call, chargeCalls, send, spentCalls, waitForCalls } from "@/lib/ringcx/http";
import type { Priority } from "@/lib/ringcx/limiter";
import {
  accountList,
  documentedTokenValue,
  type Grant,
  homeAmong,
  type LegacyAnswer,
  legacyAnswer,
  type PartialList,
  refreshAnswer,
  ringexAccount,
  ringexExtension,
  type SignInAnswer,
  signInAnswer,
  type TokenHolder,
  tokenHolder,
  tokenValue,
  tokenValueList,
  type VendorChange,
  type VendorUser,
  vendorChangeList,
  vendorUserList,
} from "@/lib/ringcx/schemas";

/**
 * The one door to RingCX, its legacy portals and RingEX. Paths, parameters and answers are those of ringcx/README and
 * openapi-excerpt.json. Every function throws {@link UpstreamError}, classified.
 */

const listMaxBytes = 16 * 1024 * 1024;

function json<T>(schema: z.ZodType<T>) {
  return (answer: Answer): T => schema.parse(JSON.parse(answer.body));
}

/** One percent-encoded path segment. `.` and `..` would be resolved away by every URL parser. */
function segment(value: string): string {
  if (/^\.{0,2}$/.test(value)) throw new Error("not a path segment");
  return encodeURIComponent(value);
}

const form = { "content-type": "application/x-www-form-urlencoded" };

/** `POST /api/auth/login/admin`. The vendor wants the password in the query; this URL is never logged. */
export function signInAdmin(
  host: string,
  credentials: { username: string; password: string; platformId: string },
): Promise<SignInAnswer> {
  const query = Object.entries(credentials).map(
    ([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`,
  );
  return send({
    operation: "login",
    host,
    method: "POST",
    path: `/api/auth/login/admin?${query.join("&")}`,
    parse: json(signInAnswer),
    kind: "effect",
  });
}

/**
 * `POST /api/auth/login/rc/accesstoken`: a RingEX sign-in becomes a RingCX one. The vendor allows five a minute: it is
 * never repeated here, and who calls keeps within that limit.
 */
export function exchangeRingexToken(
  host: string,
  { accessToken, tokenType }: { accessToken: string; tokenType: string },
): Promise<SignInAnswer> {
  // OAuth does not care for the case of a token type; the vendor documents this one.
  const rcTokenType = /^bearer$/i.test(tokenType) ? "Bearer" : tokenType;
  return send({
    operation: "exchange",
    host,
    method: "POST",
    path: "/api/auth/login/rc/accesstoken?includeRefresh=true",
    headers: form,
    body: new URLSearchParams({ rcAccessToken: accessToken, rcTokenType }).toString(),
    parse: json(signInAnswer),
    kind: "effect",
  });
}

/** Who signed in with RingEX. What it does not say is null. */
type RingexPerson = { accountId: string; extensionId: string; name: string | null; email: string | null };

/** `GET /restapi/v1.0/account/~/extension/~` and `GET /restapi/v1.0/account/~` of the RingEX server. */
export async function ringexPerson(serverUrl: string, accessToken: string): Promise<RingexPerson> {
  const ask = <T>(operation: string, path: string, schema: z.ZodType<T>) =>
    send({
      operation,
      system: "ringex",
      host: serverUrl,
      method: "GET",
      path,
      headers: bearer(accessToken),
      parse: json(schema),
      kind: "read",
    });
  const [extension, accountId] = await Promise.all([
    ask("rc.extension", "/restapi/v1.0/account/~/extension/~", ringexExtension),
    ask("rc.account", "/restapi/v1.0/account/~", ringexAccount),
  ]);
  return { accountId, ...extension };
}

/** What a legacy portal issued at sign-in. */
type LegacySignIn = Omit<LegacyAnswer, "rcAccountId"> & {
  /** How long `authToken` lives after its last use, in milliseconds. */
  lifetimeMs: number;
};

const hourMs = 3_600_000;

/**
 * `POST {portal}/v1/auth/login`. The answer names the main account through the user's sub-accounts; where it names none
 * the portal's list of them is asked. `mainAccountId` null: nothing says it.
 */
export async function signInLegacy(
  portal: string,
  { username, password, stayLoggedIn }: { username: string; password: string; stayLoggedIn: boolean },
): Promise<LegacySignIn> {
  const { rcAccountId, ...answer } = await send({
    operation: "legacy.login",
    system: "legacy",
    host: portal,
    method: "POST",
    path: `${apis.legacy.base}/auth/login`,
    headers: form,
    body: new URLSearchParams({ username, password, stayLoggedIn: String(stayLoggedIn) }).toString(),
    parse: json(legacyAnswer),
    kind: "effect",
    maxBytes: listMaxBytes,
  });
  return {
    ...answer,
    mainAccountId: answer.mainAccountId ?? (await legacyHome(portal, answer.authToken, rcAccountId)),
    lifetimeMs: stayLoggedIn ? 14 * 24 * hourMs : hourMs,
  };
}

async function legacyHome(portal: string, authToken: string, rcAccountId: string | null): Promise<string | null> {
  try {
    return await send({
      operation: "accounts",
      system: "legacy",
      host: portal,
      method: "GET",
      path: `${apis.legacy.base}/admin/accounts`,
      headers: apis.legacy.credential(authToken),
      parse: json(homeAmong(rcAccountId)),
      kind: "read",
      maxBytes: listMaxBytes,
    });
  } catch (error) {
    // Who may not see accounts, or has a portal that lists none, is still who they are.
    if (error instanceof UpstreamError && ["forbidden", "not_found"].includes(error.reason)) return null;
    throw error;
  }
}

/** `POST /api/auth/token/refresh`. The refresh token given is used up, whatever the answer. */
export function refreshSession(host: string, refreshToken: string): Promise<Grant> {
  return send({
    operation: "refresh",
    host,
    method: "POST",
    path: "/api/auth/token/refresh",
    headers: form,
    body: new URLSearchParams({ refresh_token: refreshToken, rcTokenType: "Bearer" }).toString(),
    parse: json(refreshAnswer),
    kind: "effect",
  });
}

/** `DELETE /api/auth/logout/{refreshToken}`. */
export function endSession(host: string, refreshToken: string): Promise<void> {
  return send({
    operation: "logout",
    host,
    method: "DELETE",
    path: `/api/auth/logout/${segment(refreshToken)}`,
    parse: () => undefined,
    kind: "effect",
    timeoutMs: 3_000,
  });
}

/** Where a connection's access token comes from, and how a new one is got when RingCX refuses it. */
type CredentialSource = {
  current(): string;
  /**
   * A successor of the refused access token.
   * @throws {TokendeskError} `session_expired` when there is none and never will be, else transient codes
   */
  renew(refused: string): Promise<string>;
};

/** What RingCX said to a deletion. Only `accepted` is its word for success, and even that is not a proof. */
export type DeletionAnswer = "accepted" | "refused" | "unclear";

type TokenValues = PartialList<string> & { askedAt: number };

/** Where the admin API of a host is, and which header takes the credential of a sign-in. */
const apis = {
  ringcx: { base: "/voice/api/v1", credential: bearer },
  legacy: { base: "/v1", credential: xAuthToken },
};

type ConnectionAddress = {
  /** `legacy`: a portal, with the path before `/v1` in its host. Absent: as the configuration knows the host. */
  kind?: "ringcx" | "legacy" | undefined;
  host: string;
  /** Names this sign-in: what one connection reads is never handed to another. */
  connectionId: string;
  /** Names whom the vendor counts requests for. */
  limitKey: string;
};

/** A key's host stands without its kind. */
function kindOf({ kind, host }: Pick<ConnectionAddress, "kind" | "host">): "ringcx" | "legacy" {
  const { ringcxHosts, ringcxLegacyHosts } = env();
  return kind ?? (ringcxLegacyHosts.includes(host) && !ringcxHosts.includes(host) ? "legacy" : "ringcx");
}

const slot = Symbol.for("tokendesk.ringcx.reads");
type Slot = { [slot]?: Map<string, Promise<unknown>> };

/** Reads under way, by connection and operation. */
function readsUnderWay(): Map<string, Promise<unknown>> {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  return holder[slot];
}

/** The calls of one connection, within its budget, with its access token kept fresh. Paths are below the admin API's. */
export class RingcxClient {
  readonly #address: ConnectionAddress & { kind: "ringcx" | "legacy" };
  readonly #credentials: CredentialSource;
  readonly #priority: Priority;

  constructor(address: ConnectionAddress, credentials: CredentialSource, priority: Priority = "interactive") {
    this.#address = { ...address, kind: kindOf(address) };
    this.#credentials = credentials;
    this.#priority = priority;
  }

  /** The same for an incident: its calls come before all others and wait for their turn as long as it takes. */
  urgent(): RingcxClient {
    return new RingcxClient(this.#address, this.#credentials, "incident");
  }

  /**
   * `GET admin/token`: the values of the user's own tokens, without doubles. Pages that ask at the
   * same moment share one answer; `fresh` asks on its own, for what must be true now. `askedAt`: when the first of those
   * who share it asked, epoch milliseconds; what came later may be missing.
   */
  listTokenValues({ fresh = false } = {}): Promise<TokenValues> {
    const list = async () => ({ askedAt: Date.now(), ...(await this.#listTokenValues()) });
    return fresh ? list() : this.#share("token.list", list);
  }

  #listTokenValues(): Promise<PartialList<string>> {
    return this.#authorized({
      operation: "token.list",
      method: "GET",
      path: "/admin/token",
      parse: json(tokenValueList),
      kind: "read",
      maxBytes: listMaxBytes,
    });
  }

  /**
   * `POST admin/token`: mints a token and returns what RingCX answered. **Sent once**, whatever
   * happens: every call mints another one. With `failure: "unknown"` a token may exist that nobody was told of.
   * `documented`: the answer has the form that the vendor shows; any other word could be a message.
   */
  createTokenValue(): Promise<{ value: string; documented: boolean }> {
    return this.#send({
      operation: "token.create",
      method: "POST",
      path: "/admin/token",
      parse: (answer) => {
        const text = answer.body.trim();
        const value = tokenValue.parse(text.startsWith('"') ? JSON.parse(text) : text);
        return { value, documented: documentedTokenValue.test(value) };
      },
      kind: "effect",
    });
  }

  /** `DELETE admin/token/{apiToken}`. */
  deleteTokenValue(value: string): Promise<DeletionAnswer> {
    return this.#authorized({
      operation: "token.delete",
      method: "DELETE",
      path: `/admin/token/${segment(value)}`,
      parse: deletionAnswer,
      kind: "effect",
    });
  }

  /**
   * Does RingCX still accept this token? Lists with `X-Auth-Token`, which keeps the value out of URLs: 200 is
   * alive, 401 is dead, everything else (a gateway that lost the header, too) throws and says nothing.
   */
  isAlive(value: string): Promise<boolean> {
    return isAccepted(this.#send(tokenCheck, xAuthToken(value)));
  }

  /** `GET admin/auth`: who signed in. The credential in the answer is dropped at the parser. */
  whoami(): Promise<TokenHolder> {
    return this.#share("auth", () =>
      this.#authorized({
        operation: "auth",
        method: "GET",
        path: "/admin/auth",
        parse: json(tokenHolder),
        kind: "read",
        maxBytes: listMaxBytes,
      }),
    );
  }

  /** `GET admin/accounts`, four fields of each. */
  listAccounts(): Promise<PartialList<SubAccount>> {
    return this.#share("accounts", () =>
      this.#authorized({
        operation: "accounts",
        method: "GET",
        path: "/admin/accounts",
        parse: json(accountList),
        kind: "read",
        maxBytes: listMaxBytes,
      }),
    );
  }

  /**
   * `GET admin/users`: the users below this one, those that have left included. Refused without the
   * permission to manage users.
   */
  listUsers(): Promise<PartialList<VendorUser>> {
    return this.#share("users", () =>
      this.#authorized({
        operation: "users",
        method: "GET",
        path: "/admin/users?activeOnly=false&flatten=true",
        parse: json(vendorUserList),
        kind: "read",
        maxBytes: listMaxBytes,
      }),
    );
  }

  /** The way to a token that is at hand, on this connection's host and budget. */
  holding(value: string, patienceMs?: number): TokenClient {
    return new TokenClient(this.#address, value, patienceMs);
  }

  /** A hundred tabs that reload at once cost the vendor's budget one request. */
  #share<T>(operation: string, read: () => Promise<T>): Promise<T> {
    const reads = readsUnderWay();
    const key = `${this.#address.connectionId} ${operation}`;
    const underWay = reads.get(key) as Promise<T> | undefined;
    if (underWay !== undefined) return underWay;
    const started = read().finally(() => {
      if (reads.get(key) === started) reads.delete(key);
    });
    reads.set(key, started);
    return started;
  }

  /** What began before a change must not answer for what is after it. */
  #forgetReads(): void {
    readsUnderWay().delete(`${this.#address.connectionId} token.list`);
  }

  /** Sends with the access token; when RingCX refuses it, once more with its successor. Not for creations. */
  async #authorized<T>(call: AdminCall<T>): Promise<T> {
    const accessToken = this.#credentials.current();
    try {
      return await this.#send(call, this.#header(accessToken));
    } catch (error) {
      if (!(error instanceof UpstreamError && error.failure === "credentials")) throw error;
      return this.#send(call, this.#header(await this.#credentials.renew(accessToken)));
    }
  }

  #header(accessToken: string): Record<string, string> {
    return apis[this.#address.kind].credential(accessToken);
  }

  #send<T>(
    call: AdminCall<T>,
    headers: Record<string, string> = this.#header(this.#credentials.current()),
  ): Promise<T> {
    const { kind, host, limitKey } = this.#address;
    const priority = this.#priority;
    const patience = priority === "incident" ? { patienceMs: incidentPatienceMs } : {};
    const path = `${apis[kind].base}${call.path}`;
    const limit = { key: limitKey, priority, ...patience };
    const sent = send({ ...call, headers, system: kind, host, path, limit });
    const told = kind === "legacy" ? sent.catch(misledAboutPortal) : sent;
    return call.kind === "effect" ? told.finally(() => this.#forgetReads()) : told;
  }
}

/** `path`: below the admin API's. */
type AdminCall<T> = Omit<Call<T>, "system" | "host" | "limit">;

/** The list as the question whether its credential is accepted: what stands in it does not matter. */
const tokenCheck: AdminCall<unknown[]> = {
  operation: "token.check",
  method: "GET",
  path: "/admin/token",
  parse: json(z.array(z.unknown())),
  kind: "read",
  maxBytes: listMaxBytes,
};

/** What RingCX says to that: true: it accepts the credential; false: 401; everything else throws and says nothing. */
async function isAccepted(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (error instanceof UpstreamError && error.reason === "unauthorized") return false;
    throw error;
  }
}

/** A portal knows no JWT: a gateway that misses one never looked at the `authToken`, so that it is as good as before. */
function misledAboutPortal(error: unknown): never {
  if (!(error instanceof UpstreamError && error.reason === "jwt_refused")) throw error;
  throw new UpstreamError(error.operation, "transient", "bad_response", { status: 401, cause: error });
}

function deletionAnswer(answer: Answer): DeletionAnswer {
  const text = answer.body.trim().toLowerCase();
  if (answer.status === 204 || text === "true") return "accepted";
  return text === "false" ? "refused" : "unclear";
}

/** How long a call for an incident waits for its turn: a run of 2,000 tokens at 120 calls a minute takes 50 minutes. */
const incidentPatienceMs = 90 * 60_000;

/**
 * What can be done with a token itself, `X-Auth-Token`, and nobody signed in. Its calls come before all others of that
 * budget and wait for their turn as long as it takes. A token that RingCX refuses is told as {@link UpstreamError} with
 * `reason: "unauthorized"`.
 */
export class TokenClient {
  readonly #kind: "ringcx" | "legacy";
  readonly #host: string;
  readonly #limitKey: string;
  readonly #value: string;
  readonly #patienceMs: number;

  /** `patienceMs`: how long a call may wait for its turn. */
  constructor(
    address: Omit<ConnectionAddress, "connectionId">,
    value: string,
    patienceMs: number = incidentPatienceMs,
  ) {
    this.#kind = kindOf(address);
    this.#host = address.host;
    this.#limitKey = address.limitKey;
    this.#value = value;
    this.#patienceMs = patienceMs;
  }

  get host(): string {
    return this.#host;
  }

  /** A lower bound, in ms, of the time that `calls` more requests on this budget take. */
  waitForCalls(calls: number): number {
    return waitForCalls(this.#limitKey, calls);
  }

  /** When the requests of the last minute on this budget ended, epoch milliseconds. */
  spentCalls(): number[] {
    return spentCalls(this.#limitKey);
  }

  /** Takes what another process spent out of this budget. */
  chargeCalls(ended: readonly number[]): void {
    chargeCalls(this.#limitKey, ended);
  }

  /** `GET admin/token`: the values of all tokens of this token's user, itself included. */
  listTokenValues(): Promise<PartialList<string>> {
    return this.#read("token.list", "/admin/token", tokenValueList);
  }

  /** Does RingCX still accept it? As {@link RingcxClient.isAlive}. */
  isAlive(): Promise<boolean> {
    return isAccepted(this.#send(tokenCheck));
  }

  /** `GET admin/auth`: whom the token acts for. The credential in the answer is dropped at the parser. */
  whose(): Promise<TokenHolder> {
    return this.#read("auth", "/admin/auth", tokenHolder);
  }

  /** `GET admin/accounts`, four fields of each. */
  listAccounts(): Promise<PartialList<SubAccount>> {
    return this.#read("accounts", "/admin/accounts", accountList);
  }

  /**
   * `PUT admin/auditLogs/search`: what was changed in a sub-account, as far as the vendor shows it: events
   * appear after five minutes, and reading takes the permission "Audit log access". `from`, `to`: epoch milliseconds.
   */
  searchVendorLog(account: string, from: number, to: number): Promise<PartialList<VendorChange>> {
    return this.#send({
      operation: "auditLogs.search",
      method: "PUT",
      path: "/admin/auditLogs/search",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ accountId: account, startDateTime: withOffset(from), endDateTime: withOffset(to) }),
      parse: json(vendorChangeList),
      kind: "read",
      maxBytes: listMaxBytes,
    });
  }

  /** `DELETE admin/token/{apiToken}`, authorised by the token itself. */
  delete(): Promise<DeletionAnswer> {
    return this.#send({
      operation: "token.delete",
      method: "DELETE",
      path: `/admin/token/${segment(this.#value)}`,
      parse: deletionAnswer,
      kind: "effect",
    });
  }

  #read<T>(operation: string, path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#send({ operation, method: "GET", path, parse: json(schema), kind: "read", maxBytes: listMaxBytes });
  }

  #send<T>(call: AdminCall<T>): Promise<T> {
    return send({
      ...call,
      headers: { ...call.headers, ...xAuthToken(this.#value) },
      system: this.#kind,
      host: this.#host,
      path: `${apis[this.#kind].base}${call.path}`,
      limit: { key: this.#limitKey, priority: "incident", patienceMs: this.#patienceMs },
    });
  }
}

/** ISO 8601 in UTC with an explicit offset: the vendor refuses `Z`. */
function withOffset(at: number): string {
  return new Date(at).toISOString().replace("Z", "+00:00");
}

function bearer(accessToken: string): Record<string, string> {
  return { authorization: `Bearer ${accessToken}` };
}

function xAuthToken(token: string): Record<string, string> {
  return { "x-auth-token": token };
}
