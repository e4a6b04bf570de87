import type { Ref } from "react";
import { adviceFor } from "@/components/advice";
import { type Failure, needsSignIn } from "@/components/http";
import { Callout } from "@/components/ui/callout";

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
          <a
            href="/sign-in?reason=expired"
            target="_blank"
            rel="noopener"
            className="font-medium text-ink underline underline-offset-2"
          >
            Sign in again in a new tab
          </a>
          , then come back to this one.
        </p>
      )}
      {failure.requestId && <p className="font-mono text-2xs">Request ID {failure.requestId}</p>}
    </Callout>
  );
}
