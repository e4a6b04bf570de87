import type { Ref } from "react";
import { adviceFor } from "@/components/advice";
import { type Failure, needsSignIn } from "@/components/http";
import { Callout } from "@/components/ui/callout";
import { RichText } from "@/components/ui/rich-text";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.failure;

type FailureNoteProps = { failure: Failure; ref?: Ref<HTMLDivElement> };

/** What went wrong with a request that the person made, at the place where it was made. */
export function FailureNote({ failure, ref }: FailureNoteProps) {
  const advice = adviceFor(failure.code);
  return (
    <Callout ref={ref} tone="danger" title={failure.title} role="alert" tabIndex={-1}>
      {failure.detail && <p>{failure.detail}</p>}
      {advice && <p>{advice}</p>}
      {needsSignIn(failure) && (
        <p>
          <RichText
            text={texts.signInAgain}
            slots={{
              link: (
                <a
                  href="/sign-in?reason=expired"
                  target="_blank"
                  rel="noopener"
                  className="font-medium text-ink underline underline-offset-2"
                >
                  {texts.signInAgainLink}
                </a>
              ),
            }}
          />
        </p>
      )}
      {failure.requestId && <p className="font-mono text-2xs">{texts.requestId(failure.requestId)}</p>}
    </Callout>
  );
}
