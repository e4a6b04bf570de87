import "server-only";
import type { SubAccount } from "@/lib/accounts/schema";
import { plural } from "@/lib/format";
import type { TokenUser } from "@/lib/incidents/schema";

/** What the vendor's roles let somebody do, the gravest first (`Role.roleType` of its OpenAPI file). */
const powers: readonly [role: RegExp, can: string][] = [
  [/^SUPER_USER$/, "do everything"],
  [/^MANAGE_USERS$/, "manage users"],
  [/^MANAGE_RIGHTS$/, "change what users may do"],
  [/^ASSUME_USERS$/, "act as other users"],
  [/^ACCESS_AUDIT_LOG$/, "read the audit log"],
  [/^ACCESS_SIBLINGS$/, "see users beside its own"],
  [/^REPORT_ADMINISTRATIVE_USER$|^ACCESS_GOODDATA_/, "read reports"],
];
/** They add nothing to what any user may do. */
const plain = new Set(["USER", "NO_ACCESS"]);

/**
 * The blast radius in a sentence: "Can manage users and read the audit log in 3 sub-accounts of RingForce." `accounts`
 * null: RingCX did not say.
 */
export function reachOf(user: TokenUser | null, accounts: readonly SubAccount[] | null): string {
  return `${canDo(user)} ${where(accounts)}.`;
}

function canDo(user: TokenUser | null): string {
  if (user === null) return "Can do what its user may";
  const can = powers.filter(([role]) => user.roles.some((given) => role.test(given))).map(([, words]) => words);
  const unknown = user.roles.filter((given) => !plain.has(given) && !powers.some(([role]) => role.test(given)));
  if (user.roles.includes("SUPER_USER")) return "Can do everything";
  if (user.roles.includes("NO_ACCESS") && can.length === 0) return "Has no access by its roles";
  const words = [...can, ...(unknown.length > 0 ? [`use the roles ${unknown.join(", ")}`] : [])];
  return words.length > 0 ? `Can ${inWords(words)}` : "Can use the API as a plain user";
}

function where(accounts: readonly SubAccount[] | null): string {
  if (accounts === null) return "in accounts that RingCX did not name";
  if (accounts.length === 0) return "in no account that RingCX names";
  const mains = [...new Set(accounts.map(({ mainAccountName }) => mainAccountName))];
  const shown = mains.length > 3 ? plural(mains.length, "main account") : inWords(mains);
  return `in ${plural(accounts.length, "sub-account")} of ${shown}`;
}

/** "a", "a and b", "a, b and c" */
function inWords(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
