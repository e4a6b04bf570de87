import "server-only";
import { env } from "@/lib/env";

export type Role = "member" | "ops" | "admin";

const order: readonly Role[] = ["member", "ops", "admin"];

export function higherRole(a: Role, b: Role): Role {
  return order.indexOf(a) > order.indexOf(b) ? a : b;
}

/** The role of a login name, by ADMIN_USERS and OPS_USERS: e-mail addresses, or globs such as `*@example.com`. */
export function roleOf(login: string): Role {
  if (env().adminUsers.some((pattern) => matchesGlob(pattern, login))) return "admin";
  if (env().opsUsers.some((pattern) => matchesGlob(pattern, login))) return "ops";
  return "member";
}

/**
 * What a role that the company gave is worth in a tenant: it counts for the main accounts that this installation is for
 * (ALLOWED_ACCOUNTS) and for the company's own sign-ins. In any other RingCX account its holder is who they are there.
 */
export function roleInTenant(role: Role, tenant: string, home: string): Role {
  if (tenant === home) return role;
  const account = tenant.slice(tenant.lastIndexOf("|") + 1);
  return env().allowedAccounts?.includes(account) ? role : "member";
}

function matchesGlob(pattern: string, login: string): boolean {
  if (pattern === "*") return true;
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^@]*");
  return new RegExp(`^${source}$`, "i").test(login);
}
