import clsx from "clsx";
import {
  BookmarkCheck,
  CircleOff,
  Eye,
  Fingerprint,
  Gavel,
  History,
  KeyRound,
  type LucideIcon,
  Pencil,
  RotateCw,
  ScanSearch,
  ShieldOff,
  TriangleAlert,
  Undo2,
} from "lucide-react";
import { explainOutcome } from "@/components/audit/audit-text";
import { OutcomeBadge } from "@/components/audit/outcome";
import type { HistoryEntry } from "@/components/tokens/token-history-entries";
import { Badge } from "@/components/ui/badge";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import type { AuditAction, AuditEvent } from "@/lib/audit/schema";
import { PROBLEMS, type ProblemCode } from "@/lib/errors";
import { auditTexts } from "@/lib/texts/audit";
import { tokensTexts } from "@/lib/texts/tokens";
import type { Milestone } from "@/lib/tokens/schema";

const texts = tokensTexts.timeline;

const milestoneIcons: Record<Milestone["kind"], LucideIcon> = {
  first_seen: ScanSearch,
  created_here: KeyRound,
  appeared: Fingerprint,
  adopted: BookmarkCheck,
  vanished: CircleOff,
  revoked: ShieldOff,
  alive_again: TriangleAlert,
};

const actionIcons: Partial<Record<AuditAction, LucideIcon>> = {
  "token.create": KeyRound,
  "token.reveal": Eye,
  "token.edit": Pencil,
  "token.adopt": BookmarkCheck,
  "token.dismiss": BookmarkCheck,
  "token.rotate": RotateCw,
  "token.revoke": ShieldOff,
  "token.order": Gavel,
  "token.order_cancel": Undo2,
  "incident.scan": ScanSearch,
  "incident.revoke": ShieldOff,
};

/** What happened to a token, newest first. */
export function HistoryTimeline({ entries }: { entries: HistoryEntry[] }) {
  return (
    <ol aria-label={texts.label} className="flex flex-col">
      {entries.map((entry, index) => (
        <li key={keyOf(entry)} className="relative flex gap-3 pb-5 last:pb-0">
          {index < entries.length - 1 && <span className="absolute top-7 -bottom-0.5 left-3.5 w-px bg-line" />}
          <Node entry={entry} />
          <div className="min-w-0 flex-1 pt-0.5">
            {entry.kind === "act" ? <Act entry={entry} /> : <MilestoneText milestone={entry.milestone} />}
          </div>
        </li>
      ))}
    </ol>
  );
}

function keyOf(entry: HistoryEntry): string {
  return entry.kind === "act" ? entry.event.id : `${entry.milestone.kind} ${entry.at}`;
}

function Node({ entry }: { entry: HistoryEntry }) {
  const Icon = entry.kind === "act" ? (actionIcons[entry.action] ?? History) : milestoneIcons[entry.milestone.kind];
  return (
    <span
      aria-hidden="true"
      className={clsx("relative flex size-7 shrink-0 items-center justify-center rounded-full border", toneOf(entry))}
    >
      <Icon className="size-3.5" />
    </span>
  );
}

function toneOf(entry: HistoryEntry): string {
  if (entry.kind === "milestone") {
    if (entry.milestone.kind === "revoked") return "border-transparent bg-good-soft text-good";
    if (entry.milestone.kind === "alive_again") return "border-transparent bg-danger-soft text-danger";
    if (entry.milestone.kind === "appeared" || entry.milestone.kind === "vanished") {
      return "border-transparent bg-warn-soft text-warn";
    }
    return "border-line bg-sunken text-dim";
  }
  if (entry.outcome === "failed") return "border-transparent bg-danger-soft text-danger";
  if (entry.outcome !== "succeeded") return "border-transparent bg-warn-soft text-warn";
  return entry.action === "token.revoke" || entry.action === "incident.revoke"
    ? "border-transparent bg-good-soft text-good"
    : "border-line bg-sunken text-dim";
}

function MilestoneText({ milestone }: { milestone: Milestone }) {
  return (
    <>
      <Headline title={texts.milestones[milestone.kind]} at={milestone.at} />
      <p className="text-dim text-sm">{milestone.detail}</p>
    </>
  );
}

function Act({
  entry: { action, outcome, event, at, milestone, deadSince },
}: {
  entry: HistoryEntry & { kind: "act" };
}) {
  const isRevocation = action === "token.revoke" || action === "incident.revoke";
  const explanation =
    isRevocation && deadSince && outcome !== "succeeded"
      ? texts.deadSince
      : outcome === "attempted"
        ? texts.open
        : explainOutcome(event);
  return (
    <>
      <Headline title={auditTexts.actions[action]} at={at}>
        {outcome === "attempted" ? <Badge tone="warn">{texts.noOutcome}</Badge> : <OutcomeBadge outcome={outcome} />}
      </Headline>
      <p className="text-dim text-sm">
        <RichText text={texts.by} slots={{ name: <span className="text-ink">{event.actor.name}</span> }} />
        {event.address && <span className="font-mono text-faint text-xs"> {event.address}</span>}
      </p>
      {event.reason && (
        <p className="mt-1 whitespace-pre-wrap break-words border-edge border-l-2 pl-2.5 text-ink text-sm">
          {event.reason}
        </p>
      )}
      {milestone && outcome === "succeeded" && <p className="text-dim text-sm">{milestone.detail}</p>}
      {factsOf(event).map((fact) => (
        <p key={fact} className="text-dim text-sm">
          {fact}
        </p>
      ))}
      {explanation && (
        <p className={clsx("mt-0.5 max-w-prose text-sm", deadSince ? "text-dim" : "text-warn")}>{explanation}</p>
      )}
    </>
  );
}

const fieldNames: Record<string, string> = texts.fields;

/** What the details say that a reader of the timeline wants to know; the rest is in the audit log. */
function factsOf({ details, outcome }: AuditEvent): string[] {
  const { changed, code } = details;
  return [
    ...(Array.isArray(changed) ? [texts.changed(changed.map((name) => fieldNames[name] ?? name))] : []),
    ...(typeof code === "string" && outcome === "failed" && Object.hasOwn(PROBLEMS, code)
      ? [texts.sentence(PROBLEMS[code as ProblemCode].title)]
      : []),
  ];
}

function Headline({ title, at, children }: { title: string; at: string; children?: React.ReactNode }) {
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
      <span className="font-medium text-ink text-sm">{title}</span>
      {children}
      <Time iso={at} as="instant" className="text-faint text-xs tabular-nums sm:ml-auto" />
    </p>
  );
}
