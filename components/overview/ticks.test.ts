import fc from "fast-check";
import { expect, test } from "vitest";
import { ticksUpTo } from "@/components/overview/ticks";

test("an axis goes in a few whole, even steps from 0 to the greatest value or just above it", () => {
  fc.assert(
    fc.property(fc.nat({ max: 1_000_000 }), (max) => {
      const ticks = ticksUpTo(max);
      const [, step = 0] = ticks;
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(5);
      expect(ticks).toEqual(ticks.map((_, index) => index * step));
      expect(Number.isInteger(step)).toBe(true);
      const top = ticks.at(-1) ?? 0;
      expect(top).toBeGreaterThanOrEqual(Math.max(1, max));
      expect(top - step).toBeLessThan(Math.max(1, max));
    }),
  );
  expect(ticksUpTo(0)).toEqual([0, 1]);
  expect(ticksUpTo(23)).toEqual([0, 10, 20, 30]);
});
