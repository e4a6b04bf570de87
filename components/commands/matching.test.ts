import { describe, expect, test } from "vitest";
import { matching } from "@/components/commands/matching";

const commands = [
  { name: "Overview", words: "home" },
  { name: "Incident" },
  { name: "Tokens", words: "list inventory" },
  { name: "Audit log", words: "events history" },
  { name: "New token", words: "create" },
  { name: "Scan a text for tokens", words: "incident leak paste" },
  { name: "Theme: dark", words: "appearance" },
  { name: "Zoë's view" },
];
const found = (typed: string) => matching(commands, typed).map(({ name }) => name);

describe("what is typed finds commands", () => {
  test.each([
    ["by the beginning of any word", "tok", ["Tokens", "New token", "Scan a text for tokens"]],
    ["by its own beginning before that of a later word", "token", ["Tokens", "New token", "Scan a text for tokens"]],
    ["by several words in any order", "log aud", ["Audit log"]],
    ["by first letters", "nt", ["New token"]],
    ["by another word for it, after those of that name", "inc", ["Incident", "Scan a text for tokens"]],
    ["whatever the case and the accents", "ZOE", ["Zoë's view"]],
    ["with marks between the words", "theme dark", ["Theme: dark"]],
    ["not by the middle of a word", "ken", []],
    ["not when one of the words is nowhere", "new view", []],
  ])("%s", (_, typed, names) => {
    expect(found(typed)).toEqual(names);
  });

  test("nothing typed finds everything, in its order", () => {
    expect(found("  ")).toEqual(commands.map(({ name }) => name));
  });
});
