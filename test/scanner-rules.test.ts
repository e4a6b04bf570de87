/**
 * The rules for other people's scanners in docs/scanners: their shape, and what they find and leave alone. The scanners'
 * steps are done here as they do them: a keyword anywhere in the text in lower case, then the expression (by RE2, which
 * knows nothing that Go's or Rust's engine does not), then entropy and words.
 */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { RE2JS } from "re2js";
import { parse as parseToml } from "smol-toml";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { processorMs } from "./process.ts";

const text = (file: string) => readFileSync(`docs/scanners/${file}`, "utf8");
const words = z.array(z.string().min(1)).min(1);

// Unknown keys: TruffleHog refuses the file, the others ignore what is misspelt.
const trufflehogSchema = z.strictObject({
  detectors: z.tuple([
    z.strictObject({
      name: z.string(),
      description: z.string(),
      keywords: words,
      regex: z.strictObject({ token: z.string() }),
      exclude_words: words,
      entropy: z.number(),
      verify: z.tuple([
        z.strictObject({
          endpoint: z.url({ protocol: /^https$/ }),
          headers: z.array(z.string().regex(/^[A-Za-z-]+: /)),
          successRanges: z.array(z.string().regex(/^\d{3}(-\d{3})?$/)),
          rotatedRanges: z.array(z.string().regex(/^\d{3}(-\d{3})?$/)),
        }),
      ]),
    }),
  ]),
});

// Without `report_response`: RingCX's answer has tokens in it.
const kingfisherValidation = z.strictObject({
  type: z.literal("Http"),
  content: z.strictObject({
    request: z.strictObject({
      method: z.enum(["GET", "POST"]),
      url: z.url({ protocol: /^https$/ }),
      headers: z.record(z.string(), z.string()),
      body: z.string().optional(),
      response_matcher: z.tuple([z.strictObject({ type: z.literal("StatusMatch"), status: z.array(z.int()) })]),
    }),
  }),
});

const kingfisherSchema = z.strictObject({
  rules: z.tuple([
    z.strictObject({
      name: z.string(),
      id: z.string().regex(/^custom\.[a-z.-]+$/),
      pattern: z.string(),
      min_entropy: z.number(),
      confidence: z.enum(["low", "medium", "high"]),
      pattern_requirements: z.strictObject({ ignore_if_contains: words }),
      examples: words,
      negative_examples: words,
      validation: kingfisherValidation,
    }),
  ]),
});

const gitleaksSchema = z.strictObject({
  title: z.string(),
  extend: z.strictObject({ useDefault: z.literal(true) }),
  rules: z.tuple([
    z.strictObject({
      id: z.string(),
      description: z.string(),
      regex: z.string(),
      secretGroup: z.literal(1),
      entropy: z.number(),
      keywords: words,
      tags: words,
      allowlists: z.tuple([z.strictObject({ description: z.string(), stopwords: words })]),
    }),
  ]),
});

const [trufflehog] = trufflehogSchema.parse(parseYaml(text("trufflehog.yaml"))).detectors;
const [kingfisher] = kingfisherSchema.parse(parseYaml(text("kingfisher.yml"))).rules;
const [gitleaks] = gitleaksSchema.parse(parseToml(text("gitleaks.toml"))).rules;

type Rule = { expression: string; keywords: string[]; excluded: string[]; entropy: number };

const rules: [scanner: string, rule: Rule][] = [
  [
    "TruffleHog",
    {
      expression: trufflehog.regex.token,
      keywords: trufflehog.keywords,
      excluded: trufflehog.exclude_words,
      entropy: trufflehog.entropy,
    },
  ],
  [
    "Kingfisher",
    {
      expression: kingfisher.pattern,
      keywords: [""],
      excluded: kingfisher.pattern_requirements.ignore_if_contains,
      entropy: kingfisher.min_entropy,
    },
  ],
  [
    "gitleaks",
    {
      expression: gitleaks.regex,
      keywords: gitleaks.keywords,
      excluded: gitleaks.allowlists[0].stopwords,
      entropy: gitleaks.entropy,
    },
  ],
];

/** Shannon's, in bits for each character. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / value.length) * Math.log2(n / value.length), 0);
}

function find(rule: Rule, content: string): string[] {
  if (!rule.keywords.some((keyword) => content.toLowerCase().includes(keyword))) return [];
  const found: string[] = [];
  const matcher = RE2JS.compile(rule.expression).matcher(content);
  while (matcher.find()) {
    const value = matcher.group(1);
    if (value === null) throw new Error("The token is not in the first group");
    const spared = rule.excluded.some((word) => value.toLowerCase().includes(word));
    if (!spared && entropy(value) > rule.entropy) found.push(value);
  }
  return found;
}

const uuid = "7d1f0c6e-93ab-4e52-b8a4-5c0e19f2d673";
const token = `aws80:${uuid}`;
const other = "na1:e04b7a92-1c3d-4f68-95b0-d2a8637fc41e";

const dressed: [dress: string, content: string, values?: string[]][] = [
  ["alone", token],
  [
    "the vendor's example",
    "aws80:c2353445-bc74-af1a-2850-1d55a371c0a9",
    ["aws80:c2353445-bc74-af1a-2850-1d55a371c0a9"],
  ],
  ["a short platform", `token ${other} end`, [other]],
  ["a long platform", `eurowestzone:x12345 eurowestzone1234:${uuid}`, [`eurowestzone1234:${uuid}`]],
  ["upper case", token.toUpperCase(), [token.toUpperCase()]],
  ["a header", `X-Auth-Token: ${token}\r\nAccept: */*`],
  ["a header without a space", `x-auth-token:${token}`],
  ["curl", `curl -H 'X-Auth-Token: ${token}' https://ringcx.ringcentral.com/voice/api/v1/admin/token`],
  ["JSON", JSON.stringify({ token, list: [other] }), [token, other]],
  ["JSON within JSON", JSON.stringify(JSON.stringify({ text: `first\n${token}\t${other}` })), [token, other]],
  ["escaped characters", `"key\\u003d${token}\\u0026x"`],
  [".env", `A=1\nRINGCX_TOKEN=${token}\nB=2\n`],
  [".env with quotes", `export RINGCX_TOKEN="${token}"`],
  ["YAML", `ringcx:\n  token: ${token}\n`],
  ["YAML list", `- ${token}\n- ${other}\n`, [token, other]],
  ["TOML", `token = '${token}'`],
  ["XML", `<token>${token}</token>`],
  ["XML attribute", `<login token="${token}"/>`],
  ["HTML entities around it", `&quot;${token}&quot;`],
  ["Markdown code", `Use \`${token}\` here.`],
  ["Markdown bold", `**${token}**`],
  ["an added line", `+++ b/.env\n@@ -1 +1 @@\n+${token}\n`],
  ["a removed line", `--- a/.env\n@@ -1 +1 @@\n-${token}\n`],
  ["a path", `GET /voice/api/v1/admin/token/${token} HTTP/1.1`],
  ["a URL", "/admin/token/aws80%3A7d1f0c6e-93ab-4e52-b8a4-5c0e19f2d673?x=1", [token.replace(":", "%3A")]],
  ["a query", `isTokenValid?token=${token.replace(":", "%3a")}&b=2`, [token.replace(":", "%3a")]],
  ["encoded whole", `q=${encodeURIComponent(`x=1\n${token}`)}`, [token.replace(":", "%3A")]],
  ["a log line", `2026-08-01T10:11:12.345Z INFO [main] 10.0.0.1 used ${token}, ok`],
  ["colour codes", `\u001b[32m${token}\u001b[0m and \\u001b[1;31m${other}`, [token, other]],
  ["a CSV row", `1,${token},${other},x`, [token, other]],
  ["side by side", `${token} ${other}`, [token, other]],
  ["the end of a sentence", `It was ${token}.`],
  ["basic access", `https://${token}@example.com/`],
  ["brackets", `(${token})[${other}]{${token}}`, [token, other, token]],
  ["a far place", `${"lorem ipsum ".repeat(2_000)}${token}${" dolor".repeat(2_000)}`],
];

const lookAlikes: [what: string, content: string][] = [
  ["a UUID", uuid],
  ["a named UUID", `id: ${uuid}, trace_id:${uuid}, uuid:${uuid}`],
  ["a URN", `urn:uuid:${uuid}`],
  ["a UUID named by version", `uuid4:${uuid} UUIDv4:${uuid} guid1:${uuid}`],
  ["a digest", `sha256:${"9f86d081884c7d659a2feaa0c55ad015".repeat(2)}`],
  ["a digest in the form of a UUID", `sha256:${uuid} md5:${uuid} sha1:${uuid}`],
  ["no digits in the prefix", `token:${uuid}`],
  ["no letters in the prefix", `80:${uuid}`],
  ["a prefix that is too long", `extraordinarily80:${uuid} aws80123:${uuid}`],
  ["a longer word", `request-aws80:${uuid} x_aws80:${uuid} 1aws80:${uuid}`],
  ["a space after the colon", `aws80: ${uuid}`],
  ["no dashes", `aws80:${uuid.replaceAll("-", "")}`],
  ["wrong grouping", "aws80:7d1f0c6e93ab-4e52-b8a4-5c0e-19f2d673 aws80:7d1f0c6e-93ab4-e52-b8a4-5c0e19f2d673"],
  ["a digit missing", `aws80:${uuid.slice(0, -1)}`],
  ["a digit missing at the front", `aws80:${uuid.slice(1)}`],
  ["a digit too many", `aws80:${uuid}0`],
  ["a digit too many at the front", `aws80:0${uuid}`],
  ["a letter too many", `aws80:${uuid}z`],
  ["no hexadecimal digits", "aws80:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"],
  ["a hint", "aws80:…d673 aws80:...d673"],
  ["stars", "aws80:********-****-****-****-********d673 aws80:7d1f0c6e-****-****-****-************"],
  ["zeros", "aws80:00000000-0000-0000-0000-000000000000"],
  ["zeros in the middle", "aws80:7d1f0c6e-0000-0000-0000-5c0e19f2d673"],
  ["other masks", "aws80:7d1f0c6e-ffff-ffff-ffff-ffffffffd673 aws80:7d1f0c6e-aaaa-aaaa-aaaa-5c0e19f2d673"],
  ["a placeholder", "aws80:12345678-1234-1234-1234-123456789012 aws80:12345678-1234-5678-9abc-def012345678"],
  ["letters in a row", "aws80:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"],
  ["a time", "2026-08-01T10:11:12.345Z"],
  ["a MAC address", "00:1a:2b:3c:4d:5e"],
  ["an IPv6 address", "2001:db8:85a3::8a2e:370:7334"],
  ["an image", `registry.example.com/app:v1@sha256:${"ab12".repeat(16)}`],
];

describe.each(rules)("%s", (_, rule) => {
  test.each(dressed)("finds a token: %s", (_dress, content, values = [token]) => {
    expect(find(rule, content)).toEqual(values);
    // The scanner reads only around its keyword: it must be in the token itself, not just somewhere near it.
    for (const value of values) expect(find(rule, value)).toEqual([value]);
  });

  test.each(lookAlikes)("leaves alone: %s", (_what, content) => {
    expect(find(rule, content)).toEqual([]);
  });

  test("misses no random token for its entropy", () => {
    const tokens = Array.from({ length: 2_000 }, () => `a1:${randomUUID()}`);
    expect(find(rule, tokens.join("\n"))).toEqual(tokens);
  });

  test("has an expression that no engine refuses", () => {
    // Some RE2 libraries know look-behind by now; Go's, Rust's and Hyperscan's do not.
    expect(rule.expression).not.toMatch(/\(\?(?:[=!]|<[=!])|\\[1-9]/);
    expect(RE2JS.compile(rule.expression).groupCount()).toBe(1);
  });

  test("is quick with a text of nothing but beginnings", async () => {
    const text = "aws80:7d1f0c6e-93ab-4e52-b8a4-".repeat(5_000);
    expect(await processorMs(() => expect(find(rule, text)).toEqual([]))).toBeLessThan(10_000);
  });
});

test("the three rules say the same", () => {
  const [first, ...rest] = rules.map(([, { expression, excluded, entropy: least }]) => ({
    expression,
    excluded,
    least,
  }));
  for (const rule of rest) expect(rule).toEqual(first);
  expect(gitleaks.keywords).toEqual(trufflehog.keywords);
  // They are compared with text in lower case.
  for (const word of [...gitleaks.keywords, ...trufflehog.exclude_words]) expect(word).toBe(word.toLowerCase());
});

test("TruffleHog asks Tokendesk and tells dead from not checked", () => {
  const [verify] = trufflehog.verify;
  expect(new URL(verify.endpoint).pathname).toBe("/api/incidents/verify");
  expect(verify.headers).toEqual([`Authorization: Bearer \${TOKENDESK_API_KEY}`]);
  expect(verify.successRanges).toEqual(["200"]);
  expect(verify.rotatedRanges).toEqual(["404"]);
});

test("Kingfisher's examples are what they are said to be", () => {
  const [, rule] = rules[1] ?? [];
  if (!rule) throw new Error("No rule");
  for (const example of kingfisher.examples) expect(find(rule, example), example).toHaveLength(1);
  for (const example of kingfisher.negative_examples) expect(find(rule, example), example).toEqual([]);
});

test("Kingfisher shows the token to RingCX and to nobody else", () => {
  const { request } = kingfisher.validation.content;
  expect(request.method).toBe("GET");
  expect(request.url).toBe("https://ringcx.ringcentral.com/voice/api/v1/admin/token");
  expect(request.headers["X-Auth-Token"]).toBe('{{ TOKEN | replace: "%3A", ":" | replace: "%3a", ":" }}');
  expect(request.response_matcher[0].status).toEqual([200]);
});

describe("README.md", () => {
  const blocks = [...text("README.md").matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({
    language: language ?? "",
    code: code ?? "",
  }));
  const inLanguage = (language: string) => blocks.filter((block) => block.language === language);
  const githubSchema = z.looseObject({
    jobs: z.object({ ringcx: z.object({ steps: z.array(z.looseObject({ run: z.string().optional() })) }) }),
  });
  const gitlabSchema = z.object({
    "ringcx-tokens": z.looseObject({
      before_script: z.array(z.string()),
      script: z.array(z.string()),
      after_script: z.array(z.string()),
    }),
  });
  const [github, gitlab, variant] = inLanguage("yaml").map(({ code }) => parseYaml(code) as unknown);
  const steps = githubSchema.parse(github).jobs.ringcx.steps.flatMap(({ run }) => run ?? []);
  const { before_script, script, after_script } = gitlabSchema.parse(gitlab)["ringcx-tokens"];
  const scripts = [
    ...inLanguage("sh").map(({ code }) => code),
    ...steps,
    [...before_script, ...script, ...after_script].join("\n"),
    text("report.sh"),
  ];

  test("has scripts that a shell can read, and none that passes the key as an argument", () => {
    expect(scripts.length).toBeGreaterThanOrEqual(8);
    for (const code of scripts) {
      execFileSync("bash", ["-n"], { input: code });
      // `printf` and `[` belong to the shell and start no process.
      const uses = code.split("\n").filter((line) => /\$\{?TOKENDESK_API_KEY/.test(line));
      for (const line of uses) expect(line).toMatch(/^\s*(printf |\[ |awk '.*ENVIRON)/);
    }
  });

  test("sends a Kingfisher that asks Tokendesk the payload that TruffleHog sends", () => {
    const { request } = kingfisherValidation.parse((variant as { validation: unknown }).validation).content;
    expect(request.url).toBe(trufflehog.verify[0].endpoint);
    expect(JSON.parse(request.body ?? "")).toEqual({
      [trufflehog.name]: { [Object.keys(trufflehog.regex)[0] ?? ""]: ["{{ TOKEN }}"] },
    });
  });

  test("and report.sh name the rules as they are named", () => {
    for (const name of [gitleaks.id, trufflehog.name, kingfisher.id]) expect(text("report.sh")).toContain(`"${name}"`);
    expect(text("README.md")).toContain(kingfisher.id);
  });

  test("has JSON that is JSON", () => {
    expect(inLanguage("json").map(({ code }) => Object.keys(JSON.parse(code) as object))).toEqual([
      ["text", "source", "revoke"],
      ["findings", "source", "revoke"],
    ]);
  });
});
