import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { line } from "@/lib/audit/redaction";
import { escaped, ofTokens, reportMarkdown, reportSummary, usersBehind, verdictOf } from "@/lib/incidents/report-text";
import type { IncidentReport, ReportToken } from "@/lib/incidents/schema";

const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 3, 0, second)).toISOString();

function token(changes: Partial<ReportToken> = {}): ReportToken {
  return {
    tokenId: "a".repeat(22),
    hint: "aws80:…c0a9",
    fingerprint: "F".repeat(43),
    leaked: true,
    places: [{ source: "deploy.log", line: 12, dress: "plain" }],
    label: "Wallboard",
    owner: "ana@example.com",
    environment: "production",
    user: { id: "1111", login: "ana@example.com", name: "Ana Lima", enabled: true, roles: ["USER"] },
    accounts: [
      { accountId: "333334", accountName: "Sales", mainAccountId: "333333", mainAccountName: "RingForce" },
      { accountId: "333335", accountName: "Support", mainAccountId: "333333", mainAccountName: "RingForce" },
    ],
    reach: "Can use the API as a plain user in 2 sub-accounts of RingForce.",
    status: "live",
    why: "RingCX accepts it.",
    foundAt: at(0),
    checkedAt: at(2),
    outcome: null,
    detail: null,
    deletedAt: null,
    provenAt: null,
    proof: null,
    secondsToProof: null,
    notChecked: [],
    ...changes,
  };
}

const dead: Partial<ReportToken> = {
  status: "dead",
  why: "RingCX refuses it.",
  user: null,
  accounts: [],
  reach: null,
};
const unchecked: Partial<ReportToken> = {
  ...dead,
  status: "unchecked",
  why: "Could not check: RingCX did not answer in time.",
};
const revoked = (second: number): Partial<ReportToken> => ({
  outcome: "revoked",
  detail: "RingCX refuses it.",
  deletedAt: at(second - 1),
  provenAt: at(second),
  proof: "token_refused",
  secondsToProof: second,
});
const unproven: Partial<ReportToken> = { outcome: "unknown", detail: "No answer.", deletedAt: at(9) };

function report(tokens: ReportToken[], changes: Partial<IncidentReport["incident"]> = {}): IncidentReport {
  const count = (wanted: (one: ReportToken) => boolean) => tokens.filter(wanted).length;
  const seconds = tokens.flatMap(({ secondsToProof }) => secondsToProof ?? []);
  const open = count(({ status, outcome }) => outcome !== "revoked" && outcome !== "already_dead" && status !== "dead");
  return {
    incident: {
      id: "7f7f2a52-6d5a-4c39-8f3d-0b7ab0f0a001",
      openedAt: at(0),
      openedBy: "Ops Person",
      origin: "desk",
      via: null,
      state: "contained",
      reason: "Leaked in a log",
      found: tokens.length,
      live: count(({ status, leaked }) => leaked && status === "live"),
      unchecked: count(({ status, leaked }) => leaked && status === "unchecked"),
      siblings: count(({ status, leaked }) => !leaked && status === "live"),
      revoked: count(({ outcome }) => outcome === "revoked"),
      unproven: open,
      ...changes,
    },
    generatedAt: at(59),
    host: "https://ringcx.ringcentral.com",
    confirmedAt: at(5),
    confirmedBy: "Ops Person",
    finishedAt: at(50),
    siblings: true,
    secondsToContainment: open === 0 && seconds.length > 0 ? Math.max(...seconds) : null,
    totals: {
      found: tokens.length,
      live: count(({ status }) => status === "live"),
      dead: count(({ status }) => status === "dead"),
      unchecked: count(({ status }) => status === "unchecked"),
      revoked: count(({ outcome }) => outcome === "revoked"),
      alreadyDead: count(({ outcome }) => outcome === "already_dead"),
      alive: count(({ outcome }) => outcome === "alive"),
      unknown: count(({ outcome }) => outcome === "unknown"),
    },
    tokens,
    timeline: [{ at: at(0), what: "Ops Person brought in 12 KB of text." }],
    vendorChanges: [
      {
        user: "Ana Lima (ana@example.com)",
        from: "2026-11-01T00:00:00.000+00:00",
        to: "2026-11-23T03:00:02.000+00:00",
        unavailable: null,
        changes: [{ at: at(0), account: "Sales", action: "CREATE", what: "Created ApiToken" }],
        truncated: false,
        notChecked: ["What was changed since."],
      },
    ],
    notChecked: ["Other places that the same text may have been copied to."],
  };
}

describe("the verdict", () => {
  const verdict = (tokens: ReportToken[], changes?: Partial<IncidentReport["incident"]>) =>
    verdictOf(report(tokens, changes)).text;

  test.each<[string, ReportToken[], Partial<IncidentReport["incident"]>, string]>([
    [
      "all proven",
      [token(revoked(40)), token(revoked(41))],
      {},
      "All 2 live tokens are proven dead, 41 seconds after the paste.",
    ],
    ["one", [token(revoked(1))], {}, "The live token is proven dead, 1 second after the paste."],
    [
      "with dead ones",
      [token(revoked(4)), token(dead)],
      {},
      "The live token is proven dead, 4 seconds after the paste.",
    ],
    ["tenths", [token(revoked(0.4))], {}, "The live token is proven dead, 0.4 seconds after the paste."],
    ["no tenths", [token(revoked(41.4))], {}, "The live token is proven dead, 41 seconds after the paste."],
    ["minutes", [token(revoked(252))], {}, "The live token is proven dead, 4 min 12 s after the paste."],
    [
      "one that nobody knows to have been alive",
      [token(revoked(4)), token({ ...unchecked, ...revoked(9), outcome: "already_dead" })],
      {},
      "All 2 tokens are proven dead, 9 seconds after the paste.",
    ],
    [
      "by a key",
      [token(revoked(4))],
      { origin: "key" },
      "The live token is proven dead, 4 seconds after it was reported.",
    ],
    [
      "from the list",
      [token(revoked(4))],
      { origin: "tokens" },
      "The live token is proven dead, 4 seconds after the order.",
    ],
    [
      "partial",
      [token(revoked(4)), token(unproven), token({ outcome: "alive" })],
      { state: "partial" },
      "2 of 3 tokens are not proven dead: treat them as alive.",
    ],
    ["one of one", [token(unproven)], { state: "partial" }, "The token is not proven dead: treat it as alive."],
    [
      "a live one that was not chosen",
      [token(revoked(4)), token()],
      { state: "contained" },
      "1 of 2 tokens is not proven dead: treat it as alive.",
    ],
    [
      "interrupted",
      [token(revoked(4)), token(unproven)],
      { state: "interrupted" },
      "The revocation was interrupted: 1 of 2 tokens is not proven dead: treat it as alive.",
    ],
    [
      "running",
      [token(revoked(4)), token()],
      { state: "running" },
      "Revocation is under way: 1 of 2 tokens proven dead so far.",
    ],
    [
      "looked up only",
      [token(), token(), token(unchecked), token(dead)],
      { state: "open" },
      "2 tokens are alive and 1 could not be checked: nobody has revoked them.",
    ],
    ["unchecked only", [token(unchecked)], { state: "open" }, "1 token could not be checked: nobody has revoked it."],
    [
      "all dead",
      [token(dead), token(dead)],
      { state: "open" },
      "None of the 2 tokens is alive: RingCX refused each when it was asked.",
    ],
    ["one dead", [token(dead)], { state: "open" }, "The token is not alive: RingCX refused it when it was asked."],
    ["nothing", [], { state: "open" }, "No RingCX token was found."],
  ])("%s", (_, tokens, changes, text) => {
    expect(verdict(tokens, changes)).toBe(text);
  });

  test("is good only when nothing is left to be feared", () => {
    const anyToken = fc
      .record({
        status: fc.constantFrom("live", "dead", "unchecked"),
        outcome: fc.constantFrom("revoked", "already_dead", "alive", "unknown", null),
      })
      .map((fate) => token(fate));
    const state = fc.constantFrom("open", "running", "contained", "partial", "interrupted");
    fc.assert(
      fc.property(fc.array(anyToken, { minLength: 1, maxLength: 6 }), state, (tokens, where) => {
        const { tone } = verdictOf(report(tokens, { state: where }));
        const feared = tokens.some(({ status, outcome }) =>
          outcome === null ? status !== "dead" : outcome === "alive" || outcome === "unknown",
        );
        if (feared) expect(tone).not.toBe("good");
      }),
    );
  });
});

/** A row of a table as GitHub's own parser cuts it: a bar ends a cell unless a backslash stands before it. */
function cells(row: string): string[] {
  const inner = /^\|((?:\\[!-/:-@[-`{-~]|[^\\]|\\)*)\|$/.exec(row.trim())?.[1];
  if (inner === undefined) throw new Error(`no row: ${row}`);
  const found: string[] = [""];
  for (let index = 0; index < inner.length; index += 1) {
    const character = inner[index] as string;
    if (character === "\\" && /[!-/:-@[-`{-~]/.test(inner[index + 1] ?? "")) {
      found.push(`${found.pop()}${character}${inner[index + 1]}`);
      index += 1;
    } else if (character === "|") found.push("");
    else found.push(`${found.pop()}${character}`);
  }
  return found.map((cell) => cell.trim());
}

type Block = { kind: "heading" | "table" | "list" | "paragraph"; lines: string[] };

/** The blocks of a document that has no others than these; anything else throws. */
function blocks(markdown: string): Block[] {
  return markdown
    .trimEnd()
    .split("\n\n")
    .map((block): Block => {
      const lines = block.split("\n");
      if (lines.length === 1 && /^#{1,3} \S/.test(block)) return { kind: "heading", lines };
      if (lines.every((one) => one.startsWith("| "))) {
        const [head, rule, ...rows] = lines as [string, string, ...string[]];
        const width = cells(head).length;
        expect(cells(rule)).toEqual(Array.from({ length: width }, () => "---"));
        for (const row of rows) expect(cells(row), row).toHaveLength(width);
        return { kind: "table", lines };
      }
      if (lines.every((one) => /^- \S/.test(one))) return { kind: "list", lines };
      expect(lines, block).toHaveLength(1);
      expect(block).toMatch(/^(?:\*\*\w|[A-Z])/);
      return { kind: "paragraph", lines };
    });
}

/** What a renderer shows of escaped text. */
function shown(markdown: string): string {
  return markdown
    .replace(/\\([!-/:-@[-`{-~])/g, "$1")
    .replace(/&(?:amp|lt|gt|#\d+);/g, (entity) => {
      const named = { "&amp;": "&", "&lt;": "<", "&gt;": ">" }[entity];
      return named ?? String.fromCodePoint(Number(entity.slice(2, -1)));
    })
    .replaceAll("\u2060", "");
}

const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        ..."|\\`*_{}[]()<>#+-.!~&;:/@$=\"'\n\r\t\u2028 ab1",
        "\n\n# Heading\n",
        "\n|---|",
        "| a | b |",
        "```\n",
        "<script>",
        "<!--",
        "&#124;",
        "https://evil.example",
        "www.evil.example",
        "@everyone",
        "#12",
        "1. ",
        "- [ ] ",
        "![x](y)",
        "\u202e",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
);

describe("Markdown", () => {
  test("is a document of headings, tables, lists and single lines, with every fact in it", () => {
    const markdown = reportMarkdown(
      report([
        token(revoked(41)),
        token({ ...dead, hint: "aws80:…0002", label: null, owner: null, environment: null }),
        token({ hint: "aws80:…0003", leaked: false, places: [], notChecked: ["Which accounts it reaches."] }),
      ]),
    );
    const made = blocks(markdown);
    expect(made.filter(({ kind }) => kind === "heading").map(({ lines }) => lines[0])).toEqual([
      "# Incident report",
      "## Tokens",
      "### Where they stood",
      "### When, and why it is said",
      "## Who is behind them",
      "## Timeline",
      "## What the users changed, as RingCX tells it",
      "### Ana Lima (ana@example.com)",
      "## What was not checked",
    ]);
    const rows = made.filter(({ kind }) => kind === "table").map(({ lines }) => lines.slice(2).map(cells));
    expect(rows[1]?.[0]).toEqual([
      "aws80:…c0a9",
      "Wallboard",
      "ana@example.com",
      "production",
      "Live",
      "Revoked",
      "23 Nov 2026, 03:00:41 UTC",
      "41",
      "RingCX refuses the token",
    ]);
    expect(rows[2]?.map(([, , place]) => place)).toEqual([
      "deploy.log:12",
      "deploy.log:12",
      "Not in the text: another token of the same user",
    ]);
    expect(rows[4]?.[0]).toEqual([
      "Ana Lima",
      "ana@example.com",
      "USER",
      "RingForce: Sales, Support",
      "Can use the API as a plain user in 2 sub-accounts of RingForce.",
      "aws80:…c0a9, aws80:…0003",
    ]);
    expect(markdown).toContain("- aws80:…0003: Which accounts it reaches.");
    expect(markdown).toContain("F".repeat(43));
  });

  test("keeps its form whatever stands in labels, places, names and reasons", () => {
    const frame = (one: IncidentReport) => blocks(reportMarkdown(one)).map(({ kind, lines }) => [kind, lines.length]);
    const calm = frame(report([token(revoked(41)), token()]));
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 10, maxLength: 10 }), (given) => {
        // What is empty of everything visible would be one of the blanks that a renderer drops.
        const [b, c, d, e, f, g, h, i, j] = given.map((text) => `x${text}`);
        const wild = report([
          token({ ...revoked(41), label: given[0] as string, owner: b as string, environment: given[2] as string }),
          token({
            places: [{ source: c as string, line: 1, dress: given[3] as string }],
            why: given[4] as string,
            detail: given[5] as string,
            user: { id: "1", login: d as string, name: e as string, enabled: false, roles: [given[6] as string] },
            reach: given[7] as string,
          }),
        ]);
        wild.incident.reason = given[1] as string;
        wild.incident.openedBy = f as string;
        wild.timeline = [{ at: at(1), what: given[8] as string }];
        wild.notChecked = [g as string];
        const [changes] = wild.vendorChanges;
        if (changes) {
          changes.user = `A${h}`;
          changes.changes = [{ at: at(1), account: i as string, action: j as string, what: given[9] as string }];
        }
        // One more user behind them than in the calm one.
        const wanted = calm.map(([kind, count], index) => [
          kind,
          index === userTable(calm) ? Number(count) + 1 : count,
        ]);
        expect(frame(wild)).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  /** Which block the table of users is: the fifth table. */
  const userTable = (frame: (string | number)[][]) =>
    frame.flatMap(([kind], index) => (kind === "table" ? [index] : []))[4];

  test("shows a text as it was, without a way to become markup, a link or a mention", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const safe = escaped(text);
        expect(shown(safe)).toBe(line(text.replace(/\s+/g, " "), 2_000, false));
        expect(safe).not.toMatch(/[\n\r<>|`]/);
        expect(safe).not.toMatch(/(?<!\\)[*_[\]{}~]|^[-+=#]|^\d{1,9}[.)](?:\s|$)|:\/\/|\bwww\./i);
        expect(safe).not.toMatch(/(?<!\w)@\w/);
        // Every backslash escapes something.
        expect(safe.replace(/\\[*_[\]{}~#!+=-]/g, "")).not.toContain("\\");
      }),
      { numRuns: 1_000 },
    );
  });

  test("holds no value, even where somebody has put one", () => {
    const value = "aws80:c2353445-bc74-af1a-2850-1d55a371c0a9";
    const markdown = reportMarkdown(
      report([token({ label: value, places: [{ source: `${value}.env`, line: 1, dress: "plain" }] })], {
        reason: `see ${value}`,
      }),
    );
    expect(markdown).not.toContain("c2353445");
  });
});

test("the summary for a chat names what is not proven dead", () => {
  const text = reportSummary(
    report([token(revoked(4)), token({ ...unproven, hint: "aws80:…0002" })], { state: "partial" }),
  );
  expect(text.split("\n")).toEqual([
    "RingCX token incident: 1 of 2 tokens is not proven dead: treat it as alive.",
    "Opened by Ops Person, 23 Nov 2026, 03:00:00 UTC. Reason: Leaked in a log",
    "Found 2: 2 live, 0 dead, 0 not checked. Revoked 1.",
    "Not proven dead: aws80:…0002.",
  ]);
});

test("what is not known of many tokens for one reason is said once", () => {
  const tokens = Array.from({ length: 12 }, (_, index) => token({ hint: `…${index}`, notChecked: ["Whose it is."] }));
  expect(ofTokens(tokens)).toEqual(["…0, …1, …2, …3, …4, …5, …6, …7, …8, …9 and 2 more: Whose it is."]);
  expect(usersBehind(tokens)).toHaveLength(1);
  expect(usersBehind([token(dead)])).toEqual([]);
});
