/** What the dashboard says of a RingCX account: four fields, whatever the upstream object holds. */
export type SubAccount = {
  accountId: string;
  accountName: string;
  mainAccountId: string;
  mainAccountName: string;
};

export type MainAccount = { mainAccountId: string; mainAccountName: string; subAccounts: SubAccount[] };

/** Groups sub-accounts under their main accounts, both in the order of their names. */
export function groupByMainAccount(accounts: readonly SubAccount[]): MainAccount[] {
  const byId = new Map<string, MainAccount>();
  for (const account of accounts) {
    const main = byId.get(account.mainAccountId);
    if (main) main.subAccounts.push(account);
    else {
      const { mainAccountId, mainAccountName } = account;
      byId.set(mainAccountId, { mainAccountId, mainAccountName, subAccounts: [account] });
    }
  }
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const mains = [...byId.values()].sort((a, b) => compare(a.mainAccountName, b.mainAccountName));
  for (const main of mains) main.subAccounts.sort((a, b) => compare(a.accountName, b.accountName));
  return mains;
}
