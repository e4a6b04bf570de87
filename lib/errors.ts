/**
 * The closed set of coded errors, and the one mapping from an error to an RFC 9457 problem.
 * Safe to import anywhere: it holds no secret and reads no environment.
 */

/** Code -> HTTP status and title. The codes are promises (docs/decisions/0001-problem-codes.md). */
export const PROBLEMS = {
  invalid_input: { status: 400, title: "The request is not valid" },
  invalid_credentials: { status: 401, title: "RingCX did not accept these credentials" },
  not_signed_in: { status: 401, title: "You are not signed in" },
  session_expired: { status: 401, title: "Your session has ended" },
  account_not_allowed: { status: 403, title: "This account may not sign in here" },
  bad_origin: { status: 403, title: "The request came from another origin" },
  connection_required: { status: 403, title: "No RingCX account is connected" },
  forbidden: { status: 403, title: "This is not permitted" },
  password_reset_required: { status: 403, title: "RingCX wants a new password first" },
  step_up_required: { status: 403, title: "A fresh sign-in is needed" },
  not_found: { status: 404, title: "There is nothing here" },
  token_not_found: { status: 404, title: "This token is not in your list" },
  method_not_allowed: { status: 405, title: "This method is not allowed here" },
  link_unconfirmed: { status: 409, title: "This is another person's name" },
  payload_too_large: { status: 413, title: "The request is too large" },
  rate_limited: { status: 429, title: "Too many requests" },
  internal_error: { status: 500, title: "Something went wrong on our side" },
  creation_unconfirmed: { status: 502, title: "RingCX did not confirm the new token" },
  revocation_unconfirmed: { status: 502, title: "The revocation is not proven" },
  session_too_large: { status: 502, title: "RingCX sent a session too large to keep" },
  upstream_bad_response: { status: 502, title: "RingCX gave an answer that makes no sense" },
  audit_unavailable: { status: 503, title: "The audit log is not available" },
  upstream_rate_limited: { status: 503, title: "RingCX is limiting requests" },
  upstream_unavailable: { status: 503, title: "RingCX is not available" },
  upstream_timeout: { status: 504, title: "RingCX did not answer in time" },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457 body. `retryAfter` in seconds; `candidates` only with `creation_unconfirmed`. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail: string;
  requestId: string;
  [extension: string]: unknown;
};

type ErrorOptions = {
  cause?: unknown;
  /** Seconds; becomes the `Retry-After` header. */
  retryAfter?: number;
  /** Non-secret members added to the problem body. */
  extensions?: Record<string, unknown>;
};

/** An error with a code that may be told to the person. `detail` never holds a secret or an upstream URL. */
export class TokendeskError extends Error {
  readonly code: ProblemCode;
  readonly retryAfter: number | undefined;
  readonly extensions: Record<string, unknown>;

  constructor(code: ProblemCode, detail: string, options: ErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TokendeskError";
    this.code = code;
    this.retryAfter = options.retryAfter === undefined ? undefined : Math.max(1, Math.ceil(options.retryAfter));
    this.extensions = options.extensions ?? {};
  }
}

/** True for errors of ours, those that crossed a bundle boundary included (each bundle has its own class). */
export function isTokendeskError(error: unknown): error is TokendeskError {
  return (
    error instanceof TokendeskError ||
    (error instanceof Error &&
      (error.name === "TokendeskError" || error.name === "UpstreamError") &&
      "code" in error &&
      Object.hasOwn(PROBLEMS, String(error.code)))
  );
}

/** Maps any error to a problem. What is not ours becomes `internal_error` and says nothing of its cause. */
export function toProblem(error: unknown, requestId: string): Problem {
  const known = isTokendeskError(error)
    ? error
    : new TokendeskError(
        "internal_error",
        "The request could not be completed. Quote the request ID when you report it.",
      );
  const { status, title } = PROBLEMS[known.code];
  return {
    ...known.extensions,
    ...(known.retryAfter === undefined ? {} : { retryAfter: known.retryAfter }),
    type: `urn:tokendesk:problem:${known.code}`,
    title,
    status,
    code: known.code,
    detail: known.message,
    requestId,
  };
}
