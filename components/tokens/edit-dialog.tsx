"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useId, useState } from "react";
import { call, type Failure } from "@/components/http";
import { editedSchema, tokenPath } from "@/components/tokens/answers";
import { TokenFields, type TokenTextErrors } from "@/components/tokens/token-fields";
import { TokenHint } from "@/components/tokens/token-hint";
import { patchBody, textOf } from "@/components/tokens/token-text";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { useToast } from "@/components/ui/toast";
import type { Token } from "@/lib/tokens/schema";

type EditDialogProps = { token: Token; today: string; onClose: () => void; returnFocus: () => void };

export function EditDialog({ token, today, onClose, returnFocus }: EditDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const formId = useId();
  const [text, setText] = useState(() => textOf(token));
  const [errors, setErrors] = useState<TokenTextErrors>({});
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);

  async function save(event: FormEvent) {
    event.preventDefault();
    if (pending) return;
    const checked = patchBody(text, token);
    if (checked === null) return onClose();
    setErrors(checked.errors ?? {});
    if (!checked.body) return;
    setPending(true);
    setFailure(null);
    const answer = await call(tokenPath(token), { method: "PATCH", json: checked.body, answer: editedSchema });
    setPending(false);
    if (!answer.ok) return setFailure(answer.failure);
    toast({ title: "Saved", detail: answer.value.token.label ?? token.hint });
    router.refresh();
    onClose();
  }

  return (
    <Dialog
      title="Edit token"
      description={
        <>
          <TokenHint hint={token.hint} /> <span aria-hidden="true">·</span> Kept in Tokendesk; RingCX does not see it.
        </>
      }
      onClose={() => pending || onClose()}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose} disabled={pending}>
            Cancel
          </Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            Save
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={save} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenFields text={text} errors={errors} today={today} labelOptional onChange={setText} />
      </form>
    </Dialog>
  );
}
