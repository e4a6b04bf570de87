import { createHash } from "node:crypto";
import { deflateSync, gzipSync } from "node:zlib";

/**
 * Crafted texts for lib/incidents/scan.ts. Every value is different, looks random and is always the same; a case is named
 * after its dress.
 */
type FoundCase = {
  name: string;
  text: string | Uint8Array;
  values: string[];
  /** Of each value's first place. */
  lines: number[];
  /** Of each value's first place; null: the values are the statement, not how they are written. */
  dress: string | null;
};
type QuietCase = { name: string; text: string | Uint8Array };

export function uuidOf(seed: string): string {
  const hex = createHash("sha256").update(seed).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

export function tokenOf(seed: string, prefix = "aws80"): string {
  return `${prefix}:${uuidOf(seed)}`;
}

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString("base64");
const base64url = (text: string | Uint8Array) => Buffer.from(text).toString("base64url");
const columns = (text: string, width: number, by = "\n") =>
  text.match(new RegExp(`[\\s\\S]{1,${width}}`, "g"))?.join(by) ?? "";
const utf16 = (text: string) => Buffer.from(text, "utf16le");
const percentAll = (text: string) => [...text].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");
const between = (text: string, by: string) => [...text].join(by);
/** Lines of at most 76 columns, as a mail has them. */
const quotedPrintable = (text: string) =>
  text
    .replaceAll("=", "=3D")
    .split("\n")
    .map((row) => row.replace(/(?:=3D|[^=]){72,75}(?=.)/g, "$&=\r\n"))
    .join("\r\n");
/** Lines of sixteen bytes: where they begin, the bytes in groups of two, the text. */
const dumped = (text: string, line: (at: string, groups: string, row: string) => string) =>
  (text.match(/[\s\S]{1,16}/g) ?? [])
    .map((row, n) => {
      const digits = Buffer.from(row).toString("hex");
      const groups = digits.match(/.{1,4}/g)?.join(" ") ?? "";
      return line((n * 16).toString(16), groups.padEnd(39), row);
    })
    .join("\n");
const xxd = (text: string) => dumped(text, (at, groups, row) => `${at.padStart(8, "0")}: ${groups}  ${row}`);
const hexdumpC = (text: string) =>
  (text.match(/[\s\S]{1,16}/g) ?? [])
    .map((row, n) => {
      const bytes = [...Buffer.from(row)].map((byte) => byte.toString(16).padStart(2, "0"));
      const shown = `${bytes.slice(0, 8).join(" ")}  ${bytes.slice(8).join(" ")}`.padEnd(48);
      return `${(n * 16).toString(16).padStart(8, "0")}  ${shown}  |${row}|`;
    })
    .join("\n");
const tcpdump = (text: string) =>
  dumped(text, (at, groups, row) => `\t0x${at.padStart(4, "0")}:  ${groups}  ${row.replace(/[\r\n]/g, ".")}`);
const utf32 = (text: string) => Buffer.from([...text].flatMap((c) => [c.charCodeAt(0), 0, 0, 0]));

const prose =
  "The nightly import of the dialling lists failed again, so somebody switched the verbose log on and forgot about it. ";

/** Each makes a text of a value; `line` is where the value begins, 1 unless told. */
type Dressing = [name: string, dress: string | null, text: (value: string) => string | Uint8Array, line?: number];

const split = (value: string) => value.split(":") as [prefix: string, uuid: string];
const withColon = (colon: string) => (value: string) => split(value).join(colon);

const plain: Dressing[] = [
  ["alone", "plain", (v) => v],
  ["with blanks and line feeds around", "plain", (v) => `\n\n  ${v} \n\n`, 3],
  ["in double quotes", "plain", (v) => `"${v}"`],
  ["in single quotes", "plain", (v) => `'${v}'`],
  ["in backquotes", "plain", (v) => `\`${v}\``],
  ["in typographic quotes", "plain", (v) => `“${v}”`],
  ["in guillemets", "plain", (v) => `«${v}»`],
  ["in brackets", "plain", (v) => `[${v}] (${v}) {${v}} <${v}>`],
  ["end of a sentence", "plain", (v) => `It was ${v}.`],
  ["after an ellipsis", "plain", (v) => `It was...${v}`],
  ["before a comma", "plain", (v) => `Between ${v}, and others`],
  ["JSON", "plain", (v) => JSON.stringify({ token: v, n: 1 })],
  ["JSON over lines", "plain", (v) => JSON.stringify({ a: [1, 2], token: v }, null, 2), 6],
  ["JSON in JSON", "plain", (v) => JSON.stringify({ body: JSON.stringify({ token: v }) })],
  ["JSON in JSON in JSON", "plain", (v) => JSON.stringify(JSON.stringify(JSON.stringify({ token: v })))],
  ["a line of a text in JSON", "plain", (v) => JSON.stringify({ log: `before\n${v}\nafter` })],
  ["a line of a text in JSON in JSON", "plain", (v) => JSON.stringify(JSON.stringify({ log: `before\r\n${v}\r\nx` }))],
  ["after a tab in JSON", "plain", (v) => JSON.stringify({ log: `a\t${v}\tb` })],
  ["header", "plain", (v) => `GET / HTTP/1.1\r\nX-Auth-Token: ${v}\r\nAccept: */*\r\n`, 2],
  ["header in lower case, no blank", "plain", (v) => `x-auth-token:${v}`],
  ["header in upper case", "plain", (v) => `X-AUTH-TOKEN: ${v}`],
  ["HTTP/2 header dump", "plain", (v) => `> x-auth-token: ${v}\n> accept: */*`],
  ["curl", "plain", (v) => `curl -s -H "X-Auth-Token: ${v}" https://ringcx.example.com/voice/api/v1/admin/token`],
  ["curl over lines", "plain", (v) => `curl -s \\\n  -H 'X-Auth-Token: ${v}' \\\n  https://x.example.com`, 2],
  ["continued line before it", "plain", (v) => `curl -H \\\n${v}`, 2],
  ["httpie", "plain", (v) => `http GET x.example.com X-Auth-Token:${v}`],
  ["wget", "plain", (v) => `wget --header=X-Auth-Token:${v} https://x.example.com`],
  ["YAML", "plain", (v) => `ringcx:\n  token: ${v}\n  host: a`, 2],
  ["YAML, quoted", "plain", (v) => `token: "${v}" # old`],
  ["YAML list", "plain", (v) => `tokens:\n  - ${v}\n`, 2],
  ["YAML block", "plain", (v) => `token: |\n  ${v}\n`, 2],
  [".env", "plain", (v) => `A=1\nRINGCX_TOKEN=${v}\nB=2`, 2],
  [".env, exported and quoted", "plain", (v) => `export RINGCX_TOKEN="${v}"`],
  ["TOML", "plain", (v) => `[ringcx]\ntoken = "${v}"`, 2],
  ["INI", "plain", (v) => `[ringcx]\ntoken=${v}`, 2],
  ["properties", "plain", (v) => `ringcx.token=${v}`],
  ["XML element", "plain", (v) => `<config><name>prod</name><token>${v}</token></config>`],
  ["XML attribute", "plain", (v) => `<token value="${v}"/>`],
  ["CDATA", "plain", (v) => `<t><![CDATA[${v}]]></t>`],
  ["CSV", "plain", (v) => `name,token\nprod,${v},x`, 2],
  ["TSV", "plain", (v) => `prod\t${v}\tx`],
  ["table", "plain", (v) => `| prod | ${v} | x |`],
  ["SQL", "plain", (v) => `INSERT INTO t VALUES (1,'${v}');`],
  ["Markdown code", "plain", (v) => `Use \`${v}\` here`],
  ["Markdown bold", "plain", (v) => `Use **${v}** here`],
  ["Markdown italics", "plain", (v) => `Use _${v}_ here`],
  ["Markdown bold with underscores", "plain", (v) => `Use __${v}__ here`],
  ["Markdown link", "plain", (v) => `[token](https://x.example.com/${v})`],
  ["Markdown struck out", "plain", (v) => `~~${v}~~`],
  ["diff, added", "plain", (v) => `@@ -1 +1 @@\n+${v}\n`, 2],
  ["diff, removed", "plain", (v) => `@@ -1 +1 @@\n-${v}\n`, 2],
  ["diff, added setting", "plain", (v) => `--- a/.env\n+++ b/.env\n+TOKEN=${v}`, 3],
  ["diff, removed setting", "plain", (v) => `--- a/.env\n+++ b/.env\n-TOKEN=${v}`, 3],
  ["path of an address", "plain", (v) => `DELETE /voice/api/v1/admin/token/${v} HTTP/1.1`],
  ["query of an address", "plain", (v) => `GET /isTokenValid?token=${v}&x=1`],
  ["user of an address", "plain", (v) => `https://${v}@x.example.com`],
  ["after another name", "plain", (v) => `token:${v}:x`],
  ["after a Java name", "plain", (v) => `com.example.Config@${v}`],
  ["shell prompt", "plain", (v) => `$ echo ${v}\n${v}`],
  ["coloured as a whole", "plain", (v) => `level=\x1b[36m${v}\x1b[0m`],
  ["coloured as a whole, in JSON", "plain", (v) => JSON.stringify(`level=\x1b[36m${v}\x1b[0m`)],
  ["coloured as a whole, spelled", "plain", (v) => `level=\\e[36m${v}\\e[0m and \\033[1mmore`],
  ["coloured as a whole, by cat -v", "plain", (v) => `level=^[[36m${v}^[[0m`],
  ["coloured with colons", "plain", (v) => `level=\x1b[38:5:1m${v}\x1b[0m`],
  ["bold in HTML", "plain", (v) => `<p>It is <b>${v}</b></p>`],
  ["among letters of another script", "plain", (v) => `令牌${v}は秘密`],
  ["UTF-8 with a byte order mark", "plain", (v) => Buffer.from(`\ufefftoken=${v}`)],
  ["byte order mark at once", "plain", (v) => Buffer.from(`\ufeff${v}`)],
  ["UTF-16LE with a mark", "plain", (v) => Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(`one\r\n${v}`)]), 2],
  ["UTF-16BE with a mark", "plain", (v) => Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(`a\nb\n${v}`)]).swap16(), 3],
  ["UTF-16LE without a mark", "plain", (v) => utf16(`one\nTOKEN=${v}\n`), 2],
  ["UTF-16BE without a mark", "plain", (v) => utf16(`one\nTOKEN=${v}\n`).swap16(), 2],
  ["UTF-32", "encoded", (v) => utf32(`one\nTOKEN=${v}\n`), 2],
  ["Windows line ends", "plain", (v) => `a\r\nb\r\n${v}\r\nc`, 3],
  [
    "binary noise around",
    "plain",
    (v) => Buffer.concat([Buffer.from([0xff, 0xc3, 0, 0x80]), Buffer.from(` ${v} `), Buffer.from([0xe2, 0xff])]),
  ],
  ["after a line of equal letters", "plain", (v) => `${"=".repeat(70)}\n${v}\n${"=".repeat(70)}`, 2],
  ["after prose, on a line of its own", "plain", (v) => `${prose}and this is\n${v}\n`, 2],
  ["end of a long line", "plain", (v) => `${"x ".repeat(50_000)}${v}`],
  ["Java stack trace", "plain", (v) => `java.lang.IllegalStateException: ${v}\n\tat a.B.c(B.java:12)`],
  ["key of a Redis client", "plain", (v) => `127.0.0.1:6379> GET "${v}"`],
  ["environment of a process", "plain", (v) => Buffer.from(`HOME=/root\0RINGCX_TOKEN=${v}\0SHELL=/bin/sh\0`)],
  ["argument of a process", "plain", (v) => Buffer.from(`/usr/bin/dial\0${v}\0Berlin\0`)],
  ["string in a memory dump", "plain", (v) => Buffer.from(`abc\0\0\0${v}\0\0def`)],
  ["in an archive", "plain", (v) => Buffer.from(`a.env${"\0".repeat(95)}0000644\0ustar\0${"\0".repeat(99)}${v}`)],
  [
    "UTF-16LE without a mark, mostly of another script",
    null,
    (v) => utf16(`${"令牌は次のとおりです。".repeat(20)}${v} ${"以上".repeat(20)}`),
  ],
  ["after an em dash", "plain", (v) => `The token—${v}—was in it.`],
  ["after a spelled em dash", "plain", (v) => `The token--${v} -- was in it.`],
  ["gzip file as the only member of a gzip file", "gzip", (v) => gzipSync(gzipSync(`one\n${v}\n`)), 2],
];

const encoded: Dressing[] = [
  ["%3A", "encoded", withColon("%3A")],
  ["%3a in a path", "encoded", (v) => `DELETE /voice/api/v1/admin/token/${withColon("%3a")(v)} 200`],
  ["%253A", "encoded", (v) => `to=${encodeURIComponent(`?t=${encodeURIComponent(v)}`)}`],
  ["%25253A", "encoded", (v) => encodeURIComponent(encodeURIComponent(encodeURIComponent(` ${v} `)))],
  ["%2D", "encoded", (v) => v.replaceAll("-", "%2D")],
  ["%3A and %2d", "encoded", (v) => `token%3D${v.replaceAll("-", "%2d").replace(":", "%3A")}%26x`],
  ["every character percent-encoded", "encoded", (v) => `t=${percentAll(v)}&x`],
  ["%EF%BC%9A", "encoded", withColon("%EF%BC%9A")],
  ["%u003A", "encoded", withColon("%u003A")],
  ["\\u003a", "encoded", (v) => `"${withColon("\\u003a")(v)}"`],
  ["\\u003A twice escaped", "encoded", (v) => `"${withColon("\\\\u003A")(v)}"`],
  ["\\u003A three times escaped", "encoded", (v) => `\\"${withColon("\\\\\\\\u003A")(v)}\\"`],
  ["\\u{3a}", "encoded", withColon("\\u{3a}")],
  ["\\U0000003a", "encoded", withColon("\\U0000003a")],
  ["\\u002d", "encoded", (v) => v.replaceAll("-", "\\u002d")],
  ["every character escaped", "encoded", (v) => [...v].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join("")],
  ["\\x3a", "encoded", withColon("\\x3a")],
  ["\\072", "encoded", withColon("\\072")],
  ["every character as \\x", "encoded", (v) => [...v].map((c) => `\\x${c.charCodeAt(0).toString(16)}`).join("")],
  ["\\:", "encoded", (v) => `token=${withColon("\\:")(v)}`],
  ["\\- for troff and Markdown", "encoded", (v) => v.replaceAll("-", "\\-")],
  ["&#58;", "encoded", (v) => `<b>${withColon("&#58;")(v)}</b>`],
  ["&#058;", "encoded", withColon("&#058;")],
  ["&#x3A;", "encoded", withColon("&#x3A;")],
  ["&#X3a;", "encoded", withColon("&#X3a;")],
  ["&colon;", "encoded", withColon("&colon;")],
  ["&amp;#58;", "encoded", withColon("&amp;#58;")],
  ["&amp;colon;", "encoded", withColon("&amp;colon;")],
  ["&#45; and &hyphen;", "encoded", (v) => `&quot;${v.replace("-", "&#45;").replace("-", "&hyphen;")}&quot;`],
  ["every character as an entity", "encoded", (v) => [...v].map((c) => `&#${c.charCodeAt(0)};`).join("")],
  ["full-width colon", "encoded", (v) => `令牌：${withColon("：")(v)}`],
  ["small colon", "encoded", withColon("﹕")],
  ["ratio sign", "encoded", withColon("∶")],
  ["letter colon", "encoded", withColon("꞉")],
  ["en dashes", "encoded", (v) => v.replaceAll("-", "–")],
  ["non-breaking hyphens", "encoded", (v) => v.replaceAll("-", "\u2011")],
  ["minus signs", "encoded", (v) => v.replaceAll("-", "−")],
  ["mixed dashes", "encoded", (v) => v.replace("-", "—").replace("-", "‐").replace("-", "－")],
  [
    "full-width as a whole",
    "encoded",
    (v) => [...v].map((c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)).join(""),
  ],
  ["zero-width spaces everywhere", "encoded", (v) => between(v, "\u200b")],
  ["one zero-width space", "encoded", (v) => v.replace("-", "-\u200b")],
  ["zero-width space before the colon", "encoded", withColon("\u200b:")],
  ["zero-width joiner in the prefix", "encoded", (v) => v.replace("s", "s\u200d")],
  ["word joiners", "encoded", (v) => v.replaceAll("-", "\u2060-\u2060")],
  ["soft hyphens", "encoded", (v) => v.replaceAll("-", "\u00ad-")],
  ["byte order mark inside", "encoded", (v) => v.replace(":", ":\ufeff")],
  ["NUL everywhere", "encoded", (v) => Buffer.from(`${"word ".repeat(40)}${between(v, "\0")}`)],
  ["colours inside", "encoded", (v) => `\x1b[33m${withColon("\x1b[0m:\x1b[1;36m")(v)}\x1b[0m`],
  ["colours inside, in JSON", "encoded", (v) => JSON.stringify(`\x1b[33m${withColon("\x1b[0m:\x1b[36m")(v)}\x1b[0m`)],
  ["colours of grep", "encoded", (v) => `\x1b[01;31m\x1b[K${v.replace("80", "\x1b[m\x1b[K80")}`],
  ["<wbr>", "encoded", (v) => v.replaceAll("-", "-<wbr>")],
  ["highlighted HTML", "encoded", (v) => withColon('</span><span class="p">:</span><span>')(`<span>${v}`)],
  ["quoted-printable", "encoded", (v) => `token=3D${withColon("=3A")(v)}`],
  ["quoted-printable dashes", "encoded", (v) => v.replaceAll("-", "=2D")],
];

const wrapped: Dressing[] = [
  ["prefix and UUID on two lines", "wrapped", withColon(":\n")],
  ["indented UUID", "wrapped", withColon(":\r\n    ")],
  ["colon on the next line", "wrapped", withColon("\n:")],
  ...[1, 2, 3, 5, 7, 8, 11, 13, 16, 20, 30, 40].map(
    (width): Dressing => [`every ${width} columns`, "wrapped", (v) => columns(v, width)],
  ),
  ["in the middle of a line", "wrapped", (v) => `token ${v.slice(0, 15)}\n${v.slice(15)} ends`],
  ["Windows line ends", "wrapped", (v) => columns(v, 16, "\r\n")],
  ["line ends of an old Mac", "wrapped", (v) => columns(v, 16, "\r")],
  ["doubled carriage returns", "wrapped", (v) => columns(v, 16, "\r\r\n")],
  ["indented", "wrapped", (v) => columns(v, 16, "\n      ")],
  ["indented with tabs", "wrapped", (v) => columns(v, 16, "\n\t\t")],
  ["trailing blanks", "wrapped", (v) => columns(v, 16, "  \n")],
  ["in a box", "wrapped", (v) => `| ${columns(v, 16, "\n| ")}`],
  ["in a quoted mail", "wrapped", (v) => `> ${columns(v, 16, "\n> ")}`],
  ["in a twice quoted mail", "wrapped", (v) => `> > ${columns(v, 16, "\n> > ")}`],
  ["in a mail quoted without blanks", "wrapped", (v) => `>>${columns(v, 16, "\n>>")}`],
  ["in added lines", "wrapped", (v) => `+${columns(v, 16, "\n+")}`],
  ["in removed lines", "wrapped", (v) => `-${columns(v, 10, "\n-")}`],
  ["in a shell comment", "wrapped", (v) => `# ${columns(v, 16, "\n# ")}`],
  ["in a comment of C", "wrapped", (v) => ` * ${columns(v, 16, "\n * ")}`],
  ["in a comment of C++", "wrapped", (v) => `// ${columns(v, 16, "\n// ")}`],
  ["continued in a shell", "wrapped", (v) => columns(v, 4, "\\\n")],
  ["continued in a shell, indented", "wrapped", (v) => `TOKEN=${columns(v, 12, "\\\n  ")}`],
  ["quoted-printable, soft", "wrapped", (v) => columns(v, 3, "=\r\n")],
  ["quoted-printable, with line ends of its own", "wrapped", (v) => columns(v, 20, "=0D=0A=\r\n")],
  ["quoted-printable, soft and =3A", "wrapped", (v) => columns(v, 20, "=\n").replace(":", "=3A")],
  ["folded YAML", "wrapped", (v) => `token: >-\n  ${columns(v, 20, "\n  ")}\nnext: 1`, 2],
  ["in a text in JSON", "wrapped", (v) => JSON.stringify({ log: columns(v, 12) })],
  ["in a text in JSON, Windows", "wrapped", (v) => JSON.stringify({ log: columns(v, 12, "\r\n") })],
  ["strings joined by plus", "wrapped", (v) => `"${columns(v, 12, '" +\n  "')}"`],
  ["strings joined by plus, leading", "wrapped", (v) => `'${columns(v, 12, "'\n  + '")}'`],
  ["strings side by side", "wrapped", (v) => `"${columns(v, 12, '"\n    "')}"`],
  ["%0A", "wrapped", (v) => columns(v, 12, "%0A")],
  ["<br> of a mail", "wrapped", (v) => columns(v, 20, "&#10;")],
  ["<br>", "wrapped", (v) => `<td>${columns(v, 20, "<br>")}</td>`],
  ["<br/> and a line feed", "wrapped", (v) => columns(v, 20, "<br />\n")],
  ["in a table", "wrapped", (v) => `| a | ${columns(v, 14, " |\n| ")} |`],
  ["in a drawn table", "wrapped", (v) => `│ ${columns(v, 14, " │\n│ ")} │`],
  ["in a table of psql", "wrapped", (v) => ` ${columns(v, 14, "+\n ")}`],
  ["continued in PowerShell", "wrapped", (v) => columns(v, 14, "`\r\n")],
  ["continued in cmd", "wrapped", (v) => columns(v, 14, "^\r\n")],
  ["with the wrap signs of an editor", "wrapped", (v) => columns(v, 14, "↵\n")],
  ["strings joined by an ampersand", "wrapped", (v) => `"${columns(v, 14, '" & _\r\n    "')}"`],
  ["strings joined by bars", "wrapped", (v) => `'${columns(v, 14, "' || '")}'`],
  ["strings in different quotes", "wrapped", (v) => `"${v.slice(0, 14)}"'${v.slice(14)}'`],
  ["UTF-16", "wrapped", (v) => utf16(columns(`the token is ${v} and so on`, 24))],
  ["prose wrapped at 60 columns", null, (v) => columns(`${prose}${prose}Its token ${v} was in it. ${prose}`, 60), 5],
  [
    "prose wrapped in the prefix",
    "wrapped",
    (v) => columns(`${"x".repeat(70)} ${"y".repeat(65)} ${v} ${prose}`, 70),
    2,
  ],
  ["terminal of 80 columns", "wrapped", (v) => columns(`$ curl -H 'X-Auth-Token: ${v}' https://x.example.com`, 40)],
];

const blocks: Dressing[] = [
  ["base64", "base64", base64],
  ["base64 in quotes", "base64", (v) => `"${base64(v)}"`],
  ["base64, second alignment", "base64", (v) => base64(` ${v}`)],
  ["base64, third alignment", "base64", (v) => base64(`: ${v}`)],
  ["base64 without padding", "base64", (v) => base64(`${v}\n`).replace(/=+$/, "")],
  ["base64url", "base64", (v) => base64url(`??>>~~${v}~~>>??`)],
  ["base64 of JSON", "base64", (v) => base64(JSON.stringify({ token: v }))],
  ["base64 behind =", "base64", (v) => `TOKEN=${base64(v)}`],
  ["base64 in a path", "base64", (v) => `GET /v1/secret/${base64url(v)}/info`],
  ["base64 behind an underscore", "base64", (v) => `sk_${base64url(v)}`],
  ["base64 of another alignment behind letters", "base64", (v) => `x${base64(`  ${v} `)}`],
  ["base64, percent-encoded", "base64", (v) => encodeURIComponent(base64(`~~~???${v}>`))],
  ["base64 with escaped slashes", "base64", (v) => JSON.stringify(base64(`???~~~???${v}`)).replaceAll("/", "\\/")],
  ["Basic with the token as user", "base64", (v) => `Authorization: Basic ${base64(`${v}:`)}`],
  ["Basic with the token as password", "base64", (v) => `Proxy-Authorization: Basic ${base64(`api:${v}`)}`],
  ["data: address", "base64", (v) => `src="data:text/plain;charset=utf-8;base64,${base64(`x ${v}`)}"`],
  ["Kubernetes secret", "base64", (v) => `kind: Secret\ndata:\n  token: ${base64(v)}\n  user: YWRtaW4=`, 3],
  [
    "payload of a JWT",
    "base64",
    (v) => `Bearer ${base64url('{"alg":"none"}')}.${base64url(JSON.stringify({ t: v }))}.${base64url("signature")}`,
  ],
  ["MIME, 76 columns", "base64", (v) => columns(base64(`${prose}${v} ${prose}`), 76, "\r\n")],
  [
    "PEM, 64 columns",
    "base64",
    (v) => `-----BEGIN X-----\n${columns(base64(`${prose}${v} ${prose}`), 64)}\n-----END X-----`,
    2,
  ],
  ["base64 at 20 columns", "base64", (v) => columns(base64(v), 20)],
  ["base64, indented", "base64", (v) => `data: |\n    ${columns(base64(`${prose}${v} `), 60, "\n    ")}`, 2],
  ["base64 in a quoted mail", "base64", (v) => `> ${columns(base64(`${prose}${v} `), 60, "\n> ")}`],
  ["base64 in added lines", "base64", (v) => `+${columns(base64(`${prose}${v} `), 60, "\n+")}`],
  ["base64 in removed lines", "base64", (v) => `-${columns(base64(`${prose}${v} `), 60, "\n-")}`],
  ["base64 with its line feeds in JSON", "base64", (v) => JSON.stringify(columns(base64(`${prose}${v} `), 64))],
  ["base64 in strings joined by plus", "base64", (v) => `"${columns(base64(`${prose}${v} `), 60, '" +\n"')}"`],
  ["base64 at 76 columns, quoted-printable", "base64", (v) => quotedPrintable(columns(base64(`${prose}${v} `), 76))],
  [
    "base64 at 64 columns, percent-encoded with its indentation",
    "base64",
    (v) => encodeURIComponent(`  ${columns(base64(`${prose.slice(0, 70)} ${v} `), 64, "\n  ")}`),
  ],
  [
    "base64 whose first line begins behind a name",
    "base64",
    (v) => `token: ${columns(base64(`${prose}${v} `), 60, "\n")}`,
  ],
  ["base64 in base64", "base64", (v) => base64(`secret: ${base64(`token ${v}`)}`)],
  ["base64 in base64 in base64", "base64", (v) => base64(`a ${base64(`b ${base64(`c ${v}`)}`)}`)],
  ["base64 of percent-encoding", "base64", (v) => base64(`?t=${encodeURIComponent(v)}&x=1`)],
  ["base64 of UTF-16 (PowerShell)", "base64", (v) => `powershell -enc ${base64(utf16(`$t = '${v}'`))}`],
  ["base64 in UTF-16", "base64", (v) => utf16(`TOKEN=${base64(v)}\n`)],
  ["gzip in base64", "gzip", (v) => base64(gzipSync(`the token is ${v}`))],
  ["gzip in base64, of a Helm release", "gzip", (v) => base64(base64(gzipSync(JSON.stringify({ token: v }))))],
  ["gzip in base64url behind a name", "gzip", (v) => `body=${base64url(gzipSync(`${v}`))}`],
  ["gzip in base64, in a path", "gzip", (v) => `/log/${base64url(gzipSync(`a ${v}`))}`],
  ["gzip in base64 at 76 columns", "gzip", (v) => columns(base64(gzipSync(`${prose}${v} ${prose}`)), 76)],
  ["gzip in base64, cut", "gzip", (v) => base64(gzipSync(`x ${v} ${prose}`)).slice(0, -30)],
  ["base64 in gzip in base64", "gzip", (v) => base64(gzipSync(`v: ${base64(`x ${v}`)}`))],
  ["zlib in base64", "gzip", (v) => base64(deflateSync(`the token is ${v}`))],
  ["zlib in base64, best", "gzip", (v) => `p=${base64(deflateSync(`the token is ${v}`, { level: 9 }))};`],
  [
    "zlib in base64, removed at the end of a diff",
    "gzip",
    (v) => `-${base64(deflateSync(`${prose}${v} ${prose.toUpperCase()}`))}`,
  ],
  [
    "gzip in base64 at 76 columns, quoted-printable",
    "gzip",
    (v) => quotedPrintable(columns(base64(gzipSync(`${prose}${v} `)), 76)),
  ],
  [
    "zlib in base64, stored: legible without inflating",
    "base64",
    (v) => base64(deflateSync(`the token is ${v}`, { level: 0 })),
  ],
  ["gzip file", "gzip", (v) => gzipSync(`one\ntwo\n${v}\n`), 3],
  ["gzip file of UTF-16", "gzip", (v) => gzipSync(Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(`one\n${v}\n`)])), 2],
  [
    "gzip file with spoilt end",
    "gzip",
    (v) => Buffer.concat([gzipSync(`${v} `).subarray(0, -6), Buffer.from("??????")]),
  ],
  ["two gzip files in one", "gzip", (v) => Buffer.concat([gzipSync("one\n"), gzipSync(`${v}\n`)]), 2],
  ["hexadecimal digits", "hex", (v) => Buffer.from(v).toString("hex")],
  ["hexadecimal digits in upper case", "hex", (v) => `0x${Buffer.from(`x ${v}`).toString("hex").toUpperCase()}`],
  ["xxd -p", "hex", (v) => columns(Buffer.from(`token: ${v} ends here, does it`).toString("hex"), 60)],
  ["xxd", "hex", (v) => `$ xxd f\n${xxd(`token: ${v} ends`)}\n$ `, 2],
  ["hexdump -C", "hex", (v) => `${hexdumpC(`token: ${v} ends`)}\n0000003a\n`],
  ["Buffer in JSON", "hex", (v) => JSON.stringify({ body: Buffer.from(`X-Auth-Token: ${v}\n`) })],
  ["bytes in JSON over lines", "hex", (v) => JSON.stringify([...Buffer.from(v)], null, 2)],
  ["Buffer on a console", "hex", (v) => `body: <Buffer ${Buffer.from(v).toString("hex").match(/../g)?.join(" ")}>`],
  ["tcpdump -X", "hex", (v) => `IP a.1 > b.80: Flags [P.]\n${tcpdump(`X-Auth-Token: ${v}\r\n`)}\n`, 2],
  ["pairs of hexadecimal digits", "hex", (v) => Buffer.from(`t ${v}`).toString("hex").match(/../g)?.join(" ") ?? ""],
];

const single = [...plain, ...encoded, ...wrapped, ...blocks].map(([name, dress, text, line = 1], n): FoundCase => {
  const value = tokenOf(`found ${n} ${name}`);
  return { name: `${dress ?? "any"}: ${name}`, text: text(value), values: [value], lines: [line], dress };
});

const values = (count: number, seed: string) => Array.from({ length: count }, (_, n) => tokenOf(`${seed} ${n}`));
const listed = values(5, "list");
const listed64 = values(4, "list64");
const [other = ""] = values(1, "other");

const several: FoundCase[] = [
  {
    name: "glued to the word before it: both, since either may be meant",
    text: `API Tokenaws80:${uuidOf("glued")}`,
    values: [`Tokenaws80:${uuidOf("glued")}`, `aws80:${uuidOf("glued")}`],
    lines: [1, 1],
    dress: "plain",
  },
  {
    name: "glued to a word, of a platform that stands in the text by itself",
    text: `${tokenOf("by itself", "na1")}\nin production${tokenOf("glued", "na1")}`,
    values: [tokenOf("by itself", "na1"), `production${tokenOf("glued", "na1")}`, tokenOf("glued", "na1")],
    lines: [1, 2, 2],
    dress: "plain",
  },
  { name: "several, one a line", text: listed.join("\n"), values: listed, lines: [1, 2, 3, 4, 5], dress: "plain" },
  { name: "several, on one line", text: listed.join(","), values: listed, lines: [1, 1, 1, 1, 1], dress: "plain" },
  { name: "several, in JSON", text: JSON.stringify(listed), values: listed, lines: [1, 1, 1, 1, 1], dress: "plain" },
  {
    name: "several, base64 without padding, one a line",
    text: listed64.map(base64).join("\n"),
    values: listed64,
    lines: [1, 2, 3, 4],
    dress: "base64",
  },
  {
    name: "several, base64 of settings, one a line",
    text: listed64.map((value) => base64(`x=${value}`)).join("\r\n"),
    values: listed64,
    lines: [1, 2, 3, 4],
    dress: "base64",
  },
  {
    name: "several, in one block of base64",
    text: `x\n${base64(listed64.join("\n"))}`,
    values: listed64,
    lines: [2, 2, 2, 2],
    dress: "base64",
  },
  {
    name: "one in four dresses",
    text: [other, withColon("%3A")(other), base64(other), other.toUpperCase()].join("\n"),
    values: [other],
    lines: [1],
    dress: "plain",
  },
  {
    name: "base64 before plain",
    text: `${base64(listed[0] as string)}\n${listed[1]}`,
    values: listed.slice(0, 2),
    lines: [1, 2],
    dress: null,
  },
  { name: "short prefix", text: tokenOf("na1", "na1"), values: [tokenOf("na1", "na1")], lines: [1], dress: "plain" },
  {
    name: "long prefix",
    text: `x ${tokenOf("long", "ringcxplatfo2024")}`,
    values: [tokenOf("long", "ringcxplatfo2024")],
    lines: [1],
    dress: "plain",
  },
  {
    name: "wholly in upper case",
    text: tokenOf("upper").toUpperCase(),
    values: [tokenOf("upper")],
    lines: [1],
    dress: "plain",
  },
  {
    name: "UUID in upper case",
    text: `aws80:${uuidOf("upper").toUpperCase()}`,
    values: [tokenOf("upper")],
    lines: [1],
    dress: "plain",
  },
  {
    name: "prefix in mixed case stays",
    text: `Aws80:${uuidOf("mixed")}`,
    values: [tokenOf("mixed", "Aws80")],
    lines: [1],
    dress: "plain",
  },
  {
    name: "prefix broken over lines that are known from elsewhere",
    text: `eu7:${uuidOf("a")} is one.\n${`${"word ".repeat(7)}and e`}\nu7:${uuidOf("b")}`,
    values: [tokenOf("a", "eu7"), tokenOf("b", "eu7")],
    lines: [1, 2],
    dress: null,
  },
  {
    name: "undocumented form, alone",
    text: "acme:Zm9vYmFyMTIzNDU2Nzg5",
    values: ["acme:Zm9vYmFyMTIzNDU2Nzg5"],
    lines: [1],
    dress: "plain",
  },
  {
    name: "undocumented form, with line feeds",
    text: "\n na1:Q29uZmlkZW50aWFs_x.y \r\n",
    values: ["na1:Q29uZmlkZW50aWFs_x.y"],
    lines: [2],
    dress: "plain",
  },
  {
    name: "undocumented form, in UTF-16",
    text: utf16("acme:Zm9vYmFyMTIzNDU2Nzg5"),
    values: ["acme:Zm9vYmFyMTIzNDU2Nzg5"],
    lines: [1],
    dress: "plain",
  },
];

export const foundCases: readonly FoundCase[] = [...single, ...several];

const u = uuidOf("look-alike");
const v = tokenOf("look-alike");
const digits = u.replaceAll("-", "");

/** Near to a token, and none. */
export const lookAlikes: readonly QuietCase[] = Object.entries({
  "bare UUID": u,
  "bare UUID in JSON": `{"id":"${u}"}`,
  "urn:uuid": `urn:uuid:${u}`,
  "uuid:": `uuid:${u}`,
  "id:": `{id:${u}}`,
  "trace_id:": `trace_id:${u} x`,
  "request-id:": `request-id:${u}`,
  "UUID with its version": `uuid4:${u} guid2:${u}`,
  "header of a trace": `X-Request-Id: ${u}`,
  traceparent: `traceparent: 00-${digits}-${digits.slice(0, 16)}-01`,
  "sha256 digest": `sha256:${digits}${digits}`,
  "sha1 and md5": `sha1:${digits}aabbccdd md5:${digits}`,
  "image with a digest": `registry.example.com/app@sha256:${digits}${digits}`,
  "UUID without dashes": `aws80:${digits}`,
  "one digit less": `x ${v.slice(0, -1)} x`,
  "one digit more": `x ${v}0 x`,
  "one digit more in front": `x aws80:0${u} x`,
  "a letter behind": `x ${v}g x`,
  "a further group": `x ${v}-1234 x`,
  "wrong grouping": `x aws80:${u.slice(0, 9)}${u.slice(10)} x`,
  "groups in another order": `x aws80:${u.slice(24)}-${u.slice(0, 23)} x`,
  "a letter that is no digit": `x ${v.slice(0, -1)}g x`,
  "underscores for dashes": `x ${v.replaceAll("-", "_")} x`,
  "longer word with a dash": `x request-${v} x`,
  "longer word with an underscore": `x job_${v} x`,
  "digits before the prefix": `x 7${v} x`,
  "letters behind the prefix's digits": `x aws80x:${u} x`,
  "prefix too long": `x ringcxplatform80:${u} x`,
  "prefix without digits": `x aws:${u} x`,
  "prefix without letters": `x 80:${u} x`,
  "prefix with too many digits": `x aws12345:${u} x`,
  "no prefix": `x :${u} x`,
  "blank behind the colon": `x aws80: ${u} x`,
  "blank before the colon": `x aws80 :${u} x`,
  "two colons": `x aws80::${u} x`,
  "another sign than a colon": `x aws80;${u} aws80=${u} aws80/${u} aws80.${u} x`,
  "key and value": JSON.stringify({ aws80: u }),
  property: `{ aws80: "${u}" }`,
  "YAML list under a name": `node12:\n  - ${u}\n`,
  "masked with an ellipsis": `aws80:…${u.slice(-4)}`,
  "masked with full stops": `aws80:...${u.slice(-4)}`,
  "masked with asterisks": `x aws80:********-****-****-****-********${u.slice(-4)} x`,
  "masked in part": `x aws80:${u.slice(0, 9)}****-****-****-************ x`,
  "masked with x": `x aws80:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx x`,
  cut: `x aws80:${u.slice(0, 20)} x`,
  "cut at a line's end": `x aws80:${u.slice(0, 20)}\nnothing of it here`,
  "cut by an ellipsis": `x aws80:${u.slice(0, 20)}…`,
  "cut token alone": v.slice(0, -1),
  "masked token alone": "aws80:********c0a9",
  "digest alone": `sha256:${digits}${digits}`,
  "digest in base64 alone": "sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
  "UUID with a name alone": `trace_id:${u}`,
  "URN alone": "urn:isbn:0451450523",
  "address alone": "https://x.example.com/a?b=c",
  "address with a port alone": "localhost:3000",
  "host with a port and a path alone": "db.example.com:5432/app",
  "mail address alone": "mailto:ana@example.com",
  "bare word alone": "administrator",
  "sentence with a colon": "note: see above",
  "time alone": "12:34:56.789",
  "IPv6 alone": "fe80::1ff:fe23:4567:890a",
  "MAC address alone": "02:42:ac:11:00:02",
  "Windows path alone": "C:\\Users\\ana\\token.txt",
  "code alone": 'console.log("a:b")',
  "ISO timestamps": "2026-11-23T18:34:05.123Z 2026-11-23T18:34:05+02:00 20261123T183405Z",
  "MAC addresses": "x 02:42:ac:11:00:02 02-42-ac-11-00-02 x",
  "IPv6 addresses": "x 2001:db8:85a3::8a2e:370:7334 [fe80::1%eth0]:8080 x",
  "Java object": "com.example.Token@1f8b0800:c2353445",
  "base64 of a bare UUID": base64(`id ${u}`),
  "base64 of a look-alike": base64(`x request-${v}`),
  "hexadecimal digits of a bare UUID": Buffer.from(`the id is ${u}`).toString("hex"),
  "gzip of a bare UUID": base64(gzipSync(`trace_id:${u}`)),
  "percent-encoded bare UUID": `id%3A${u}`,
  "wrapped bare UUIDs": `${u}\n${u}\n${u}`,
  "diff of bare UUIDs": `-id:${u}\n+id:${u}`,
  "bare UUID in the environment of a process": `A=aws80\0:${u}\0B=2\0`,
  "string of a memory dump before a bare UUID": `aws80\0${u}\0`,
  "bytes of a bare UUID": JSON.stringify([...Buffer.from(`the id is ${u}`)]),
  "numbers that are no bytes": JSON.stringify([...Buffer.from(`aws80:${u}`)].map((byte) => byte + 300)),
  "cut in a table": `| aws80:${u.slice(0, 20)} |\n| next cell |`,
  "cell under a cell": `| aws80: |\n| ${u} |`,
}).map(([name, text]) => ({ name, text }));

/** Nothing like a token in it. */
export const quietCases: readonly QuietCase[] = Object.entries<string | Uint8Array>({
  nothing: "",
  blanks: " \n\t\r\n ",
  prose: prose.repeat(5),
  "one character": ":",
  colons: ":::::",
  JSON: '{"a":"b","c":[1,2,{"d":"e:f"}]}',
  code: "for (const a of b) { c[a] ??= d ? e : f; } // g: h\n",
  "percent signs": "100% of 50%% %zz %25%25%2",
  backslashes: "\\\\\\u \\x \\u{zz} \\",
  entities: "&; &#; &#x; &amp;amp;amp; &colon &#99999999;",
  "equals signs": "a==b =\n==3 =3",
  "colour codes": "\x1b[31m\x1b[ \x1b \x1b]0;title\x07 \\e[",
  "base64 of prose": base64(prose),
  "base64 of noise": base64(createHash("sha512").update("noise").digest()),
  "not base64 although it looks so": "A".repeat(400),
  "beginning of a gzip file": Uint8Array.of(0x1f, 0x8b, 8),
  "gzip that is none": `H4sI${"A".repeat(80)}`,
  "zlib that is none": `eJw${"A".repeat(81)}`,
  "empty gzip file": gzipSync(""),
  "mark of UTF-16 alone": Uint8Array.of(0xff, 0xfe),
  "half a character of UTF-16": Uint8Array.of(0xff, 0xfe, 0x41),
  "lone surrogates": "a\ud800:\udc00 b",
  "bytes that are no text": Uint8Array.from({ length: 512 }, (_, n) => (n * 151) & 255),
  "numbers in a table": "10 20 30 40\n50 60 70 80\n00000000: 10 20\n",
}).map(([name, text]) => ({ name, text }));
