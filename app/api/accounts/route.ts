import { listAllAccounts } from "@/lib/accounts/accounts";
import { refused, route } from "@/lib/http/route";

/** With several connections each account names the one that it was seen through. */
export const GET = route({ name: "/api/accounts" }, async ({ session }) => {
  const { lists, connections } = await listAllAccounts(session);
  if (connections.length < 2) return { accounts: lists.flatMap(({ accounts }) => accounts) };
  return {
    accounts: lists.flatMap(({ connection, accounts }) => accounts.map((account) => ({ ...account, connection }))),
    connections,
  };
});

export const { DELETE, PATCH, POST, PUT } = refused("GET", "HEAD");
