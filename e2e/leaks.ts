/** The search for secrets in everything that leaves the dashboard, in every form in which they may stand there. */

/** One piece of what was collected: a response, a page, a log, a file. */
export type Piece = { source: string; text: string };

type Finding = { source: string; kind: string; form: string; around: string };

/** Below that a match says nothing. */
const shortest = 8;

const htmlEscaped = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#x27;");
const percent = (text: string) => encodeURIComponent(text);
const plus = (text: string) => new URLSearchParams({ q: text }).toString().slice(2);
const json = (text: string) => JSON.stringify(text).slice(1, -1);
const base64 = (text: string) => Buffer.from(text).toString("base64").replace(/=+$/, "");

/** The base64 of a text in the midst of others: what does not depend on its neighbours, for each alignment. */
function base64Within(text: string): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
      .toString("base64")
      .replace(/=+$/, "");
    return encoded.slice(Math.ceil((offset * 4) / 3), -2);
  });
}

/** The forms of a secret by their names. */
export function formsOf(secret: string): Map<string, string> {
  const forms = new Map<string, string>();
  const add = (name: string, text: string) => {
    if (text.length >= shortest && ![...forms.values()].includes(text)) forms.set(name, text);
  };
  add("raw", secret);
  // What makes a secret one, without the part that all of its kind share.
  const segments = secret.split(".");
  if (segments.length === 3) {
    add("payload of the JWT", segments[1] ?? "");
    add("signature of the JWT", segments[2] ?? "");
  }
  const colon = secret.indexOf(":");
  if (colon > 0) add("without its prefix", secret.slice(colon + 1));
  add("upper case", secret.toUpperCase());
  add("reversed", [...secret].reverse().join(""));
  add("percent-encoded", percent(secret));
  add(
    "percent-encoded in lower case",
    percent(secret).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  );
  add("percent-encoded twice", percent(percent(secret)));
  add("form-encoded", plus(secret));
  add("JSON", json(secret));
  add("JSON within JSON", json(json(secret)));
  add("HTML", htmlEscaped(secret));
  add("base64", base64(secret));
  add("base64url", Buffer.from(secret).toString("base64url"));
  base64Within(secret).forEach((text, offset) => {
    add(`base64 at offset ${offset}`, text);
    add(`base64url at offset ${offset}`, text.replaceAll("+", "-").replaceAll("/", "_"));
  });
  add("hexadecimal", Buffer.from(secret).toString("hex"));
  return forms;
}

type Needle = { text: string; kind: string; form: string };

/** Everything of `secrets` (by kind) that stands in `pieces`. One finding for each piece, kind and form. */
export function findLeaks(secrets: Record<string, readonly string[]>, pieces: readonly Piece[]): Finding[] {
  const byStart = new Map<string, Needle[]>();
  // The first two characters decide most places without another look.
  const starts = new Uint8Array(65_536);
  for (const [kind, values] of Object.entries(secrets)) {
    for (const value of new Set(values)) {
      for (const [form, text] of formsOf(value)) {
        const start = text.slice(0, shortest);
        const needles = byStart.get(start);
        if (needles) needles.push({ text, kind, form });
        else byStart.set(start, [{ text, kind, form }]);
        starts[pairAt(text, 0)] = 1;
      }
    }
  }
  const findings = new Map<string, Finding>();
  for (const { source, text } of pieces) {
    for (let at = 0; at + shortest <= text.length; at += 1) {
      if (starts[pairAt(text, at)] === 0) continue;
      for (const needle of byStart.get(text.slice(at, at + shortest)) ?? []) {
        if (!text.startsWith(needle.text, at)) continue;
        const { kind, form } = needle;
        const around = `${text.slice(Math.max(0, at - 60), at)}[${kind}]${text.slice(at + needle.text.length).slice(0, 30)}`;
        findings.set(`${source}\n${kind}\n${form}`, { source, kind, form, around });
      }
    }
  }
  return [...findings.values()];
}

function pairAt(text: string, at: number): number {
  return ((text.charCodeAt(at) & 0xff) << 8) | (text.charCodeAt(at + 1) & 0xff);
}
