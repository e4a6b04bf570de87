"use client";

import { useRouter } from "next/navigation";
import { useId } from "react";
import { isOutcomeUnknown } from "@/components/http";
import { TokenFields } from "@/components/tokens/token-fields";
import { useCreation } from "@/components/tokens/token-form";
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
  const { fields, pending, failure, onSubmit, created, copied, onCopied, leaveTo, question } = useCreation({
    path: "/api/tokens",
    initial: () => emptyText,
    check: newTokenBody,
  });
  const close = () => leaveTo(onClose);

  if (created) {
    return (
      <Dialog
        title="Token created"
        description={<span className="font-medium text-ink">{created.token.label}</span>}
        onClose={close}
        sticky
        returnFocus={returnFocus}
        footer={
          question ?? (
            <Button variant={copied ? "primary" : "secondary"} onClick={close}>
              Done
            </Button>
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
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenFields {...fields} today={today} />
      </form>
    </Dialog>
  );
}
