import "server-only";
import { StringDecoder } from "node:string_decoder";
import { setImmediate } from "node:timers/promises";
import { constants, createGunzip, createInflate, gunzipSync, inflateSync } from "node:zlib";
import { afterBreak, invisible, isAlphanumeric, isHex, isMark, loose, Reader } from "@/lib/incidents/scan-characters";

/** One place where text comes from. Bytes may be UTF-8, UTF-16 or a gzip file. `line`: of its first line, default 1. */
export type ScanSource = { name: string | null; content: string | Uint8Array; line?: number };

/**
 * How a value is written: as it is; with escapes, entities, percent-encoding, colours, unusual colons or dashes; over
 * several lines; inside base64, hexadecimal digits or numbers of bytes, or something compressed (which wins over the others).
 */
type Dress = "plain" | "encoded" | "wrapped" | "base64" | "hex" | "gzip";

export type Found = {
  /** The token value in its plain form. A secret. */
  value: string;
  /** The first place and up to 20 more; `line` from 1, of the enclosing block for what was inside base64 and the like. */
  places: { source: string | null; line: number; dress: Dress }[];
  /** All places, also those beyond the kept ones. */
  count: number;
};

export type ScanOptions = {
  /** Matches what stands before the colon, as a whole. */
  prefixes: RegExp;
  /** So many different values, then the search stops: `truncated`. 2,000 unless told. */
  limit?: number;
  signal?: AbortSignal;
  /** In bytes. */
  onProgress?: (done: number, total: number) => void;
};

export type ScanResult = {
  /** In order of first appearance. */
  found: Found[];
  /**
   * Not everything was looked at: `limit` was reached, what is encoded or compressed unfolds to too much, or a source is
   * packed otherwise than by gzip.
   */
  truncated: boolean;
  /** Encoded and compressed blocks that were looked into. */
  decodedBlocks: number;
};

const mega = 1024 * 1024;
const keptPlaces = 21;
/** base64 in base64 in gzip: that is three. */
const maxDepth = 3;
const minBlock = 40;
const minTokenBytes = 39;
const maxInflatedBlock = 32 * mega;
const maxInflated = 64 * mega;
const maxDecoded = 256 * mega;
const maxInflations = 20_000;
const maxStreams = 1_000;
/** Long blocks are decoded in pieces that overlap by more than a token takes; divisible by 4. */
const pieceLength = mega;
const pieceOverlap = 4096;
const sliceMs = 20;
const stepBytes = 64 * 1024;

/**
 * Finds RingCX API tokens (`{prefix}:{uuid}`) in any text and any dress. Linear in the size of the sources; lets other
 * work in at least every 50 ms; keeps nothing. A value wholly in upper case is folded to lower case.
 * @throws the signal's reason
 */
export async function findTokens(sources: readonly ScanSource[], options: ScanOptions): Promise<ScanResult> {
  const search = new Search(options);
  const sizes = sources.map(({ content }) =>
    typeof content === "string" ? Buffer.byteLength(content) : content.length,
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  let pausedAt = performance.now();
  options.signal?.throwIfAborted();
  for (const [index, { name, content, line: firstLine = 1 }] of sources.entries()) {
    const size = sizes[index] ?? 0;
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const steps = search.source(bytes, { name, index, firstLine });
    let step = steps.next();
    while (!step.done) {
      const asked: Step = step.value;
      if (asked === null) {
        if (performance.now() - pausedAt >= sliceMs) {
          options.onProgress?.(before + Math.round(size * search.share), total);
          await setImmediate();
          options.signal?.throwIfAborted();
          pausedAt = performance.now();
        }
        step = steps.next();
      } else {
        const inflated = await inflate(asked, options.signal);
        options.signal?.throwIfAborted();
        pausedAt = performance.now();
        step = steps.next(inflated);
      }
    }
    before += size;
  }
  options.onProgress?.(total, total);
  search.settle();
  const [only] = sources;
  if (only && sources.length === 1 && search.isEmpty) {
    const word = loneWord(search.text, search.prefixes);
    const { name, line: firstLine = 1 } = only;
    if (word) search.add(word.value, { name, index: 0, firstLine, at: 0, line: firstLine + word.line - 1 }, "plain");
  }
  return search.result();
}

/** What a search asks of the loop that drives it: a pause (null), or to inflate something. */
type Inflation = { bytes: Uint8Array; kind: "gzip" | "zlib"; cap: number };
type Inflated = { bytes: Uint8Array; whole: boolean };
type Step = Inflation | null;
type Steps = Generator<Step, void, Inflated | undefined>;

type Origin = { name: string | null; index: number; firstLine: number };
type Spot = Origin & { at: number; line: number };
type Kept = { value: string; count: number; places: (Spot & { dress: Dress })[] };

/** A text that is searched: a source, or what a block of it unfolded to. */
type Text = {
  bytes: Uint8Array;
  reader: Reader;
  origin: Origin;
  depth: number;
  /** What the text came out of; null: nothing. */
  dress: Dress | null;
  /** Where that block stands; null: the text has lines of its own. */
  block: Spot | null;
  /** UUIDs found in this block already, in another reading of it. */
  seen: Set<string> | null;
  /** The line feeds before `countedTo`. */
  feeds: number;
  countedTo: number;
  runStart: number;
  /** The run of base64 letters that the last step stopped at. */
  runEnd: number;
  /** Runs that begin before it belong to a block that was looked into. */
  blocksTo: number;
  blockSeen: Set<string>;
  blockSeenTo: number;
  colonsFrom: number;
  dump: { bytes: number[]; at: number; next: number; done: { bytes: number[]; at: number }[] };
};

/** A prefix that a value may have: what stands before its colon, back to one of the places where a word may begin. */
type Reading = { prefix: string; at: number; dressed: boolean; wrapped: boolean; sure: boolean; strong: boolean };

const plainReading = { dressed: false, wrapped: false, sure: false, strong: false };

type Pending = { readings: Reading[]; fallback: Reading[]; uuid: string; text: Text; spots: Spot[]; dress: Dress };

// What a byte may begin or end.
const other = 0;
const letter = 1;
const colon = 2;
const dressedColon = 3;
const newline = 4;
const list = 5;
const kinds = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
  kinds[char.charCodeAt(0)] = letter;
kinds[58] = colon;
for (const byte of [37, 92, 38, 61, 0xef, 0xea, 0xe2, 0xcb, 0xd6]) kinds[byte] = dressedColon;
kinds[10] = newline;
kinds[91] = list;
kinds[60] = list;

/** May stand between a colon and a UUID, or begin one. */
const afterColon = new Uint8Array(256).fill(1, 0x80);
for (const char of "0123456789abcdefABCDEF\0\t\n\r\x1b \"'`%&<=\\^") afterColon[char.charCodeAt(0)] = 1;
/** Cannot stand between a prefix and its colon. */
const notBeforeColon = new Uint8Array(256);
for (const char of "\"'`()[]{},:=!?$@~") notBeforeColon[char.charCodeAt(0)] = 1;
const inWord = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") inWord[char.charCodeAt(0)] = 1;
/** Ends a word for sure: no escape ends with it. */
const clearEdge = new Uint8Array(256);
for (const char of "\"'({,@$") clearEdge[char.charCodeAt(0)] = 1;
/** May stand where a run of base64 goes on behind an escape, a line's end or a quote. */
const afterRun = new Uint8Array(256);
for (const char of "\t\n\r \"'`%&=\\\0\x1b") afterRun[char.charCodeAt(0)] = 1;

/** The first letter of four, when all of three bytes are likely to be text: A, C, D, I-Z, a-f. */
const texty = new Uint8Array(256);
for (const char of "ACDIJKLMNOPQRSTUVWXYZabcdef") texty[char.charCodeAt(0)] = 1;
const textyRun = 6;

/** Never a platform, whatever the pattern says of letters before digits. */
const otherNames = /^(?:uuid|guid|sha|md|crc|utf|base|ipv)\d+$/i;
const familiar = /^aws\d{1,4}$/i;
/** The same at the end of a word that stands right before it (`Tokenaws80:…`, from a page without its tags). */
const familiarEnding = /(?<=[a-z])aws\d{1,4}$/i;

class Search {
  readonly prefixes: RegExp;
  readonly #limit: number;
  readonly #kept = new Map<string, Kept>();
  readonly #pending: Pending[] = [];
  readonly #prefixesSeen = new Set<string>();
  #truncated = false;
  #full = false;
  #decodedBlocks = 0;
  #decoded = 0;
  #inflated = 0;
  #inflations = 0;
  #streams = 0;
  /** Of the source in hand, from 0 to 1. */
  share = 0;
  /** The source in hand, as UTF-8. */
  text: Uint8Array = Buffer.alloc(0);

  constructor({ prefixes, limit = 2_000 }: ScanOptions) {
    this.prefixes = new RegExp(`^(?:${prefixes.source})$`, prefixes.flags.replace(/[gy]/g, ""));
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#kept.size === 0;
  }

  result(): ScanResult {
    const inOrder = [...this.#kept.values()].sort((a, b) => before(a.places[0], b.places[0]));
    return {
      found: inOrder.map(({ value, count, places }) => ({
        value,
        places: places.map(({ name, line, dress }) => ({ source: name, line, dress })),
        count,
      })),
      truncated: this.#truncated,
      decodedBlocks: this.#decodedBlocks,
    };
  }

  add(value: string, spot: Spot, dress: Dress): void {
    let kept = this.#kept.get(value);
    if (!kept) {
      if (this.#kept.size >= this.#limit) {
        this.#truncated = true;
        this.#full = true;
        return;
      }
      kept = { value, count: 0, places: [] };
      this.#kept.set(value, kept);
    }
    kept.count += 1;
    const { places } = kept;
    let at = places.length;
    while (at > 0 && before(spot, places[at - 1]) < 0) at -= 1;
    if (at >= keptPlaces) return;
    places.splice(at, 0, { ...spot, dress });
    if (places.length > keptPlaces) places.pop();
  }

  *source(bytes: Uint8Array, origin: Origin): Steps {
    this.share = 0;
    let content = bytes;
    let depth = 0;
    for (; isGzip(content) && depth < maxDepth; depth += 1) {
      const inflated = yield* this.#inflate(content, "gzip");
      this.#decodedBlocks += 1;
      if (!inflated) return;
      content = inflated;
    }
    if (isPacked(content)) this.#truncated = true;
    const text = yield* asUtf8(content);
    if (depth === 0) this.text = text;
    yield* this.#text(newText(text, origin, depth === 0 ? {} : { dress: "gzip", depth }));
  }

  /** Decides between the readings of each value that has several, now that all prefixes of the text are known. */
  settle(): void {
    const known = ({ prefix }: Reading) => familiar.test(prefix) || this.#prefixesSeen.has(prefix.toLowerCase());
    for (const pending of this.#pending.splice(0)) {
      const likely = pending.readings.filter(known);
      this.#addReadings(pending, likely.length === 1 ? likely : pending.fallback);
    }
    this.#detach();
  }

  /** A word may stand right before a token: then its end is told as well, and RingCX is asked which of them lives. */
  #detach(): void {
    const seen = [...this.#prefixesSeen];
    for (const { value, places } of [...this.#kept.values()]) {
      const [prefix = "", uuid] = value.split(":");
      const glued = seen
        .filter((other) => other.length < prefix.length && prefix.toLowerCase().endsWith(other))
        .map(({ length }) => prefix.slice(-length));
      for (const ending of new Set([...glued, ...(familiarEnding.exec(prefix) ?? [])])) {
        const detached = `${ending}:${uuid}`;
        if (!this.#kept.has(detached)) for (const { dress, ...spot } of places) this.add(detached, spot, dress);
      }
    }
  }

  *#text(text: Text): Steps {
    const { bytes, dump } = text;
    this.#lineStart(text, 0);
    let at = 0;
    let pausedAt = 0;
    while (at < bytes.length && !this.#full) {
      at = this.#step(text, at, Math.min(bytes.length, at + stepBytes));
      if (text.runEnd >= 0) {
        yield* this.#block(text, text.runStart, text.runEnd);
        text.runEnd = -1;
        text.runStart = at + 1;
        this.#special(text, at);
        at += 1;
      }
      if (at - pausedAt < stepBytes) continue;
      pausedAt = at;
      if (text.depth === 0) this.share = at / bytes.length;
      yield null;
      for (const done of dump.done.splice(0)) yield* this.#dumped(text, done);
    }
    if (bytes.length - text.runStart >= minBlock) yield* this.#block(text, text.runStart, bytes.length);
    for (const done of [...dump.done.splice(0), dump]) yield* this.#dumped(text, done);
  }

  /** Looks at bytes up to `to`, or to the end of a run that may be base64 (`runEnd`); says how far it came. */
  #step(text: Text, from: number, to: number): number {
    const { bytes } = text;
    let { runStart } = text;
    for (let i = from; i < to; i += 1) {
      const kind = kinds[bytes[i] as number];
      if (kind === letter) continue;
      const length = i - runStart;
      if (length >= 16 && (length >= minBlock || this.#goesOn(text, i)) && runStart >= text.blocksTo) {
        text.runStart = runStart;
        text.runEnd = i;
        return i;
      }
      runStart = i + 1;
      if (kind !== other) this.#special(text, i);
    }
    text.runStart = runStart;
    return to;
  }

  #special(text: Text, at: number): void {
    const { bytes, reader } = text;
    const kind = kinds[bytes[at] ?? 0];
    if (kind === colon) {
      const next = bytes[at + 1] ?? 0;
      if (afterColon[next] === 0 || (at > 0 && notBeforeColon[bytes[at - 1] as number] === 1)) return;
      const behind = bytes[at + 2] ?? 0;
      // A bar there begins a block of YAML, or ends a cell.
      if (next === 32 && (behind === 124 || (!isMark(behind) && afterColon[behind] === 0))) return;
      if (at >= text.colonsFrom) this.#value(text, at, at + 1, false);
    } else if (kind === dressedColon) {
      if (at < text.colonsFrom || (bytes[at] === 92 && bytes[at - 1] === 92)) return;
      reader.read(at);
      if (reader.code === 58) this.#value(text, at, reader.next, true);
    } else if (kind === newline) {
      const next = bytes[at + 1] ?? 0;
      if (isHex(next) || next === 32 || next === 9) this.#lineStart(text, at + 1);
    } else if (kind === list && text.depth < maxDepth) {
      const listed = readByteList(bytes, at);
      if (listed.length >= minTokenBytes) text.dump.done.push({ bytes: listed, at });
    }
  }

  #goesOn(text: Text, at: number): boolean {
    const { bytes, reader } = text;
    if (afterRun[bytes[at] as number] === 0) return false;
    reader.read(at);
    if (reader.dressed && reader.code > 0 && kinds[reader.code] === letter) return true;
    const sign = bytes[at] === 10 || bytes[at] === 13 ? lineSign(bytes, at) : 0;
    const next = afterBreak(reader, at, sign, true);
    return next >= 0 && kinds[bytes[next] ?? 0] === letter;
  }

  /** A colon from `at` to `next`: is it one of a token? */
  #value(text: Text, at: number, next: number, dressedColonSign: boolean): void {
    const { bytes, reader } = text;
    const plain = readUuid(bytes, reader, next, 0);
    const body =
      plain.uuid === "" && plain.wrapped && lineSign(bytes, at) === 45 ? readUuid(bytes, reader, next, 45) : plain;
    if (body.uuid === "") return;
    const readings = this.#readings(text, at, body.wrapped);
    const [reading] = readings;
    if (!reading) return;
    text.colonsFrom = body.next;
    if (text.seen?.has(body.uuid.toLowerCase())) return;
    text.seen?.add(body.uuid.toLowerCase());

    const dress: Dress = body.wrapped ? "wrapped" : body.dressed || dressedColonSign ? "encoded" : "plain";
    const spots = readings.map((each) => this.#spot(text, each.at));
    const pending: Pending = { readings, fallback: [reading], uuid: body.uuid, text, spots, dress };
    if (readings.length === 1) {
      this.#prefixesSeen.add(reading.prefix.toLowerCase());
      this.#addReadings(pending, readings);
      return;
    }
    // From the shortest word to the longest: what surely belongs together does; what may, only when nothing else fits.
    for (const longer of readings.slice(1)) {
      if (longer.sure) pending.fallback = [longer];
      else if (longer.strong) pending.fallback.unshift(longer);
    }
    if (this.#pending.length < this.#limit) this.#pending.push(pending);
    else this.#addReadings(pending, pending.fallback);
  }

  #addReadings({ readings, uuid, text, spots, dress }: Pending, chosen: readonly Reading[]): void {
    for (const reading of chosen) {
      const spot = spots[readings.indexOf(reading)] as Spot;
      const value = `${reading.prefix}:${uuid}`;
      const folded = value === value.toUpperCase() && this.prefixes.test(reading.prefix.toLowerCase());
      const own: Dress = reading.wrapped ? "wrapped" : reading.dressed && dress === "plain" ? "encoded" : dress;
      this.add(
        folded ? value.toLowerCase() : `${reading.prefix}:${uuid.toLowerCase()}`,
        spot,
        text.dress === null ? own : text.dress,
      );
    }
  }

  #spot(text: Text, at: number): Spot {
    if (text.block) return text.block;
    const { bytes } = text;
    let { feeds, countedTo } = text;
    for (; countedTo < at; countedTo += 1) if (bytes[countedTo] === 10) feeds += 1;
    for (; countedTo > at; countedTo -= 1) if (bytes[countedTo - 1] === 10) feeds -= 1;
    text.feeds = feeds;
    text.countedTo = countedTo;
    return { ...text.origin, at, line: feeds + text.origin.firstLine };
  }

  #isPrefix(word: string): boolean {
    return (this.prefixes.test(word) || this.prefixes.test(word.toLowerCase())) && !otherNames.test(word);
  }

  /** The prefixes that may stand before the colon at `at`, the shortest first; none: it is another colon. */
  #readings(text: Text, at: number, wrapped: boolean): Reading[] {
    const { bytes } = text;
    let from = at;
    while (from > at - 64 && from > 0 && inWord[bytes[from - 1] as number] === 1) from -= 1;
    const edge = bytes[from - 1] ?? 0;
    let clear = false;
    // A blank after a letter, or a quote or bracket: nothing before it can belong to the word.
    if (edge === 32 ? inWord[bytes[from - 2] ?? 0] === 1 || bytes[from - 2] === 58 : clearEdge[edge] === 1) {
      clear = true;
    } else if (edge === 10) clear = !this.#goesBack(bytes, from, at);
    if (clear) {
      const word = latin1(bytes, from, at);
      const skipped = beginnings(word).find((each) => this.#isPrefix(word.slice(each)));
      return skipped === undefined ? [] : [{ ...plainReading, prefix: word.slice(skipped), at: from + skipped }];
    }
    for (const window of [96, 1024]) {
      const readings = this.#readingsWithin(text, at, Math.max(0, at - window), wrapped);
      if (readings) return readings;
    }
    return [];
  }

  /** Whether the word from `from` to `to`, first in its line, may go on from the end of the line before. */
  #goesBack(bytes: Uint8Array, from: number, to: number): boolean {
    const lineEnd = bytes[from - 2] === 13 ? from - 2 : from - 1;
    let wordFrom = lineEnd;
    while (wordFrom > lineEnd - 64 && wordFrom > 0 && inWord[bytes[wordFrom - 1] as number] === 1) wordFrom -= 1;
    const edge = bytes[wordFrom - 1] ?? 0;
    if (clearEdge[edge] === 0 && edge !== 32 && edge !== 58 && edge !== 44 && edge !== 47) return true;
    if (wordFrom === lineEnd) return false;
    const joined = latin1(bytes, wordFrom, lineEnd) + latin1(bytes, from, to);
    return beginnings(joined).some((each) => this.#isPrefix(joined.slice(each)));
  }

  /** Null when the word reaches back beyond `from`. */
  #readingsWithin({ bytes, reader }: Text, at: number, from: number, wrapped: boolean): Reading[] | null {
    const chars: { code: number; at: number; dressed: boolean; soft: boolean }[] = [];
    for (let i = from; i < at; i = reader.next) {
      reader.read(i);
      chars.push({ code: reader.code, at: i, dressed: reader.dressed, soft: reader.soft });
    }
    // The first bytes may be the middle of something.
    const known = from === 0 ? 0 : from + 16;
    const diff = lineSign(bytes, at);
    const readings: Reading[] = [];
    let word: { char: string; at: number }[] = [];
    const state = { dressed: false, wrapped: false, sure: false, strong: false, possible: true, spaced: false };
    const note = () => {
      if (!state.possible) return;
      for (const skipped of beginnings(word.map(({ char }) => char).join(""))) {
        const rest = word.slice(skipped);
        const prefix = rest.map(({ char }) => char).join("");
        if (!this.#isPrefix(prefix)) continue;
        if (readings.some((reading) => reading.prefix === prefix)) return;
        const { dressed, wrapped, sure, strong } = state;
        readings.push({ prefix, at: rest[0]?.at ?? at, dressed, wrapped, sure, strong });
        return;
      }
    };
    for (let i = chars.length - 1; i >= 0 && word.length <= 80; i -= 1) {
      const char = chars[i] as (typeof chars)[number];
      if (char.at < known) return null;
      if (isAlphanumeric(char.code) || char.code === 45 || char.code === 95 || char.code === 46) {
        // Between characters of UTF-16, half of one that is no letter.
        if (state.spaced && bytes[char.at - 1] !== 0 && bytes[char.at + 1] !== 0) break;
        if (isEmDash(bytes, char.at)) note();
        word.unshift({ char: String.fromCharCode(char.code), at: char.at });
        state.dressed ||= char.dressed;
        continue;
      }
      if (char.code === invisible || char.code === loose) {
        if (bytes[char.at] === 0) {
          // It ends a string, unless there is one at each character.
          if (bytes[char.at + 1] !== 0 && bytes[char.at + 2] !== 0) break;
          state.spaced = true;
        }
        note();
        state.sure = char.code === invisible;
        state.strong = false;
        state.dressed = true;
        continue;
      }
      let feed = i;
      while (feed >= 0 && isMark(chars[feed]?.code ?? 0)) feed -= 1;
      const broken = chars[feed];
      if (!broken || (broken.code !== 10 && broken.code !== 13)) {
        if (feed < 0 && from > 0) return null;
        break;
      }
      note();
      if (diff === 45 && word[0]?.char === "-") word = word.slice(1);
      const next = chars[feed + 1]?.at ?? at;
      while (feed > 0 && broken.code === 10 && chars[feed - 1]?.code === 13) feed -= 1;
      const sign = chars[feed - 1]?.code;
      const goesOn = broken.soft || sign === 92 || sign === 61;
      if (goesOn && !broken.soft) feed -= 1;
      // `TOKEN=` at the end of a line is as likely as a soft break of quoted-printable.
      const assigned = goesOn && bytes[chars[feed]?.at ?? 0] !== 92;
      let width: ReturnType<typeof wrapWidth> = assigned ? "strong" : "sure";
      if (!goesOn && word.length > 0) width = wrapWidth(bytes, chars[feed]?.at ?? 0, next, wrapped);
      state.sure = width === "sure";
      state.strong = width === "strong";
      state.possible &&= width !== "no";
      state.wrapped = true;
      i = feed;
      if (!state.possible) break;
    }
    if (word.length > 80) return readings;
    note();
    return readings;
  }

  /** Looks into the block of base64 (or hexadecimal digits) that begins with this run, line by line and as a whole. */
  *#block(text: Text, runFrom: number, to: number): Steps {
    const { bytes, reader, depth } = text;
    if (runFrom < text.blocksTo || depth >= maxDepth) return;
    const isFirst = (bytes[runFrom - 1] ?? 10) === 10;
    const sign = isFirst || bytes[to] === 10 || bytes[to] === 13 ? lineSign(bytes, to) : 0;
    const from = sign > 0 && bytes[runFrom] === sign && isFirst ? runFrom + 1 : runFrom;
    let chars = bytes.subarray(from, to);
    let used = 0;
    const append = (more: Uint8Array) => {
      if (used === 0) {
        const grown = new Uint8Array(chars.length * 2 + more.length);
        grown.set(chars);
        used = chars.length;
        chars = grown;
      } else if (used + more.length > chars.length) {
        const grown = new Uint8Array(chars.length * 2 + more.length);
        grown.set(chars.subarray(0, used));
        chars = grown;
      }
      chars.set(more, used);
      used += more.length;
    };
    const lines = [0];
    const places = [from];
    const length = () => used || to - from;
    let at = to;
    let lineFrom = from;
    let widthFrom = 0;
    let widthBefore = 0;
    for (let seams = 1; afterRun[bytes[at] ?? 0] === 1; seams += 1) {
      if (seams % 1_000 === 0) yield null;
      reader.read(at);
      if (reader.dressed && reader.code > 0 && kinds[reader.code] === letter) {
        append(Uint8Array.of(reader.code));
        at = reader.next;
        const runTo = endOfRun(bytes, at);
        append(bytes.subarray(at, runTo));
        at = runTo;
        continue;
      }
      // Quoted-printable breaks lines that are as long as base64 has them, once more.
      const broken = reader.soft && isFullLine(bytes, at);
      const next = afterBreak(reader, at, sign, true);
      if (next < 0) break;
      const runTo = endOfRun(bytes, next);
      if (runTo === next) break;
      const width = length() - widthFrom;
      // Lines of one block are equally long; the first begins behind something else, the last ends early.
      if (lines.length > 1 && !broken && (width < widthBefore || runTo - next > width)) break;
      lines.push(length());
      places.push(next);
      append(bytes.subarray(next, runTo));
      if (!broken) {
        widthFrom = lines.at(-1) ?? 0;
        // What stands before the first line makes it longer.
        widthBefore = lines.length > 2 ? width : 0;
      }
      lineFrom = next;
      at = runTo;
    }
    const total = length();
    text.blocksTo = lines.length > 1 ? lineFrom : at;
    if (total < minBlock) return;
    const isNew = from >= text.blockSeenTo;
    if (isNew) text.blockSeen = text.seen ?? new Set();
    text.blockSeenTo = at;
    if (lines.length > 1 && text.seen === null) {
      for (const [n, lineStart] of lines.entries()) {
        this.#listed(text, chars.subarray(lineStart, lines[n + 1] ?? total), places[n] ?? from);
      }
    }
    const block = new Block(chars.subarray(0, total), this.#spot(text, from), text.blockSeen);
    // A line alone may begin in the middle of a value; the whole may begin with a word that is no part of the block.
    const wholeFirst = lines.length === 1 || endsInText(chars, 0, lines[1] ?? total);
    if (wholeFirst) yield* this.#unfold(text, block, 0, total);
    for (const [n, lineStart] of lines.length > 1 ? lines.slice(0, 20_000).entries() : []) {
      const lineEnd = lines[n + 1] ?? total;
      if (lineEnd - lineStart >= minBlock) yield* this.#unfold(text, block, lineStart, lineEnd);
    }
    if (!wholeFirst) yield* this.#unfold(text, block, 0, total);
    if (block.counted && isNew) this.#decodedBlocks += 1;
  }

  /** A line that is a value and nothing else, or is padded: of a list, not of a block. Its values know their own line. */
  #listed(text: Text, chars: Uint8Array, at: number): void {
    const isPadded = text.bytes[at + chars.length] === 61;
    if (chars.length < minBlock || chars.length > (isPadded ? 4096 : 76)) return;
    const decoded = Buffer.from(latin1(chars, 0, chars.length), "base64")
      .toString("latin1")
      .trim();
    for (const [whole, edge, prefix = "", uuid = ""] of decoded.matchAll(plainValue)) {
      if (!isPadded && (edge !== "" || whole !== decoded)) return;
      const folded = uuid.toLowerCase();
      // In capitals it may be folded, which is not decided here; the last line of a list is looked at twice.
      if (!this.#isPrefix(prefix) || prefix === prefix.toUpperCase() || text.blockSeen.has(folded)) continue;
      text.blockSeen.add(folded);
      this.add(`${prefix}:${folded}`, this.#spot(text, at), "base64");
    }
  }

  *#unfold(text: Text, block: Block, from: number, to: number): Steps {
    const { chars } = block;
    if (to - from < 4096) {
      // A path or a name around it: `/v1/secret/YXdz.../info`.
      let start = from;
      for (let i = from; i <= to; i += 1) {
        const char = i < to ? chars[i] : 47;
        if (char !== 47 && char !== 43 && char !== 45 && char !== 95) continue;
        if (i - start >= minBlock && i - start < to - from) yield* this.#decode(text, block, start, i, 1);
        start = i + 1;
      }
    }
    yield* this.#decode(text, block, from, to, 15);
  }

  /** `allowed`: which of the four alignments, a bit each. */
  *#decode(text: Text, block: Block, from: number, to: number, allowed: number): Steps {
    const { chars } = block;
    for (let at = from; at < to; at += pieceLength) {
      yield* this.#decodePiece(text, block, at, Math.min(to, at + pieceLength + pieceOverlap), allowed);
      yield null;
    }
    let gzip = indexOfGzip(chars, from, to);
    for (let count = 0; gzip >= 0 && count < 3; count += 1) {
      const inflated = yield* this.#inflate(Buffer.from(latin1(chars, gzip, to), "base64"), "gzip");
      if (inflated) yield* this.#inside(text, block, inflated, "gzip");
      gzip = indexOfGzip(chars, gzip + 4, to);
    }
    const second = chars[from + 1];
    if (chars[from] === 101 && (second === 74 || second === 78 || second === 65 || second === 70)) {
      const packed = Buffer.from(latin1(chars, from, to), "base64");
      if (((packed[0] ?? 0) * 256 + (packed[1] ?? 0)) % 31 === 0) {
        const inflated = yield* this.#inflate(packed, "zlib");
        if (inflated) yield* this.#inside(text, block, inflated, "gzip");
      }
    }
  }

  *#decodePiece(text: Text, block: Block, from: number, to: number, allowed: number): Steps {
    const { chars } = block;
    const phases = textyPhases(chars, from, to) & allowed;
    for (let phase = 0; phases >> phase > 0; phase += 1) {
      if ((phases & (1 << phase)) === 0) continue;
      yield* this.#inside(text, block, Buffer.from(latin1(chars, from + phase, to), "base64"), "base64");
    }
    for (const [digits, digitsTo] of to - from < minTokenBytes * 2 ? [] : hexRuns(chars, from, to)) {
      for (const first of [digits, digits + 1]) {
        const decoded = Buffer.from(latin1(chars, first, digitsTo - ((digitsTo - first) % 2)), "hex");
        yield* this.#inside(text, block, decoded, "hex");
        if (!isGzip(decoded)) continue;
        const inflated = yield* this.#inflate(decoded, "gzip");
        if (inflated) yield* this.#inside(text, block, inflated, "gzip");
      }
    }
  }

  *#inside(text: Text, block: Block, bytes: Uint8Array, dress: Dress): Steps {
    this.#decoded += bytes.length;
    if (this.#decoded > maxDecoded) {
      this.#truncated = true;
      return;
    }
    block.counted = true;
    const inner = newText(bytes, text.origin, {
      dress: text.dress === "gzip" ? "gzip" : dress,
      depth: text.depth + 1,
      block: block.spot,
      seen: block.seen,
    });
    yield* this.#text(inner);
  }

  *#inflate(bytes: Uint8Array, kind: Inflation["kind"]): Generator<Step, Uint8Array | null, Inflated | undefined> {
    const cap = Math.min(maxInflatedBlock, maxInflated - this.#inflated);
    if (cap <= 0 || this.#inflations >= maxInflations) {
      this.#truncated = true;
      return null;
    }
    this.#inflations += 1;
    const small = bytes.length <= 16_384 ? inflateSmall(bytes, kind, Math.min(cap, mega)) : undefined;
    if (small === null) return null;
    if (small === undefined && this.#streams >= maxStreams) {
      this.#truncated = true;
      return null;
    }
    if (small === undefined) this.#streams += 1;
    const inflated = small ? { bytes: small, whole: true } : yield { bytes, kind, cap };
    if (!inflated || inflated.bytes.length === 0) return null;
    this.#inflated += inflated.bytes.length;
    if (!inflated.whole) this.#truncated = true;
    return inflated.bytes;
  }

  /** Takes the line of a hexadecimal dump (`xxd`, `hexdump -C`, `od -tx1`, Wireshark, `tcpdump -X`) that begins here, if it is one. */
  #lineStart({ bytes, dump, depth }: Text, at: number): void {
    const first = bytes[at] ?? 0;
    if ((first !== 32 && first !== 9 && !isHex(first)) || depth >= maxDepth) return;
    const line = readDumpLine(bytes, at);
    if (!line) return;
    // So near, it is the next line, behind a column of letters.
    if (at - dump.next > 200 || dump.bytes.length >= mega) {
      if (dump.bytes.length >= minTokenBytes) dump.done.push({ bytes: dump.bytes, at: dump.at });
      dump.bytes = [];
    }
    if (dump.bytes.length === 0) dump.at = at;
    for (const byte of line.bytes) dump.bytes.push(byte);
    dump.next = line.next;
  }

  *#dumped(text: Text, { bytes, at }: { bytes: number[]; at: number }): Steps {
    if (bytes.length < minTokenBytes) return;
    const block = new Block(Uint8Array.from(bytes), this.#spot(text, at), text.seen ?? new Set());
    yield* this.#inside(text, block, block.chars, "hex");
    this.#decodedBlocks += 1;
  }
}

/** Letters of base64 or hexadecimal digits, wherever they stood. */
class Block {
  readonly chars: Uint8Array;
  readonly spot: Spot;
  readonly seen: Set<string>;
  counted = false;

  constructor(chars: Uint8Array, spot: Spot, seen: Set<string>) {
    this.chars = chars;
    this.spot = spot;
    this.seen = seen;
  }
}

function before(a: Spot | undefined, b: Spot | undefined): number {
  return (a?.index ?? 0) - (b?.index ?? 0) || (a?.at ?? 0) - (b?.at ?? 0);
}

function newText(
  bytes: Uint8Array,
  origin: Origin,
  inner: Partial<Pick<Text, "dress" | "depth" | "block" | "seen">>,
): Text {
  return {
    bytes,
    reader: new Reader(bytes),
    origin,
    depth: 0,
    dress: null,
    block: null,
    seen: null,
    feeds: 0,
    countedTo: 0,
    runStart: 0,
    runEnd: -1,
    blocksTo: 0,
    blockSeen: new Set(),
    blockSeenTo: 0,
    colonsFrom: 0,
    dump: { bytes: [], at: 0, next: -1, done: [] },
    ...inner,
  };
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/** How files begin that hold what this search cannot unpack: zip, 7z, xz, bzip2, zstd, rar, lz4, PDF. */
const packed = [
  "504b0304",
  "377abcaf271c",
  "fd377a585a00",
  "425a68",
  "28b52ffd",
  "526172211a07",
  "04224d18",
  "255044462d",
].map((digits) => Buffer.from(digits, "hex"));

function isPacked(bytes: Uint8Array): boolean {
  const found = packed.find((magic) => magic.every((byte, index) => bytes[index] === byte));
  // `BZh` alone could begin a word.
  return found !== undefined && (found.length > 3 || (bytes[4] === 0x31 && bytes[5] === 0x41));
}

/** UTF-16 with a mark, or evident from its zero bytes, as UTF-8; anything else as it is. */
function* asUtf8(bytes: Uint8Array): Generator<null, Uint8Array, unknown> {
  const [first, second] = bytes;
  let order = first === 0xff && second === 0xfe ? "little" : first === 0xfe && second === 0xff ? "big" : null;
  if (order === null) {
    const sample = Math.min(bytes.length, 4096) & ~1;
    let even = 0;
    let odd = 0;
    for (let i = 0; i < sample; i += 2) {
      if (bytes[i] === 0) even += 1;
      if (bytes[i + 1] === 0) odd += 1;
    }
    if (sample >= 16 && odd > sample * 0.2 && even < sample * 0.03) order = "little";
    else if (sample >= 16 && even > sample * 0.2 && odd < sample * 0.03) order = "big";
  }
  if (order === null) return bytes;
  const decoder = new StringDecoder("utf16le");
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += mega) {
    const piece = Buffer.from(bytes.subarray(at, Math.min(bytes.length & ~1, at + mega)));
    pieces.push(Buffer.from(decoder.write(order === "big" ? piece.swap16() : piece)));
    yield null;
  }
  return Buffer.concat(pieces);
}

/** Whether the line that `at` ends is as long as a mail has them. */
function isFullLine(bytes: Uint8Array, at: number): boolean {
  const from = latin1(bytes, Math.max(0, at - 80), at).lastIndexOf("\n");
  const width = Math.min(at, 80) - (from + 1);
  return width >= 64 && width <= 77;
}

/** The plus or minus that the line of `at` begins with, else 0. */
function lineSign(bytes: Uint8Array, at: number): number {
  for (let i = at - 1; i >= at - 1024; i -= 1) {
    if (i >= 0 && bytes[i] !== 10) continue;
    const first = bytes[i + 1] ?? 0;
    return first === 43 || first === 45 ? first : 0;
  }
  return 0;
}

type Uuid = { uuid: string; next: number; dressed: boolean; wrapped: boolean };
const noUuid: Uuid = { uuid: "", next: 0, dressed: false, wrapped: false };
const noWrappedUuid: Uuid = { ...noUuid, wrapped: true };
const uuidLength = 36;

const plainValue = /(^|[\s"'=,;|<>[\](){}])([\w.-]{1,80}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![\w-])/gi;

const isDashPlace = (index: number) => index === 8 || index === 13 || index === 18 || index === 23;

/** The UUID at `at`, however it is dressed; `uuid` is empty when there is none. `sign`: see `afterBreak`. */
function readUuid(bytes: Uint8Array, reader: Reader, at: number, sign: number): Uuid {
  let uuid = "";
  let dressed = false;
  let wrapped = false;
  let spaced = false;
  let next = at;
  for (let patience = 400; uuid.length < uuidLength; patience -= 1) {
    if (patience === 0) return noUuid;
    const byte = bytes[next] ?? 0;
    const dash = isDashPlace(uuid.length);
    if (dash ? byte === 45 : isHex(byte)) {
      uuid += String.fromCharCode(byte);
      next += 1;
      continue;
    }
    if (isAlphanumeric(byte)) return wrapped ? noWrappedUuid : noUuid;
    reader.read(next);
    if (dash ? reader.code === 45 : isHex(reader.code)) uuid += String.fromCharCode(reader.code);
    else if (reader.code !== invisible && reader.code !== loose) {
      const goesOn = afterBreak(reader, next, sign, false);
      if (goesOn < 0) return wrapped ? noWrappedUuid : noUuid;
      wrapped = true;
      next = goesOn;
      continue;
    }
    spaced ||= bytes[next] === 0;
    dressed = true;
    next = reader.next;
  }
  // A NUL ends a string, unless there is one at each character.
  return (!spaced && bytes[next] === 0) || isUuidEnd(bytes, reader, next) ? { uuid, next, dressed, wrapped } : noUuid;
}

/** No letter or digit follows, and no further group of hexadecimal digits. */
function isUuidEnd(bytes: Uint8Array, reader: Reader, at: number): boolean {
  reader.read(at);
  for (let n = 0; n < 8 && reader.code === invisible; n += 1) reader.read(reader.next);
  if (isAlphanumeric(reader.code)) return false;
  if (reader.code !== 45 || isEmDash(bytes, reader.begin)) return true;
  let digits = reader.next;
  while (digits < reader.next + 64 && isHex(bytes[digits] ?? 0)) digits += 1;
  return digits - reader.next < 4 || (digits < reader.next + 64 && isAlphanumeric(bytes[digits] ?? 0));
}

/** It stands between two words, never in one. */
function isEmDash(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xe2 && bytes[at + 1] === 0x80 && (bytes[at + 2] === 0x94 || bytes[at + 2] === 0x95);
}

/**
 * Where in a word a prefix may begin: after dashes and underscores (Markdown, options), behind a full stop, or behind two
 * dashes that are typed for a long one.
 */
function beginnings(word: string): number[] {
  const stop = word.lastIndexOf(".") + 1;
  const long = Math.max(0, word.lastIndexOf("--"));
  const past = (from: number) => from + (/^[-_.]*/.exec(word.slice(from))?.[0].length ?? 0);
  return [...new Set([0, past(0), stop, past(stop), past(long)])];
}

/**
 * Whether a line's end (its bytes from `from` to `to`) may have broken a word in two, as a hard wrap does: `no` when the
 * next line is longer, `strong` when the lines around are equally long.
 */
function wrapWidth(bytes: Uint8Array, from: number, to: number, wrapped: boolean): "no" | "maybe" | "strong" | "sure" {
  const raw = bytes[from] === 10 || bytes[from] === 13;
  const feed = latin1(bytes, from, to);
  const around = 2_000;
  const lines = (text: string) => text.split(raw ? /\r*\n|\r+/ : feed);
  // An escaped line's end stands in a string, which ends before the text does.
  const bounded = (text: string) => (raw ? text : (text.split(/[\n"']/, 1)[0] ?? ""));
  const reversed = (text: string) => [...text].reverse().join("");
  const above = latin1(bytes, Math.max(0, from - around), from);
  const below = latin1(bytes, to, Math.min(bytes.length, to + around));
  const linesAbove = lines(raw ? above : reversed(bounded(reversed(above)))).map(lengthOf);
  const linesBelow = lines(bounded(below));
  const [line = ""] = linesBelow;
  const width = linesAbove.at(-1) ?? 0;
  if (linesAbove.length === 1 && from > around) return "no";
  if (lengthOf(line.replace(/^[\s>|+#*/;-]+/, "")) > width) return "no";
  const others = [linesAbove.at(-2) ?? 0, lengthOf(line)];
  if (Math.max(...others) > width || !others.includes(width)) return "maybe";
  return wrapped && lengthOf(line) === width ? "sure" : "strong";
}

/** In characters, of UTF-8 read as Latin-1. */
function lengthOf(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i += 1) if ((text.charCodeAt(i) & 0xc0) !== 0x80) length += 1;
  return length;
}

function endOfRun(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && kinds[bytes[at] as number] === letter) at += 1;
  return at;
}

/** The alignments (a bit each) in which a part of the letters may stand for text. */
function textyPhases(chars: Uint8Array, from: number, to: number): number {
  const chain = [0, 0, 0, 0];
  let phases = 0;
  for (let i = from; i < to; i += 1) {
    const phase = (i - from) & 3;
    const length = chain[phase] as number;
    if (texty[chars[i] as number] === 0) {
      // Not back to nothing: an unusual dash or colon may stand between.
      if (length > 0) chain[phase] = length - 1;
      continue;
    }
    chain[phase] = length + 1;
    if (length + 1 < textyRun) continue;
    phases |= 1 << phase;
    if (phases === 15) break;
  }
  return phases;
}

/** Whether the last letters before `to` are base64 of text, in one of the four alignments. */
function endsInText(chars: Uint8Array, from: number, to: number): boolean {
  return [0, 1, 2, 3].some((phase) => {
    const letters = (to - from - phase) & ~3;
    const start = from + phase + Math.max(0, letters - 32);
    const bytes = Buffer.from(latin1(chars, start, from + phase + letters), "base64");
    // Apart from the character that itself stands for what is no UTF-8.
    const text = Buffer.from(bytes.toString("latin1").replaceAll("\xef\xbf\xbd", ""), "latin1").toString();
    // A character may be cut at either end; what is no text has ten of them.
    return bytes.length >= 9 && text.split("\ufffd").length <= 5;
  });
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, to - from)).toString("latin1");
}

/** Where base64 of a gzip file begins. */
function indexOfGzip(chars: Uint8Array, from: number, to: number): number {
  const at = Buffer.from(chars.buffer, chars.byteOffset + from, Math.max(0, to - from)).indexOf("H4sI", 0, "latin1");
  return at < 0 ? -1 : from + at;
}

/** The runs of hexadecimal digits that are long enough for a token. */
function hexRuns(chars: Uint8Array, from: number, to: number): [from: number, to: number][] {
  const runs: [number, number][] = [];
  let start = from;
  for (let i = from; i <= to; i += 1) {
    if (i < to && isHex(chars[i] as number)) continue;
    if (i - start >= minTokenBytes * 2) runs.push([start, i]);
    start = i + 1;
  }
  return runs;
}

/** A cut or spoilt end does not matter: what came before it is text all the same. */
const lenient = { finishFlush: constants.Z_SYNC_FLUSH };

/** Null: it is nothing compressed. Undefined: too large, or spoilt, for this way. */
function inflateSmall(bytes: Uint8Array, kind: Inflation["kind"], cap: number): Uint8Array | null | undefined {
  try {
    return (kind === "gzip" ? gunzipSync : inflateSync)(bytes, { ...lenient, maxOutputLength: cap });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "Z_DATA_ERROR" && /header|unknown compression/.test(message)) return null;
    return undefined;
  }
}

async function inflate({ bytes, kind, cap }: Inflation, signal: AbortSignal | undefined): Promise<Inflated> {
  const stream = (kind === "gzip" ? createGunzip : createInflate)({ ...lenient, chunkSize: 256 * 1024 });
  const chunks: Buffer[] = [];
  let size = 0;
  let whole = true;
  try {
    // In pieces, the checksum apart: what is spoilt takes only its own piece with it.
    const checksum = Math.max(0, bytes.length - 8);
    for (let at = 0; at < checksum; at += 16_384) stream.write(bytes.subarray(at, Math.min(checksum, at + 16_384)));
    stream.end(bytes.subarray(checksum));
    for await (const chunk of stream) {
      if (signal?.aborted) break;
      chunks.push(chunk.subarray(0, cap - size));
      if (size + chunk.length > cap) {
        whole = false;
        break;
      }
      size += chunk.length;
    }
  } catch {
    // What came out before the spoilt part is kept.
  }
  return { bytes: Buffer.concat(chunks), whole };
}

/** The bytes of `[97, 119, …]`, also over lines, or of `<Buffer 61 77 …>`, as Node shows them; up to a million. */
function readByteList(bytes: Uint8Array, from: number): number[] {
  const isBuffer = bytes[from] === 60;
  if (isBuffer && latin1(bytes, from, Math.min(bytes.length, from + 8)) !== "<Buffer ") return [];
  const listed: number[] = [];
  let at = from + (isBuffer ? 8 : 1);
  const blanks = () => {
    const began = at;
    while (at < began + 64 && (bytes[at] === 32 || bytes[at] === 9 || bytes[at] === 10 || bytes[at] === 13)) at += 1;
  };
  while (listed.length < mega) {
    blanks();
    const began = at;
    while (at < began + 4 && isHex(bytes[at] ?? 0)) at += 1;
    const digits = latin1(bytes, began, at);
    const value = isBuffer ? Number.parseInt(digits, 16) : Number(digits);
    if (digits === "" || !(value <= 255) || (isBuffer && digits.length !== 2)) break;
    listed.push(value);
    if (!isBuffer) blanks();
    if (bytes[at] !== (isBuffer ? 32 : 44)) break;
    at += 1;
  }
  return listed;
}

/** The bytes that a line of a dump shows: an offset, then groups of digits; null: it is no such line. */
function readDumpLine(bytes: Uint8Array, from: number): { bytes: number[]; next: number } | null {
  let at = from;
  const blanks = () => {
    const began = at;
    while (at < began + 8 && (bytes[at] === 32 || bytes[at] === 9)) at += 1;
    return at - began;
  };
  const digits = () => {
    const began = at;
    while (at < began + 17 && isHex(bytes[at] ?? 0)) at += 1;
    return at - began;
  };
  blanks();
  if (bytes[at] === 48 && bytes[at + 1] === 120) at += 2;
  const began = at;
  const offset = digits();
  const ended = bytes[at];
  if (offset < 2 || offset > 16 || (ended !== 32 && ended !== 58)) return null;
  if (ended === 58) at += 1;
  const gap = blanks();
  if (gap === 0) return null;
  const isOffset = ended === 58 || offset >= 6 || (offset === 4 && gap >= 2);
  if (!isOffset) at = began;
  const shown: number[] = [];
  let groups = 0;
  while (shown.length < 4096) {
    const groupAt = at;
    const length = digits();
    const after = bytes[at] ?? 10;
    if (length === 0 || length % 2 === 1 || length > 16 || (after !== 32 && after !== 10 && after !== 13)) {
      at = groupAt;
      break;
    }
    for (let i = groupAt; i < at; i += 2) shown.push(Number.parseInt(latin1(bytes, i, i + 2), 16));
    groups += 1;
    if (after !== 32) break;
    const width = blanks();
    // `hexdump -C` parts its line in two; else the letters follow.
    if (width > 2 || (width === 2 && !(length === 2 && groups === 8))) break;
  }
  return groups >= 2 || (isOffset && groups === 1) ? { bytes: shown, next: at } : null;
}

const labels =
  /(?:^|[-_.])(?:u?uid|guid|id|urn|arn|sha-?\d*|md5|crc\d*|blake\d\w*|etag|trace|span|host|http|https|localhost)$/i;

/** A text that is nothing but one word with a colon in it may be a token of a form that is not documented. */
function loneWord(bytes: Uint8Array, prefixes: RegExp): { value: string; line: number } | null {
  if (bytes.length > 4096) return null;
  const text = Buffer.from(bytes).toString();
  const value = text.trim();
  if (!/^[\x21-\x7e]{8,512}$/.test(value)) return null;
  const at = value.indexOf(":");
  const name = value.slice(0, at);
  const rest = value.slice(at + 1);
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) || /^(?:mailto|data|urn|arn|tel|file):/i.test(value);
  const isNumbers = /^[0-9a-f:.%/[\]-]+$/i.test(value) || /:\d{1,5}(?:\/\S*)?$/.test(value);
  // Also what is left of a token that was cut, masked or mistyped.
  const isDigest = /^[0-9a-f-]+$/i.test(rest);
  const isMasked = /\*\*|\.\.|#{3}|x{4}/i.test(value);
  const isCode = /["'`<>{}()\\,;|$%&=]/.test(name) || /["'`<>{}()\\,;|]/.test(rest);
  if (at < 1 || rest.length < 4) return null;
  if (
    isAddress ||
    isNumbers ||
    isDigest ||
    isMasked ||
    isCode ||
    (labels.test(name) && (otherNames.test(name) || !prefixes.test(name)))
  )
    return null;
  if (!/[a-z0-9]/i.test(name) || !/[a-z0-9]/i.test(rest)) return null;
  return { value, line: text.slice(0, text.indexOf(value)).split("\n").length };
}
