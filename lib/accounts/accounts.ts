import "server-only";
import type { SubAccount } from "@/lib/accounts/schema";
import type { RingcxClient } from "@/lib/ringcx/client";

/**
 * The sub-accounts that the signed-in user's tokens reach. `unreadable`: entries that made no sense, left out.
 * @throws {UpstreamError}
 */
export async function listAccounts(reader: {
  client: RingcxClient;
}): Promise<{ accounts: SubAccount[]; unreadable: number; fetchedAt: string }> {
  const { items, unreadable } = await reader.client.listAccounts();
  return { accounts: items, unreadable, fetchedAt: new Date().toISOString() };
}
