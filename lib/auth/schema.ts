/** The configuration in force, for administrators. No secret is in it. */
export type Configuration = {
  settings: {
    name: string;
    source: "environment" | "default" | "generated" | "unset";
    /** null: a secret, or nothing. */
    value: string | null;
    secret: boolean;
  }[];
  roles: { admins: string[]; ops: string[]; opsGroup: string | null };
  /** Main accounts; null: any. */
  allowedAccounts: string[] | null;
  /** Days; null: for ever. */
  retention: { auditDays: number | null; sessionDays: number };
  /** Minutes. */
  limits: { idleMinutes: number; maxMinutes: number; stepUpMinutes: number };
};
