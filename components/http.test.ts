import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brokenOff, jsonLines } from "@/components/http";

/** A body that comes in pieces, cut anywhere, also inside of a character. */
function bodyOf(text: string, cuts: number[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  const places = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      let from = 0;
      for (const to of places) {
        controller.enqueue(bytes.slice(from, to));
        from = to;
      }
      controller.close();
    },
  });
}

describe("an answer line by line", () => {
  it("gives the same values wherever its pieces end, with or without a last line break", async () => {
    const line = fc.jsonValue().map((value) => JSON.stringify(value));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat()), fc.boolean(), async (lines, cuts, ended) => {
        const text = lines.join("\n") + (ended && lines.length > 0 ? "\n" : "");
        expect(await Array.fromAsync(jsonLines(bodyOf(text, cuts)))).toEqual(lines.map((one) => JSON.parse(one)));
      }),
    );
  });

  it("gives undefined for a line that is no JSON, and goes on", async () => {
    expect(await Array.fromAsync(jsonLines(bodyOf('1\n<html>\n\n{"a":2}', [3])))).toEqual([1, undefined, { a: 2 }]);
  });

  it("ends with the error that cut it", async () => {
    const cut = new TypeError("network error");
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: (controller) => controller.error(cut) });
    await expect(Array.fromAsync(jsonLines(body))).rejects.toBe(cut);
  });
});

describe("brokenOff", () => {
  it("tells an answer that was stopped from one that did not come", () => {
    expect(brokenOff(new DOMException("", "AbortError")).code).toBe("aborted");
    expect(brokenOff(new TypeError("network error")).code).toBe("network");
  });
});
