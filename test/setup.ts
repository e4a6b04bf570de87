/**
 * An unexpected `console.error` fails the test that it happened in. A test that expects one replaces it:
 * `vi.spyOn(console, "error").mockImplementation(() => {})`.
 */
import { format } from "node:util";
import { afterEach } from "vitest";

const printed: string[] = [];
const original = console.error;

console.error = (...args: unknown[]) => {
  printed.push(format(...args));
  original(...args);
};

afterEach(() => {
  const unexpected = printed.splice(0);
  if (unexpected.length > 0) throw new Error(`Unexpected console.error:\n${unexpected.join("\n")}`);
});
