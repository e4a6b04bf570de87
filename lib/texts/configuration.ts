import type { Configuration } from "@/lib/auth/schema";
import { plural } from "@/lib/format";

export const configurationTexts = {
  section: {
    title: "Configuration",
    about: "Set in the environment and read once at start. Secrets are never shown, here or anywhere.",
    admins: "Administrators",
    nobody: "Nobody",
    ops: "Operations",
    opsGroup: (group: string) => `and members of the group ${group}`,
    allowedAccounts: "Allowed accounts",
    anyAccount: "Any RingCX account",
    anyAccountWarning: "Set ALLOWED_ACCOUNTS, or users of every RingCX customer may sign in.",
    none: "None",
    retention: "Retention",
    forEver: "Audit events are kept for ever",
    auditDays: (days: number) => `Audit events are kept for ${plural(days, "day")}`,
    sessionDays: (days: number) => `Records of ended sessions are kept for ${plural(days, "day")}`,
    sessions: "Sessions",
    sessionLimits: (idleMinutes: number, maxMinutes: number) =>
      `End after ${plural(idleMinutes, "minute")} without use, and after ${plural(maxMinutes / 60, "hour")} in all`,
    stepUp: (minutes: number) =>
      `What shows a value, a bulk revocation, an order and a new API key ask for a sign-in of the last ${plural(minutes, "minute")}`,
    variables: "Variables",
    neverShown: "Never shown",
    sources: {
      environment: "Environment",
      default: "Default",
      generated: "Generated",
      unset: "Not set",
    } satisfies Record<Configuration["settings"][number]["source"], string>,
  },
} as const;
