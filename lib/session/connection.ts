import "server-only";
import { TokendeskError } from "@/lib/errors";
import { RingcxClient } from "@/lib/ringcx/client";
import { renew } from "@/lib/session/refresh";
import type { Connection } from "@/lib/session/schema";

/** Nothing crosses it: host and main account, `engage.ringcentral.com|333333`. */
export function tenantOf({ host, mainAccountId }: Pick<Connection, "host" | "mainAccountId">): string {
  return `${new URL(host).host}|${mainAccountId}`;
}

/** A connection at work: the client for it, and the newest state of its tokens. */
export class LiveConnection {
  readonly client: RingcxClient;
  #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    const { host, id, mainAccountId, username } = connection;
    this.client = new RingcxClient(
      // The vendor's limit is per user, however often that user signs in here.
      { host, connectionId: id, limitKey: `${host}|${mainAccountId}|${username.toLowerCase()}` },
      { current: () => this.#connection.accessToken, renew: (refused) => this.#renew(refused) },
    );
  }

  /** To be kept in the cookie when it is not the one that was read from it. */
  get connection(): Connection {
    return this.#connection;
  }

  async #renew(refused: string): Promise<string> {
    const renewal = await renew(this.#connection, refused);
    if (renewal.kind === "ended") {
      throw new TokendeskError("session_expired", "RingCX has ended your session. Sign in again to go on.");
    }
    if (renewal.kind === "postponed") {
      throw new TokendeskError(
        "upstream_unavailable",
        "RingCX could not renew your session just now. You are still signed in; try again in a moment.",
        { retryAfter: renewal.retryAfterMs / 1000 },
      );
    }
    this.#connection = renewal.connection;
    return renewal.connection.accessToken;
  }
}
