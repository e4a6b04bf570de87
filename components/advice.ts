import type { FailureCode } from "@/components/http";

/** What a person can do about a failure, beyond what its detail says. */
export function adviceFor(code: FailureCode): string | null {
  switch (code) {
    case "upstream_timeout":
    case "upstream_unavailable":
    case "upstream_bad_response":
      return "This is usually over in a minute. If it stays, look at RingCX's status page.";
    case "token_not_found":
      return "Refresh the list to see what is there now.";
    case "bad_origin":
      return "Open Tokendesk at its own address.";
    case "audit_unavailable":
      return "Nothing is changed without a record. If it stays, tell the administrator of this Tokendesk.";
    case "internal_error":
      return "If it stays, tell the administrator of this Tokendesk.";
    case "network":
    case "unreadable":
      return "Check the connection, then try again.";
    case "session_expired":
    case "not_signed_in":
      return "What you typed stays here.";
    default:
      return null;
  }
}
