"use client";

import { Callout } from "@/components/ui/callout";
import type { ListedConnection } from "@/lib/session/schema";
import { tokensTexts } from "@/lib/texts/tokens";
import type { Differences } from "@/lib/tokens/schema";

const texts = tokensTexts.legacy;

/** From here on it is more than a few people's work. */
const flood = 20;

type LegacyNoteProps = { connections: readonly ListedConnection[]; differences: Differences };

/** Where many tokens without a label come from, when there is a portal or a flood of them. */
export function LegacyNote({ connections, differences }: LegacyNoteProps) {
  const many = differences.appearedTotal >= flood;
  if (!many && !connections.some(({ legacy }) => legacy)) return null;
  return (
    <Callout tone="info" className="mb-4" title={many ? texts.flood(differences.appearedTotal) : texts.portal}>
      <p>{texts.why}</p>
    </Callout>
  );
}
