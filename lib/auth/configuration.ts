import "server-only";
import type { Configuration } from "@/lib/auth/schema";
import type { Session } from "@/lib/auth/session";
import { env, settings } from "@/lib/env";
import { TokendeskError } from "@/lib/errors";

const dayMs = 24 * 3_600_000;
const minuteMs = 60_000;

/**
 * What this installation runs with, for administrators of an account that it is for: without ALLOWED_ACCOUNTS a user of any
 * RingCX customer can have a name that is in ADMIN_USERS.
 * @throws {TokendeskError} `forbidden`
 */
export function readConfiguration({
  user,
  tenant,
  home,
  identity,
}: Pick<Session, "user" | "tenant" | "home" | "identity">): Configuration {
  if (user.role !== "admin") {
    throw new TokendeskError("forbidden", "Only administrators see the configuration.");
  }
  const account = tenant.slice(tenant.lastIndexOf("|") + 1);
  const isOurs = env().allowedAccounts?.includes(account) || (identity.provider === "oidc" && tenant === home);
  if (!isOurs) {
    throw new TokendeskError(
      "forbidden",
      "The configuration is shown to administrators of the accounts in ALLOWED_ACCOUNTS. It is not set, so users of every RingCX account may sign in.",
    );
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
