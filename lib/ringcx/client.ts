import "server-only";
import { z } from "zod";
import type { SubAccount } from "@/lib/accounts/schema";
import { UpstreamError } from "@/lib/ringcx/errors";
import { type Answer, type Call, chargeCalls, send, spentCalls, waitForCalls } from "@/lib/ringcx/http";
import type { Priority } from "@/lib/ringcx/limiter";
import {
  accountList,
  documentedTokenValue,
  type Grant,
  type PartialList,
  refreshAnswer,
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
 * The one door to RingCX. Paths, parameters and answers are those of ringcx/README and openapi-excerpt.json.
 * Every function throws {@link UpstreamError}, classified.
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
export type CredentialSource = {
  current(): string;
  /**
   * A successor of the refused access token.
   * @throws {TokendeskError} `session_expired` when there is none and never will be, else transient codes
   */
  renew(refused: string): Promise<string>;
};

/** What RingCX said to a deletion. Only `accepted` is its word for success, and even that is not a proof. */
export type DeletionAnswer = "accepted" | "refused" | "unclear";

export type TokenValues = PartialList<string> & { askedAt: number };

export type ConnectionAddress = {
  host: string;
  /** Names this sign-in: what one connection reads is never handed to another. */
  connectionId: string;
  /** Names whom the vendor counts requests for. */
  limitKey: string;
};

const slot = Symbol.for("tokendesk.ringcx.reads");
type Slot = { [slot]?: Map<string, Promise<unknown>> };

/** Reads under way, by connection and operation. */
function readsUnderWay(): Map<string, Promise<unknown>> {
  const holder = globalThis as Slot;
  holder[slot] ??= new Map();
  return holder[slot];
}

/** The calls of one connection, within its budget, with its access token kept fresh. */
export class RingcxClient {
  readonly #address: ConnectionAddress;
  readonly #credentials: CredentialSource;
  readonly #priority: Priority;

  constructor(address: ConnectionAddress, credentials: CredentialSource, priority: Priority = "interactive") {
    this.#address = address;
    this.#credentials = credentials;
    this.#priority = priority;
  }

  /** The same for an incident: its calls come before all others and wait for their turn as long as it takes. */
  urgent(): RingcxClient {
    return new RingcxClient(this.#address, this.#credentials, "incident");
  }

  /**
   * `GET /voice/api/v1/admin/token`: the values of the user's own tokens, without doubles. Pages that ask at the
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
      path: "/voice/api/v1/admin/token",
      parse: json(tokenValueList),
      kind: "read",
      maxBytes: listMaxBytes,
    });
  }

  /**
   * `POST /voice/api/v1/admin/token`: mints a token and returns what RingCX answered. **Sent once**, whatever
   * happens: every call mints another one. With `failure: "unknown"` a token may exist that nobody was told of.
   * `documented`: the answer has the form that the vendor shows; any other word could be a message.
   */
  createTokenValue(): Promise<{ value: string; documented: boolean }> {
    return this.#send({
      operation: "token.create",
      method: "POST",
      path: "/voice/api/v1/admin/token",
      parse: (answer) => {
        const text = answer.body.trim();
        const value = tokenValue.parse(text.startsWith('"') ? JSON.parse(text) : text);
        return { value, documented: documentedTokenValue.test(value) };
      },
      kind: "effect",
    });
  }

  /** `DELETE /voice/api/v1/admin/token/{apiToken}`. */
  deleteTokenValue(value: string): Promise<DeletionAnswer> {
    return this.#authorized({
      operation: "token.delete",
      method: "DELETE",
      path: `/voice/api/v1/admin/token/${segment(value)}`,
      parse: deletionAnswer,
      kind: "effect",
    });
  }

  /**
   * Does RingCX still accept this token? Lists with `X-Auth-Token`, which keeps the value out of URLs: 200 is
   * alive, 401 is dead, everything else (a gateway that lost the header, too) throws and says nothing.
   */
  async isAlive(value: string): Promise<boolean> {
    try {
      await this.#send(
        {
          operation: "token.check",
          method: "GET",
          path: "/voice/api/v1/admin/token",
          parse: json(z.array(z.unknown())),
          kind: "read",
          maxBytes: listMaxBytes,
        },
        { "x-auth-token": value },
      );
      return true;
    } catch (error) {
      if (error instanceof UpstreamError && error.reason === "unauthorized") return false;
      throw error;
    }
  }

  /** `GET /voice/api/v1/admin/accounts`, four fields of each. */
  listAccounts(): Promise<PartialList<SubAccount>> {
    return this.#share("accounts", () =>
      this.#authorized({
        operation: "accounts",
        method: "GET",
        path: "/voice/api/v1/admin/accounts",
        parse: json(accountList),
        kind: "read",
        maxBytes: listMaxBytes,
      }),
    );
  }

  /**
   * `GET /voice/api/v1/admin/users`: the users below this one, those that have left included. Refused without the
   * permission to manage users.
   */
  listUsers(): Promise<PartialList<VendorUser>> {
    return this.#share("users", () =>
      this.#authorized({
        operation: "users",
        method: "GET",
        path: "/voice/api/v1/admin/users?activeOnly=false&flatten=true",
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
  async #authorized<T>(call: Omit<Call<T>, "host" | "limit">): Promise<T> {
    const accessToken = this.#credentials.current();
    try {
      return await this.#send(call, bearer(accessToken));
    } catch (error) {
      if (!(error instanceof UpstreamError && error.failure === "credentials")) throw error;
      return this.#send(call, bearer(await this.#credentials.renew(accessToken)));
    }
  }

  #send<T>(
    call: Omit<Call<T>, "host" | "limit">,
    headers: Record<string, string> = bearer(this.#credentials.current()),
  ): Promise<T> {
    const { host, limitKey } = this.#address;
    const priority = this.#priority;
    const patience = priority === "incident" ? { patienceMs: incidentPatienceMs } : {};
    const sent = send({ ...call, headers, host, limit: { key: limitKey, priority, ...patience } });
    return call.kind === "effect" ? sent.finally(() => this.#forgetReads()) : sent;
  }
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
  readonly #host: string;
  readonly #limitKey: string;
  readonly #value: string;
  readonly #patienceMs: number;

  /** `patienceMs`: how long a call may wait for its turn. */
  constructor(
    { host, limitKey }: Pick<ConnectionAddress, "host" | "limitKey">,
    value: string,
    patienceMs: number = incidentPatienceMs,
  ) {
    this.#host = host;
    this.#limitKey = limitKey;
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

  /** `GET /voice/api/v1/admin/token`: the values of all tokens of this token's user, itself included. */
  listTokenValues(): Promise<PartialList<string>> {
    return this.#read("token.list", "/voice/api/v1/admin/token", tokenValueList);
  }

  /** The same, for the status alone: true: RingCX accepts it; false: 401; everything else throws and says nothing. */
  async isAlive(): Promise<boolean> {
    try {
      await this.#read("token.check", "/voice/api/v1/admin/token", z.array(z.unknown()));
      return true;
    } catch (error) {
      if (error instanceof UpstreamError && error.reason === "unauthorized") return false;
      throw error;
    }
  }

  /** `GET /voice/api/v1/admin/auth`: whom the token acts for. The credential in the answer is dropped at the parser. */
  whose(): Promise<TokenHolder> {
    return this.#read("auth", "/voice/api/v1/admin/auth", tokenHolder);
  }

  /** `GET /voice/api/v1/admin/accounts`, four fields of each. */
  listAccounts(): Promise<PartialList<SubAccount>> {
    return this.#read("accounts", "/voice/api/v1/admin/accounts", accountList);
  }

  /**
   * `PUT /voice/api/v1/admin/auditLogs/search`: what was changed in a sub-account, as far as the vendor shows it: events
   * appear after five minutes, and reading takes the permission "Audit log access". `from`, `to`: epoch milliseconds.
   */
  searchVendorLog(account: string, from: number, to: number): Promise<PartialList<VendorChange>> {
    return this.#send({
      operation: "auditLogs.search",
      method: "PUT",
      path: "/voice/api/v1/admin/auditLogs/search",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ accountId: account, startDateTime: withOffset(from), endDateTime: withOffset(to) }),
      parse: json(vendorChangeList),
      kind: "read",
      maxBytes: listMaxBytes,
    });
  }

  /** `DELETE /voice/api/v1/admin/token/{apiToken}`, authorised by the token itself. */
  delete(): Promise<DeletionAnswer> {
    return this.#send({
      operation: "token.delete",
      method: "DELETE",
      path: `/voice/api/v1/admin/token/${segment(this.#value)}`,
      parse: deletionAnswer,
      kind: "effect",
    });
  }

  #read<T>(operation: string, path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#send({ operation, method: "GET", path, parse: json(schema), kind: "read", maxBytes: listMaxBytes });
  }

  #send<T>(call: Omit<Call<T>, "host" | "limit">): Promise<T> {
    return send({
      ...call,
      headers: { ...call.headers, "x-auth-token": this.#value },
      host: this.#host,
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
