import "server-only";
import { databaseReady } from "@/lib/db/client";
import { EnvError, env } from "@/lib/env";
import { notePeerAddresses } from "@/lib/http/address";
import { logger } from "@/lib/logger";

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
    if (!database.ready) logger().error({ database: database.reason }, "the database is not available");
  });
  if (env().databaseUrl !== null) {
    logger().warn("replicas do not share the renewal of sessions yet: the balancer must be sticky (docs/deploy.md)");
  }
  if (production && allowedAccounts === null && !sandbox) {
    logger().warn("ALLOWED_ACCOUNTS is not set: users of every RingCX account may sign in");
  }
}
