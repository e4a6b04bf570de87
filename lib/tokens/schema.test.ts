import { describe, expect, test } from "vitest";
import { editTokenSchema, holdsSecret, newTokenSchema, revokeSchema, rotateTokenSchema } from "@/lib/tokens/schema";

const uuid = "c2353445-bc74-af1a-2850-1d55a371c0a9";
const bare = uuid.replaceAll("-", "");

describe("a text that is kept", () => {
  test.each([
    `aws80:${uuid}`,
    `my token is AWS80:${uuid.toUpperCase()}, help`,
    `aws80%3A${uuid}`,
    `aws80%253a${uuid}`,
    `aws80%25253A${uuid.replaceAll("-", "%252D")}`,
    `aws80&#58;${uuid}`,
    `aws80&#x3A;${uuid}`,
    `aws80：${uuid}`,
    `aws80:${uuid.replaceAll("-", "－")}`,
    `aws80:${uuid.replaceAll("-", "–")}`,
    `aws80:${uuid.replaceAll("-", "\u2011")}`,
    `aws80:\u00ad${uuid}`,
    `ａｗｓ８０:${uuid}`,
    `aws80:${bare}`,
    `aws80:${bare}, and more`,
    "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0NzExIn0.c2lnbmF0dXJl",
  ])("holds no secret: %s", (text) => {
    expect(holdsSecret(text)).toBe(true);
    expect(editTokenSchema.safeParse({ label: text }).success).toBe(false);
    expect(editTokenSchema.safeParse({ usedIn: `host-1\n${text}` }).success).toBe(false);
  });

  test.each([
    uuid,
    `Flow ${uuid}`,
    `Ticket: ${uuid}`,
    bare,
    `image@sha256:${bare}${bare}`,
    "https://ivr.example.com:8443/hook?x=%3A",
    "100% of the IVR, EU – US",
    "eyJust a name. Nothing else",
  ])("may say: %s", (text) => {
    expect(holdsSecret(text)).toBe(false);
    expect(editTokenSchema.safeParse({ label: text }).success).toBe(true);
  });
});

describe("what is said of a new token", () => {
  test("may be null where there is nothing to say, as a token itself says it", () => {
    const nothing = { purpose: null, environment: null, usedIn: null, rotateBy: null };
    expect(newTokenSchema.parse({ label: "CI", ...nothing })).toEqual({ label: "CI" });
    expect(newTokenSchema.safeParse({ label: null }).success).toBe(false);
    expect(revokeSchema.safeParse({ reason: null }).success).toBe(true);
  });

  test("is taken over by a successor where it is absent; null does not say what is meant", () => {
    expect(rotateTokenSchema.parse({})).toEqual({});
    expect(rotateTokenSchema.safeParse({ environment: null }).success).toBe(false);
  });

  test.each([
    ["2027-01-31", "2027-01-31"],
    ["2027-01-31T00:00:00Z", "2027-01-31"],
    ["2027-01-31T23:59:59.999+02:00", "2027-01-31"],
    ["2027-01-31T08:00", "2027-01-31"],
  ])("is to be rotated by a day: %s", (given, rotateBy) => {
    expect(newTokenSchema.parse({ label: "CI", rotateBy: given })).toEqual({ label: "CI", rotateBy });
    expect(rotateTokenSchema.parse({ rotateBy: given })).toEqual({ rotateBy });
    expect(editTokenSchema.parse({ rotateBy: given })).toEqual({ rotateBy });
  });

  test.each(["soon", "", "2027-02-31", "2027-02-31T00:00:00Z", "2027-01-31T25:00:00Z", "2027-01", 1_801_353_600_000])(
    "is not to be rotated by %j",
    (rotateBy) => {
      expect(newTokenSchema.safeParse({ label: "CI", rotateBy }).success).toBe(false);
      expect(editTokenSchema.safeParse({ rotateBy }).success).toBe(false);
    },
  );
});
