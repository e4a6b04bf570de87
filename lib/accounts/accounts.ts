import "server-only";
import type { SubAccount } from "@/lib/accounts/schema";
import type { RingcxClient } from "@/lib/ringcx/client";

/**
 * The sub-accounts that the signed-in user's tokens reach.
 * @throws {UpstreamError}
 */
export async function listAccounts(reader: {
  client: RingcxClient;
}): Promise<{ accounts: SubAccount[]; fetchedAt: string }> {
  const accounts = await reader.client.listAccounts();
  return { accounts, fetchedAt: new Date().toISOString() };
}
