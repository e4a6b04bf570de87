import "server-only";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { signInPath } from "@/lib/auth/return-path";
import { isTokendeskError, type Problem, toProblem } from "@/lib/errors";
import { logger } from "@/lib/logger";

type Attempt<T> = { value: T; problem: null } | { value: null; problem: Problem };

/** Runs a page's verb. A session that is over leads to sign-in and back; any other coded error is for the view. */
export async function attempt<T>(returnTo: string, verb: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await verb(), problem: null };
  } catch (error) {
    if (!isTokendeskError(error)) throw error;
    if (error.code === "session_expired") redirect(signInPath("expired", returnTo));
    if (error.code === "not_signed_in") redirect(signInPath("required", returnTo));
    const problem = toProblem(error, (await headers()).get("x-request-id") ?? "");
    logger().warn({ requestId: problem.requestId, err: error }, "page shows a problem");
    return { value: null, problem };
  }
}
