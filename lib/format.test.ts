import { describe, expect, test, vi } from "vitest";
import { formatInstant, formatOffset } from "@/lib/format";

describe("a moment in the reader's zone and in UTC", () => {
  test.each([
    ["Europe/Berlin", "2026-01-15T23:30:05.000Z", "16 Jan 2026, 00:30:05", "UTC+01:00"],
    ["Europe/Berlin", "2026-07-15T23:30:05.000Z", "16 Jul 2026, 01:30:05", "UTC+02:00"],
    ["America/St_Johns", "2026-01-15T01:00:00.000Z", "14 Jan 2026, 21:30:00", "UTC-03:30"],
    ["UTC", "2026-01-15T01:00:00.000Z", "15 Jan 2026, 01:00:00", "UTC+00:00"],
  ])("in %s at %s", (zone, iso, local, offset) => {
    vi.stubEnv("TZ", zone);
    expect(formatInstant(iso, "local")).toBe(local);
    expect(formatOffset(iso)).toBe(offset);
    expect(formatInstant(iso, "utc")).toMatch(/^1[45] .* UTC$/);
  });
});
