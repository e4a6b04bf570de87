import "server-only";
import { keptCheckpoints } from "@/lib/audit/checkpoints";
import type { Actor } from "@/lib/audit/log";
import type { Reader } from "@/lib/audit/reading";
import { auditedStream } from "@/lib/audit/streams";
import { verifyLog } from "@/lib/audit/verify";
import { read } from "@/lib/db/client";
import { TokendeskError } from "@/lib/errors";
import { logger } from "@/lib/logger";

/**
 * Verifies this installation's log, as lines of JSON (`VerificationLine`): for ops and admin.
 * @throws {TokendeskError} `forbidden`, `audit_unavailable`
 */
export async function verificationStream(reader: Reader & { actor: Actor }): Promise<ReadableStream<Uint8Array>> {
  if (reader.user.role === "member") {
    throw new TokendeskError("forbidden", "The audit log is verified by ops and administrators.");
  }
  return auditedStream(
    reader.actor,
    { action: "audit.verify" },
    async function* (intent) {
      for await (const line of verifyLog(read, keptCheckpoints())) {
        if (line.type === "result") {
          intent.details = { intact: line.ok, verified: line.verified, problems: line.problems.length };
          // This verification is one of them.
          line.openIntents -= 1;
          if (!line.ok) logger().error({ problems: line.problems.slice(0, 10) }, "the audit log does not verify");
        }
        yield `${JSON.stringify(line)}\n`;
      }
    },
    (error) => {
      logger().error({ err: error }, "the audit log could not be verified");
      const detail = "The log could not be read to its end, so nothing is said about it. Try again in a moment.";
      return `${JSON.stringify({ type: "failed", detail })}\n`;
    },
  );
}
