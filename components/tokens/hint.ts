import { hintOf } from "@/lib/tokens/schema";

/** `aws80:…c0a9` -> `c0a9`. */
export function lastFour(hint: string): string {
  return hint.slice(hint.lastIndexOf("…") + 1);
}

/** Typed or pasted to confirm: the last four, or the whole value of the same token. */
export function confirmsHint(typed: string, hint: string): boolean {
  const text = typed.trim();
  return text.toLowerCase() === lastFour(hint).toLowerCase() || hintOf(text)?.toLowerCase() === hint.toLowerCase();
}
