import "server-only";
import type { Configuration } from "@/lib/auth/schema";
import type { Session } from "@/lib/auth/session";
import { env, settings } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";

const dayMs = 24 * 3_600_000;
const minuteMs = 60_000;

/**
 * What this installation runs with.
 * @throws {TokendeskError} `forbidden`: who asks is no administrator
 */
export function readConfiguration({ user }: Session): Configuration {
  if (user.role !== "admin") {
    throw new TokendeskError("forbidden", "Only administrators see the configuration.");
  }
  const { adminUsers, opsUsers, oidc, allowedAccounts, auditRetentionMs, sessionRetentionMs, ...limits } = env();
  return {
    settings: settings(),
    roles: { admins: [...adminUsers], ops: [...opsUsers], opsGroup: oidc?.opsGroup ?? null },
    allowedAccounts: allowedAccounts && [...allowedAccounts],
    retention: {
      auditDays: auditRetentionMs === null ? null : auditRetentionMs / dayMs,
      sessionDays: sessionRetentionMs / dayMs,
    },
    limits: {
      idleMinutes: limits.sessionIdleMs / minuteMs,
      maxMinutes: limits.sessionMaxMs / minuteMs,
      stepUpMinutes: limits.stepUpMs / minuteMs,
    },
  };
}
