"use client";

import clsx from "clsx";
import Link from "next/link";
import { useSeveral } from "@/components/connections/listed";
import { historyPath } from "@/components/tokens/answers";
import { TokenHint } from "@/components/tokens/token-hint";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.menu;

type Shown = { id: string; hint: string; connection?: string | null };

/** Where a token's history stands; which connection it is of only where there are several. */
export function useHistoryPath({ id, connection = null }: Omit<Shown, "hint">): string {
  return historyPath({ id }, useSeveral().length > 0 ? connection : null);
}

/** A token's hint, as the way to what happened to it. */
export function HistoryLink({ token, className }: { token: Shown; className?: string }) {
  return (
    <Link
      href={useHistoryPath(token)}
      prefetch={false}
      title={texts.history}
      className={clsx("rounded underline-offset-2 hover:underline", className)}
    >
      <TokenHint hint={token.hint} />
    </Link>
  );
}
