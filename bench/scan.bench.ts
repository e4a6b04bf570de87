/**
 * What finding 100 tokens in 5 MB of log text costs, as a ratio to the floor of the same run: one regular expression that
 * knows a token in its plain form only. Prints the table of docs/benchmarks.md; exit code 1: over 300 ms.
 */
import "../scripts/app-modules.ts";

const { findTokens } = await import("@/lib/incidents/scan");
const { logText } = await import("./scan-text.ts");

const prefixes = /^[A-Za-z]{1,12}[0-9]{1,4}$/;
const plain = /[A-Za-z0-9_-]+:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
const mega = 1024 * 1024;
const rounds = 15;
const budgetMs = 300;

const { text, values } = logText(5 * mega, 100);
const bytes = Buffer.from(text);
// As many letters as a line of base64 may have, and no line's end.
const letters = Buffer.from(Array.from({ length: 20 * mega }, (_, i) => 65 + ((i * 7919) % 26)));

const floor = await median(async () => void text.match(plain));
const matching = await median(() => find(bytes, values.length));
const asString = await median(() => find(text, values.length));
const rows: [name: string, ms: number][] = [
  ["one regular expression over it (floor)", floor],
  ["as bytes", matching],
  ["as a string", asString],
];
console.log(`\n5 MB of log text, ${values.length} tokens in four dresses; the median of ${rounds}\n`);
console.log("| 5 MB, 100 tokens | median ms | time, to the floor |");
console.log("| --- | --- | --- |");
for (const [name, ms] of rows) console.log(`| ${name} | ${ms.toFixed(1)} | ${(ms / floor).toFixed(1)}x |`);

const worst: [name: string, text: Buffer][] = [
  ["letters", Buffer.alloc(20 * mega, "a")],
  ["letters of base64", letters],
  ["colons", Buffer.alloc(20 * mega, ":")],
  ["`%25`", Buffer.alloc(20 * mega, "%25")],
  ["hexadecimal digits and dashes", Buffer.alloc(20 * mega, "c2353445-bc74-af1a-2850-")],
  ["line feeds", Buffer.alloc(20 * mega, "\n")],
];
console.log("\n| 20 MB of | ms | longest without a pause, ms |");
console.log("| --- | --- | --- |");
for (const [name, content] of worst) {
  let pausedAt = performance.now();
  let longest = 0;
  const began = pausedAt;
  const onProgress = () => {
    const now = performance.now();
    longest = Math.max(longest, now - pausedAt);
    pausedAt = now;
  };
  await findTokens([{ name: null, content }], { prefixes, onProgress });
  console.log(`| ${name} | ${(performance.now() - began).toFixed(0)} | ${longest.toFixed(0)} |`);
}

if (Math.max(matching, asString) > budgetMs) {
  console.error(`Matching took more than ${budgetMs} ms`);
  process.exitCode = 1;
}

async function find(content: string | Uint8Array, expected: number): Promise<void> {
  const { found } = await findTokens([{ name: null, content }], { prefixes });
  if (found.length !== expected) throw new Error(`${found.length} tokens of ${expected} found`);
}

async function median(work: () => Promise<void>): Promise<number> {
  await work();
  const took: number[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const began = performance.now();
    await work();
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  return took[Math.floor(rounds / 2)] ?? Number.NaN;
}
