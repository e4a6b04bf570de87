import "server-only";
import { z } from "zod";
import type { SubAccount } from "@/lib/accounts/schema";
import { UpstreamError } from "@/lib/ringcx/errors";
import { type Answer, type Call, send } from "@/lib/ringcx/http";
import type { Priority } from "@/lib/ringcx/limiter";
import {
  accountList,
  documentedTokenValue,
  type Grant,
  type PartialList,
  refreshAnswer,
  type SignInAnswer,
  signInAnswer,
  tokenValue,
  tokenValueList,
  type VendorUser,
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

  constructor(address: ConnectionAddress, credentials: CredentialSource) {
    this.#address = address;
    this.#credentials = credentials;
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
      parse: (answer): DeletionAnswer => {
        const text = answer.body.trim().toLowerCase();
        if (answer.status === 204 || text === "true") return "accepted";
        return text === "false" ? "refused" : "unclear";
      },
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
    priority: Priority = "interactive",
  ): Promise<T> {
    const { host, limitKey } = this.#address;
    const sent = send({ ...call, headers, host, limit: { key: limitKey, priority } });
    return call.kind === "effect" ? sent.finally(() => this.#forgetReads()) : sent;
  }
}

function bearer(accessToken: string): Record<string, string> {
  return { authorization: `Bearer ${accessToken}` };
}
