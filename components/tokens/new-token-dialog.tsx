"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useId, useRef, useState } from "react";
import { call, type Failure, isOutcomeUnknown } from "@/components/http";
import { type Created, createdSchema } from "@/components/tokens/answers";
import { LeaveQuestion } from "@/components/tokens/leave-question";
import { TokenFields, type TokenTextErrors } from "@/components/tokens/token-fields";
import { emptyText, newTokenBody } from "@/components/tokens/token-text";
import { UnconfirmedCreation } from "@/components/tokens/unconfirmed-creation";
import { ValuePanel } from "@/components/tokens/value-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";

type NewTokenDialogProps = { today: string; onClose: () => void; returnFocus: () => void };

export function NewTokenDialog({ today, onClose, returnFocus }: NewTokenDialogProps) {
  const router = useRouter();
  const formId = useId();
  const busy = useRef(false);
  const [text, setText] = useState(emptyText);
  const [errors, setErrors] = useState<TokenTextErrors>({});
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [created, setCreated] = useState<Created | null>(null);
  const [copied, setCopied] = useState(false);
  const [leaving, setLeaving] = useState(false);

  async function create(event: FormEvent) {
    event.preventDefault();
    // Each call mints another token: the ref also stops a second press that comes before the next render.
    if (busy.current) return;
    const checked = newTokenBody(text);
    setErrors(checked.errors ?? {});
    if (!checked.body) return;
    busy.current = true;
    setPending(true);
    setFailure(null);
    const answer = await call("/api/tokens", { method: "POST", json: checked.body, answer: createdSchema });
    busy.current = false;
    setPending(false);
    if (!answer.ok) return setFailure(answer.failure);
    setCreated(answer.value);
    router.refresh();
  }

  function close() {
    if (pending) return;
    if (created && !copied && !leaving) setLeaving(true);
    else if (!leaving) onClose();
  }

  if (created) {
    return (
      <Dialog
        title="Token created"
        description={<span className="font-medium text-ink">{created.token.label}</span>}
        onClose={close}
        sticky
        returnFocus={returnFocus}
        footer={
          leaving ? (
            <LeaveQuestion onStay={() => setLeaving(false)} onLeave={onClose} />
          ) : (
            <Button variant={copied ? "primary" : "secondary"} onClick={close}>
              Done
            </Button>
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
        description="The answer was lost on the way. Nothing was tried a second time."
        failure={failure}
        onClose={onClose}
        onRefresh={router.refresh}
        returnFocus={returnFocus}
      />
    );
  }

  return (
    <Dialog
      title="New token"
      description="A permanent API token with your own RingCX permissions."
      onClose={close}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={close} disabled={pending}>
            Cancel
          </Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            {pending ? "Asking RingCX" : "Create"}
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={create} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenFields text={text} errors={errors} today={today} onChange={setText} />
      </form>
    </Dialog>
  );
}
