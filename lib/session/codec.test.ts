import fc from "fast-check";
import { expect, test } from "vitest";
import { pack, unpack } from "@/lib/session/codec";
import { type SessionData, sessionDataSchema } from "@/lib/session/schema";

const base64url = fc
  .uint8Array({ minLength: 0, maxLength: 300 })
  .map((bytes) => Buffer.from(bytes).toString("base64url"));
const token = fc.oneof(
  fc.tuple(base64url, base64url, base64url).map((parts) => `a${parts.join(".")}`),
  fc.tuple(base64url, base64url, base64url).map((parts) => parts.join(".") || "x"),
  fc.stringMatching(/^[\x21-\x7e]{1,200}$/),
  fc.constantFrom(".", "..", "a.", ".a", "====", "AA==", "AB", "A", "a.b.c.d"),
);
const name = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
const id = fc.string({ minLength: 1 });
const time = fc.integer({ min: 0, max: 4e12 });
const session: fc.Arbitrary<SessionData> = fc.record({
  sid: fc.string({ minLength: 16 }),
  createdAt: time,
  seenAt: time,
  connections: fc.array(
    fc.record({
      id,
      host: id,
      username: name,
      platformId: name,
      mainAccountId: id,
      accessToken: token,
      refreshToken: fc.option(token),
      issuedAt: time,
      lifetimeMs: fc.integer({ min: 1, max: 86_400_000 }),
    }),
    { maxLength: 3 },
  ),
  registered: fc.boolean(),
});

test("what is packed is unpacked the same: any tokens, any names, no connection to three", () => {
  fc.assert(
    fc.property(session, (data) => {
      expect(unpack(pack(data))).toEqual(data);
    }),
    { numRuns: 500 },
  );
});

test("the text needs no escape in JSON and no more than one byte a character", () => {
  fc.assert(
    fc.property(session, (data) => {
      const text = pack(data);
      expect(JSON.stringify(text)).toBe(`"${text}"`);
      expect(text).toMatch(/^[\x21-\x7e]+$/);
    }),
  );
});

test("text that was tampered with never throws, and never comes out as anything but a session or nothing", () => {
  fc.assert(
    fc.property(session, fc.nat(), fc.string({ unit: "binary", minLength: 1, maxLength: 3 }), (data, at, other) => {
      const text = pack(data);
      const place = at % text.length;
      const opened = unpack(text.slice(0, place) + other + text.slice(place + 1));
      if (opened !== null) expect(sessionDataSchema.safeParse(opened).success).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("text that was cut, doubled or made up is nothing", () => {
  fc.assert(
    fc.property(session, fc.nat(), (data, at) => {
      const text = pack(data);
      expect(unpack(text.slice(0, at % (text.length - 2)))).toBeNull();
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      expect(unpack(text)).toBeNull();
    }),
  );
});

test("a bomb is not unpacked", async () => {
  const { brotliCompressSync } = await import("node:zlib");
  const bomb = brotliCompressSync(Buffer.alloc(50_000_000));
  expect(unpack(`0${bomb.toString("latin1")}`)).toBeNull();
});
