"use client";

import { SecretValue } from "@/components/tokens/secret-value";
import { Callout } from "@/components/ui/callout";

/** The one time that a new token's value is shown. */
export function ValuePanel({ value, hint, onCopied }: { value: string; hint: string; onCopied: () => void }) {
  return (
    <div className="flex flex-col gap-3">
      <SecretValue value={value} hint={hint} onCopied={onCopied} />
      <Callout tone="warn" title="Put it where it belongs now">
        <p>Tokendesk does not keep the value and does not show it again unasked.</p>
        <p>It never expires: it works until someone revokes it. RingCX gives it no name; the label lives here only.</p>
      </Callout>
    </div>
  );
}
