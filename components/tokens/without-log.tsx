import { Callout } from "@/components/ui/callout";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.withoutLog;

/** Stands beside "Revoke without the log": what that means. */
export function WithoutLogNote() {
  return (
    <Callout tone="info" title={texts.title}>
      <p>{texts.why}</p>
    </Callout>
  );
}

/** After it was done. The log may have been back in time. */
export function WentOnNote() {
  return <p>{texts.wentOn}</p>;
}
