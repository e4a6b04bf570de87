import "server-only";
import { TokendeskError } from "@/lib/errors";
import { RingcxClient } from "@/lib/ringcx/client";
import { renew } from "@/lib/session/refresh";
import type { Connection } from "@/lib/session/schema";

/** A connection at work: the client for it, and the newest state of its tokens. */
export class LiveConnection {
  readonly client: RingcxClient;
  #connection: Connection;
  readonly #isHome: boolean;

  /** `isHome`: the sign-in stands on it, and ends with it. */
  constructor(connection: Connection, isHome = true) {
    this.#connection = connection;
    this.#isHome = isHome;
    const { kind, host, id, mainAccountId, username } = connection;
    this.client = new RingcxClient(
      // The vendor's limit is per user, however often that user signs in here.
      {
        kind: kind ?? "ringcx",
        host,
        connectionId: id,
        limitKey: `${host}|${mainAccountId}|${username.toLowerCase()}`,
      },
      { current: () => this.#connection.accessToken, renew: (refused) => this.#renew(refused) },
    );
  }

  /** To be kept in the cookie when it is not the one that was read from it. */
  get connection(): Connection {
    return this.#connection;
  }

  async #renew(refused: string): Promise<string> {
    const renewal = await renew(this.#connection, refused);
    if (renewal.kind === "ended" && !this.#isHome) {
      const { username, mainAccountId } = this.#connection;
      throw new TokendeskError(
        "connection_required",
        `RingCX has ended the connection of ${username} (${mainAccountId}). Connect it again to go on.`,
      );
    }
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
