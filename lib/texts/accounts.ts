import { plural } from "@/lib/format";

export const accountsTexts = {
  view: {
    loading: "Loading your accounts",
    title: "Accounts",
    noConnection:
      "RingCX says which accounts a user reaches. Connect yours to see them; how you signed in stays as it is.",
    facts: (subAccounts: number, mainAccounts: number) =>
      `${plural(subAccounts, "sub-account")} in ${plural(mainAccounts, "main account")}`,
    incomplete: "The list is not complete",
    unreadable: (entries: number) =>
      `RingCX lists ${plural(entries, "more entry", "more entries")} that Tokendesk cannot read.`,
    none: "No account is visible to you",
    noneWhy: "RingCX listed no account for your user. Your administrator can grant access to sub-accounts.",
    search: "Search accounts",
    expandAll: "Expand all",
    collapseAll: "Collapse all",
    matches: (subAccounts: number) => plural(subAccounts, "sub-account matches", "sub-accounts match"),
    noMatch: "No account matches",
    clearSearch: "Clear search",
    noMatchWhy: "Search looks at the names and the IDs of main accounts and sub-accounts.",
    explanation:
      "A main account is a container: it groups sub-accounts and holds no calls or agents of its own. API calls go to a sub-account, so its ID is the one to put into a program.",
    at: (host: string) => `at ${host}`,
    noneOfConnection: "RingCX listed no account for this user.",
    subAccounts: (count: number) => plural(count, "sub-account"),
    mainAccountId: (id: string) => `main account ID ${id}`,
    accountId: (id: string) => `account ID ${id}`,
  },
} as const;
