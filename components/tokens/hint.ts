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

const secretPart = /[0-9A-Fa-f]{8}-[0-9A-Fa-f]{1,4}[0-9A-Fa-f-]*/;
const wholeSecretPart = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

export type SearchText = { text: string; masked: "whole" | "part" | null };

/** What of a typed text may be searched for, and so stand in the address: never a value, nor most of one. */
export function searchText(typed: string): SearchText {
  const hint = hintOf(typed);
  if (hint) return { text: hint, masked: "whole" };
  const found = secretPart.exec(typed)?.[0];
  if (!found) return { text: typed.trim().slice(0, 200), masked: null };
  return wholeSecretPart.test(found) ? { text: `…${found.slice(-4)}`, masked: "whole" } : { text: "", masked: "part" };
}
