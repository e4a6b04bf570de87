import { listAccounts } from "@/lib/accounts/accounts";
import { refused, route } from "@/lib/http/route";

export const GET = route({ name: "/api/accounts" }, async ({ session }) => {
  const { accounts } = await listAccounts(session);
  return { accounts };
});

export const { DELETE, PATCH, POST, PUT } = refused;
