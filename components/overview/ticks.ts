/** Whole, even steps from 0 to `max` or just above it: 0, 5, 10. */
export function ticksUpTo(max: number): number[] {
  const wanted = Math.max(1, max) / 4;
  const magnitude = 10 ** Math.floor(Math.log10(wanted));
  const step = Math.max(1, ([1, 2, 5, 10].find((factor) => factor * magnitude >= wanted) ?? 10) * magnitude);
  return Array.from({ length: Math.max(1, Math.ceil(max / step)) + 1 }, (_, index) => index * step);
}
