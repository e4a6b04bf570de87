import "server-only";
import { NextRequest } from "next/server";
import NextAuth from "next-auth";
import { recordDenial } from "@/lib/auth/denial";
import { authOptions } from "@/lib/auth/identity";
import { currentSession } from "@/lib/auth/session";
import { endCurrentSession, startSession } from "@/lib/auth/sessions";
import { newAttempt, signInAttempt } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";

type AuthRequest = {
  request: NextRequest;
  /** The body, already read and capped; empty for GET. */
  body: string;
  /** The path below `/api/auth`: `["callback", "ringcx"]`. */
  path: string[];
  /** The client's address, for the throttle. */
  address: string;
  requestId: string;
};

/** next-auth takes any further segments for parameters; what is not listed here would pass by the code below. */
const actions = new Set([
  "callback/ringcx",
  "csrf",
  "error",
  "providers",
  "session",
  "signin",
  "signin/ringcx",
  "signout",
]);

/**
 * next-auth's handler with the encrypted session around it: a sign-in writes it, a sign-out ends it here and
 * upstream. Failures of a sign-in are thrown as coded errors, which next-auth cannot express.
 * @throws {TokendeskError}
 */
export async function authenticate({ request, body, path, address, requestId }: AuthRequest): Promise<Response> {
  const action = path.join("/");
  if (!actions.has(action)) throw new TokendeskError("not_found", "There is no such step of a sign-in.");
  if (action === "session" && (await currentSession()) === null) return Response.json({});

  // next-auth believes this variable before any Host header.
  process.env.NEXTAUTH_URL = env().appUrl;
  const attempt = newAttempt(address);
  const forwarded = new NextRequest(request.url, {
    method: request.method,
    headers: request.headers,
    ...(body === "" ? {} : { body }),
  });
  const response: Response = await signInAttempt.run(attempt, () =>
    NextAuth(forwarded, { params: { nextauth: path } }, authOptions()),
  );
  // The address to go to after a sign-in is ours to decide; the cookie that keeps it is 60 bytes for nothing.
  dropCookies(response, (name) => name.endsWith("callback-url"));

  if (request.method === "POST" && action === "callback/ringcx") {
    try {
      if (attempt.error !== null) throw attempt.error;
      if (attempt.session === null || attempt.person === null) {
        throw new TokendeskError("invalid_input", "The sign-in form is out of date. Reload the page and try again.");
      }
      await startSession(attempt.person, attempt.session);
    } catch (error) {
      attempt.error = error;
      await recordDenial(attempt, { userAgent: request.headers.get("user-agent"), requestId });
      throw error;
    }
  }
  if (attempt.signedOut) {
    // next-auth empties its cookie; it should be gone, and its CSRF token with it.
    dropCookies(response, () => true);
    await endCurrentSession();
  }
  return response;
}

/** Takes cookies of next-auth's out of its answer. */
function dropCookies(response: Response, isDropped: (name: string) => boolean): void {
  const kept = response.headers.getSetCookie().filter((cookie) => !isDropped(cookie.slice(0, cookie.indexOf("="))));
  response.headers.delete("set-cookie");
  for (const cookie of kept) response.headers.append("set-cookie", cookie);
}
