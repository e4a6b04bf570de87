import { TokenHint } from "@/components/tokens/token-hint";
import { Time } from "@/components/ui/time";
import type { Token } from "@/lib/tokens/schema";

/** Which token a dialog is about. */
export function TokenSummary({ token }: { token: Token }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 rounded-lg border border-line bg-sunken px-3 py-2.5 text-sm">
      <dt className="text-faint">Label</dt>
      <dd className="truncate font-medium">{token.label ?? <span className="font-normal text-dim">No label</span>}</dd>
      <dt className="text-faint">Token</dt>
      <dd>
        <TokenHint hint={token.hint} />
      </dd>
      {token.owner && (
        <>
          <dt className="text-faint">Owner</dt>
          <dd className="truncate">{token.owner}</dd>
        </>
      )}
      {token.environment && (
        <>
          <dt className="text-faint">Environment</dt>
          <dd className="truncate">{token.environment}</dd>
        </>
      )}
      {token.usedIn && (
        <>
          <dt className="text-faint">Where used</dt>
          <dd className="line-clamp-3 whitespace-pre-line break-words">{token.usedIn}</dd>
        </>
      )}
      {token.firstSeenAt && (
        <>
          <dt className="text-faint">First seen</dt>
          <dd>
            <Time iso={token.firstSeenAt} className="tabular-nums" />
          </dd>
        </>
      )}
    </dl>
  );
}
