import "server-only";

/**
 * Text as its author meant it, one character at a time: what escapes, entities, percent-encoding, colour codes and
 * invisible characters stand for. Works on UTF-8 bytes, never throws, looks at most some 200 bytes ahead.
 */
type Character = {
  /** ASCII code of what stands here, or one of `invisible`, `loose`, `foreign`, `end`. */
  code: number;
  begin: number;
  /** Where the next character begins. */
  next: number;
  /** It is not written as itself. */
  dressed: boolean;
  /** For a line feed: the line goes on, says a sign before it (shell, C, quoted-printable). */
  soft: boolean;
};

/** Belongs to the word around it: zero-width characters, NUL (so that UTF-16 needs no decoding). */
export const invisible = -1;
/** Colour codes and inline HTML tags: may stand in a word as well as between two. */
export const loose = -2;
/** Any other character outside of ASCII. */
export const foreign = -3;
export const end = -4;

const lineFeed = 10;
const escapeSign = 27;

export function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);
}

export function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}

function hexValue(code: number): number {
  return code <= 57 ? code - 48 : (code | 32) - 87;
}

/** The number that `length` hexadecimal digits at `at` write; -1 when they are not all digits. */
function hexNumber(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = at; i < at + length; i += 1) {
    const code = bytes[i] ?? 0;
    if (!isHex(code)) return -1;
    value = value * 16 + hexValue(code);
  }
  return value;
}

const colons = new Set([0xff1a, 0xfe55, 0xfe13, 0xa789, 0x2236, 0x02d0, 0x0589]);
const dashes = new Set([0x2212, 0xfe58, 0xfe63, 0x2043, 0x02d7, 0x06d4, 0x2796]);
/** The edges of a drawn table. */
const bars = new Set([0x2502, 0x2503, 0x2506, 0x2507, 0x250a, 0x250b, 0x2551, 0x2758, 0xffe8]);
/** By which editors and terminals show that a line goes on. */
const wrapSigns = new Set([0x21a9, 0x21aa, 0x21b2, 0x21b5, 0x2936, 0x2937, 0x23ce]);
const named = new Map<string, number>(
  Object.entries({
    colon: 58,
    hyphen: 45,
    dash: 45,
    ndash: 45,
    mdash: 45,
    minus: 45,
    lowbar: 95,
    quot: 34,
    apos: 39,
    lt: 60,
    gt: 62,
    equals: 61,
    sol: 47,
    plus: 43,
    nbsp: 32,
    Tab: 9,
    NewLine: lineFeed,
    shy: invisible,
    zwj: invisible,
    zwnj: invisible,
    ZeroWidthSpace: invisible,
  }),
);

/** What a code point outside of a plain text stands for. */
function meaning(point: number): number {
  if (point === 0) return invisible;
  if (point < 0x80) return point;
  if (point === 0x85 || point === 0x2028 || point === 0x2029) return lineFeed;
  if (point === 0xa0 || (point >= 0x2000 && point <= 0x200a) || point === 0x202f || point === 0x3000) return 32;
  if (colons.has(point)) return 58;
  if ((point >= 0x2010 && point <= 0x2015) || dashes.has(point)) return 45;
  if (bars.has(point)) return 124;
  if (wrapSigns.has(point)) return 92;
  if (point >= 0xff01 && point <= 0xff5e) return point - 0xfee0;
  if (
    point === 0xad ||
    point === 0x034f ||
    point === 0x061c ||
    point === 0x180e ||
    (point >= 0x200b && point <= 0x200f) ||
    (point >= 0x202a && point <= 0x202e) ||
    (point >= 0x2060 && point <= 0x206f) ||
    (point >= 0xfe00 && point <= 0xfe0f) ||
    point === 0xfeff
  )
    return invisible;
  return foreign;
}

/** Reads characters of one text; what it found stands in its fields until the next call. */
export class Reader implements Character {
  code = end;
  begin = 0;
  next = 0;
  dressed = false;
  soft = false;
  #nesting = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(at: number): void {
    const bytes = this.#bytes;
    this.begin = at;
    this.#nesting = 2;
    this.dressed = false;
    this.soft = false;
    if (at >= bytes.length) {
      this.code = end;
      this.next = at;
      return;
    }
    const byte = bytes[at] as number;
    this.code = byte;
    this.next = at + 1;
    if (byte >= 0x80) this.#wide(at);
    else if (byte === 37) this.#percent(at + 1);
    else if (byte === 92) this.#escaped(at + 1);
    else if (byte === 38) this.#entity(at + 1);
    else if (byte === 61) this.#equals(at);
    else if (byte === 60) this.#tag(at);
    else if (byte === 94 && bytes[at + 1] === 91 && bytes[at + 2] === 91) this.#colour(at + 2);
    else if (byte === escapeSign) this.#colour(at + 1);
    else if (byte === 0) {
      this.code = invisible;
      this.dressed = true;
    }
  }

  #set(point: number, next: number): void {
    this.code = meaning(point);
    this.next = next;
    this.dressed = true;
    if (point === escapeSign) this.#colour(next);
    else if (this.#nesting > 0 && (point === 37 || point === 38 || point === 92)) {
      // One encoding in another: `%5Cu003a`, `\u0026#58;`, `&#37;3A`.
      this.#nesting -= 1;
      if (point === 37) this.#percent(next);
      else if (point === 38) this.#entity(next);
      else this.#escaped(next);
    }
  }

  /** The character at `at` when it is plain or percent-encoded, and where the next begins. */
  #simple(at: number): { code: number; next: number } {
    const bytes = this.#bytes;
    if (bytes[at] === 37) {
      let digits = at + 1;
      for (let depth = 0; depth < 3 && bytes[digits] === 50 && bytes[digits + 1] === 53; depth += 1) digits += 2;
      const code = hexNumber(bytes, digits, 2);
      if (code >= 0) return { code, next: digits + 2 };
    }
    return { code: bytes[at] ?? 0, next: at + 1 };
  }

  #wide(at: number): void {
    const bytes = this.#bytes;
    const lead = bytes[at] as number;
    const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
    let point = length === 1 ? -1 : lead & (0x7f >> length);
    for (let i = 1; i < length && point >= 0; i += 1) {
      const byte = bytes[at + i] ?? 0;
      point = (byte & 0xc0) === 0x80 ? point * 64 + (byte & 0x3f) : -1;
    }
    if (point < 0) this.code = foreign;
    else this.#set(point, at + length);
    this.dressed = true;
  }

  /** `%3A`, also encoded several times (`%253A`), in UTF-8 (`%EF%BC%9A`) and in the old form `%u003A`. */
  #percent(at: number): void {
    const bytes = this.#bytes;
    let digits = at;
    for (let depth = 0; depth < 4 && bytes[digits] === 50 && bytes[digits + 1] === 53; depth += 1) {
      if (hexNumber(bytes, digits + 2, 2) < 0) break;
      digits += 2;
    }
    if ((bytes[digits] ?? 0) === 117) {
      const point = hexNumber(bytes, digits + 1, 4);
      if (point >= 0) this.#set(point, digits + 5);
      return;
    }
    let point = hexNumber(bytes, digits, 2);
    if (point < 0) return;
    let next = digits + 2;
    if (point >= 0xc2) {
      const length = point >= 0xf0 ? 4 : point >= 0xe0 ? 3 : 2;
      const lead = digits - at + 1;
      let wide = point & (0x7f >> length);
      for (let i = 1; i < length; i += 1) {
        const byte = bytes[next] === 37 ? hexNumber(bytes, next + lead, 2) : -1;
        if (byte < 0 || (byte & 0xc0) !== 0x80) {
          wide = 0xfffd;
          break;
        }
        wide = wide * 64 + (byte & 0x3f);
        next += lead + 2;
      }
      point = wide;
    } else if (point >= 0x80) point = 0xfffd;
    this.#set(point, next);
  }

  /** `\u003a`, `\u{3a}`, `\x3a`, `\072`, `\n`, `\"`, each also escaped several times, and the line that goes on. */
  #escaped(at: number): void {
    const bytes = this.#bytes;
    let i = at;
    for (let depth = 0; depth < 16; depth += 1) {
      const { code, next } = bytes[i] === 92 || bytes[i] === 37 ? this.#simple(i) : { code: 0, next: i };
      if (code !== 92) break;
      i = next;
    }
    const letter = bytes[i] ?? 32;
    if (letter === 117 || letter === 85 || letter === 120) {
      if (bytes[i + 1] === 123) {
        let close = i + 2;
        while (close < i + 8 && isHex(bytes[close] ?? 0)) close += 1;
        if (close > i + 2 && bytes[close] === 125) this.#set(hexNumber(bytes, i + 2, close - i - 2), close + 1);
        return;
      }
      const long = letter === 85 ? hexNumber(bytes, i + 1, 8) : -1;
      if (long >= 0) {
        this.#set(long, i + 9);
        return;
      }
      const length = letter === 120 ? 2 : 4;
      const point = hexNumber(bytes, i + 1, length);
      if (point >= 0) this.#set(point, i + 1 + length);
      return;
    }
    const octal = (digit: number) => digit >= 48 && digit <= 55;
    if (letter >= 48 && letter <= 51 && octal(bytes[i + 1] ?? 0) && octal(bytes[i + 2] ?? 0)) {
      const point = (letter - 48) * 64 + ((bytes[i + 1] as number) - 48) * 8 + (bytes[i + 2] as number) - 48;
      this.#set(point, i + 3);
      return;
    }
    if (letter === 110) this.#set(lineFeed, i + 1);
    else if (letter === 114) this.#set(13, i + 1);
    else if (letter === 116) this.#set(9, i + 1);
    else if (letter === 98 || letter === 102 || letter === 118) this.#set(32, i + 1);
    else if (letter === 101 && bytes[i + 1] === 91) this.#set(escapeSign, i + 1);
    else if (letter === lineFeed || letter === 13) {
      this.#set(lineFeed, letter === 13 && bytes[i + 1] === lineFeed ? i + 2 : i + 1);
      this.soft = true;
    } else if (escapable.has(letter)) this.#set(letter, i + 1);
    else this.next = i;
  }

  /** `&#58;`, `&#x3A;`, `&colon;`, each also with `&amp;` for `&`. */
  #entity(at: number): void {
    let name = "";
    let i = at;
    for (let depth = 0; depth < 5; depth += 1) {
      name = "";
      let char = this.#simple(i);
      for (; name.length < 16 && (isAlphanumeric(char.code) || char.code === 35); char = this.#simple(char.next))
        name += String.fromCharCode(char.code);
      if (char.code !== 59) return;
      i = char.next;
      if (name !== "amp") break;
    }
    const number = /^#(?:x([0-9a-f]{1,8})|([0-9]{1,8}))$/i.exec(name);
    if (number) {
      this.#set(number[1] ? Number.parseInt(number[1], 16) : Number(number[2]), i);
      return;
    }
    const code = named.get(name);
    if (code === undefined) return;
    this.code = code;
    this.next = i;
    this.dressed = true;
  }

  /** Quoted-printable, but only what may matter here: `a=20b` is more often an assignment. */
  #equals(at: number): void {
    const bytes = this.#bytes;
    if (bytes[at + 1] === lineFeed || (bytes[at + 1] === 13 && bytes[at + 2] === lineFeed)) {
      this.#set(lineFeed, bytes[at + 1] === 13 ? at + 3 : at + 2);
      this.soft = true;
      return;
    }
    const point = hexNumber(bytes, at + 1, 2);
    if (quotedPrintable.has(point)) this.#set(point, at + 3);
  }

  #tag(at: number): void {
    const bytes = this.#bytes;
    let i = at + 1;
    if (bytes[i] === 47) i += 1;
    let name = "";
    while (name.length < 8 && isAlphanumeric(bytes[i] ?? 0)) {
      name += String.fromCharCode(bytes[i] as number);
      i += 1;
    }
    if (!inline.has(name.toLowerCase())) return;
    const limit = Math.min(bytes.length, i + 160);
    while (i < limit && bytes[i] !== 62 && bytes[i] !== 60 && bytes[i] !== lineFeed) i += 1;
    if (bytes[i] !== 62) return;
    this.code = name.toLowerCase() === "wbr" ? invisible : loose;
    this.next = i + 1;
    this.dressed = true;
    if (name.toLowerCase() !== "br") return;
    // The line's end behind it is none of its own.
    this.code = lineFeed;
    if (bytes[this.next] === 13) this.next += 1;
    if (bytes[this.next] === lineFeed) this.next += 1;
  }

  /** A colour code whose `[` stands at `at`, or a title (`]`). */
  #colour(at: number): void {
    const bytes = this.#bytes;
    this.code = loose;
    this.dressed = true;
    this.next = at;
    let char = this.#simple(at);
    const opening = char.code;
    char = this.#simple(char.next);
    if (opening === 91) {
      for (let n = 0; n < 48 && char.code >= 32 && char.code < 64; n += 1) char = this.#simple(char.next);
      if (char.code >= 64 && char.code < 127) this.next = char.next;
    } else if (opening === 93) {
      for (let n = 0; n < 120 && char.code >= 32; n += 1) char = this.#simple(char.next);
      if (char.code === 7) this.next = char.next;
      else if (char.code === escapeSign && bytes[char.next] === 92) this.next = char.next + 1;
    }
  }
}

/** `: - = _`, blanks, quotes and line ends. */
const quotedPrintable = new Set([58, 45, 61, 95, 32, 9, 34, 39, 13, lineFeed]);
/** Punctuation that is written behind a backslash somewhere. */
const escapable = new Set(Array.from("\"'`:-/._*~|#+!()[]{}", (sign) => sign.charCodeAt(0)));
const inline = new Set("a,b,br,code,del,em,font,i,ins,kbd,mark,s,span,strong,sub,sup,tt,u,var,wbr".split(","));

const quotes = new Set([34, 39, 96]);
/** At a line's end: it goes on in the next one (shell, quoted-printable, cmd, psql), or the cell of a table does. */
const edges = new Set([92, 61, 94, 43, 124]);
/** What stands before each line of a quoted mail, a diff, a comment or a box. */
const marks = new Set([32, 9, 62, 124, 43, 35, 42, 47, 59]);

export function isMark(code: number): boolean {
  return marks.has(code);
}

/**
 * Where something that is broken at `at` goes on: after the line's end and the next line's indentation and marks, or in
 * the next of several quoted strings. -1: it is not broken here. `sign`: the plus or minus that each line of this diff
 * begins with, else 0. `base64`: plus and slash are no marks by themselves.
 */
export function afterBreak(reader: Reader, at: number, sign: number, base64: boolean): number {
  let budget = 200;
  let broken = false;
  const skip = (also: (code: number) => boolean) => {
    while (budget > 0 && (reader.code === invisible || reader.code === loose || also(reader.code))) {
      budget -= 1;
      reader.read(reader.next);
    }
  };
  reader.read(at);
  skip(nothing);
  let quoted = quotes.has(reader.code);
  if (quoted) {
    const isBackquote = reader.code === 96;
    reader.read(reader.next);
    // PowerShell's line goes on behind one.
    if (isBackquote && (reader.code === lineFeed || reader.code === 13)) quoted = false;
    else skip(isBlankOrOperator);
  } else skip(isBlank);
  if (edges.has(reader.code)) {
    reader.read(reader.next);
    skip(isBlank);
  }
  if (reader.code === lineFeed || reader.code === 13) {
    broken = true;
    skip(isReturn);
    if (reader.code === lineFeed) reader.read(reader.next);
    // A line's end that stands for itself in quoted-printable, and then the one of the mail.
    if (reader.soft) reader.read(reader.next);
    skip(nothing);
    if (sign > 0 && reader.code === sign) reader.read(reader.next);
    skip(base64 ? isQuietMark : isMark);
    if (quoted) skip(isBlankOrOperator);
  }
  if (budget === 0) return -1;
  if (quoted) return quotes.has(reader.code) ? reader.next : -1;
  return broken ? reader.begin : -1;
}

const nothing = () => false;
const isBlank = (code: number) => code === 32 || code === 9;
/** With what languages join strings: `+ . & || _` */
const operators = new Set([43, 46, 38, 124, 95]);
const isBlankOrOperator = (code: number) => isBlank(code) || operators.has(code);
const isReturn = (code: number) => code === 13;
const isQuietMark = (code: number) => code !== 43 && code !== 47 && marks.has(code);
