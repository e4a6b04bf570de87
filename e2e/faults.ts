/** The sandbox's faults as tests take them: what is sent, whether RingCX acts all the same, and its name in a title. */
export type Fault = { title: string; kind: string; takesEffect: boolean; input: Record<string, unknown> };

const fault = (kind: string, takesEffect: boolean, input: Record<string, unknown> = {}, title = kind): Fault => ({
  title,
  kind,
  takesEffect,
  input: { kind, ...input },
});

/** Every kind of fault, and for those that may take effect or not, both. */
export function everyFault(elsewhere: string): Fault[] {
  const both = (kind: string, input: Record<string, unknown> = {}, title = kind) => [
    fault(kind, false, { ...input, effect: false }, `${title} without effect`),
    fault(kind, true, { ...input, effect: true }, `${title} after the effect`),
  ];
  return [
    fault("latency", true, { ms: 50 }),
    ...both("hang"),
    fault("resetBefore", false),
    fault("resetAfter", true),
    fault("cutBody", true),
    ...both("html502"),
    ...both("html503"),
    ...both("html504"),
    fault("http429", false, {}, "http429 without Retry-After"),
    fault("http429", false, { retryAfter: 1 }, "http429 with Retry-After"),
    fault("false200", false),
    fault("wrongContentType", true),
    fault("quotedToken", true),
    fault("emptyBody", true),
    ...both("hugeBody"),
    fault("malformedJson", true),
    ...both("status", { status: 500, body: '{"errorCode":"internal"}', contentType: "application/json" }, "status 500"),
    ...both("redirect", { location: elsewhere }),
    fault("jwtExpired", false),
    fault("slowBody", true, { ms: 700 }),
    fault("unauthorized", false, { effect: false }),
  ];
}

/** What people are told of RingCX's failures. */
export const details = {
  upstream_unavailable: "RingCX cannot be reached right now. You are still signed in; try again in a moment.",
  upstream_timeout: "RingCX did not answer in time. You are still signed in; try again in a moment.",
  upstream_rate_limited:
    "RingCX allows a limited number of requests per minute, and they are used up. Wait a moment, then try again.",
  upstream_bad_response:
    "RingCX gave an answer that Tokendesk cannot trust, so it is not shown. Try again in a moment.",
  session_expired: "RingCX no longer accepts this session. Sign in again.",
  invalid_credentials:
    "RingCX did not accept this username, password and platform ID together. Check all three, and the host.",
} as const;
export type Told = keyof typeof details;

export const statuses: Record<Told, number> = {
  upstream_unavailable: 503,
  upstream_timeout: 504,
  upstream_rate_limited: 503,
  upstream_bad_response: 502,
  session_expired: 401,
  invalid_credentials: 401,
};

/** What a read that meets this fault again and again comes to; null: it works. */
export function readOutcome(kind: string): Told | null {
  switch (kind) {
    case "latency":
    case "wrongContentType":
      return null;
    case "hang":
    case "slowBody":
      return "upstream_timeout";
    case "http429":
      return "upstream_rate_limited";
    case "false200":
    case "quotedToken":
    case "emptyBody":
    case "hugeBody":
    case "malformedJson":
    case "redirect":
      return "upstream_bad_response";
    case "jwtExpired":
    case "unauthorized":
      return "session_expired";
    default:
      return "upstream_unavailable";
  }
}
