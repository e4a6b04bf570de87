import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { queryTokens } from "@/lib/tokens/query";
import {
  hintOf,
  parseTokenQuery,
  type Token,
  type TokenQuery,
  tokenHint,
  tokenQueryString,
  tokenSorts,
  tokenStates,
} from "@/lib/tokens/schema";
import { processorMs } from "@/test/process";

const text = fc.option(
  fc.oneof(fc.constantFrom("prod", "Prod", "test", "10", "9", "é", "a"), fc.string({ minLength: 1, maxLength: 6 })),
);
const today = "2026-06-30";
const day = fc.option(
  fc.constantFrom("2026-01-01", "2026-06-29", "2026-06-30", "2026-07-14", "2026-07-15", "2027-06-30"),
);
const order = fc.option(
  fc.constant({ id: "o1", orderedBy: "Olga", orderedAt: "2026-06-01T00:00:00.000Z", reason: null, trouble: null }),
);
const token: fc.Arbitrary<Token> = fc.record({
  id: fc.stringMatching(/^[\w-]{22}$/),
  connection: fc.option(fc.constantFrom("c1", "c2")),
  hint: fc.stringMatching(/^aws80:…[0-9a-f]{4}$/),
  label: text,
  purpose: text,
  environment: text,
  usedIn: text,
  rotateBy: day,
  owner: text,
  firstSeenAt: day,
  lastSeenAt: day,
  createdHere: fc.option(fc.boolean()),
  appearedAt: day,
  status: fc.constant("active" as const),
  order,
});
const tokens = fc.uniqueArray(token, { selector: ({ id }) => id, maxLength: 80 });
const query: fc.Arbitrary<TokenQuery> = fc.record({
  q: fc.oneof(fc.constant(""), fc.constantFrom("prod", "a", "AWS80 p"), fc.string({ maxLength: 3 })),
  environment: fc.option(fc.constantFrom("prod", "test")),
  connection: fc.option(fc.constantFrom("c1", "c2")),
  labelled: fc.option(fc.constantFrom("yes" as const, "no" as const)),
  state: fc.option(fc.constantFrom(...tokenStates)),
  sort: fc.constantFrom(...tokenSorts),
  order: fc.constantFrom("asc" as const, "desc" as const),
  page: fc.integer({ min: 1, max: 5 }),
  size: fc.constantFrom(25 as const, 50 as const, 100 as const),
});

const base = {
  connection: null,
  purpose: null,
  environment: null,
  usedIn: null,
  rotateBy: null,
  owner: null,
  firstSeenAt: null,
  lastSeenAt: null,
  createdHere: null,
  appearedAt: null,
  status: "active" as const,
  order: null,
};

function allPages(list: Token[], asked: TokenQuery): Token[] {
  const { pageCount } = queryTokens(list, asked, today);
  return Array.from(
    { length: pageCount },
    (_, index) => queryTokens(list, { ...asked, page: index + 1 }, today).rows,
  ).flat();
}

describe("a query", () => {
  test("shows each match exactly once over all pages, whatever the order that RingCX gave", () => {
    fc.assert(
      fc.property(tokens, query, (list, asked) => {
        const shown = allPages(list, asked);
        expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length);
        expect(shown).toHaveLength(queryTokens(list, asked, today).matched);
        expect(allPages([...list].reverse(), asked)).toEqual(shown);
      }),
    );
  });

  test("leaves out what does not match, and nothing else", () => {
    fc.assert(
      fc.property(tokens, query, (list, asked) => {
        const shown = new Set(allPages(list, asked).map(({ id }) => id));
        const words = asked.q.toLowerCase().split(/\s+/).filter(Boolean);
        for (const one of list) {
          const connection = asked.connection === null || one.connection === asked.connection;
          const environment = asked.environment === null || one.environment === asked.environment;
          const labelled = asked.labelled === null || (one.label !== null) === (asked.labelled === "yes");
          const fields = [one.hint, one.label, one.purpose, one.environment, one.usedIn, one.owner];
          const { rotateBy } = one;
          const state = {
            appeared: one.appearedAt !== null,
            ordered: one.order !== null,
            rotating: false,
            overdue: rotateBy === "2026-01-01" || rotateBy === "2026-06-29",
            due: rotateBy === "2026-06-30" || rotateBy === "2026-07-14",
          };
          const found = words.every((word) => fields.some((field) => field?.toLowerCase().includes(word)));
          expect(shown.has(one.id)).toBe(
            connection && environment && labelled && (asked.state === null || state[asked.state]) && found,
          );
        }
      }),
    );
  });

  test("finds both tokens of a rotation", () => {
    const list = ["old", "new", "other"].map((id) => ({ ...base, id, label: id, hint: `aws80:…${id}` }));
    const side = (id: string) => ({ id, hint: `aws80:…${id}`, label: id, listed: true });
    const rotation = {
      id: "r",
      owner: "Ana",
      startedAt: "2026-06-01",
      revokeAt: null,
      places: [],
      state: "open" as const,
    };
    const rotations = [{ ...rotation, connection: null, old: side("old"), successor: side("new") }];
    const page = queryTokens(list, { ...parseTokenQuery({}), state: "rotating" }, today, rotations);
    expect(page.rows.map(({ id }) => id).sort()).toEqual(["new", "old"]);
  });

  test("finds a token by its ID, and not by two characters of it", () => {
    const one = { ...base, label: null, id: "q8HVXtTlNWUz3aaBVDqgLu", hint: "aws80:…b59c" };
    const find = (q: string) => queryTokens([one], { ...parseTokenQuery({}), q }, today).matched;
    expect([find("q8HVXtTlNWUz3aaBVDqgLu"), find("hvxttlnw"), find("3a")]).toEqual([1, 1, 0]);
  });

  test("puts what has no value last in both directions, and reverses the rest", () => {
    const key = {
      label: "label",
      hint: "hint",
      environment: "environment",
      firstSeen: "firstSeenAt",
      rotateBy: "rotateBy",
    } as const;
    fc.assert(
      fc.property(tokens, query, (list, asked) => {
        const values = (order: "asc" | "desc") =>
          allPages(list, { ...asked, order }).map((one) => one[key[asked.sort]]);
        const [up, down] = [values("asc"), values("desc")];
        const present = up.filter((value) => value !== null);
        expect(up.slice(present.length).every((value) => value === null)).toBe(true);
        expect(down.slice(present.length).every((value) => value === null)).toBe(true);
        if (["hint", "firstSeen", "rotateBy"].includes(asked.sort)) {
          expect(present).toEqual([...present].sort());
          expect(down.slice(0, present.length)).toEqual([...present].sort().reverse());
        }
      }),
    );
  });

  test("counts pages, and gives the last one for a page past the end", () => {
    fc.assert(
      fc.property(tokens, query, fc.integer({ min: 1, max: 1_000_000 }), (list, asked, page) => {
        const result = queryTokens(list, { ...asked, page }, today);
        expect(result.total).toBe(list.length);
        expect(result.pageCount).toBe(Math.max(1, Math.ceil(result.matched / asked.size)));
        expect(result.page).toBe(Math.min(page, result.pageCount));
        expect(result.rows.length).toBeLessThanOrEqual(asked.size);
        if (result.matched > 0) expect(result.rows.length).toBeGreaterThan(0);
      }),
    );
  });

  test("orders labels as people do: 9 before 10, whatever the case", () => {
    const list = ["job 10", "Job 9", "alpha"].map((label, nth) => ({ ...base, label, id: `id${nth}`, hint: "h" }));
    const { rows } = queryTokens(list, { ...parseTokenQuery({}), sort: "label", order: "asc" }, today);
    expect(rows.map(({ label }) => label)).toEqual(["alpha", "Job 9", "job 10"]);
  });

  test("does not change the list that it was given", () => {
    fc.assert(
      fc.property(tokens, query, (list, asked) => {
        const before = [...list];
        queryTokens(list, asked, today);
        expect(list).toEqual(before);
      }),
    );
  });

  test("of ten thousand tokens takes well under a second", async () => {
    const list = fc.sample(token, { numRuns: 500, seed: 1 });
    const many = Array.from({ length: 10_000 }, (_, nth) => ({ ...(list[nth % 500] as Token), id: `id-${nth}` }));
    const took = await processorMs(() => {
      for (const sort of tokenSorts) queryTokens(many, { ...parseTokenQuery({ q: "a" }), sort }, today);
    });
    expect(took / tokenSorts.length).toBeLessThan(500);
  });
});

describe("the page's parameters", () => {
  test("come back the same from the address", () => {
    fc.assert(
      fc.property(query, (asked) => {
        const parameters = Object.fromEntries(new URLSearchParams(tokenQueryString(asked)));
        expect(parseTokenQuery(parameters)).toEqual({ ...asked, q: asked.q.trim() });
      }),
    );
    expect(tokenQueryString(parseTokenQuery({}))).toBe("");
  });

  test("that make no sense fall back, each alone", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("q", "environment", "connection", "labelled", "state", "sort", "order", "page", "size"),
          fc.oneof(fc.string(), fc.array(fc.string())),
        ),
        (parameters) => {
          const asked = parseTokenQuery(parameters);
          expect([25, 50, 100]).toContain(asked.size);
          expect(tokenSorts).toContain(asked.sort);
          expect(asked.page).toBeGreaterThanOrEqual(1);
        },
      ),
    );
    expect(parseTokenQuery({ page: "-1", size: "7", sort: "value", order: "up", q: ["x", "y"] })).toMatchObject({
      page: 1,
      size: 50,
      sort: "firstSeen",
      order: "desc",
      q: "x",
    });
  });

  test.each([
    "aws80:c2353445-bc74-af1a-2850-1d55a371c0a9",
    "AWS80%3AC2353445-BC74-AF1A-2850-1D55A371C0A9",
    "my token is aws80:c2353445-bc74-af1a-2850-1d55a371c0a9, help",
  ])("a pasted value (%s) is searched by its hint", (q) => {
    expect(parseTokenQuery({ q }).q.toLowerCase()).toBe("aws80:…c0a9");
    expect(hintOf("no token in it")).toBeNull();
  });
});

describe("a hint", () => {
  test("is the prefix and the last four", () => {
    expect(tokenHint("aws80:c2353445-bc74-af1a-2850-1d55a371c0a9")).toBe("aws80:…c0a9");
  });

  test("never shows more than the last four of what follows the prefix, nor more than a quarter of it", () => {
    fc.assert(
      fc.property(
        fc.option(fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/)),
        fc.stringMatching(/^[A-Za-z0-9._~+=/-]{0,60}$/),
        (prefix, secret) => {
          const value = prefix === null ? secret : `${prefix}:${secret}`;
          const [shown = "", tail = ""] = tokenHint(value).split("…");
          expect(shown).toBe(prefix === null ? "" : `${prefix}:`);
          expect(tail.length).toBeLessThanOrEqual(Math.min(4, secret.length / 4));
          expect(secret.endsWith(tail)).toBe(true);
        },
      ),
    );
  });

  test("does not take a long first part for a prefix", () => {
    expect(tokenHint("c2353445-bc74-af1a-2850-1d55a371c0a9:x")).not.toContain("c2353445");
  });
});
