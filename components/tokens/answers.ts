import { z } from "zod";
import type { RevocationProof, Token } from "@/lib/tokens/schema";

const nullableText = z.string().nullable();

const tokenSchema = z.object({
  id: z.string(),
  hint: z.string(),
  label: nullableText,
  purpose: nullableText,
  environment: nullableText,
  rotateBy: nullableText,
  owner: nullableText,
  firstSeenAt: nullableText,
  lastSeenAt: nullableText,
  createdHere: z.boolean().nullable(),
  status: z.enum(["active", "revoked", "vanished"]),
}) satisfies z.ZodType<Token>;

const proofSchema = z.object({
  method: z.enum(["token_refused", "absent_from_list"]),
  checkedAt: z.string(),
}) satisfies z.ZodType<RevocationProof>;

/** `POST /api/tokens` and `POST /api/tokens/{id}/rotate`. */
export const createdSchema = z.object({ token: tokenSchema, value: z.string().min(1) });
export type Created = z.infer<typeof createdSchema>;

export const editedSchema = z.object({ token: tokenSchema });
export const revealedSchema = z.object({ value: z.string().min(1) });
export const revokedSchema = z.object({ outcome: z.literal("revoked"), proof: proofSchema });

/** The masked tokens that appeared while a creation stayed unconfirmed. */
export function candidatesOf(body: unknown): Token[] {
  const parsed = z.looseObject({ candidates: z.array(tokenSchema) }).safeParse(body);
  return parsed.success ? parsed.data.candidates : [];
}

export function tokenPath(token: Token, verb?: "reveal" | "rotate"): string {
  return `/api/tokens/${encodeURIComponent(token.id)}${verb ? `/${verb}` : ""}`;
}
