import { TokenHint } from "@/components/tokens/token-hint";
import { Time } from "@/components/ui/time";
import { tokensTexts } from "@/lib/texts/tokens";
import type { Token } from "@/lib/tokens/schema";

const texts = tokensTexts.summary;

/** Which token a dialog is about. */
export function TokenSummary({ token }: { token: Token }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 rounded-lg border border-line bg-sunken px-3 py-2.5 text-sm">
      <dt className="text-faint">{texts.label}</dt>
      <dd className="truncate font-medium">
        {token.label ?? <span className="font-normal text-dim">{texts.noLabel}</span>}
      </dd>
      <dt className="text-faint">{texts.token}</dt>
      <dd>
        <TokenHint hint={token.hint} />
      </dd>
      {token.owner && (
        <>
          <dt className="text-faint">{texts.owner}</dt>
          <dd className="truncate">{token.owner}</dd>
        </>
      )}
      {token.environment && (
        <>
          <dt className="text-faint">{texts.environment}</dt>
          <dd className="truncate">{token.environment}</dd>
        </>
      )}
      {token.usedIn && (
        <>
          <dt className="text-faint">{texts.usedIn}</dt>
          <dd className="line-clamp-3 whitespace-pre-line break-words">{token.usedIn}</dd>
        </>
      )}
      {token.firstSeenAt && (
        <>
          <dt className="text-faint">{texts.firstSeen}</dt>
          <dd>
            <Time iso={token.firstSeenAt} className="tabular-nums" />
          </dd>
        </>
      )}
    </dl>
  );
}
