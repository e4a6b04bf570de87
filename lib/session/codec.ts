import "server-only";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { type SessionData, sessionDataSchema } from "@/lib/session/schema";

/**
 * Packs session data into a short ASCII string. A session lives in cookies that must stay below 7.5 KB in all
 * (nginx's default header buffer is 8 KB), and an access token is a JWT of 3 to 6 KB, so three things are done:
 * * the base64url segments of a JWT are packed as the bytes they stand for,
 * * everything is compressed,
 * * the bytes are written with 13 bits in two characters (81 % dense, base64 has 75 %): the seal around it is
 *   JSON, so it must be text, and a `"` or `\` would be escaped.
 */
export function pack(data: SessionData): string {
  const blobs: Buffer[] = [];
  const put = (text: string): PackedText =>
    text.split(".").map((part) => {
      const decoded = Buffer.from(part, "base64url");
      const exact = part !== "" && decoded.toString("base64url") === part;
      const blob = exact ? decoded : Buffer.from(part, "utf8");
      blobs.push(blob);
      return exact ? blob.length : -blob.length - 1;
    });
  const head = Buffer.from(
    JSON.stringify({
      ...data,
      connections: data.connections.map(({ accessToken, refreshToken, ...rest }) => ({
        ...rest,
        a: put(accessToken),
        r: refreshToken === null ? null : put(refreshToken),
      })),
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  const packed = brotliCompressSync(Buffer.concat([length, head, ...blobs]), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9 },
  });
  return toText(packed);
}

/** Per part of a text split at its dots: n >= 0, n bytes that stand for base64url; n < 0, -n-1 bytes of text. */
type PackedText = number[];

/** The inverse of {@link pack}; null for everything that it did not make. */
export function unpack(text: string): SessionData | null {
  try {
    const bytes = brotliDecompressSync(fromText(text), { maxOutputLength: 256 * 1024 });
    const headLength = bytes.readUInt32BE(0);
    let offset = 4 + headLength;
    const take = (parts: PackedText): string =>
      parts
        .map((part) => {
          const length = part >= 0 ? part : -part - 1;
          const blob = bytes.subarray(offset, offset + length);
          offset += length;
          return blob.toString(part >= 0 ? "base64url" : "utf8");
        })
        .join(".");
    const head = JSON.parse(bytes.subarray(4, 4 + headLength).toString("utf8"));
    const connections = head.connections.map(({ a, r, ...rest }: { a: PackedText; r: PackedText | null }) => ({
      ...rest,
      accessToken: take(a),
      refreshToken: r === null ? null : take(r),
    }));
    return sessionDataSchema.parse({ ...head, connections });
  } catch {
    return null;
  }
}

/** 91 printable characters that JSON does not escape: 91 * 91 >= 2 ** 13. */
const alphabet = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index))
  .filter((character) => !"\"\\'".includes(character))
  .join("");
const digitOf = new Map([...alphabet].map((character, index) => [character, index]));

function toText(bytes: Buffer): string {
  let text = String.fromCharCode(0x30 + (bytes.length % 3));
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    bitCount += 8;
    if (bitCount >= 13) {
      bitCount -= 13;
      text += pair(bits >>> bitCount);
      bits &= (1 << bitCount) - 1;
    }
  }
  return bitCount > 0 ? text + pair(bits << (13 - bitCount)) : text;
}

function pair(value: number): string {
  return alphabet.charAt(Math.floor(value / 91)) + alphabet.charAt(value % 91);
}

function fromText(text: string): Buffer {
  const remainder = text.charCodeAt(0) - 0x30;
  const bytes: number[] = [];
  let bits = 0;
  let bitCount = 0;
  for (let index = 1; index < text.length; index += 2) {
    const high = digitOf.get(text.charAt(index));
    const low = digitOf.get(text.charAt(index + 1));
    if (high === undefined || low === undefined) throw new Error("not a packed text");
    bits = (bits << 13) | (high * 91 + low);
    bitCount += 13;
    while (bitCount >= 8) {
      bitCount -= 8;
      bytes.push((bits >>> bitCount) & 0xff);
      bits &= (1 << bitCount) - 1;
    }
  }
  // 13 bits can end with a whole byte of padding; the first character tells how many bytes there were (mod 3).
  if (bytes.length % 3 !== remainder) bytes.pop();
  return Buffer.from(bytes);
}
