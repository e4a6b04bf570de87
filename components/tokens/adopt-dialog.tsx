"use client";

import { useRouter } from "next/navigation";
import { useId } from "react";
import { call } from "@/components/http";
import { changedSchema, tokenPath } from "@/components/tokens/answers";
import { TokenFields } from "@/components/tokens/token-fields";
import { useTokenForm } from "@/components/tokens/token-form";
import { TokenHint } from "@/components/tokens/token-hint";
import { newTokenBody, textOf } from "@/components/tokens/token-text";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { useToast } from "@/components/ui/toast";
import type { Token } from "@/lib/tokens/schema";

type AdoptDialogProps = { token: Token; today: string; onClose: () => void; returnFocus: () => void };

/** Its owner says what a token is that appeared in the list without Tokendesk. */
export function AdoptDialog({ token, today, onClose, returnFocus }: AdoptDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const formId = useId();
  const { fields, pending, failure, onSubmit } = useTokenForm({
    initial: () => textOf(token),
    check: newTokenBody,
    send: (body) => call(tokenPath(token, "adopt"), { method: "POST", json: body, answer: changedSchema }),
    onDone: (adopted) => {
      toast({ title: "Adopted", detail: adopted.token.label ?? token.hint });
      router.refresh();
      onClose();
    },
  });

  return (
    <Dialog
      title="Adopt token"
      description={
        <>
          <TokenHint hint={token.hint} /> <span aria-hidden="true">·</span> Say what it is for. If nobody knows it,
          revoke it instead.
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
            Adopt
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenFields {...fields} today={today} />
      </form>
    </Dialog>
  );
}
