import "server-only";
import type { SubAccount } from "@/lib/accounts/schema";
import type { RingcxClient } from "@/lib/ringcx/client";
import { askEach, type Reader } from "@/lib/ringcx/each";
import type { ListedConnection } from "@/lib/session/schema";

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

type AccountsOf = { connection: string | null; accounts: SubAccount[]; unreadable: number; fetchedAt: string };

type AccountReader = { client: RingcxClient; connectionId: string | null };

/** The same of all connections, the active one first. @throws {UpstreamError} as {@link askEach} */
export async function listAllAccounts(
  reader: Reader<AccountReader> & AccountReader,
): Promise<{ lists: AccountsOf[]; connections: ListedConnection[] }> {
  const { answers, connections } = await askEach(reader, listAccounts);
  return { lists: answers.map(({ connection, value }) => ({ connection, ...value })), connections };
}
