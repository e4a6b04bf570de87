import "server-only";
import { cookies, headers } from "next/headers";
import { noteConfirmation } from "@/lib/auth/connections";
import { recordDenial } from "@/lib/auth/denial";
import { cookieJar, type Session } from "@/lib/auth/session";
import { homeActor } from "@/lib/auth/sessions";
import { connectWithPassword, newAttempt } from "@/lib/auth/sign-in";
import { env } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";
import { readSession } from "@/lib/session/cookie";
import { endUpstream } from "@/lib/session/end";
import { isHome, personIdOf } from "@/lib/session/schema";

/**
 * For what a session that was left open must not do: the person has proven who they are within STEP_UP_MINUTES.
 * @throws {TokendeskError} `step_up_required`, with how it can be done
 */
export function requireFresh(session: Session): void {
  const { stepUpMs } = env();
  if (Date.now() - session.authenticatedAt <= stepUpMs) return;
  throw new TokendeskError(
    "step_up_required",
    "You signed in a while ago. Confirm that it is you, then this goes on.",
    {
      extensions: { by: session.identity.provider, login: session.identity.login, maxAgeMinutes: stepUpMs / 60_000 },
    },
  );
}

/**
 * The person proves again who they are, with the password of the account that they are signed in through. The sign-in
 * that this makes at RingCX is ended at once.
 * @throws {TokendeskError} as a sign-in does; `invalid_input`: they came another way
 */
export async function confirmWithPassword(
  session: Session,
  password: string,
  address: string,
): Promise<{ authenticatedAt: string }> {
  const { data } = await readSession(cookieJar(await cookies()));
  const home = data?.connections.find((connection) => isHome(data, connection));
  if (session.identity.provider !== "ringcx" || home === undefined) {
    throw new TokendeskError("invalid_input", "Confirm in the way that you signed in.");
  }
  const attempt = newAttempt(address);
  try {
    const { host, platformId, username } = home;
    const again = await connectWithPassword({ host, platformId, username, password }, attempt);
    await endUpstream(again.host, again.refreshToken);
    // The identity, and not the connection: a cookie of a former version does not know the user's ID.
    if (personIdOf(again) !== session.identity.id) {
      throw new TokendeskError("invalid_credentials", "RingCX says that this is somebody else now. Sign in again.");
    }
  } catch (error) {
    attempt.error = error;
    const given = await headers();
    const from = { userAgent: given.get("user-agent"), requestId: given.get("x-request-id") };
    await recordDenial(attempt, from, homeActor(session));
    throw error;
  }
  return noteConfirmation(session);
}
