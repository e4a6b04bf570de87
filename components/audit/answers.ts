import { z } from "zod";
import {
  type AuditEvent,
  type AuditPage,
  auditActions,
  auditOutcomes,
  type ChainProblem,
  type VerificationLine,
} from "@/lib/audit/schema";

const nullableText = z.string().nullable();

const eventSchema = z.object({
  seq: z.number(),
  id: z.string(),
  at: z.string(),
  tenant: nullableText,
  action: z.enum(auditActions),
  outcome: z.enum(auditOutcomes),
  actor: z.object({ id: nullableText, name: z.string() }),
  address: nullableText,
  userAgent: nullableText,
  requestId: nullableText,
  correlationId: z.string(),
  token: z.object({ id: nullableText, hint: nullableText }).nullable(),
  reason: nullableText,
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
  previousHash: z.string(),
  hash: z.string(),
}) satisfies z.ZodType<AuditEvent>;

/** `GET /api/audit`. */
export const auditPageSchema = z.object({
  events: z.array(eventSchema),
  nextCursor: nullableText,
}) satisfies z.ZodType<AuditPage>;

const chainProblemSchema = z.object({
  kind: z.enum([
    "edited",
    "missing",
    "inserted",
    "reordered",
    "forked",
    "truncated",
    "replaced",
    "bad_checkpoint",
    "head_mismatch",
  ]),
  seq: z.number().nullable(),
  detail: z.string(),
}) satisfies z.ZodType<ChainProblem>;

/** A line of `POST /api/audit/verify`. */
export const verificationLineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), verified: z.number(), total: z.number() }),
  z.object({
    type: z.literal("result"),
    ok: z.boolean(),
    verified: z.number(),
    firstSeq: z.number().nullable(),
    lastSeq: z.number().nullable(),
    headHash: nullableText,
    checkpoints: z.number(),
    openIntents: z.number(),
    problems: z.array(chainProblemSchema),
  }),
  z.object({ type: z.literal("failed"), detail: z.string() }),
]) satisfies z.ZodType<VerificationLine>;

export type VerificationResult = Extract<VerificationLine, { type: "result" }>;
