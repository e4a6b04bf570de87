import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { processorMs } from "@/test/process";
import { foundCases, lookAlikes, quietCases, tokenOf, uuidOf } from "../../test/scan-corpus";
import { type Found, findTokens, type ScanOptions } from "./scan";

const prefixes = /^(?:[A-Za-z]{1,12}[0-9]{1,4})$/i;

async function find(text: string | Uint8Array, options: Partial<ScanOptions> = {}): Promise<Found[]> {
  const { found } = await findTokens([{ name: null, content: text }], { prefixes, ...options });
  return found;
}

const valuesOf = async (text: string | Uint8Array) => (await find(text)).map(({ value }) => value);

describe("the corpus", () => {
  test("has at least 200 texts, no two of one name", () => {
    const names = [...foundCases, ...lookAlikes, ...quietCases].map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(200);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(foundCases)("found: $name", async ({ text, values, lines, dress }) => {
    const found = await find(text);
    expect(found.map(({ value }) => value)).toEqual(values);
    expect(found.map(({ places }) => places[0]?.line)).toEqual(lines);
    if (dress !== null) expect(new Set(found.map(({ places }) => places[0]?.dress))).toEqual(new Set([dress]));
  });

  test.each(lookAlikes)("a look-alike: $name", async ({ text }) => {
    expect(await valuesOf(text)).toEqual([]);
  });

  test.each(quietCases)("nothing in it: $name", async ({ text }) => {
    expect(await valuesOf(text)).toEqual([]);
  });

  test("says the same of a string and of its bytes", async () => {
    for (const { text, name } of [...foundCases, ...lookAlikes, ...quietCases]) {
      if (typeof text === "string") expect(await find(Buffer.from(text)), name).toEqual(await find(text));
    }
  });
});

describe("any text", () => {
  const token = fc
    .tuple(fc.constantFrom("aws80", "na1", "eu12", "platform7"), fc.integer())
    .map(([prefix, seed]) => tokenOf(`property ${seed}`, prefix));
  // Words that could not be taken for a part of the value, and signs that end one.
  const noise = fc
    .array(fc.constantFrom(" ", "\n", "{", "}", '"x"', "= ", "12:34", "é", "…", "a-b ", "word. ", "\ud800 ", "\x01"), {
      maxLength: 30,
    })
    .map((words) => ` ${words.join("")} `);
  type Dressing = (text: string) => string;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const outer: Dressing[] = [
    base64,
    (text) => Buffer.from(text).toString("base64url"),
    (text) => gzipSync(text).toString("base64"),
    (text) => base64(text).replace(/.{76}/g, "$&\r\n"),
    (text) => Buffer.from(text).toString("hex"),
    (text) => JSON.stringify({ text }),
    (text) => encodeURIComponent(text.toWellFormed()),
    (text) => text,
  ];
  const inner: Dressing[] = [
    (value) => value.replace(":", "%3A"),
    (value) => value.replace(":", "\\u003a"),
    (value) => value.replace(":", "&#58;"),
    (value) => value.replaceAll("-", "\u2013"),
    (value) => value.replace(":", "\x1b[0m:\x1b[1m"),
    (value) => value.replace(/-/, "-\n"),
    (value) => value.replace(/(.{9})-/, "$1=\r\n-"),
    (value) => `${value.slice(0, 20)}\\\n${value.slice(20)}`,
    (value) => value,
  ];

  test("a value in composed dresses amid noise is found, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(
        token,
        noise,
        noise,
        fc.constantFrom(...inner),
        fc.constantFrom(...outer),
        fc.constantFrom(...outer),
        async (value, before, after, dress, wrap, wrapAgain) => {
          const text = wrapAgain(`x ${wrap(`${before}${dress(value)}${after}`)} y`);
          expect(await valuesOf(text)).toEqual([value]);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("a value hard-wrapped at any column is found", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer().map((seed) => tokenOf(`wrap ${seed}`)),
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom("\n", "\r\n", "\n> ", "\n    "),
        fc.integer({ min: 0, max: 80 }),
        async (value, width, by, at) => {
          const text = `${"-- ".repeat(at)}${value} ${"-- ".repeat(40)}`;
          const lines = text.match(new RegExp(`[\\s\\S]{1,${width}}`, "g")) ?? [];
          expect(await valuesOf(lines.join(by))).toContain(value);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("without a token nothing is found, whatever it is", async () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.integer().map((seed) => uuidOf(`${seed}`)),
        fc.constantFrom("%3A", "\\u003a", "aws80", "aws80: ", "uuid:", "\n", "\x1b[0m", "=\n", "H4sI", "-", ":\\"),
      ),
    );
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const text = ` ${parts.join(" ")} `;
        fc.pre(!/[0-9]['"`<]*\s*(?::|%3A|\\u003a)/i.test(text));
        expect(await valuesOf(text)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("bytes of any kind never throw", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.uint8Array({ maxLength: 400 }).map((tail) => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), tail])),
      fc.uint8Array({ maxLength: 400 }).map((tail) => Buffer.concat([Buffer.from([0xff, 0xfe]), tail])),
      fc.uint8Array({ maxLength: 400 }).map((tail) => Buffer.from(`H4sI${base64(String.fromCharCode(...tail))}`)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        for (const { value } of await find(content)) expect(value).toContain(":");
      }),
      { numRuns: 300 },
    );
  });

  test("lines are those of an editor", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 6 }), { maxLength: 12 }),
        fc.constantFrom("\n", "\r\n"),
        async (gaps, feed) => {
          let line = 1;
          const expected: number[] = [];
          let text = "";
          for (const [n, gap] of gaps.entries()) {
            text += `${`filler${feed}`.repeat(gap)}token ${tokenOf(`line ${n}`)}${feed}`;
            expected.push(line + gap);
            line += gap + 1;
          }
          expect((await find(text)).map(({ places }) => places[0]?.line)).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("the case of the letters makes no difference where all are capitals", async () => {
    await fc.assert(
      fc.asyncProperty(token, async (value) => {
        expect(await valuesOf(`${value.toUpperCase()} ${value}`)).toEqual([value]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("findings", () => {
  test("a value in several places is one finding, with its places in order and all of them counted", async () => {
    const value = tokenOf("often");
    const sources = [
      { name: "a.log", content: `x\n${Buffer.from(value).toString("base64")}\n${value}` },
      { name: "b.log", content: `${value.replace(":", "%3A")}\n`.repeat(30) },
    ];
    const { found } = await findTokens(sources, { prefixes });
    expect(found).toHaveLength(1);
    expect(found[0]?.count).toBe(32);
    expect(found[0]?.places).toHaveLength(21);
    expect(found[0]?.places.slice(0, 3)).toEqual([
      { source: "a.log", line: 2, dress: "base64" },
      { source: "a.log", line: 3, dress: "plain" },
      { source: "b.log", line: 1, dress: "encoded" },
    ]);
  });

  test("findings stand in the order in which they first appear, whatever their dress", async () => {
    const values = Array.from({ length: 8 }, (_, n) => tokenOf(`order ${n}`));
    const text = values.map((value, n) => (n % 2 ? value : Buffer.from(`x ${value}`).toString("base64"))).join(" ; ");
    expect(await valuesOf(text)).toEqual(values);
  });

  test("the search stops at the limit and says so", async () => {
    const text = Array.from({ length: 50 }, (_, n) => tokenOf(`limit ${n}`)).join("\n");
    const content = [{ name: null, content: text }];
    const limited = await findTokens(content, { prefixes, limit: 20 });
    expect(limited.found).toHaveLength(20);
    expect(limited.truncated).toBe(true);
    const all = await findTokens(content, { prefixes, limit: 50 });
    expect(all.found).toHaveLength(50);
    expect(all.truncated).toBe(false);
  });

  test("the pattern of the prefix decides, as a whole", async () => {
    const text = `x acme.eu:${uuidOf("a")} ${tokenOf("b")} xacme.eu:${uuidOf("c")}`;
    expect((await find(text, { prefixes: /acme\.eu/g })).map(({ value }) => value)).toEqual([`acme.eu:${uuidOf("a")}`]);
  });

  test("two values of one prefix broken by a line's end are not confused with a longer word", async () => {
    const text = `These were used here\n${tokenOf("first")}\nand there, as we know\n${tokenOf("second")}\n`;
    expect(await valuesOf(text)).toEqual([tokenOf("first"), tokenOf("second")]);
  });

  test("blocks that were looked into are counted", async () => {
    const block = Buffer.from(`x ${tokenOf("block")}`).toString("base64");
    const { decodedBlocks } = await findTokens([{ name: null, content: `${block} ; ${block}` }], { prefixes });
    expect(decodedBlocks).toBe(2);
  });

  test("a word that is a token of another form is taken only where it is all there is", async () => {
    const word = "acme:Zm9vYmFyMTIzNDU2Nzg5";
    expect(await valuesOf(word)).toEqual([word]);
    expect(await valuesOf(`${word} x`)).toEqual([]);
    const sources = [word, "x"].map((content) => ({ name: "a", content }));
    expect((await findTokens(sources, { prefixes })).found).toEqual([]);
  });
});

describe("what it costs", () => {
  const mega = 1024 * 1024;

  test("a small file that unfolds to much is left at its limit", async () => {
    const bomb = gzipSync(Buffer.alloc(100 * mega, "x "));
    const { truncated, found } = await findTokens([{ name: "bomb.gz", content: bomb }], { prefixes });
    expect({ truncated, found }).toEqual({ truncated: true, found: [] });
  });

  test("what stands before the limit of a large block is found", async () => {
    const value = tokenOf("early");
    const large = gzipSync(Buffer.concat([Buffer.from(`\n${value}\n`), Buffer.alloc(40 * mega, "x ")]));
    const { truncated, found } = await findTokens([{ name: "large.gz", content: large }], { prefixes });
    expect(found).toEqual([{ value, places: [{ source: "large.gz", line: 2, dress: "gzip" }], count: 1 }]);
    expect(truncated).toBe(true);
  });

  test.each([
    ["zip, and so a document of an office", "504b0304"],
    ["7z", "377abcaf271c"],
    ["xz", "fd377a585a00"],
    ["bzip2", "425a6839314159265359"],
    ["zstd", "28b52ffd"],
    ["rar", "526172211a07"],
    ["lz4", "04224d18"],
    ["PDF", "255044462d312e37"],
  ])("of a file that is packed as %s it is said that not all was looked at", async (_, magic) => {
    const packed = Buffer.concat([Buffer.from(magic, "hex"), Buffer.alloc(64, 0x91)]);
    const scan = (content: Uint8Array) => findTokens([{ name: "logs", content }], { prefixes });
    expect((await scan(packed)).truncated).toBe(true);
    expect((await scan(gzipSync(packed))).truncated).toBe(true);
    expect((await scan(Buffer.concat([Buffer.from("x"), packed]))).truncated).toBe(false);
  });

  test("it stops when told to", async () => {
    const stop = new AbortController();
    const content = Buffer.alloc(20 * mega, "a:b ");
    const search = findTokens([{ name: null, content }], {
      prefixes,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(search).rejects.toThrow("enough");
    await expect(find("x", { signal: AbortSignal.abort(new Error("at once")) })).rejects.toThrow("at once");
  });

  test("it tells how far it is", async () => {
    const told: number[] = [];
    const sources = ["a ", "b:"].map((text) => ({ name: text, content: Buffer.alloc(4 * mega, text) }));
    const totals = new Set<number>();
    await findTokens(sources, {
      prefixes,
      onProgress: (done, total) => {
        told.push(done);
        totals.add(total);
      },
    });
    expect([...totals]).toEqual([8 * mega]);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(8 * mega);
  });

  // Generous: what is not linear takes minutes here.
  test.each([
    "a",
    "A",
    ":",
    "%25",
    "%3A",
    "c2353445-bc74-af1a-2850-",
    "aws80:c2353445-bc74-af1a-",
    "\n",
    "\\",
    "\\u003a",
    "&amp;",
    "=\n",
    "> \n",
    "H4sI",
    "eJw",
    "\x1b[",
    "<b>",
    "\u200b",
    '" +\n',
    "00 ",
    "[1,",
    "97,",
    "<Buffer 61 ",
    "YXdzODA6YzIzNTM0NDUt\n",
    `aws80:${"c2353445-bc74-af1a-2850-1d55a371c0a9"} x:`,
    `x:${"c2353445-bc74-af1a-2850-1d55a371c0a9"}\n`,
  ])("4 MB of %j are searched soon", { timeout: 60_000 }, async (unit) => {
    expect(await processorMs(() => find(Buffer.alloc(4 * mega, unit)))).toBeLessThan(8_000);
  });
});
