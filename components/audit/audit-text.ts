import type { AuditAction, AuditEvent, AuditOutcome, ChainProblem } from "@/lib/audit/schema";
import { PROBLEMS, type ProblemCode } from "@/lib/errors";

/** Nouns: whether it came to pass is said by the outcome. */
export const actionNames: Record<AuditAction, string> = {
  "session.create": "Sign-in",
  "session.denied": "Sign-in denied",
  "session.end": "Session end",
  "token.create": "Token creation",
  "token.reveal": "Token reveal",
  "token.edit": "Token edit",
  "token.adopt": "Token adoption",
  "token.dismiss": "Vanished token noted",
  "token.rotate": "Token rotation",
  "token.revoke": "Token revocation",
  "token.order": "Revocation order",
  "token.order_cancel": "Revocation order cancelled",
  "incident.scan": "Incident scan",
  "incident.revoke": "Incident revocation",
  "incident.report": "Incident report download",
  "rotation.plan": "Rotation plan",
  "rotation.cancel": "Rotation plan cancelled",
  "key.create": "API key creation",
  "key.revoke": "API key revocation",
  "notification.resend": "Notification sent again",
  "audit.export": "Log download",
  "audit.verify": "Log verification",
  "audit.prune": "Log retention",
};

/** What can be asked for: only what is recorded. */
export const actionGroups: { name: string; actions: AuditAction[] }[] = [
  {
    name: "Tokens",
    actions: [
      "token.create",
      "token.reveal",
      "token.edit",
      "token.adopt",
      "token.dismiss",
      "token.rotate",
      "token.revoke",
      "token.order",
      "token.order_cancel",
      "rotation.plan",
      "rotation.cancel",
    ],
  },
  { name: "Incidents", actions: ["incident.scan", "incident.revoke", "incident.report"] },
  { name: "Sessions", actions: ["session.create", "session.denied", "session.end"] },
  { name: "Settings", actions: ["key.create", "key.revoke", "notification.resend"] },
  { name: "Audit log", actions: ["audit.export", "audit.verify", "audit.prune"] },
];

export const outcomeNames: Record<AuditOutcome, string> = {
  attempted: "Attempted",
  succeeded: "Succeeded",
  failed: "Failed",
  unknown: "Unknown",
};

/** What an outcome means, beyond its name. Null: nothing more is to say. */
export function explainOutcome({ action, outcome }: Pick<AuditEvent, "action" | "outcome">): string | null {
  if (outcome === "attempted") return "Written down before anything was done. Its outcome is an event of its own.";
  if (outcome !== "unknown") return null;
  switch (action) {
    case "token.create":
    case "token.rotate":
      return "RingCX may have made a token: no answer came that says so or denies it. Look for one that appeared in the list at that time.";
    case "token.revoke":
    case "incident.revoke":
      return "The token may be alive: nothing proved it dead. Revoke it again to be sure.";
    case "token.reveal":
      return "The value may have been shown. Treat it as seen.";
    case "token.order":
      return "The token was no longer in its owner's list: nothing proved it dead.";
    case "audit.export":
      return "It may have been received, in full or in part.";
    default:
      return "Nobody can say whether it took effect.";
  }
}

const endReasonNames: Record<string, string> = {
  signed_out: "Signed out",
  ended_by_user: "Signed out from another session",
  ended_by_ops: "Ended by operations",
  idle: "Unused for too long",
  expired: "Over",
  replaced: "Signed in again in the same browser",
  upstream: "Ended by RingCX",
};

const detailNames: Record<string, string> = {
  code: "Code",
  happenedAt: "Happened at",
  proof: "Proof",
  reason: "Cause",
  replaces: "Replaces",
  rows: "Events",
  format: "Format",
  changed: "Changed",
  unrecorded: "Not written down",
  upTo: "Up to event",
  corrects: "Corrects an earlier record",
  damaged: "Damaged in the database",
};

export function detailName(name: string): string {
  const known = detailNames[name];
  if (known) return known;
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const valueNames: Record<string, Record<string, string>> = {
  proof: {
    token_refused: "RingCX refused the token itself",
    absent_from_list: "It is gone from its owner's list",
  },
  stopped: { reader_gone: "The receiver went away" },
};

/** A value of the details in words, where there are any; else null. */
export function detailWords(action: AuditAction, name: string, value: unknown): string | null {
  if (typeof value !== "string") return null;
  if (name === "code") return problemTitle(value);
  if (name === "reason" && action === "session.end") return endReasonNames[value] ?? null;
  return valueNames[name]?.[value] ?? null;
}

function problemTitle(code: string): string | null {
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code as ProblemCode].title : null;
}

export const problemNames: Record<ChainProblem["kind"], string> = {
  edited: "Edited",
  missing: "Missing",
  inserted: "Inserted",
  reordered: "Reordered",
  forked: "Forked",
  truncated: "Cut off",
  replaced: "Replaced",
  bad_checkpoint: "Bad checkpoint",
  head_mismatch: "Head does not match",
};
