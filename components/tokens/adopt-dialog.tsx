"use client";

import { useRouter } from "next/navigation";
import { call } from "@/components/http";
import { changedSchema, tokenPath } from "@/components/tokens/answers";
import { useTokenForm } from "@/components/tokens/token-form";
import { TokenFormDialog } from "@/components/tokens/token-form-dialog";
import { newTokenBody, textOf } from "@/components/tokens/token-text";
import { useToast } from "@/components/ui/toast";
import { tokensTexts } from "@/lib/texts/tokens";
import type { Token } from "@/lib/tokens/schema";

const texts = tokensTexts.adopt;

type AdoptDialogProps = { token: Token; today: string; onClose: () => void; returnFocus: () => void };

/** Its owner says what a token is that appeared in the list without Tokendesk. */
export function AdoptDialog({ token, today, onClose, returnFocus }: AdoptDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const { fields, pending, failure, onSubmit } = useTokenForm({
    initial: () => textOf(token),
    check: newTokenBody,
    send: (body) => call(tokenPath(token, "adopt"), { method: "POST", json: body, answer: changedSchema }),
    onDone: (adopted) => {
      toast({ title: texts.adopted, detail: adopted.token.label ?? token.hint });
      router.refresh();
      onClose();
    },
  });

  return (
    <TokenFormDialog
      title={texts.title}
      hint={token.hint}
      description={texts.description}
      verb={texts.adopt}
      fields={{ ...fields, today }}
      pending={pending}
      failure={failure}
      onSubmit={onSubmit}
      onClose={onClose}
      returnFocus={returnFocus}
    />
  );
}
