import { Time } from "@/components/ui/time";
import type { RevocationProof } from "@/lib/tokens/schema";

/** How it is known that a token is dead, in words. */
export function Proof({ proof }: { proof: RevocationProof }) {
  return (
    <>
      {proof.method === "token_refused" ? "RingCX refused the token itself" : "It is gone from your list in RingCX"},
      checked <Time iso={proof.checkedAt} as="instant" className="tabular-nums" />.
    </>
  );
}
