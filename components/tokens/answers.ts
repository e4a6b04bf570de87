import { z } from "zod";
import type { OwnRotation, RevocationOrder, RevocationProof, Rotation, RotationSide, Token } from "@/lib/tokens/schema";

const nullableText = z.string().nullable();

export const orderSchema = z.object({
  id: z.string(),
  orderedBy: z.string(),
  orderedAt: z.string(),
  reason: nullableText,
  trouble: nullableText,
}) satisfies z.ZodType<RevocationOrder>;

const tokenSchema = z.object({
  id: z.string(),
  connection: nullableText,
  hint: z.string(),
  label: nullableText,
  purpose: nullableText,
  environment: nullableText,
  usedIn: nullableText,
  rotateBy: nullableText,
  owner: nullableText,
  firstSeenAt: nullableText,
  lastSeenAt: nullableText,
  createdHere: z.boolean().nullable(),
  appearedAt: nullableText,
  status: z.enum(["active", "revoked", "vanished"]),
  order: orderSchema.nullable(),
}) satisfies z.ZodType<Token>;

const proofSchema = z.object({
  method: z.enum(["token_refused", "absent_from_list"]),
  checkedAt: z.string(),
}) satisfies z.ZodType<RevocationProof>;

/** `POST /api/tokens` and `POST /api/tokens/{id}/rotate`. */
export const createdSchema = z.object({ token: tokenSchema, value: z.string().min(1) });
export type Created = z.infer<typeof createdSchema>;

/** `PATCH /api/tokens/{id}`, `POST .../adopt` and `POST .../dismiss`. */
export const changedSchema = z.object({ token: tokenSchema });
export const revealedSchema = z.object({ value: z.string().min(1) });
export const revokedSchema = z.object({ outcome: z.literal("revoked"), proof: proofSchema });

const sideSchema = z.object({
  id: z.string(),
  hint: z.string(),
  label: nullableText,
  listed: z.boolean(),
}) satisfies z.ZodType<RotationSide>;

const rotationSchema = z.object({
  id: z.string(),
  old: sideSchema,
  successor: sideSchema,
  owner: z.string(),
  startedAt: z.string(),
  revokeAt: nullableText,
  places: z.array(z.object({ place: z.string(), done: z.boolean() })),
  state: z.enum(["open", "ordered"]),
}) satisfies z.ZodType<Rotation>;

/** `GET /api/rotations`, and `PATCH` and `DELETE /api/rotations/{id}`. */
export const rotationsSchema = z.object({ rotations: z.array(rotationSchema) });
export const plannedSchema = z.object({ rotation: rotationSchema });
export const cancelledSchema = z.object({ cancelled: z.literal(true) });

/** The masked tokens that appeared while a creation stayed unconfirmed. */
export function candidatesOf(body: unknown): Token[] {
  const parsed = z.looseObject({ candidates: z.array(tokenSchema) }).safeParse(body);
  return parsed.success ? parsed.data.candidates : [];
}

/** The page with what is known of the token and what happened to it. `connection`: when there are several. */
export function historyPath(token: { id: string }, connection: string | null = null): string {
  return `/tokens/${encodeURIComponent(token.id)}${through(connection)}`;
}

export function rotationPath({ id, connection }: Pick<OwnRotation, "id" | "connection">): string {
  return `/api/rotations/${encodeURIComponent(id)}${through(connection)}`;
}

/** Through the connection that showed it: another tab may have made another one the active one. */
export function tokenPath(
  { id, connection }: Pick<Token, "id" | "connection">,
  verb?: "reveal" | "rotate" | "adopt" | "dismiss",
): string {
  return `/api/tokens/${encodeURIComponent(id)}${verb ? `/${verb}` : ""}${through(connection)}`;
}

export function tokensPath(connection: string | null, verb?: "revoke"): string {
  return `/api/tokens${verb ? `/${verb}` : ""}${through(connection)}`;
}

export function rotationsPath(connection: string | null): string {
  return `/api/rotations${through(connection)}`;
}

function through(connection: string | null): string {
  return connection === null ? "" : `?connection=${encodeURIComponent(connection)}`;
}
