import "server-only";
import type { Actor } from "@/lib/audit/log";
import type { TokenClient } from "@/lib/ringcx/client";
import type { TokenOwner } from "@/lib/tokens/held";

/** Who works on an incident: a signed-in person, or a scanner with an API key. */
export type Investigator = {
  /** Nothing crosses it: `host|mainAccountId`. */
  tenant: string;
  actor: Actor;
  user: { id: string; name: string };
  origin: "desk" | "key";
  /** Of the API key, for `key`. */
  keyName: string | null;
  /** Binds the IDs of findings: whoever did not bring a string cannot use what was found in it. */
  seal: string;
  /** The way to a token that is at hand, on this investigator's host and budget; see {@link TokenClient}. */
  holding(value: string, patienceMs?: number): TokenClient;
  /** The signed-in connection: a second witness, and another authority for a deletion. null for an API key, and without a connection. */
  owner: TokenOwner | null;
};

type Desk = TokenOwner & {
  sid: string;
  /** The way to a token for who is signed in without a RingCX connection: `client` is not to be asked for then. */
  holdingAlone?: Investigator["holding"] | null;
};

/** A signed-in person at the desk. A Session is given. */
export function investigatorOf(session: Desk): Investigator {
  const { tenant, actor, user, sid, holdingAlone } = session;
  return {
    tenant,
    actor,
    user,
    origin: "desk",
    keyName: null,
    seal: `session ${sid}`,
    holding: holdingAlone ?? ((value, patienceMs) => session.client.holding(value, patienceMs)),
    owner: holdingAlone ? null : session,
  };
}
