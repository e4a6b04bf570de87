import type { Metadata } from "next";
import { AccountsView } from "@/components/accounts/accounts-view";
import { NoConnection } from "@/components/shell/no-connection";
import { PageHeading } from "@/components/ui/page-heading";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { listAllAccounts } from "@/lib/accounts/accounts";
import { groupByMainAccount } from "@/lib/accounts/schema";
import { requireSession } from "@/lib/auth/session";
import { attempt } from "@/lib/http/page";
import { accountsTexts } from "@/lib/texts/accounts";

const texts = accountsTexts.view;

export const metadata: Metadata = { title: texts.title };

export default async function AccountsPage() {
  const session = await requireSession();
  if (session.each().length === 0) {
    return <NoConnection title={texts.title}>{texts.noConnection}</NoConnection>;
  }
  const list = await attempt("/accounts", () => listAllAccounts(session));
  if (list.problem) {
    return (
      <>
        <PageHeading title={texts.title} />
        <ProblemPanel problem={list.problem} />
      </>
    );
  }
  const { lists, connections } = list.value;
  return (
    <AccountsView
      groups={lists.map(({ connection, accounts }) => ({ connection, mains: groupByMainAccount(accounts) }))}
      connections={connections}
      unreadable={lists.reduce((sum, { unreadable }) => sum + unreadable, 0)}
      fetchedAt={lists.map(({ fetchedAt }) => fetchedAt).sort()[0] ?? new Date().toISOString()}
    />
  );
}
