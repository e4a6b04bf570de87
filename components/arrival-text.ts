/** What went wrong with a sign-in that led over another site, by the word that its way back carries. */

import { signInTexts } from "@/lib/texts/sign-in";

type Text = { title: string; detail: string };

const texts: Record<string, Text> = signInTexts.arrival.problems;

/** Of a word that is not known nothing is shown: it comes from the address. */
export function arrivalText(word: string): Text {
  return (Object.hasOwn(texts, word) ? texts[word] : undefined) ?? signInTexts.arrival.general;
}
