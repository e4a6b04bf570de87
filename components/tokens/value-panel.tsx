"use client";

import type { Created } from "@/components/tokens/answers";
import { SecretValue } from "@/components/tokens/secret-value";
import { Callout } from "@/components/ui/callout";

/** The one time that a new token's value is shown. */
export function ValuePanel({ created, onCopied }: { created: Created; onCopied: () => void }) {
  const { token, value } = created;
  return (
    <div className="flex flex-col gap-3">
      <SecretValue value={value} hint={token.hint} onCopied={onCopied} />
      {token.label === null && (
        <Callout tone="warn" title="The label could not be written down">
          <p>The token works. Give it its label again in the list when the database is back.</p>
        </Callout>
      )}
      <Callout tone="warn" title="Put it where it belongs now">
        <p>Tokendesk does not keep the value and does not show it again unasked.</p>
        <p>It never expires: it works until someone revokes it. RingCX gives it no name; the label lives here only.</p>
      </Callout>
    </div>
  );
}
