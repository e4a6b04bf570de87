import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openFindings, sealFindings } from "@/lib/incidents/handles";
import { markToken } from "@/lib/tokens/fingerprint";
import { freshProcess, processorMs } from "@/test/process";

const incident = "6f1f2d6e-3f0c-4d0a-9d57-0a1b2c3d4e5f";
const value = "aws80:c2353445-bc74-af1a-2850-1d55a371c0a9";
const ana = { tenant: "sandbox|333333", seal: "session a" };
const openedAt = 1_700_000_000_000;
const folder = mkdtempSync(join(tmpdir(), "tokendesk-handles-"));

function fresh(secrets = "s".repeat(32)): void {
  freshProcess({ DATA_DIR: folder, SESSION_SECRET: secrets, FINGERPRINT_KEY: "f".repeat(32) });
}

beforeEach(() => fresh());
afterEach(() => {
  vi.useRealTimers();
});

const seal = async (who = ana, values = [value]) => sealFindings(who, { incident, openedAt }, values);

describe("the ID of a finding", () => {
  test("opens for who brought the string, on any replica, and names the token", async () => {
    const [id = ""] = await seal();
    fresh();
    expect(await openFindings(ana, [id])).toEqual([{ incident, value, tokenId: markToken(value).id, openedAt }]);
    expect(id.startsWith(`${markToken(value).id}.`)).toBe(true);
    expect(id).toMatch(/^[\w.~*-]+$/);
    expect(id.length).toBeLessThan(1_000);
  });

  test.each([
    ["another session", { ...ana, seal: "session b" }],
    ["another main account", { ...ana, tenant: "sandbox|888888" }],
  ])("does not open for %s", async (_, who) => {
    expect(await openFindings(who, await seal())).toEqual([null]);
  });

  test("does not open under the name of another token", async () => {
    const [id = ""] = await seal();
    const other = markToken("aws80:00000000-bc74-af1a-2850-1d55a371c0a9").id;
    expect(await openFindings(ana, [id.replace(/^[^.]*/, other)])).toEqual([null]);
  });

  test("opens after the secret was rotated, as long as the old one is known", async () => {
    const ids = await seal();
    fresh(`${"t".repeat(32)},${"s".repeat(32)}`);
    expect(await openFindings(ana, ids)).toEqual([expect.objectContaining({ value })]);
    expect(await openFindings(ana, await seal())).toEqual([expect.objectContaining({ value })]);
    fresh("t".repeat(32));
    expect(await openFindings(ana, ids)).toEqual([null]);
  });

  test("is over after a day", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const ids = await seal();
    vi.setSystemTime(Date.now() + 23 * 3_600_000);
    expect(await openFindings(ana, ids)).toEqual([expect.objectContaining({ value })]);
    vi.setSystemTime(Date.now() + 2 * 3_600_000);
    expect(await openFindings(ana, ids)).toEqual([null]);
  });

  test("what is none opens nothing, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        expect(await openFindings(ana, [text])).toEqual([null]);
      }),
    );
  });

  test("a changed one opens nothing", async () => {
    const [id = ""] = await seal();
    // Behind the last mark stands the version of the seal, which is no part of what it protects.
    const end = id.lastIndexOf("~");
    await fc.assert(
      fc.asyncProperty(fc.nat(end - 1), fc.constantFrom("A", "7", "*"), async (at, character) => {
        fc.pre(id[at] !== character);
        expect(await openFindings(ana, [`${id.slice(0, at)}${character}${id.slice(at + 1)}`])).toEqual([null]);
      }),
    );
  });

  test("keeps its place among others, and five hundred take no time to speak of", async () => {
    const values = Array.from(
      { length: 500 },
      (_, n) => `aws80:${String(n).padStart(8, "0")}-bc74-af1a-2850-1d55a371c0a9`,
    );
    let opened: Awaited<ReturnType<typeof openFindings>> = [];
    const took = await processorMs(async () => {
      const ids = await seal(ana, values);
      opened = await openFindings(ana, [...ids.slice(0, 1), "nonsense", ...ids.slice(1)]);
    });
    expect(took).toBeLessThan(5_000);
    expect(opened.map((found) => found?.value ?? null)).toEqual([values[0], null, ...values.slice(1)]);
  });
});
