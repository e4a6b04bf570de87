"use client";

import { Callout } from "@/components/ui/callout";
import { formatCount } from "@/lib/format";
import type { ListedConnection } from "@/lib/session/schema";
import type { Differences } from "@/lib/tokens/schema";

/** From here on it is more than a few people's work. */
const flood = 20;

type LegacyNoteProps = { connections: readonly ListedConnection[]; differences: Differences };

/** Where many tokens without a label come from, when there is a portal or a flood of them. */
export function LegacyNote({ connections, differences }: LegacyNoteProps) {
  const many = differences.appearedTotal >= flood;
  if (!many && !connections.some(({ legacy }) => legacy)) return null;
  return (
    <Callout
      tone="info"
      className="mb-4"
      title={
        many
          ? `${formatCount(differences.appearedTotal)} tokens appeared outside Tokendesk: it may be a script`
          : "On a legacy portal each sign-in of a script can leave a token"
      }
    >
      <p>
        RingCentral's official SDK creates a permanent token at each legacy login. A flood of tokens without a label may
        come from a script that signs in again and again: let it keep one token, then revoke the others.
      </p>
    </Callout>
  );
}
