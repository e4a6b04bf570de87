import type { AuditAction, AuditEvent } from "@/lib/audit/schema";
import { PROBLEMS, type ProblemCode } from "@/lib/errors";
import { auditTexts } from "@/lib/texts/audit";

/** What can be asked for: only what is recorded. */
export const actionGroups: { name: string; actions: AuditAction[] }[] = [
  {
    name: auditTexts.groups.tokens,
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
  { name: auditTexts.groups.incidents, actions: ["incident.scan", "incident.revoke", "incident.report"] },
  { name: auditTexts.groups.sessions, actions: ["session.create", "session.denied", "session.end", "session.confirm"] },
  { name: auditTexts.groups.connections, actions: ["connection.add", "connection.remove"] },
  { name: auditTexts.groups.settings, actions: ["key.create", "key.revoke", "notification.resend"] },
  { name: auditTexts.groups.log, actions: ["audit.export", "audit.verify", "audit.prune"] },
];

/** What an outcome means, beyond its name. Null: nothing more is to say. */
export function explainOutcome({ action, outcome }: Pick<AuditEvent, "action" | "outcome">): string | null {
  if (outcome === "attempted") return auditTexts.outcomeMeaning.attempted;
  if (outcome !== "unknown") return null;
  switch (action) {
    case "token.create":
    case "token.rotate":
      return auditTexts.outcomeMeaning.unknownCreation;
    case "token.revoke":
    case "incident.revoke":
      return auditTexts.outcomeMeaning.unknownRevocation;
    case "token.reveal":
      return auditTexts.outcomeMeaning.unknownReveal;
    case "token.order":
      return auditTexts.outcomeMeaning.unknownOrder;
    case "audit.export":
      return auditTexts.outcomeMeaning.unknownExport;
    default:
      return auditTexts.outcomeMeaning.unknown;
  }
}

const detailNames: Record<string, string> = auditTexts.details;
const endReasonNames: Record<string, string> = auditTexts.endReasons;

export function detailName(name: string): string {
  const known = detailNames[name];
  if (known) return known;
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const valueNames: Record<string, Record<string, string>> = auditTexts.values;

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
