import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { literalTexts } from "@/test/literal-texts";

const read = (file: string) => readFileSync(file, "utf8");

/** Names, which no language changes. */
const proper = new Set([
  ...["Android", "Linux", "Windows"],
  ...["Chrome", "Edge", "Firefox", "Mozilla", "Opera", "Safari", "Samsung Internet"],
  "JSON Lines",
]);

const files = globSync("{app,components}/**/*.{ts,tsx}").filter(
  (file) => !/\.test\.tsx?$/.test(file) && !file.startsWith("app/api/"),
);

function textsIn(file: string): string[] {
  return literalTexts(read(file))
    .filter(({ text }) => !proper.has(text))
    .map(({ text, line }) => `${file}:${line} ${text}`);
}

describe("the texts of the product", () => {
  test("stand in lib/texts, not in the code that shows them", () => {
    expect(files.length).toBeGreaterThan(150);
    expect(files.flatMap(textsIn)).toEqual([]);
  });

  test("are one constant for each file, which is named after it", () => {
    const areas = globSync("lib/texts/*");
    expect(areas.length).toBeGreaterThan(10);
    for (const area of areas) {
      expect(area).toMatch(/^lib\/texts\/[a-z]+(-[a-z]+)*\.ts$/);
      const name = basename(area, ".ts").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      expect(read(area).match(/^export .*/gm)).toEqual([`export const ${name}Texts = {`]);
    }
  });
});

const found = (source: string) => literalTexts(source).map(({ text, line }) => `${line} ${text}`);

describe("a text in the code is found", () => {
  test.each([
    ["between tags", "const a = <p>\n  Nothing\n  here\n</p>;", ["1 Nothing here"]],
    ["between tags, in any case", "const a = <p>{count} of {all}</p>;", ["1 of"]],
    ["as what an expression comes to", 'const a = <b>{past ? "hide" : show || "show"}</b>;', ["1 hide", "1 show"]],
    ["in a template", `const a = <b>{\`\${count} more\`}</b>;`, ["1 … more"]],
    ["in an attribute that is said", '\nconst a = <nav aria-label="Pages" />;', ["2 Pages"]],
    ["in an attribute, without a capital", 'const a = <Copy what="the summary" />;', ["1 the summary"]],
    ["in an attribute, computed", 'const a = <Field help={open ? "Not yet" : null} />;', ["1 Not yet"]],
    ["in a toast", 'toast({ title: "Order cancelled", detail: name });', ["1 Order cancelled"]],
    ["in a plural", 'const a = plural(count, "token");', ["1 token"]],
    ["in a list of headings", 'const a = [["Time", "w-44"]];', ["1 Time"]],
    ["anywhere, when it is a sentence", 'const a = "RingCX did not answer";', ["1 RingCX did not answer"]],
    ["anywhere, when it begins like one", `const a = \`Copied \${what}\`;`, ["1 Copied …"]],
    ["anywhere, in an argument", 'f("What you typed stays here.");', ["1 What you typed stays here."]],
    ["after letters of more than one byte", 'const a = "…é";\nconst b = "Two words";', ["2 Two words"]],
  ])("%s", (_, source, texts) => expect(found(source)).toEqual(texts));

  test.each([
    ["what is for machines", 'const a = <input name="password" type="text" className="flex gap-2 text-dim" />;'],
    ["a code", 'const a = { title: failure.title, name: "token_not_found", text: texts.nothing };'],
    ["a variable of the environment", 'const a = <Variable name="NOTIFY_WEBHOOKS" />;'],
    ["a key of the keyboard", 'if (key === "Escape" || types.includes("Files")) close();'],
    ["a mistake in the code", 'throw new Error("No slot for it");'],
    ["a type", 'type Zone = "Local" | "Utc";'],
    ["what stands between texts", 'const a = <p>{first}–{last}, {"\\n"}</p>;'],
  ])("not %s", (_, source) => expect(found(source)).toEqual([]));
});
