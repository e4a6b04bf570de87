import "server-only";
import { documentedTokenValue } from "@/lib/ringcx/schemas";

/**
 * The same for all writings of one token. Of the form that the vendor documents they are many: in any case, and in
 * quotes, as some gateways send a JSON string. Any other value is what it is, to the letter.
 */
export function sameness(value: string): string {
  const bare = unquoted(value);
  return documentedTokenValue.test(bare) ? bare.toLowerCase() : value;
}

/** A value that a list shows, as it can be sent: documented ones without quotes. */
export function unquoted(value: string): string {
  const [, inner = ""] = /^"(.*)"$/.exec(value) ?? [];
  return documentedTokenValue.test(inner) ? inner : value;
}
