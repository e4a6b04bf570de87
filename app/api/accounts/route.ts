import { listAccounts } from "@/lib/accounts/accounts";
import { route } from "@/lib/http/route";

export const GET = route({ name: "/api/accounts" }, async ({ session }) => {
  const { accounts } = await listAccounts(session);
  return { accounts };
});
