import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventCounter, formatBytes } from "@/components/audit/export-run";

const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "=", " ", "é"), maxLength: 8 });
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** The same bytes, cut anywhere. */
function counted(counter: EventCounter, text: string, cuts: number[]): number {
  const bytes = new TextEncoder().encode(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    counter.add(bytes.subarray(from, to));
    from = to;
  }
  return counter.events;
}

describe("counting the events of an export as it comes in", () => {
  it("counts CSV rows, whatever the cells hold and wherever the pieces end", () => {
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 3 })), fc.array(fc.nat()), (rows, cuts) => {
        const text = ["seq,reason", ...rows.map((row) => row.map(quoted).join(","))]
          .map((line) => `${line}\r\n`)
          .join("");
        expect(counted(new EventCounter("csv"), text, cuts)).toBe(rows.length);
      }),
    );
  });

  it("counts JSON lines", () => {
    fc.assert(
      fc.property(fc.array(cell), fc.array(fc.nat()), (reasons, cuts) => {
        const text = reasons.map((reason) => `${JSON.stringify({ reason })}\n`).join("");
        expect(counted(new EventCounter("jsonl"), text, cuts)).toBe(reasons.length);
      }),
    );
  });

  it("counts nothing before anything came", () => {
    expect(new EventCounter("csv").events).toBe(0);
    expect(new EventCounter("jsonl").events).toBe(0);
  });
});

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 KB"],
    [999_949, "999.9 KB"],
    [999_960, "1.0 MB"],
    [1_250_000, "1.3 MB"],
    [5_000_000_000_000_000, "5000.0 TB"],
  ])("%i bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
