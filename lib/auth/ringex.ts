import "server-only";
import { cookies } from "next/headers";
import type { OAuthConfig } from "next-auth/providers/oauth";
import { keepPending } from "@/lib/auth/exchange-cookie";
import type { SignInIntent } from "@/lib/auth/intent";
import { type Arrival, signInAttempt } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { type ProblemCode, TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";
import { UpstreamError } from "@/lib/ringcx/errors";
import { redeemRingexCode, ringexToken } from "@/lib/ringcx/ringex";
import { joinLine } from "@/lib/session/exchange-queue";

/** RingEX single sign-on: RingCentral's OAuth, then the exchange of its token for a RingCX session. */

/** Why nobody came back from RingCentral, as the sign-in page knows it. */
type Word = "denied" | "state" | "code" | "provider_down" | "provider_error";

/** @param options.fresh the person should sign in there once more; RingCentral does not say whether they did */
export function ringexProvider({ fresh = false } = {}): OAuthConfig<Record<string, unknown>>[] {
  const { ringex } = env();
  if (ringex === null) return [];
  return [
    {
      id: "ringcentral",
      name: "RingCentral",
      type: "oauth",
      clientId: ringex.clientId,
      clientSecret: ringex.clientSecret,
      checks: ["pkce", "state"],
      // Without a scope of ours the application's own permissions count; "openid" is not one of RingEX's.
      authorization: {
        url: `${ringex.serverUrl}/restapi/oauth/authorize`,
        params: { scope: "", ...(fresh ? { prompt: "login sso" } : {}) },
      },
      token: {
        url: `${ringex.serverUrl}/restapi/oauth/token`,
        // By our own client: the one of next-auth has no cap, and its deadline is for silence alone.
        request: async ({ params: { code, state }, checks, provider }) => {
          if (!state || state !== checks.state || !checks.code_verifier) throw refused("state");
          if (!code) throw refused("provider_error");
          try {
            const codeVerifier = checks.code_verifier;
            const token = await redeemRingexCode(ringex, { code, redirectUri: provider.callbackUrl, codeVerifier });
            return { tokens: { access_token: token.accessToken, token_type: token.tokenType } };
          } catch (error) {
            logger().warn({ err: error }, "no token from RingCentral");
            throw refused(wordFor(error), error);
          }
        },
      },
      // Who somebody is, RingCX says.
      userinfo: { request: async () => ({}) },
      profile: () => ({ id: "ringcentral" }),
    },
  ];
}

/** The handler around next-auth is told: next-auth itself makes of every error its own. */
function refused(word: Word, cause?: unknown): TokendeskError {
  const error = troubleFor(word, cause);
  const attempt = signInAttempt.getStore();
  if (attempt) attempt.error = error;
  return error;
}

function wordFor(error: unknown): Word {
  if (!(error instanceof UpstreamError)) return "provider_error";
  switch (error.reason) {
    case "rejected":
      return "code";
    case "timeout":
    case "unavailable":
    case "rate_limited":
      return "provider_down";
    default:
      // A page in place of JSON: something before RingCentral answers.
      return (error.upstreamStatus ?? 0) >= 500 ? "provider_down" : "provider_error";
  }
}

/**
 * Keeps what the exchange needs in a sealed cookie, takes a place in the line, and leads to the page that waits.
 * @throws {TokendeskError} `upstream_bad_response`; `session_too_large`: the browser has no room, and the database is away
 */
export async function keepExchange({ account }: Arrival, intent: SignInIntent): Promise<string> {
  const token = ringexToken.safeParse({ accessToken: account.access_token, tokenType: account.token_type });
  if (!token.success) throw troubleFor("provider_error");
  const { id } = await keepPending(await cookies(), token.data, intent);
  await joinLine(id);
  return "/sign-in/ringex";
}

/** Why nobody arrived: RingCentral says so, or next-auth's cookies of the way there are gone. */
export function ringexTrouble(url: URL): TokendeskError {
  switch (url.searchParams.get("error")) {
    case null:
      return troubleFor("state");
    case "access_denied":
      return troubleFor("denied");
    case "temporarily_unavailable":
    case "server_error":
      return troubleFor("provider_down");
    default:
      return troubleFor("provider_error");
  }
}

const troubles: Record<Word, [ProblemCode, string]> = {
  denied: ["forbidden", "RingCentral was not allowed to tell Tokendesk who you are."],
  state: ["invalid_input", "This sign-in was not begun in this browser, or took too long."],
  code: ["invalid_input", "What RingCentral sent along was too old, or it was used already."],
  provider_down: ["upstream_unavailable", "RingCentral cannot be reached right now."],
  provider_error: ["upstream_bad_response", "RingCentral gave an answer that makes no sense."],
};

function troubleFor(problem: Word, cause?: unknown): TokendeskError {
  const [code, detail] = troubles[problem];
  return new TokendeskError(code, detail, { cause, extensions: { problem } });
}
