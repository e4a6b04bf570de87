import { z } from "zod";

/** One RingCX connection as it is kept in the encrypted cookie. Times are epoch milliseconds. */
export const connectionSchema = z.object({
  id: z.string().min(1),
  host: z.string().min(1),
  username: z.string(),
  platformId: z.string(),
  mainAccountId: z.string().min(1),
  accessToken: z.string().min(1),
  refreshToken: z.string().min(1).nullable(),
  issuedAt: z.number().int(),
  lifetimeMs: z.number().int().positive(),
});
export type Connection = z.infer<typeof connectionSchema>;

/** The whole content of the encrypted cookie. */
export const sessionDataSchema = z.object({
  /** Session ID: random, new at each sign-in; the identity cookie carries the same. */
  sid: z.string().min(16),
  createdAt: z.number().int(),
  seenAt: z.number().int(),
  connections: z.array(connectionSchema),
  /** It has a row in the registry. Absent or false: not yet; the database was away, or the cookie is an older one. */
  registered: z.boolean().optional(),
});
export type SessionData = z.infer<typeof sessionDataSchema>;

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
