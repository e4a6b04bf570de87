"use client";

import { useRouter } from "next/navigation";
import type { FormEvent } from "react";
import { call } from "@/components/http";
import { changedSchema, tokenPath } from "@/components/tokens/answers";
import { useTokenForm } from "@/components/tokens/token-form";
import { TokenFormDialog } from "@/components/tokens/token-form-dialog";
import { hasChanged, patchBody, textOf } from "@/components/tokens/token-text";
import { useToast } from "@/components/ui/toast";
import { tokensTexts } from "@/lib/texts/tokens";
import type { Token } from "@/lib/tokens/schema";

const texts = tokensTexts.edit;

type EditDialogProps = { token: Token; today: string; onClose: () => void; returnFocus: () => void };

export function EditDialog({ token, today, onClose, returnFocus }: EditDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const { fields, pending, failure, onSubmit } = useTokenForm({
    initial: () => textOf(token),
    check: (text) => patchBody(text, token),
    send: (body) => call(tokenPath(token), { method: "PATCH", json: body, answer: changedSchema }),
    onDone: (saved) => {
      toast({ title: texts.saved, detail: saved.token.label ?? token.hint });
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
    <TokenFormDialog
      title={texts.title}
      hint={token.hint}
      description={texts.description}
      verb={texts.save}
      fields={{ ...fields, today, labelOptional: true }}
      pending={pending}
      failure={failure}
      onSubmit={save}
      onClose={onClose}
      returnFocus={returnFocus}
    />
  );
}
