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
});
export type SessionData = z.infer<typeof sessionDataSchema>;
