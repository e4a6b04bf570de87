import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import { tokensTexts } from "@/lib/texts/tokens";
import type { RevocationProof } from "@/lib/tokens/schema";

const texts = tokensTexts.proof;

/** How it is known that a token is dead, in words. */
export function Proof({ proof }: { proof: RevocationProof }) {
  return (
    <RichText
      text={proof.method === "token_refused" ? texts.refused : texts.absent}
      slots={{ time: <Time iso={proof.checkedAt} as="instant" className="tabular-nums" /> }}
    />
  );
}
