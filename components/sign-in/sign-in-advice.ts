import type { FailureCode } from "@/components/http";

/** What to know about a sign-in that did not work, beyond what the problem's detail says. */
export function signInAdvice(code: FailureCode): string | null {
  switch (code) {
    case "invalid_credentials":
      return "A right password with another platform ID or host fails too. RingCX may lock a user after several tries.";
    case "upstream_timeout":
    case "upstream_unavailable":
    case "upstream_bad_response":
    case "upstream_rate_limited":
      return "Nothing was changed.";
    case "session_too_large":
      return "Your password is not the problem. Tell the administrator of this Tokendesk.";
    case "network":
    case "unreadable":
      return "Nothing was changed. Check the connection and try again.";
    case "internal_error":
      return "If it stays, tell the administrator of this Tokendesk.";
    default:
      return null;
  }
}
