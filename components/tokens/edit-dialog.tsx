"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useId } from "react";
import { call } from "@/components/http";
import { changedSchema, tokenPath } from "@/components/tokens/answers";
import { TokenFields } from "@/components/tokens/token-fields";
import { useTokenForm } from "@/components/tokens/token-form";
import { TokenHint } from "@/components/tokens/token-hint";
import { hasChanged, patchBody, textOf } from "@/components/tokens/token-text";
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
  const { fields, pending, failure, onSubmit } = useTokenForm({
    initial: () => textOf(token),
    check: (text) => patchBody(text, token),
    send: (body) => call(tokenPath(token), { method: "PATCH", json: body, answer: changedSchema }),
    onDone: (saved) => {
      toast({ title: "Saved", detail: saved.token.label ?? token.hint });
      router.refresh();
      onClose();
    },
  });

  function save(event: FormEvent) {
    if (hasChanged(fields.text, token)) return onSubmit(event);
    event.preventDefault();
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
        <TokenFields {...fields} today={today} labelOptional />
      </form>
    </Dialog>
  );
}
