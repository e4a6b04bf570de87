import { z } from "zod";
import type { ProblemCode } from "@/lib/errors";

const placeSchema = z.object({
  id: z.string().min(1),
  /** `legacy`: a portal that takes `X-Auth-Token`. Absent: RingCX. */
  kind: z.literal("legacy").optional(),
  /** An origin; of a portal with the path before `/v1`. */
  host: z.string().min(1),
  username: z.string(),
  platformId: z.string(),
  mainAccountId: z.string().min(1),
  /** The user's ID at RingCX. Absent: it was not said, or an older version made this. */
  adminId: z.string().optional(),
  /** The user's full name, as far as it is known. */
  name: z.string().optional(),
});

/**
 * One RingCX connection as it is kept in the encrypted cookie. Times are epoch milliseconds. Of a portal `accessToken` is
 * the `authToken`.
 */
export const connectionSchema = placeSchema.extend({
  accessToken: z.string().min(1),
  refreshToken: z.string().min(1).nullable(),
  issuedAt: z.number().int(),
  lifetimeMs: z.number().int().positive(),
});
export type Connection = z.infer<typeof connectionSchema>;
/** A connection without its tokens. */
export type Place = z.infer<typeof placeSchema>;

/** Nothing crosses it: host and main account, `engage.ringcentral.com|333333`. */
export function tenantOf({ host, mainAccountId }: Pick<Place, "host" | "mainAccountId">): string {
  return `${new URL(host).host}|${mainAccountId}`;
}

/** The same RingCX user whichever way they came in. */
export function personIdOf({ host, mainAccountId, adminId, username }: Omit<Place, "id" | "platformId">): string {
  return `ringcx:${new URL(host).host}:${mainAccountId}:${adminId ?? username.toLowerCase()}`;
}

/** The whole content of the encrypted cookie. */
export const sessionDataSchema = z.object({
  /** Session ID: random, new at each sign-in; the identity cookie carries the same. */
  sid: z.string().min(16),
  createdAt: z.number().int(),
  seenAt: z.number().int(),
  connections: z.array(connectionSchema),
  /** Connections that RingCX ended, without their tokens: whoever had them can connect again. */
  lost: z.array(placeSchema).optional(),
  /** Which one the person works with: the ID of a connection, or a tenant. Absent: the first. */
  active: z.string().optional(),
  /** The tenant that the sign-in is registered under. Absent: that of the first connection. */
  home: z.string().optional(),
  /** The last time that the person proved who they are. Absent: at `createdAt`. */
  authenticatedAt: z.number().int().optional(),
  /** Counts what was changed besides the tokens (lib/session/changes.ts). Absent: nothing yet. */
  version: z.number().int().optional(),
  /** It has a row in the registry. Absent or false: not yet; the database was away, or the cookie is an older one. */
  registered: z.boolean().optional(),
});
export type SessionData = z.infer<typeof sessionDataSchema>;

/** The tenant that a sign-in is registered under; null: an older version made it, and its connection is gone. */
export function homeOf({ home, connections: [first] }: Pick<SessionData, "home" | "connections">): string | null {
  return home ?? (first ? tenantOf(first) : null);
}

/** The connection that the identity stands on: the sign-in ends with it. Who came through the company has none. */
export function isHome({ home, connections: [first] }: SessionData, { id }: Pick<Place, "id">): boolean {
  return home === undefined && first?.id === id;
}

/** Why a session ended. `replaced`: the same browser signed in again; `upstream`: RingCX ended it. */
export const endReasons = [
  "signed_out",
  "ended_by_user",
  "ended_by_ops",
  "idle",
  "expired",
  "replaced",
  "upstream",
] as const;
export type EndReason = (typeof endReasons)[number];

/** A RingCX account that a list came from, or did not: `problem` says why. `retryAfter` in seconds. */
export type ListedConnection = {
  id: string;
  username: string;
  mainAccountId: string;
  host: string;
  /** A portal without RingCX. */
  legacy: boolean;
  problem: { code: ProblemCode; detail: string; retryAfter?: number } | null;
};

/** A sign-in, as it may be shown. Times are ISO 8601. */
export type SessionView = {
  /** Opaque; not the session ID. */
  id: string;
  user: { id: string; name: string };
  createdAt: string;
  seenAt: string;
  address: string | null;
  userAgent: string | null;
  /** The one that asks. */
  current: boolean;
  /** Whether who asks may end it. */
  mayEnd: boolean;
};
