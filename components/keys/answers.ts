import { z } from "zod";
import { keyScopes } from "@/lib/keys/schema";

const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  scopes: z.array(z.enum(keyScopes)),
  createdBy: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
});

/** The answer of `POST /api/keys`: the one time that a key is told. */
export const createdKeySchema = z.object({ key: keySchema, value: z.string() });
export type CreatedKey = z.infer<typeof createdKeySchema>;

export const revokedKeySchema = z.object({ revoked: z.literal(true) });
