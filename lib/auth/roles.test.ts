import fc from "fast-check";
import { expect, test } from "vitest";
import { roleOf } from "@/lib/auth/roles";
import { freshProcess } from "@/test/process";

test("nobody has a role that was not given", () => {
  freshProcess();
  expect(roleOf("ana@example.com")).toBe("member");
  expect(roleOf("")).toBe("member");
});

test("a name has its role whatever its case, and the higher one when it has two", () => {
  freshProcess({ OPS_USERS: "Ana@Example.com, bo@example.com", ADMIN_USERS: "ana@example.com" });
  expect(roleOf("ANA@example.com")).toBe("admin");
  expect(roleOf("bo@EXAMPLE.com")).toBe("ops");
  expect(roleOf("cy@example.com")).toBe("member");
});

test.each([
  ["*@example.com", "ana@example.com", true],
  ["*@example.com", "ana@EXAMPLE.COM", true],
  ["*@example.com", "a@evil.com@example.com", false],
  ["*@example.com", "ana@example.com.evil.com", false],
  ["*@example.com", "ana@notexample.com", false],
  ["*@example.com", "ana@sub.example.com", false],
  ["*@example.com", "ana@exampleXcom", false],
  ["*@example.com", "ana@example.com\n", false],
  ["*@example.com", "evil\n@example.com\nx", false],
  ["*@*.example.com", "ana@sub.example.com", true],
  ["*@*.example.com", "ana@evil.com@x.example.com", false],
  ["ops-*@example.com", "ops-1@example.com", true],
  ["ops-*@example.com", "dev-1@example.com", false],
  ["ana+(x)[y]@example.com", "ana+(x)[y]@example.com", true],
  ["ana+(x)[y]@example.com", "anaaxy@example.com", false],
  ["a.b@example.com", "aXb@example.com", false],
])("%s matches %j: %s", (pattern, login, matches) => {
  freshProcess({ OPS_USERS: pattern });
  expect(roleOf(login)).toBe(matches ? "ops" : "member");
});

test("a name without a star gives the role to that name alone", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9.+^$()|[\]\\?{}-]{1,12}@x\.y$/), fc.emailAddress(), (pattern, login) => {
      freshProcess({ OPS_USERS: pattern });
      expect(roleOf(pattern)).toBe("ops");
      expect(roleOf(login)).toBe(login.toLowerCase() === pattern ? "ops" : "member");
    }),
  );
});
