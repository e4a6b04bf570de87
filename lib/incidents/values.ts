import "server-only";
import { documentedTokenValue } from "@/lib/ringcx/schemas";

/**
 * The same for all writings of one token. Of the form that the vendor documents they are many, in any case. Any other
 * value is what it is, to the letter.
 */
export function sameness(value: string): string {
  return documentedTokenValue.test(value) ? value.toLowerCase() : value;
}
