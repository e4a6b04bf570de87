import { createHash } from "node:crypto";

/** The only platform ID the sandbox knows; also the prefix of its API tokens (`aws80:{uuid}`). */
export const PLATFORM_ID = "aws80";

/** The roles of the vendor's `Role.roleType` that the sandbox tells apart. NO_ACCESS: tokens and accounts answer 403. */
export type RoleType = "SUPER_USER" | "MANAGE_USERS" | "ACCESS_AUDIT_LOG" | "USER" | "NO_ACCESS";

/** A sub-account with the main account that contains it. IDs are strings of digits, as in the vendor's `Account`. */
export type SubAccount = {
  accountId: string;
  accountName: string;
  mainAccountId: string;
  mainAccountName: string;
};

/** An admin user of the sandbox. `agent` says how `agentDetails` looks at sign-in; `parent` is a username. */
export type SandboxUser = {
  userId: number;
  username: string;
  password: string;
  firstName: string;
  lastName: string;
  note: string;
  roles: readonly RoleType[];
  mainAccountId: string;
  mainAccountName: string;
  accounts: readonly SubAccount[];
  agent: "one" | "empty" | "absent";
  signIn: "allowed" | "must-reset" | "forbidden";
  enabled: boolean;
  parent: string | null;
  /** How many API tokens the seed gives the user. */
  seededTokens: number;
};

const PASSWORD = "sandbox";

function subAccounts(mainAccountId: string, mainAccountName: string, names: readonly string[]): SubAccount[] {
  return names.map((name, index) => ({
    accountId: String(Number(mainAccountId) + index + 1),
    accountName: `${mainAccountName} ${name}`,
    mainAccountId,
    mainAccountName,
  }));
}

const regions = (count: number) =>
  Array.from({ length: count }, (_, index) => `Region ${String(index + 1).padStart(2, "0")}`);

const ringForce = subAccounts("333333", "RingForce", ["Sales", "Support", "Billing", "Onboarding"]);
const harbor = subAccounts("888888", "Harbor", ["North", "South"]);

const COMMON = {
  password: PASSWORD,
  roles: ["USER"],
  mainAccountId: "333333",
  mainAccountName: "RingForce",
  accounts: ringForce.slice(0, 1),
  agent: "absent",
  signIn: "allowed",
  enabled: true,
  parent: null,
  seededTokens: 0,
} as const;

const HARBOR = { mainAccountId: "888888", mainAccountName: "Harbor", accounts: harbor } as const;

/** The user table: who can sign in, and what each user is there to show. Restarts show the same users and tokens. */
export const SEED_USERS: readonly SandboxUser[] = [
  {
    ...COMMON,
    userId: 1111,
    username: "ana@example.com",
    firstName: "Ana",
    lastName: "Lima",
    note: "3 tokens; main account 333333 RingForce with 3 sub-accounts; super user with audit log access",
    roles: ["SUPER_USER", "MANAGE_USERS", "ACCESS_AUDIT_LOG", "USER"],
    accounts: ringForce.slice(0, 3),
    agent: "one",
    seededTokens: 3,
  },
  {
    ...COMMON,
    userId: 1112,
    username: "new@example.com",
    firstName: "Nils",
    lastName: "Ewald",
    note: "no tokens yet, one sub-account",
    accounts: ringForce.slice(3, 4),
    agent: "empty",
  },
  {
    ...COMMON,
    userId: 1113,
    username: "many@example.com",
    firstName: "Maya",
    lastName: "Nygaard",
    note: "10,000 tokens, 2 main accounts with 40 sub-accounts",
    mainAccountId: "666600",
    mainAccountName: "Northwind",
    accounts: [...subAccounts("666600", "Northwind", regions(20)), ...subAccounts("777700", "Southwind", regions(20))],
    agent: "one",
    seededTokens: 10_000,
  },
  {
    ...COMMON,
    userId: 1114,
    username: "password@example.com",
    password: 'p+&#é ß"%2B',
    firstName: "Pia",
    lastName: "Weiß",
    note: "a password full of characters that need URL encoding",
    seededTokens: 1,
  },
  {
    ...COMMON,
    userId: 1115,
    username: "reset@example.com",
    firstName: "Rosa",
    lastName: "Etxe",
    note: "signs in, but must first set a new password with the vendor",
    signIn: "must-reset",
  },
  {
    ...COMMON,
    userId: 1116,
    username: "forbidden@example.com",
    firstName: "Fritz",
    lastName: "Orban",
    note: "sign-in answers 403",
    signIn: "forbidden",
  },
  {
    ...COMMON,
    ...HARBOR,
    userId: 1117,
    username: "parent@example.com",
    firstName: "Petra",
    lastName: "Arendt",
    note: "manages child1, child2 and grandchild",
    roles: ["MANAGE_USERS", "USER"],
    seededTokens: 1,
  },
  {
    ...COMMON,
    ...HARBOR,
    userId: 1118,
    username: "child1@example.com",
    firstName: "Carl",
    lastName: "Arendt",
    note: "2 tokens, managed by parent",
    parent: "parent@example.com",
    seededTokens: 2,
  },
  {
    ...COMMON,
    ...HARBOR,
    userId: 1119,
    username: "child2@example.com",
    firstName: "Cora",
    lastName: "Arendt",
    note: "2 tokens, managed by parent",
    parent: "parent@example.com",
    seededTokens: 2,
  },
  {
    ...COMMON,
    ...HARBOR,
    userId: 1120,
    username: "grandchild@example.com",
    firstName: "Gina",
    lastName: "Arendt",
    note: "1 token, below child1; managed by parent (child1 may not manage users)",
    accounts: harbor.slice(0, 1),
    parent: "child1@example.com",
    seededTokens: 1,
  },
  {
    ...COMMON,
    userId: 1121,
    username: "denied@example.com",
    firstName: "Dan",
    lastName: "Nied",
    note: "signs in, but tokens and accounts answer 403 access denied",
    roles: ["NO_ACCESS"],
  },
  {
    ...COMMON,
    userId: 1122,
    username: "other@example.com",
    firstName: "Olga",
    lastName: "Theroux",
    note: "another main account, 444444 Bluebird; 2 tokens",
    mainAccountId: "444444",
    mainAccountName: "Bluebird",
    accounts: subAccounts("444444", "Bluebird", ["Care"]),
    seededTokens: 2,
  },
  {
    ...COMMON,
    userId: 1123,
    username: "noaccounts@example.com",
    firstName: "Noa",
    lastName: "Counts",
    note: "signs in, the list of accounts is empty",
    mainAccountId: "555555",
    mainAccountName: "Empty Harbor",
    accounts: [],
    agent: "empty",
    seededTokens: 1,
  },
];

/** 32 hexadecimal digits as the uuid inside an API token. The vendor's example has no RFC 4122 version digit either. */
export function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** The API tokens a user starts with: the same at every start for the same `seed`. */
export function seedTokens(user: SandboxUser, seed: string): string[] {
  return Array.from({ length: user.seededTokens }, (_, index) => {
    const hex = createHash("sha256").update(`${seed}/${user.username}/${index}`).digest("hex");
    return `${PLATFORM_ID}:${uuidOf(hex)}`;
  });
}
