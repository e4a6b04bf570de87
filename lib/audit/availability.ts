import "server-only";
import { isDatabaseUnavailable } from "@/lib/db/failure";
import { TokendeskError } from "@/lib/errors";

/**
 * The answer of the database, for what makes no sense without it.
 * @param detail what a person is told when the database is away
 * @param unsure the same, when a change may have been committed all the same
 * @throws {TokendeskError} `audit_unavailable` in place of DatabaseUnavailable
 */
export async function needLog<T>(answer: Promise<T>, detail: string, unsure = detail): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    throw new TokendeskError("audit_unavailable", error.maybeDone ? unsure : detail, { cause: error });
  }
}
