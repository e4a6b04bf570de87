import { Fragment, type ReactNode } from "react";

/** The names that stand in braces; any where the text is not known to the compiler. */
type SlotsOf<T extends string> = string extends T
  ? string
  : T extends `${string}{${infer Name}}${infer Rest}`
    ? Name | SlotsOf<Rest>
    : never;

type RichTextProps<T extends string> = { text: T; slots: { [Name in SlotsOf<T>]: ReactNode } };

/** A sentence with markup in it: `{name}` in the text becomes the slot of that name, in the order of the language. */
export function RichText<const T extends string>({ text, slots }: RichTextProps<T>): ReactNode {
  return text.split(/\{(\w+)\}/).map((part, index) => {
    if (index % 2 === 0) return part;
    if (!Object.hasOwn(slots, part)) throw new Error(`No slot for {${part}}`);
    // biome-ignore lint/suspicious/noArrayIndexKey: a text may have the same slot twice, and nothing moves in it
    return <Fragment key={index}>{slots[part as SlotsOf<T>]}</Fragment>;
  });
}
