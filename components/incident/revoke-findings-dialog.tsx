"use client";

import { type FormEvent, useId, useRef, useState } from "react";
import { byUser, nameOf, otherTokens } from "@/components/incident/incident-text";
import { TokenHint } from "@/components/tokens/token-hint";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Checkbox, Field, TextInput } from "@/components/ui/field";
import type { Finding } from "@/lib/incidents/schema";
import { incidentTexts } from "@/lib/texts/incident";
import { uiTexts } from "@/lib/texts/ui";

const texts = incidentTexts.revoke;

const usualReasons = [texts.usual.log, texts.usual.repository, texts.usual.chat, texts.usual.laptop] as const;
const most = 100;

type RevokeFindingsDialogProps = {
  findings: readonly Finding[];
  onClose: () => void;
  onRevoke: (order: { siblings: boolean; reason: string }) => void;
  returnFocus: () => void;
};

/** Asks once: which, whose, what breaks, and why. */
export function RevokeFindingsDialog({ findings, onClose, onRevoke, returnFocus }: RevokeFindingsDialogProps) {
  const formId = useId();
  const siblingsId = useId();
  const field = useRef<HTMLDivElement>(null);
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const [siblings, setSiblings] = useState(false);
  const others = otherTokens(findings);
  const groups = [...byUser(findings).values()];
  const total = findings.length + (siblings ? others : 0);
  let left = most;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (reason.trim() !== "") return onRevoke({ siblings, reason: reason.trim() });
    setMissing(true);
    field.current?.querySelector("input")?.focus();
  }

  return (
    <Dialog
      title={texts.title(total)}
      description={texts.description}
      wide
      sticky
      onClose={onClose}
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose}>{uiTexts.actions.cancel}</Button>
          <Button type="submit" form={formId} variant="danger">
            {texts.now(total)}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} noValidate className="flex flex-col gap-4">
        <div ref={field}>
          <Field
            label={texts.reason}
            help={texts.reasonHelp}
            error={missing && reason.trim() === "" ? texts.reasonMissing : null}
          >
            {(control) => (
              <TextInput
                {...control}
                required
                value={reason}
                maxLength={500}
                autoComplete="off"
                onChange={(event) => setReason(event.target.value)}
              />
            )}
          </Field>
          <fieldset className="mt-2 flex flex-wrap gap-1.5">
            <legend className="sr-only">{texts.usualLabel}</legend>
            {usualReasons.map((usual) => (
              <button
                key={usual}
                type="button"
                aria-pressed={reason === usual}
                onClick={() => setReason(usual)}
                className="inline-flex h-7 pointer-coarse:h-10 items-center rounded-full border border-line px-2.5 text-dim text-xs hover:bg-hover hover:text-ink aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-ink"
              >
                {usual}
              </button>
            ))}
          </fieldset>
        </div>
        {others > 0 && (
          <div className="flex gap-2.5 rounded-lg bg-warn-soft px-3 py-2.5 text-sm">
            <Checkbox
              id={siblingsId}
              checked={siblings}
              aria-describedby={`${siblingsId}-why`}
              onChange={(event) => setSiblings(event.target.checked)}
              className="mt-0.5"
            />
            <div>
              <label htmlFor={siblingsId} className="font-medium">
                {texts.others(others, groups.length)}
              </label>
              <p id={`${siblingsId}-why`} className="text-dim text-xs">
                {texts.othersWhy}
              </p>
            </div>
          </div>
        )}
        <section aria-label={texts.what} className="rounded-lg border border-line">
          {groups.map((members) => {
            const [first] = members;
            const shown = members.slice(0, Math.max(0, left));
            left -= shown.length;
            if (!first || shown.length === 0) return null;
            return (
              <div key={first.tokenId} className="border-line border-t first:border-t-0">
                <h3 className="bg-sunken px-3 py-1.5 font-medium text-dim text-xs">
                  {first.user ? nameOf(first.user) : (first.known?.owner ?? texts.nobodyKnows)}
                  {first.user?.login && <span className="font-normal text-faint"> {first.user.login}</span>}
                </h3>
                <ul className="divide-y divide-line">
                  {shown.map((finding) => (
                    <Preview key={finding.tokenId} finding={finding} />
                  ))}
                  {siblings && <Others members={members} />}
                </ul>
              </div>
            );
          })}
          {findings.length > most && (
            <p className="border-line border-t px-3 py-2 text-dim text-xs">{texts.more(findings.length - most)}</p>
          )}
        </section>
      </form>
    </Dialog>
  );
}

/** The tokens of a user that are not among the findings that were chosen. */
function Others({ members }: { members: readonly Finding[] }) {
  const chosen = new Set(members.map(({ tokenId }) => tokenId));
  const known = new Map(
    members.flatMap(({ siblings = [] }) => siblings.map((sibling) => [sibling.tokenId, sibling] as const)),
  );
  const shown = [...known.values()].filter(({ tokenId }) => !chosen.has(tokenId));
  const more = otherTokens(members) - shown.length;
  return (
    <>
      {shown.map(({ tokenId, hint, label }) => (
        <li key={tokenId} className="flex flex-wrap items-baseline gap-x-3 px-3 py-2 text-sm">
          <TokenHint hint={hint} className="w-30 shrink-0" />
          <span className="min-w-40 flex-1">
            <span className={label ? "block truncate" : "block truncate text-faint"}>{label ?? texts.noLabel}</span>
            <span className="block text-dim text-xs">{texts.withOthers}</span>
          </span>
        </li>
      ))}
      {more > 0 && <li className="px-3 py-2 text-dim text-xs">{texts.moreOfUser(more)}</li>}
    </>
  );
}

function Preview({ finding: { hint, known, status } }: { finding: Finding }) {
  const used = known?.usedIn ?? known?.purpose ?? null;
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 px-3 py-2 text-sm">
      <TokenHint hint={hint} className="w-30 shrink-0" />
      <span className="min-w-40 flex-1">
        <span className="flex min-w-0 items-center gap-2">
          <span className={known?.label ? "truncate" : "truncate text-faint"}>{known?.label ?? texts.noLabel}</span>
          {known?.environment && <Badge>{known.environment}</Badge>}
          {status === "unchecked" && <Badge tone="warn">{incidentTexts.statuses.unchecked}</Badge>}
          {status === "dead" && <Badge>{incidentTexts.statuses.dead}</Badge>}
        </span>
        <span className="block text-dim text-xs">
          {status === "dead" ? texts.dead : used ? texts.breaks(used) : texts.nobodyWrote}
        </span>
      </span>
    </li>
  );
}
