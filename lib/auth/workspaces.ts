import "server-only";
import { env } from "@/lib/env";
import { tenantsSeen } from "@/lib/session/registry";
import { tenantOf } from "@/lib/session/schema";

/**
 * The tenants that the company's ops staff look after: the main accounts of ALLOWED_ACCOUNTS, at the hosts where somebody
 * has signed in; where nobody has yet, at the first host. In the order of ALLOWED_ACCOUNTS.
 */
export async function companyWorkspaces(): Promise<string[]> {
  const { allowedAccounts, ringcxHosts } = env();
  if (allowedAccounts === null) return [];
  const seen = await tenantsSeen();
  return allowedAccounts.flatMap((mainAccountId) => {
    const known = seen.filter((tenant) => tenant.slice(tenant.lastIndexOf("|") + 1) === mainAccountId).sort();
    return known.length > 0 ? known : [tenantOf({ host: ringcxHosts[0], mainAccountId })];
  });
}
