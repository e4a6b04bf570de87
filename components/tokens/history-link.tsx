import clsx from "clsx";
import Link from "next/link";
import { historyPath } from "@/components/tokens/answers";
import { TokenHint } from "@/components/tokens/token-hint";

/** A token's hint, as the way to what happened to it. */
export function HistoryLink({ token, className }: { token: { id: string; hint: string }; className?: string }) {
  return (
    <Link
      href={historyPath(token)}
      prefetch={false}
      title="History"
      className={clsx("rounded underline-offset-2 hover:underline", className)}
    >
      <TokenHint hint={token.hint} />
    </Link>
  );
}
