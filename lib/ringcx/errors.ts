import { type ProblemCode, TokendeskError } from "@/lib/errors";

/**
 * What a failed upstream call means for its caller.
 * * `credentials`: RingCX does not accept the credential (401). Nothing happened.
 * * `terminal`: RingCX refused, and would again. Nothing happened.
 * * `transient`: it may work later. Nothing happened.
 * * `unknown`: the request may or may not have had its effect.
 */
export type FailureClass = "credentials" | "terminal" | "transient" | "unknown";

export type FailureReason =
  | "unauthorized"
  | "jwt_refused"
  | "forbidden"
  | "not_found"
  | "rejected"
  | "rate_limited"
  | "unavailable"
  | "timeout"
  | "bad_response";

/** What the person is told, for a failure that the caller does not treat otherwise. */
const told: Record<FailureReason, { code: ProblemCode; detail: string }> = {
  unauthorized: { code: "session_expired", detail: "RingCX no longer accepts this session. Sign in again." },
  jwt_refused: { code: "session_expired", detail: "RingCX no longer accepts this session. Sign in again." },
  forbidden: {
    code: "forbidden",
    detail: "RingCX says that your user may not do this. Ask a RingCX administrator for the permission.",
  },
  rate_limited: {
    code: "upstream_rate_limited",
    detail:
      "RingCX allows a limited number of requests per minute, and they are used up. Wait a moment, then try again.",
  },
  timeout: {
    code: "upstream_timeout",
    detail: "RingCX did not answer in time. You are still signed in; try again in a moment.",
  },
  unavailable: {
    code: "upstream_unavailable",
    detail: "RingCX cannot be reached right now. You are still signed in; try again in a moment.",
  },
  not_found: {
    code: "upstream_bad_response",
    detail: "RingCX does not know this request. Check the host and the account.",
  },
  rejected: {
    code: "upstream_bad_response",
    detail: "RingCX rejected the request without a reason that Tokendesk knows.",
  },
  bad_response: {
    code: "upstream_bad_response",
    detail: "RingCX gave an answer that Tokendesk cannot trust, so it is not shown. Try again in a moment.",
  },
};

/** A failed upstream call. Holds names and numbers only: never a URL, a header or a body. */
export class UpstreamError extends TokendeskError {
  /** The call's name, such as `token.list`. */
  readonly operation: string;
  readonly failure: FailureClass;
  readonly reason: FailureReason;
  /** HTTP status of RingCX's answer, if there was one. */
  readonly upstreamStatus: number | undefined;
  /** RingCX itself gave the reason: the body is a refusal as it is documented. */
  readonly explained: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    operation: string,
    failure: FailureClass,
    reason: FailureReason,
    facts: { status?: number; explained?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(told[reason].code, told[reason].detail, {
      cause: facts.cause,
      ...(facts.retryAfterMs === undefined ? {} : { retryAfter: facts.retryAfterMs / 1000 }),
    });
    this.name = "UpstreamError";
    this.operation = operation;
    this.failure = failure;
    this.reason = reason;
    this.upstreamStatus = facts.status;
    this.explained = facts.explained ?? false;
    this.retryAfterMs = facts.retryAfterMs;
  }

  /** The same, with the time in ms for which nothing is sent after it. */
  heldFor(retryAfterMs: number): UpstreamError {
    const { operation, failure, reason, upstreamStatus, explained, cause } = this;
    return new UpstreamError(operation, failure, reason, {
      ...(upstreamStatus === undefined ? {} : { status: upstreamStatus }),
      explained,
      retryAfterMs,
      cause,
    });
  }
}
