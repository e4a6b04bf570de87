"use client";

import { useRouter } from "next/navigation";
import { useId } from "react";
import { isOutcomeUnknown } from "@/components/http";
import { tokenPath } from "@/components/tokens/answers";
import { TokenFields } from "@/components/tokens/token-fields";
import { useCreation } from "@/components/tokens/token-form";
import { TokenHint } from "@/components/tokens/token-hint";
import { rotationBody, textOf } from "@/components/tokens/token-text";
import { UnconfirmedCreation } from "@/components/tokens/unconfirmed-creation";
import { ValuePanel } from "@/components/tokens/value-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { dateAhead } from "@/lib/format";
import type { Token } from "@/lib/tokens/schema";

const nextRotationDays = 90;

type RotateDialogProps = {
  token: Token;
  today: string;
  onClose: () => void;
  /** Goes on to the list of the places where the old one is used. */
  onContinue: () => void;
  /** Goes on to the confirmation that revokes the token that was replaced. */
  onRevokeOld: () => void;
  returnFocus: () => void;
};

export function RotateDialog({ token, today, onClose, onContinue, onRevokeOld, returnFocus }: RotateDialogProps) {
  const router = useRouter();
  const formId = useId();
  const { fields, pending, failure, onSubmit, created, onCopied, leaveTo, question } = useCreation({
    path: tokenPath(token, "rotate"),
    initial: () => {
      const text = textOf(token);
      // A date that is over would be over for the new token too.
      return text.rotateBy !== "" && text.rotateBy <= today ? { ...text, rotateBy: dateAhead(nextRotationDays) } : text;
    },
    check: rotationBody,
  });

  if (created) {
    return (
      <Dialog
        title="New token created"
        description={
          <>
            It replaces <TokenHint hint={token.hint} />, which still works.
          </>
        }
        onClose={() => leaveTo(onClose)}
        sticky
        returnFocus={returnFocus}
        footer={
          question ?? (
            <>
              <Button onClick={() => leaveTo(onClose)}>Keep both for now</Button>
              <Button variant="danger" onClick={() => leaveTo(onRevokeOld)}>
                Revoke the old one now
              </Button>
              <Button variant="primary" onClick={() => leaveTo(onContinue)}>
                Go on to the checklist
              </Button>
            </>
          )
        }
      >
        <ValuePanel created={created} onCopied={onCopied} />
      </Dialog>
    );
  }

  if (failure && isOutcomeUnknown(failure)) {
    return (
      <UnconfirmedCreation
        description="The answer was lost on the way. The old token is untouched. Nothing was tried a second time."
        failure={failure}
        onClose={onClose}
        onRefresh={router.refresh}
        returnFocus={returnFocus}
      />
    );
  }

  return (
    <Dialog
      title="Rotate token"
      description={
        <>
          Replaces <TokenHint hint={token.hint} /> without a gap.
        </>
      }
      onClose={() => leaveTo(onClose)}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending}>
            Cancel
          </Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            {pending ? "Asking RingCX" : "Create the new one"}
          </Button>
        </>
      }
    >
      <ol className="mb-4 flex list-decimal flex-col gap-1 pl-5 text-dim text-sm marker:text-faint">
        <li>Now a second token is made. The old one keeps working.</li>
        <li>Put the new value where the old one is used, and see that it works.</li>
        <li>Then revoke the old one, at once or at a date. A checklist helps with both.</li>
      </ol>
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenFields {...fields} today={today} labelOptional />
      </form>
    </Dialog>
  );
}
