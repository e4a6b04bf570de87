import { describe, expect, test } from "vitest";
import { reachOf } from "@/lib/incidents/reach";

const account = (n: number, main = "RingForce") => ({
  accountId: String(n),
  accountName: `${main} ${n}`,
  mainAccountId: main,
  mainAccountName: main,
});
const user = (...roles: string[]) => ({ id: "1", login: null, name: "Ana", enabled: true, roles });

describe("the blast radius in a sentence", () => {
  test.each([
    [["SUPER_USER", "MANAGE_USERS", "USER"], [account(1)], "Can do everything in 1 sub-account of RingForce."],
    [
      ["USER", "ACCESS_AUDIT_LOG", "MANAGE_USERS"],
      [account(1), account(2), account(3)],
      "Can manage users and read the audit log in 3 sub-accounts of RingForce.",
    ],
    [
      ["USER"],
      [account(1), account(2, "Harbor")],
      "Can use the API as a plain user in 2 sub-accounts of RingForce and Harbor.",
    ],
    [[], [], "Can use the API as a plain user in no account that RingCX names."],
    [["NO_ACCESS"], [account(1)], "Has no access by its roles in 1 sub-account of RingForce."],
    [
      ["ACCESS_GOODDATA_ADMIN", "REPORT_ADMINISTRATIVE_USER"],
      [account(1)],
      "Can read reports in 1 sub-account of RingForce.",
    ],
    [
      ["MANAGE_USERS", "TIME_TRAVEL"],
      ["A", "B", "C", "D"].map((main, n) => account(n, main)),
      "Can manage users and use the roles TIME_TRAVEL in 4 sub-accounts of 4 main accounts.",
    ],
  ])("%j in %j", (roles, accounts, sentence) => {
    expect(reachOf(user(...roles), accounts)).toBe(sentence);
  });

  test("says what RingCX did not say", () => {
    expect(reachOf(null, [account(1)])).toBe("Can do what its user may in 1 sub-account of RingForce.");
    expect(reachOf(user("MANAGE_USERS"), null)).toBe("Can manage users in accounts that RingCX did not name.");
    expect(reachOf(null, null)).toBe("Can do what its user may in accounts that RingCX did not name.");
  });
});
