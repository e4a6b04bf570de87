import { describe, expect, test } from "vitest";
import { editTokenSchema, holdsSecret } from "@/lib/tokens/schema";

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
