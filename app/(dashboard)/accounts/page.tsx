import type { Metadata } from "next";
import { AccountsView } from "@/components/accounts/accounts-view";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { listAccounts } from "@/lib/accounts/accounts";
import { groupByMainAccount } from "@/lib/accounts/schema";
import { requireSession } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";

export const metadata: Metadata = { title: "Accounts" };

export default async function AccountsPage() {
  const session = await requireSession();
  const list = await attempt("/accounts", () => listAccounts(session));
  if (list.problem) {
    return (
      <>
        <PageHeading title="Accounts" />
        <ProblemPanel problem={list.problem} />
      </>
    );
  }
  const { accounts, unreadable, fetchedAt } = list.value;
  return <AccountsView mains={groupByMainAccount(accounts)} unreadable={unreadable} fetchedAt={fetchedAt} />;
}
