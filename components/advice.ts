import type { FailureCode } from "@/components/http";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.advice;

/** What a person can do about a failure, beyond what its detail says. */
export function adviceFor(code: FailureCode): string | null {
  switch (code) {
    case "upstream_timeout":
    case "upstream_unavailable":
    case "upstream_bad_response":
      return texts.upstream;
    case "token_not_found":
      return texts.tokenNotFound;
    case "bad_origin":
      return texts.badOrigin;
    case "audit_unavailable":
      return texts.auditUnavailable;
    case "internal_error":
      return texts.internal;
    case "network":
    case "unreadable":
      return texts.network;
    case "session_expired":
    case "not_signed_in":
      return texts.signedOut;
    default:
      return null;
  }
}
