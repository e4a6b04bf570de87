import "server-only";
import { hourMs, minuteMs, repeat, startAuditUpkeep } from "@/lib/audit/upkeep";
import { notePeerAddresses } from "@/lib/auth/address";
import { databaseReady } from "@/lib/db/client";
import { EnvError, env } from "@/lib/env";
import { noticeInterrupted } from "@/lib/incidents/run";
import { pruneCases } from "@/lib/incidents/upkeep";
import { logger } from "@/lib/logger";
import { startNotifications } from "@/lib/notify/delivery";
import { pruneSessions } from "@/lib/session/registry";
import { keepRotations } from "@/lib/tokens/rotations";

/** Checks the environment and starts what must run. A problem is told in one message, then the process ends. */
export function start(): void {
  try {
    env();
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  notePeerAddresses();
  const { appUrl, allowedAccounts, production, ringcxHosts, sandbox } = env();
  logger().info({ appUrl, ringcxHosts }, "Tokendesk starts");
  // Migrations run now rather than at the first request. Without the database Tokendesk serves what it can.
  void databaseReady().then((database) => {
    if (!database.ready) {
      // One that is slow at its first migration is not gone.
      const level = database.reason === "timeout" ? "warn" : "error";
      logger()[level]({ database: database.reason }, "the database is not available");
    }
    startAuditUpkeep();
    repeat("sessions", hourMs, pruneSessions);
    repeat("cases", 24 * hourMs, () => pruneCases());
    repeat("interrupted cases", minuteMs, () => noticeInterrupted());
    startNotifications();
    repeat("rotations", minuteMs, () => keepRotations());
  });
  if (production && allowedAccounts === null && !sandbox) {
    logger().warn("ALLOWED_ACCOUNTS is not set: users of every RingCX account may sign in");
  }
}
