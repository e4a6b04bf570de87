"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useId, useState } from "react";
import { call, isOutcomeUnknown } from "@/components/http";
import { useSubmission } from "@/components/submission";
import { revokedSchema, tokenPath } from "@/components/tokens/answers";
import { confirmsHint, lastFour } from "@/components/tokens/hint";
import { LastFourField } from "@/components/tokens/last-four-field";
import { Proof } from "@/components/tokens/proof";
import { ReasonField } from "@/components/tokens/reason-field";
import { TokenHint } from "@/components/tokens/token-hint";
import { TokenSummary } from "@/components/tokens/token-summary";
import { WentOnNote, WithoutLogNote } from "@/components/tokens/without-log";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { RichText } from "@/components/ui/rich-text";
import { Spinner } from "@/components/ui/spinner";
import { tokensTexts } from "@/lib/texts/tokens";
import { uiTexts } from "@/lib/texts/ui";
import type { RevocationProof, Token } from "@/lib/tokens/schema";

const texts = tokensTexts.revoke;

type RevokeDialogProps = {
  token: Token;
  onClose: () => void;
  onRevoked: (token: Token) => void;
  returnFocus: () => void;
};

export function RevokeDialog({ token, onClose, onRevoked, returnFocus }: RevokeDialogProps) {
  const router = useRouter();
  const formId = useId();
  const reasonId = useId();
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const [revoked, setRevoked] = useState<{ proof: RevocationProof; urgent: boolean } | null>(null);
  const { pending, failure, submit } = useSubmission();
  const last = lastFour(token.hint);
  const confirmed = confirmsHint(typed, token.hint);

  async function revoke(urgent: boolean) {
    if (!confirmed) return;
    const json = { ...(reason.trim() === "" ? {} : { reason: reason.trim() }), ...(urgent ? { urgent } : {}) };
    const answer = await submit(() => call(tokenPath(token), { method: "DELETE", json, answer: revokedSchema }));
    if (answer === null) return;
    setRevoked({ proof: answer.proof, urgent });
    onRevoked(token);
    router.refresh();
  }

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    void revoke(false);
  }

  if (revoked) {
    return (
      <Dialog
        title={texts.revoked}
        description={<RichText text={texts.dead} slots={{ hint: <TokenHint hint={token.hint} /> }} />}
        onClose={onClose}
        returnFocus={returnFocus}
        footer={
          <Button ref={focusOnMount} variant="primary" onClick={onClose}>
            {uiTexts.actions.done}
          </Button>
        }
      >
        <Callout tone="good" title={texts.proven} role="status">
          <p>
            <Proof proof={revoked.proof} />
          </p>
          {revoked.urgent && <WentOnNote />}
        </Callout>
      </Dialog>
    );
  }

  const unknown = failure !== null && isOutcomeUnknown(failure);
  const withoutLog = failure?.code === "audit_unavailable";
  return (
    <Dialog
      title={texts.title}
      description={texts.description}
      onClose={() => pending || onClose()}
      returnFocus={returnFocus}
      footer={
        <>
          {!confirmed && !pending && (
            <p id={reasonId} className="mr-auto text-dim text-xs">
              <RichText text={texts.typeHint} slots={{ hint: <span className="font-mono text-ink">{last}</span> }} />
            </p>
          )}
          <Button onClick={onClose} disabled={pending}>
            {uiTexts.actions.cancel}
          </Button>
          {withoutLog && (
            <Button variant="danger" disabled={!confirmed} onClick={() => revoke(true)}>
              {texts.withoutLog}
            </Button>
          )}
          <Button
            type="submit"
            form={formId}
            variant={withoutLog ? "secondary" : "danger"}
            pending={pending}
            disabled={!confirmed}
            {...(confirmed ? {} : { "aria-describedby": reasonId })}
          >
            {failure ? uiTexts.actions.tryAgain : texts.revoke}
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure &&
          (unknown ? (
            <Callout tone="danger" role="alert" title={texts.notProven}>
              <p>{failure.detail}</p>
              <p>{texts.againIsSafe}</p>
              {failure.requestId && (
                <p className="font-mono text-2xs">{uiTexts.failure.requestId(failure.requestId)}</p>
              )}
            </Callout>
          ) : (
            <FailureNote failure={failure} />
          ))}
        {withoutLog && <WithoutLogNote />}
        <TokenSummary token={token} />
        <LastFourField hint={token.hint} typed={typed} readOnly={pending} onType={setTyped} />
        <ReasonField help={texts.reasonHelp} reason={reason} readOnly={pending} onType={setReason} />
        <div role="status">
          {pending && (
            <ol className="flex flex-col gap-1.5 text-sm">
              <li className="flex items-center gap-2">
                <Spinner className="text-accent" /> {texts.asking}
              </li>
              <li className="flex items-center gap-2 text-dim">
                <Spinner className="text-accent" /> {texts.proving}
              </li>
            </ol>
          )}
        </div>
      </form>
    </Dialog>
  );
}
