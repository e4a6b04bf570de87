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
import { RichText } from "@/components/ui/rich-text";
import { dateAhead } from "@/lib/format";
import { tokensTexts } from "@/lib/texts/tokens";
import { uiTexts } from "@/lib/texts/ui";
import type { Token } from "@/lib/tokens/schema";

const texts = tokensTexts.rotate;

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
        title={texts.created}
        description={<RichText text={texts.replacesStill} slots={{ hint: <TokenHint hint={token.hint} /> }} />}
        onClose={() => leaveTo(onClose)}
        sticky
        returnFocus={returnFocus}
        footer={
          question ?? (
            <>
              <Button onClick={() => leaveTo(onClose)}>{texts.keepBoth}</Button>
              <Button variant="danger" onClick={() => leaveTo(onRevokeOld)}>
                {texts.revokeOld}
              </Button>
              <Button variant="primary" onClick={() => leaveTo(onContinue)}>
                {texts.goOn}
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
        description={texts.lost}
        failure={failure}
        onClose={onClose}
        onRefresh={router.refresh}
        returnFocus={returnFocus}
      />
    );
  }

  return (
    <Dialog
      title={texts.title}
      description={<RichText text={texts.replaces} slots={{ hint: <TokenHint hint={token.hint} /> }} />}
      onClose={() => leaveTo(onClose)}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending}>
            {uiTexts.actions.cancel}
          </Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            {pending ? texts.asking : texts.create}
          </Button>
        </>
      }
    >
      <ol className="mb-4 flex list-decimal flex-col gap-1 pl-5 text-dim text-sm marker:text-faint">
        <li>{texts.first}</li>
        <li>{texts.second}</li>
        <li>{texts.third}</li>
      </ol>
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenFields {...fields} today={today} labelOptional />
      </form>
    </Dialog>
  );
}
