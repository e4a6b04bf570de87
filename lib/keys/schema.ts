import { z } from "zod";
import { text } from "@/lib/tokens/schema";

/** What a key may do: look up what it reports, and have what is alive revoked. */
export const keyScopes = ["report", "revoke"] as const;
export type KeyScope = (typeof keyScopes)[number];

/** How many keys of a main account may work at once. */
export const maxKeys = 100;

/** An API key as it may be shown. Times are ISO 8601 in UTC. */
export type ApiKey = {
  id: string;
  name: string;
  /** `tdk_…c0a9` */
  hint: string;
  scopes: KeyScope[];
  createdBy: string;
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
};

/** Body of `POST /api/keys`. `revoke` opts in to automatic revocation. */
export const newKeySchema = z.strictObject({
  name: text(100),
  revoke: z.boolean().default(false),
  expiresOn: z.iso.date().optional(),
});
export type NewKey = z.infer<typeof newKeySchema>;

export const keyPathSchema = z.object({ id: z.string() });
