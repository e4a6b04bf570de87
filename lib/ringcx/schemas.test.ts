import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accountList, refreshAnswer, signInAnswer, tokenValue, tokenValueList } from "@/lib/ringcx/schemas";
import { connectionSchema } from "@/lib/session/schema";
import { jwt } from "@/test/upstream";

const accepts = (value: unknown) => tokenValue.safeParse(value).success;
const signIn = { accessToken: "access", refreshToken: "refresh", mainAccountId: "1" };

describe("a token value", () => {
  test("of the documented form is accepted", () => {
    expect(accepts("aws80:c2353445-bc74-af1a-2850-1d55a371c0a9")).toBe(true);
  });

  test.each([
    "",
    ".",
    "..",
    "........",
    "aws80:c235 3445",
    "aws80:c2353445\r\nX-Evil: 1",
    "aws80:c2353445\u0000",
    "aws80:é2353445",
    "a".repeat(513),
    null,
    12345678,
    ["aws80:c2353445"],
  ])("%j is refused", (value) => {
    expect(accepts(value)).toBe(false);
  });

  test.each(["short", "../../admin", "/voice/api", "aws80:c2353445?x=1", "aws80:c2353445#x", "%2e%2e%2f%2e%2e"])(
    "%j is odd, and still one segment of a path",
    (value) => {
      expect(accepts(value)).toBe(true);
      const { pathname, search, hash } = new URL(`http://host/admin/token/${encodeURIComponent(value)}`);
      expect(decodeURIComponent(pathname.split("/")[3] ?? "")).toBe(value);
      expect([pathname.split("/").length, search, hash]).toEqual([4, "", ""]);
    },
  );

  const character = fc.oneof(
    fc.constantFrom(..."aB3:._~+=/-"),
    fc.constantFrom("\n", "\r", "\t", " ", "\u0000", "\\", "%", "?", "#", "é", "\ud800", "\u2028", '"'),
  );
  const candidate = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."aB3:._~+=/-"), minLength: 8, maxLength: 40 }),
    fc.string({ unit: character, maxLength: 20 }),
    fc.string({ unit: "binary", maxLength: 20 }),
  );

  test("that is accepted survives a path and a header, whole and alone", () => {
    let accepted = 0;
    fc.assert(
      fc.property(candidate, (given) => {
        const parsed = tokenValue.safeParse(given);
        if (!parsed.success) return;
        const value = parsed.data;
        expect(value).toBe(given.trim());
        accepted += 1;
        const url = new URL(`http://host/admin/token/${encodeURIComponent(value)}`);
        const segments = url.pathname.split("/");
        expect(segments).toHaveLength(4);
        expect(decodeURIComponent(segments[3] ?? "")).toBe(value);
        expect([url.search, url.hash]).toEqual(["", ""]);
        expect(new Headers({ "x-auth-token": value }).get("x-auth-token")).toBe(value);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test("that holds anything but one printable word is refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), (value) => {
        if (/[^\x21-\x7e]/u.test(value.trim()) || value.trim() === "") expect(accepts(value)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test("stands once in a list, in the list's order", () => {
    expect(tokenValueList.parse(["aws80:bbbbbbbb", "aws80:aaaaaaaa", "aws80:bbbbbbbb"])).toEqual({
      items: ["aws80:bbbbbbbb", "aws80:aaaaaaaa"],
      unreadable: 0,
    });
    expect(tokenValueList.safeParse({ 0: "aws80:bbbbbbbb" }).success).toBe(false);
  });

  test("that a list shows in quotes is the same one without, and anything else keeps them", () => {
    const value = "aws80:c2353445-bc74-af1a-2850-1d55a371c0a9";
    expect(tokenValueList.parse([`"${value}"`, value, '"word"', '"'])).toEqual({
      items: [value, '"word"', '"'],
      unreadable: 0,
    });
  });

  test("is not lost because its neighbour in the list is unreadable, and the gap is counted", () => {
    expect(tokenValueList.parse(["aws80:bbbbbbbb", null, "a b", 12])).toEqual({
      items: ["aws80:bbbbbbbb"],
      unreadable: 3,
    });
    expect(tokenValueList.parse([])).toEqual({ items: [], unreadable: 0 });
    expect(tokenValueList.safeParse([null, { token: "aws80:bbbbbbbb" }]).success).toBe(false);
  });
});

describe("a sign-in answer", () => {
  test("has its IDs as texts, numbers or nothing", () => {
    expect(
      signInAnswer.parse({ ...signIn, mainAccountId: 333333, adminId: 1111, platformId: null, agentDetails: null }),
    ).toMatchObject({ mainAccountId: "333333", adminId: "1111", platformId: null, displayName: null });
    expect(signInAnswer.parse(signIn)).toMatchObject({ adminId: null, platformId: null, displayName: null });
  });

  test.each([
    ["absent", undefined, null],
    ["null", null, null],
    ["empty", [], null],
    ["of another form", "none", null],
    ["without names", [{ firstName: null }], null],
    ["with a name", [{ firstName: " Ana", lastName: "Lima " }], "Ana Lima"],
    ["with one name", [{ lastName: "Lima" }], "Lima"],
  ])("may have agent details that are %s", (_, agentDetails, displayName) => {
    expect(signInAnswer.parse({ ...signIn, agentDetails }).displayName).toBe(displayName);
  });

  test("may have empty texts where nothing is needed", () => {
    expect(signInAnswer.safeParse({ ...signIn, platformId: "" }).success).toBe(true);
    expect(signInAnswer.safeParse({ ...signIn, adminId: "" }).success).toBe(true);
  });

  test.each(["isAdminPasswordReset", "adminPasswordReset"])("says in %s that a new password is due", (name) => {
    expect(signInAnswer.parse({ ...signIn, [name]: true }).passwordResetRequired).toBe(true);
    expect(signInAnswer.parse({ ...signIn, [name]: null }).passwordResetRequired).toBe(false);
  });

  test.each([
    ["no access token", { ...signIn, accessToken: undefined }],
    ["an empty access token", { ...signIn, accessToken: "" }],
    ["an access token with a line break", { ...signIn, accessToken: "a\r\nb" }],
    ["an access token with a space", { ...signIn, accessToken: "a b" }],
    ["no main account", { ...signIn, mainAccountId: null }],
  ])("is refused with %s", (_, answer) => {
    expect(signInAnswer.safeParse(answer).success).toBe(false);
  });

  test("keeps nothing that is not named", () => {
    const parsed = signInAnswer.parse({
      ...signIn,
      password: "CANARY",
      agentDetails: [{ firstName: "A", pin: "CANARY" }],
    });
    expect(JSON.stringify(parsed)).not.toContain("CANARY");
  });
});

describe("the lifetime of an access token", () => {
  const lifetime = (accessToken: string) => refreshAnswer.parse({ accessToken }).lifetimeMs;

  test.each([
    [2, 2_000],
    [300, 300_000],
    [3_600, 3_600_000],
  ])("of %i seconds is what its claims say, whatever the clocks say", (seconds, ms) => {
    expect(lifetime(jwt({ iat: 1_000, exp: 1_000 + seconds }))).toBe(ms);
  });

  test.each([
    ["no JWT", "opaque"],
    ["a JWT without times", jwt({ sub: "x" })],
    ["an end before its beginning", jwt({ iat: 2_000, exp: 1_000 })],
    ["an absurd lifetime", jwt({ iat: 0, exp: 1e12 })],
    ["times as texts", jwt({ iat: "1", exp: "2" })],
  ])("is five minutes for %s", (_, accessToken) => {
    expect(lifetime(accessToken)).toBe(300_000);
  });

  test("can be kept in the session, fractions of a second or not", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e9, max: 2e9, noNaN: true }),
        fc.double({ min: 0.5, max: 3_600, noNaN: true }),
        (iat, seconds) => {
          const lifetimeMs = lifetime(jwt({ iat, exp: iat + seconds }));
          expect(connectionSchema.shape.lifetimeMs.safeParse(lifetimeMs).success).toBe(true);
        },
      ),
    );
  });
});

describe("an account", () => {
  test("is four fields, with numbers as texts", () => {
    expect(
      accountList.parse([{ accountId: 1, accountName: "A", mainAccountId: 2, mainAccountName: "M", crmPwd: "CANARY" }])
        .items,
    ).toEqual([{ accountId: "1", accountName: "A", mainAccountId: "2", mainAccountName: "M" }]);
  });

  test("finds its main account inside, or is its own", () => {
    const inner = { mainAccountId: "2", mainAccountName: "M", securityKey: "CANARY" };
    const [nested, alone, broken] = accountList.parse([
      { accountId: "1", accountName: " ", mainAccount: inner },
      { accountId: "1", accountName: null, mainAccountId: null },
      { accountId: "1", mainAccount: "?" },
    ]).items;
    expect(nested).toEqual({ accountId: "1", accountName: "1", mainAccountId: "2", mainAccountName: "M" });
    expect(alone).toEqual({ accountId: "1", accountName: "1", mainAccountId: "1", mainAccountName: "1" });
    expect(broken).toEqual(alone);
  });

  test("drops every other field, whatever it is called", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.constant("CANARY")), (fields) => {
        const parsed = accountList.safeParse([{ ...fields, accountId: "1", accountName: "A", mainAccountId: "2" }]);
        if (!parsed.success) return;
        expect(Object.keys(parsed.data.items[0] ?? {}).sort()).toEqual([
          "accountId",
          "accountName",
          "mainAccountId",
          "mainAccountName",
        ]);
      }),
    );
  });
});
