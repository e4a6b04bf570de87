import clsx from "clsx";
import { CircleAlert, CircleCheck, CircleDashed, CircleQuestionMark } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import type { AuditOutcome } from "@/lib/audit/schema";
import { auditTexts } from "@/lib/texts/audit";

const tones = { succeeded: "plain", failed: "danger", unknown: "warn" } as const;

/** Loud only where something is to be looked at. */
export function OutcomeBadge({ outcome }: { outcome: AuditOutcome }) {
  if (outcome === "attempted")
    return <span className="px-1.75 text-2xs text-faint">{auditTexts.outcomes.attempted}</span>;
  return <Badge tone={tones[outcome]}>{auditTexts.outcomes[outcome]}</Badge>;
}

const icons = {
  attempted: { icon: CircleDashed, ink: "text-faint" },
  succeeded: { icon: CircleCheck, ink: "text-good" },
  failed: { icon: CircleAlert, ink: "text-danger" },
  unknown: { icon: CircleQuestionMark, ink: "text-warn" },
} as const;

/** Beside the outcome in words. */
export function OutcomeIcon({ outcome, className }: { outcome: AuditOutcome; className?: string }) {
  const { icon: Icon, ink } = icons[outcome];
  return <Icon className={clsx("size-4 shrink-0", ink, className)} aria-hidden="true" />;
}
