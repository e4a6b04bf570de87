import type { Step } from "@/components/incident/revocation-run";
import { Badge } from "@/components/ui/badge";
import { Spinner } from "@/components/ui/spinner";
import type { Finding } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";

const texts = incidentTexts.findings;

const tones = { live: "danger", dead: "plain", unchecked: "warn" } as const;
const outcomeTones = { revoked: "good", already_dead: "plain", alive: "danger", unknown: "danger" } as const;

type FindingStatusProps = {
  finding: Finding;
  /** RingCX was not asked yet. */
  pending: boolean;
  /** What became of it since. */
  step: Step | undefined;
};

export function FindingStatus({ finding: { status }, pending, step }: FindingStatusProps) {
  if (step) return <OutcomeBadge outcome={step.outcome} />;
  if (!pending) return <Badge tone={tones[status]}>{incidentTexts.statuses[status]}</Badge>;
  return (
    <span className="inline-flex h-5 items-center gap-1.5 text-dim text-xs">
      <Spinner className="size-3 text-accent" />
      {texts.checking}
    </span>
  );
}

export function OutcomeBadge({ outcome }: Pick<Step, "outcome">) {
  return <Badge tone={outcomeTones[outcome]}>{incidentTexts.outcomes[outcome]}</Badge>;
}
