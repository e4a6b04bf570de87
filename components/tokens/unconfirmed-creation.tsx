"use client";

import type { Failure } from "@/components/http";
import { candidatesOf } from "@/components/tokens/answers";
import { TokenHint } from "@/components/tokens/token-hint";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { tokensTexts } from "@/lib/texts/tokens";
import { uiTexts } from "@/lib/texts/ui";

const texts = tokensTexts.unconfirmed;

type UnconfirmedCreationProps = {
  description: string;
  failure: Failure;
  onClose: () => void;
  onRefresh: () => void;
  returnFocus: () => void;
};

/** After a creation without an answer: what is known, and what it may have left behind. */
export function UnconfirmedCreation({
  description,
  failure,
  onClose,
  onRefresh,
  returnFocus,
}: UnconfirmedCreationProps) {
  return (
    <Dialog
      title={texts.title}
      description={description}
      onClose={onClose}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={onClose}>{uiTexts.actions.close}</Button>
          <Button
            ref={focusOnMount}
            variant="primary"
            onClick={() => {
              onRefresh();
              onClose();
            }}
          >
            {texts.refresh}
          </Button>
        </>
      }
    >
      <Findings failure={failure} />
    </Dialog>
  );
}

function Findings({ failure }: { failure: Failure }) {
  const candidates = candidatesOf(failure.body);
  return (
    <div className="flex flex-col gap-4 text-sm">
      <Callout tone="warn" title={failure.title} role="alert">
        {failure.detail && <p>{failure.detail}</p>}
        {failure.requestId && <p className="font-mono text-2xs">{uiTexts.failure.requestId(failure.requestId)}</p>}
      </Callout>
      {candidates.length > 0 ? (
        <section>
          <h3 className="font-medium">{texts.appeared(candidates.length)}</h3>
          <ul className="mt-2 divide-y divide-line rounded-lg border border-line">
            {candidates.map((token) => (
              <li key={token.id} className="flex items-center justify-between gap-3 px-3 py-2">
                <TokenHint hint={token.hint} />
                <span className="truncate text-dim">{token.label ?? texts.noLabel}</span>
              </li>
            ))}
          </ul>
          <p className="mt-2 text-dim">{texts.mayBeIt}</p>
        </section>
      ) : (
        <p className="text-dim">{texts.refreshFirst}</p>
      )}
    </div>
  );
}
