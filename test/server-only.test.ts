import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const marker = 'import "server-only";';

/** Modules of lib that hold no secret and no way to one, so that a browser may have them. */
const harmless = new Set([
  "lib/errors.ts",
  "lib/format.ts",
  "lib/accounts/schema.ts",
  "lib/audit/schema.ts",
  "lib/auth/return-path.ts",
  "lib/auth/schema.ts",
  "lib/db/failure.ts",
  "lib/db/migrations.ts",
  "lib/db/schema.ts",
  "lib/incidents/schema.ts",
  "lib/keys/schema.ts",
  "lib/notify/schema.ts",
  "lib/ringcx/errors.ts",
  "lib/session/schema.ts",
  "lib/team/schema.ts",
  "lib/tokens/query.ts",
  "lib/tokens/schema.ts",
]);

const sources = globSync("{app,components,lib}/**/*.{ts,tsx}").filter((file) => !/\.test\.tsx?$/.test(file));

function read(file: string): string {
  return readFileSync(file, "utf8");
}

/** Our own modules that a module imports at run time; types leave nothing behind. */
function importsOf(file: string): string[] {
  const statements = read(file).matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm);
  return [...statements].flatMap(([, named, bare]) => {
    const specifier = named ?? bare ?? "";
    const path = specifier.startsWith("@/")
      ? specifier.slice(2)
      : specifier.startsWith(".")
        ? join(dirname(file), specifier)
        : null;
    if (path === null) return [];
    const found = [path, `${path}.ts`, `${path}.tsx`].find((candidate) => existsSync(candidate));
    return found && /\.tsx?$/.test(found) ? [found] : [];
  });
}

/** The way from a module to one that is for the server only; null when there is none. */
function wayToServer(file: string, seen = new Set<string>()): string[] | null {
  if (seen.has(file)) return null;
  seen.add(file);
  if (read(file).includes(marker)) return [file];
  for (const next of importsOf(file)) {
    const way = wayToServer(next, seen);
    if (way) return [file, ...way];
  }
  return null;
}

describe("the border between server and browser", () => {
  const clients = sources.filter((file) => /^"use client";/m.test(read(file)));

  test("no module of the browser reaches one of the server", () => {
    expect(clients.length).toBeGreaterThan(20);
    expect(clients.map((file) => wayToServer(file)).filter((way) => way !== null)).toEqual([]);
  });

  test("the walk finds the way where there is one", () => {
    expect(wayToServer("app/(dashboard)/tokens/page.tsx")?.at(-1)).toMatch(/^lib\//);
  });

  test("every module of lib says that it is for the server, or is known to be harmless", () => {
    const unmarked = sources.filter((file) => file.startsWith("lib/") && !read(file).startsWith(marker));
    // Texts are for everybody; the layers let them import nothing that is not.
    expect(unmarked.filter((file) => !harmless.has(file) && !file.startsWith("lib/texts/"))).toEqual([]);
  });
});
