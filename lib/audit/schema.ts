import { z } from "zod";

/** The closed set of actions. An action that is not here cannot be recorded. */
export const auditActions = [
  "session.create",
  "session.denied",
  "session.end",
  "session.confirm",
  "connection.add",
  "connection.remove",
  "token.create",
  "token.reveal",
  "token.edit",
  "token.adopt",
  "token.dismiss",
  "token.rotate",
  "token.revoke",
  "token.order",
  "token.order_cancel",
  "incident.scan",
  "incident.revoke",
  "incident.report",
  "rotation.plan",
  "rotation.cancel",
  "key.create",
  "key.revoke",
  "notification.resend",
  "audit.export",
  "audit.verify",
  "audit.prune",
] as const;
export type AuditAction = (typeof auditActions)[number];

/** `attempted` is committed before anything is done; one of the others follows it, with the same correlation ID. */
export const auditOutcomes = ["attempted", "succeeded", "failed", "unknown"] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** Further facts, none of them secret. */
export type AuditDetails = Record<string, string | number | boolean | null | string[]>;

/** One record of the audit log, as it is read and exported. */
export type AuditEvent = {
  /** From 1, without gaps. */
  seq: number;
  id: string;
  /** When it was written, ISO 8601 in UTC. One that was spooled says in `details.happenedAt` when it happened. */
  at: string;
  /** `host|mainAccountId`; null: before anybody was signed in, or the installation's own. */
  tenant: string | null;
  action: AuditAction;
  outcome: AuditOutcome;
  actor: { id: string | null; name: string };
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
  /** What belongs to one act shares it. */
  correlationId: string;
  token: { id: string | null; hint: string | null } | null;
  reason: string | null;
  details: AuditDetails;
  previousHash: string;
  /** SHA-256 of the event's canonical JSON, the previous hash included; hex. */
  hash: string;
};

/** Newest first. `nextCursor` leads to older events; null: there are none. */
export type AuditPage = { events: AuditEvent[]; nextCursor: string | null };

const time = z.iso.datetime({ offset: true }).or(z.iso.date());
const choice = <T extends string>(values: readonly T[]) => z.enum(values as [T, ...T[]]);

/** The parameters of `GET /api/audit` and `/api/audit/export`. `actor`: user ID or login; `token`: ID or hint; times: ISO 8601, or a date. */
const auditFilterSchema = z.strictObject({
  actor: z.string().trim().min(1).max(320).optional(),
  action: choice(auditActions).optional(),
  outcome: choice(auditOutcomes).optional(),
  token: z.string().trim().min(1).max(64).optional(),
  from: time.optional(),
  to: time.optional(),
});
export type AuditFilter = z.infer<typeof auditFilterSchema>;

export const auditQuerySchema = auditFilterSchema.extend({
  /** From `nextCursor`: older than that. */
  cursor: z.string().max(64).optional(),
  /** A sequence number: newer than that, for the live tail. Newest first all the same. */
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
});
export type AuditQuery = z.infer<typeof auditQuerySchema>;

export const exportSchema = auditFilterSchema.extend({ format: z.enum(["jsonl", "csv"]) });

/** What a verification found. `seq`: where; null: the log as a whole. */
export type ChainProblem = {
  kind:
    | "edited"
    | "missing"
    | "inserted"
    | "reordered"
    | "forked"
    | "truncated"
    | "replaced"
    | "bad_checkpoint"
    | "head_mismatch";
  seq: number | null;
  detail: string;
};

/** A line of `POST /api/audit/verify` (NDJSON): some `progress`, one `result` at the end. */
export type VerificationLine =
  | { type: "progress"; verified: number; total: number }
  | {
      type: "result";
      ok: boolean;
      verified: number;
      firstSeq: number | null;
      lastSeq: number | null;
      headHash: string | null;
      checkpoints: number;
      openIntents: number;
      /** At most 100 of them. */
      problems: ChainProblem[];
    }
  | { type: "failed"; detail: string };
