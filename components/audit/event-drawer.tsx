"use client";

import clsx from "clsx";
import { ChevronDown, ChevronUp, ListFilter, X } from "lucide-react";
import { Dialog } from "radix-ui";
import type { ReactNode } from "react";
import { TokenLink } from "@/components/audit/audit-table";
import { detailName, detailWords, explainOutcome } from "@/components/audit/audit-text";
import { OutcomeBadge, OutcomeIcon } from "@/components/audit/outcome";
import { agentName } from "@/components/sessions/agent";
import { Button, buttonClass } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { CopyButton } from "@/components/ui/copy-button";
import { OtherTime, Time } from "@/components/ui/time";
import type { AuditEvent } from "@/lib/audit/schema";
import { formatCount } from "@/lib/format";
import { auditTexts } from "@/lib/texts/audit";
import { uiTexts } from "@/lib/texts/ui";

const texts = auditTexts.drawer;

type EventDrawerProps = {
  event: AuditEvent;
  /** The others of the same act, as far as they are shown. */
  related: AuditEvent[];
  /** Its outcome is not recorded. */
  isOpen: boolean;
  /** Null at the ends. */
  onNewer: (() => void) | null;
  onOlder: (() => void) | null;
  onSelect: (event: AuditEvent) => void;
  onFilter: (patch: { actor: string } | { token: string }) => void;
  onClose: () => void;
  returnFocus: () => void;
};

/** All that is recorded of one event. */
export function EventDrawer(props: EventDrawerProps) {
  const { event, related, isOpen, onNewer, onOlder, onSelect, onFilter, onClose, returnFocus } = props;
  const explanation = isOpen ? texts.stillOpen : explainOutcome(event);
  const tokenId = event.token?.id ?? null;
  const happenedAt = typeof event.details.happenedAt === "string" ? event.details.happenedAt : null;
  return (
    <Dialog.Root open onOpenChange={(open) => open || onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-appear bg-(--scrim)" />
        <Dialog.Content
          aria-describedby={undefined}
          onOpenAutoFocus={(opening) => {
            // To the drawer as a whole: none of its controls is what one came for.
            opening.preventDefault();
            if (opening.currentTarget instanceof HTMLElement) opening.currentTarget.focus();
          }}
          // A note about what was copied lies above the drawer, and would have the first Escape to itself.
          onKeyDown={({ key }) => key === "Escape" && onClose()}
          onCloseAutoFocus={(closing) => {
            closing.preventDefault();
            returnFocus();
          }}
          className="fixed inset-y-0 right-0 z-50 flex w-full animate-enter flex-col bg-surface shadow-overlay outline-none sm:w-120"
        >
          <header className="flex items-start gap-3 border-line border-b px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Dialog.Title className="font-semibold text-ink text-lg tracking-tight">
                {auditTexts.actions[event.action]}
              </Dialog.Title>
              <p className="mt-1 flex items-center gap-2 text-dim text-sm">
                <OutcomeBadge outcome={event.outcome} />
                <span className="tabular-nums">{texts.event(event.seq)}</span>
              </p>
            </div>
            <div className="-mr-1.5 flex items-center gap-0.5">
              <Button
                variant="ghost"
                size="icon-sm"
                aria-label={texts.newer}
                disabled={onNewer === null}
                onClick={() => onNewer?.()}
              >
                <ChevronUp className="size-4" aria-hidden="true" />
              </Button>
              <Button
                variant="ghost"
                size="icon-sm"
                aria-label={texts.older}
                disabled={onOlder === null}
                onClick={() => onOlder?.()}
              >
                <ChevronDown className="size-4" aria-hidden="true" />
              </Button>
              <Dialog.Close className={buttonClass("ghost", "icon-sm")} aria-label={uiTexts.actions.close}>
                <X className="size-4" aria-hidden="true" />
              </Dialog.Close>
            </div>
          </header>
          <section aria-label={texts.details} className="flex min-h-0 flex-1 flex-col gap-5 overflow-y-auto px-5 py-4">
            {explanation && (
              <Callout tone={event.outcome === "unknown" || isOpen ? "warn" : "info"}>
                <p>{explanation}</p>
              </Callout>
            )}
            {event.reason && (
              <blockquote className="whitespace-pre-wrap break-words border-edge border-l-2 pl-3 text-ink text-sm">
                <span className="block text-faint text-xs">{texts.reason}</span>
                {event.reason}
              </blockquote>
            )}
            <Fields name={texts.whenAndWho}>
              {happenedAt && (
                <Field name={texts.happened} copy={happenedAt}>
                  <Time iso={happenedAt} as="instant" className="tabular-nums" />
                </Field>
              )}
              <Field name={happenedAt ? texts.writtenDown : texts.time} copy={event.at}>
                <Time iso={event.at} as="instant" className="block tabular-nums" />
                <OtherTime iso={event.at} className="block text-faint text-xs tabular-nums" />
              </Field>
              <Field name={texts.actor} copy={event.actor.name}>
                {event.actor.name}
              </Field>
              <Field name={texts.actorId} copy={event.actor.id} mono />
              <Field name={texts.address} copy={event.address} mono />
              <Field name={texts.program} copy={event.userAgent}>
                {event.userAgent && (
                  <>
                    <span className="block">{agentName(event.userAgent)}</span>
                    {agentName(event.userAgent) !== event.userAgent && (
                      <span className="block break-words text-faint text-xs">{event.userAgent}</span>
                    )}
                  </>
                )}
              </Field>
            </Fields>
            {event.token && (
              <Fields name={texts.token}>
                <Field name={texts.token} copy={event.token.hint}>
                  <TokenLink token={event.token} />
                </Field>
                <Field name={texts.tokenId} copy={event.token.id} mono />
              </Fields>
            )}
            <div className="flex flex-wrap gap-2">
              <Button size="sm" onClick={() => onFilter({ actor: event.actor.id ?? event.actor.name })}>
                <ListFilter className="size-3.5 text-faint" aria-hidden="true" />
                {texts.onlyActor}
              </Button>
              {tokenId !== null && (
                <Button size="sm" onClick={() => onFilter({ token: tokenId })}>
                  <ListFilter className="size-3.5 text-faint" aria-hidden="true" />
                  {texts.onlyToken}
                </Button>
              )}
            </div>
            <Details event={event} />
            {related.length > 0 && (
              <section>
                <h3 className="mb-1.5 font-medium text-dim text-xs">{texts.sameAct}</h3>
                <ul className="divide-y divide-line rounded-lg border border-line">
                  {related.map((other) => (
                    <li key={other.seq}>
                      <button
                        type="button"
                        onClick={() => onSelect(other)}
                        className="flex min-h-9 w-full items-center gap-2.5 px-3 text-left text-sm hover:bg-hover/60"
                      >
                        <OutcomeIcon outcome={other.outcome} />
                        <span className="min-w-0 flex-1 truncate">{auditTexts.outcomes[other.outcome]}</span>
                        <Time iso={other.at} as="clock" className="text-dim text-xs tabular-nums" />
                        <span className="font-mono text-faint text-xs">{formatCount(other.seq)}</span>
                      </button>
                    </li>
                  ))}
                </ul>
              </section>
            )}
            <Fields name={texts.record}>
              <Field name={texts.eventId} copy={event.id} mono />
              <Field name={texts.correlationId} copy={event.correlationId} mono />
              <Field name={texts.requestId} copy={event.requestId} mono />
              <Field name={texts.hash} copy={event.hash} mono />
              <Field name={texts.previousHash} copy={event.previousHash} mono />
            </Fields>
          </section>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Details({ event }: { event: AuditEvent }) {
  const entries = Object.entries(event.details).filter(([name]) => name !== "happenedAt");
  if (entries.length === 0) return null;
  return (
    <Fields name={texts.details}>
      {entries.map(([name, value]) => {
        const words = detailWords(event.action, name, value);
        const text = Array.isArray(value) ? value.join(", ") : value === null ? null : String(value);
        return (
          <Field key={name} name={detailName(name)} copy={text}>
            {text !== null && (
              <>
                {words && <span className="block">{words}</span>}
                <span className={clsx("block break-words", words && "font-mono text-faint text-xs")}>{text}</span>
              </>
            )}
          </Field>
        );
      })}
    </Fields>
  );
}

function Fields({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1.5 font-medium text-dim text-xs">{name}</h3>
      <dl className="divide-y divide-line border-line border-y">{children}</dl>
    </section>
  );
}

type FieldProps = { name: string; copy: string | null; mono?: boolean; children?: ReactNode };

/** `copy`: the whole value; null: there is none. It is what is shown, when nothing else is. */
function Field({ name, copy, mono = false, children }: FieldProps) {
  return (
    <div className="grid min-h-8 grid-cols-[7rem_minmax(0,1fr)] items-start gap-x-2 py-1.5 text-sm">
      <dt className="text-faint">{name}</dt>
      <dd className="flex min-w-0 items-start gap-2 text-ink">
        <span className={clsx("min-w-0 flex-1 break-words", mono && "break-all font-mono text-xs leading-5")}>
          {copy === null ? <span className="text-faint">{texts.none}</span> : (children ?? copy)}
        </span>
        {copy !== null && <CopyButton text={copy} what={texts.inSentence(name)} className="-my-0.5 shrink-0" />}
      </dd>
    </div>
  );
}
