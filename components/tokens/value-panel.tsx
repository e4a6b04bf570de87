"use client";

import type { Created } from "@/components/tokens/answers";
import { SecretValue } from "@/components/tokens/secret-value";
import { Callout } from "@/components/ui/callout";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.value;

/** The one time that a new token's value is shown. */
export function ValuePanel({ created, onCopied }: { created: Created; onCopied: () => void }) {
  const { token, value } = created;
  return (
    <div className="flex flex-col gap-3">
      <SecretValue value={value} hint={token.hint} onCopied={onCopied} />
      {token.label === null && (
        <Callout tone="warn" title={texts.noLabel}>
          <p>{texts.noLabelWhy}</p>
        </Callout>
      )}
      <Callout tone="warn" title={texts.keepIt}>
        <p>{texts.notKept}</p>
        <p>{texts.neverExpires}</p>
      </Callout>
    </div>
  );
}
