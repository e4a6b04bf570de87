import "server-only";
import { env } from "@/lib/env";

export type Role = "member" | "ops" | "admin";

/** The role of a login name, by ADMIN_USERS and OPS_USERS: e-mail addresses, or globs such as `*@example.com`. */
export function roleOf(login: string): Role {
  if (env().adminUsers.some((pattern) => matchesGlob(pattern, login))) return "admin";
  if (env().opsUsers.some((pattern) => matchesGlob(pattern, login))) return "ops";
  return "member";
}

function matchesGlob(pattern: string, login: string): boolean {
  if (pattern === "*") return true;
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^@]*");
  return new RegExp(`^${source}$`, "i").test(login);
}
