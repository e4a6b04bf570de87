import type { FailureCode } from "@/components/http";
import { signInTexts } from "@/lib/texts/sign-in";

const texts = signInTexts.advice;

/** What to know about a sign-in that did not work, beyond what the problem's detail says. */
export function signInAdvice(code: FailureCode): string | null {
  switch (code) {
    case "invalid_credentials":
      return texts.credentials;
    case "upstream_timeout":
    case "upstream_unavailable":
    case "upstream_bad_response":
    case "upstream_rate_limited":
      return texts.upstream;
    case "session_too_large":
      return texts.tooLarge;
    case "network":
    case "unreadable":
      return texts.network;
    case "internal_error":
      return texts.internal;
    default:
      return null;
  }
}
