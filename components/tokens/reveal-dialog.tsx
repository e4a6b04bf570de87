"use client";

import { useEffect, useState } from "react";
import { call } from "@/components/http";
import { useSubmission } from "@/components/submission";
import { revealedSchema, tokenPath } from "@/components/tokens/answers";
import { SecretValue } from "@/components/tokens/secret-value";
import { TokenSummary } from "@/components/tokens/token-summary";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { tokensTexts } from "@/lib/texts/tokens";
import { uiTexts } from "@/lib/texts/ui";
import type { Token } from "@/lib/tokens/schema";

const texts = tokensTexts.reveal;

const shownFor = 30;

type RevealDialogProps = { token: Token; onClose: () => void; returnFocus: () => void };

export function RevealDialog({ token, onClose, returnFocus }: RevealDialogProps) {
  const { pending, failure, submit } = useSubmission();
  const [value, setValue] = useState<string | null>(null);
  const [left, setLeft] = useState(0);
  const hidden = value === null && left === 0;

  useEffect(() => {
    if (value === null) return;
    const end = Date.now() + shownFor * 1000;
    const timer = setInterval(() => {
      const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      setLeft(seconds);
      if (seconds === 0) setValue(null);
    }, 250);
    return () => clearInterval(timer);
  }, [value]);

  async function reveal() {
    const answer = await submit(() => call(tokenPath(token, "reveal"), { method: "POST", answer: revealedSchema }));
    if (answer === null) return;
    setLeft(shownFor);
    setValue(answer.value);
  }

  return (
    <Dialog
      title={texts.title}
      description={texts.description}
      onClose={onClose}
      returnFocus={returnFocus}
      footer={
        <>
          {value !== null && (
            <p className="mr-auto text-dim text-sm tabular-nums" aria-live="off">
              {texts.hidesIn(left)}
            </p>
          )}
          <Button onClick={onClose}>{value === null ? uiTexts.actions.cancel : texts.hide}</Button>
          {value === null && (
            <Button data-autofocus variant="primary" onClick={reveal} pending={pending}>
              {texts.reveal}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenSummary token={token} />
        {!hidden && value !== null && <SecretValue value={value} hint={token.hint} />}
      </div>
    </Dialog>
  );
}
