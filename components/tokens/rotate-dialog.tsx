"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useId, useRef, useState } from "react";
import { call, type Failure, isOutcomeUnknown } from "@/components/http";
import { type Created, createdSchema, tokenPath } from "@/components/tokens/answers";
import { LeaveQuestion } from "@/components/tokens/leave-question";
import { TokenFields, type TokenTextErrors } from "@/components/tokens/token-fields";
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
  /** Goes on to the confirmation that revokes the token that was replaced. */
  onRevokeOld: () => void;
  returnFocus: () => void;
};

export function RotateDialog({ token, today, onClose, onRevokeOld, returnFocus }: RotateDialogProps) {
  const router = useRouter();
  const formId = useId();
  const busy = useRef(false);
  const [text, setText] = useState(() => {
    const text = textOf(token);
    // A date that is over would be over for the new token too.
    return text.rotateBy !== "" && text.rotateBy <= today ? { ...text, rotateBy: dateAhead(nextRotationDays) } : text;
  });
  const [errors, setErrors] = useState<TokenTextErrors>({});
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [created, setCreated] = useState<Created | null>(null);
  const [copied, setCopied] = useState(false);
  const [leaving, setLeaving] = useState<(() => void) | null>(null);

  async function rotate(event: FormEvent) {
    event.preventDefault();
    if (busy.current) return;
    const checked = rotationBody(text);
    setErrors(checked.errors ?? {});
    if (!checked.body) return;
    busy.current = true;
    setPending(true);
    setFailure(null);
    const answer = await call(tokenPath(token, "rotate"), {
      method: "POST",
      json: checked.body,
      answer: createdSchema,
    });
    busy.current = false;
    setPending(false);
    if (!answer.ok) return setFailure(answer.failure);
    setCreated(answer.value);
    router.refresh();
  }

  function leaveTo(next: () => void) {
    if (pending || leaving) return;
    if (created && !copied) setLeaving(() => next);
    else next();
  }

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
          leaving ? (
            <LeaveQuestion onStay={() => setLeaving(null)} onLeave={leaving} />
          ) : (
            <>
              <Button onClick={() => leaveTo(onClose)}>Keep both for now</Button>
              <Button variant="danger" onClick={() => leaveTo(onRevokeOld)}>
                Revoke the old one now
              </Button>
            </>
          )
        }
      >
        <ValuePanel created={created} onCopied={() => setCopied(true)} />
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
        <li>Then revoke the old one. Nothing does that by itself.</li>
      </ol>
      <form id={formId} method="post" onSubmit={rotate} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenFields text={text} errors={errors} today={today} labelOptional onChange={setText} />
      </form>
    </Dialog>
  );
}
