"use client";

import { Search, X } from "lucide-react";
import { type ChangeEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { useSearchKey } from "@/components/commands/shortcuts";
import { TextInput } from "@/components/ui/field";
import { Keys } from "@/components/ui/key";
import { tokensTexts } from "@/lib/texts/tokens";
import { searchText } from "@/lib/tokens/schema";

const texts = tokensTexts.search;

const debounce = 250;

type TokenSearch = {
  /** Names the box. */
  label: string;
  /** What the address says. */
  q: string;
  onSearch: (q: string) => void;
};

/**
 * A search that stands in the address, and so never holds a token value: the box, and a note for below it that says why
 * what was typed is not what is searched.
 */
export function useTokenSearch({ label, q: current, onSearch }: TokenSearch): { box: ReactNode; note: ReactNode } {
  const input = useRef<HTMLInputElement>(null);
  const searchKey = useSearchKey();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [typed, setTyped] = useState(current);
  const [asked, setAsked] = useState(current);
  const [masked, setMasked] = useState<ReturnType<typeof searchText>["masked"]>(null);

  // The address changed by other means (Back, "Clear filters"): the box follows it.
  if (current !== asked && timer.current === undefined) {
    setAsked(current);
    setTyped(current);
    setMasked(null);
  }

  useEffect(() => () => clearTimeout(timer.current), []);

  function ask(q: string) {
    clearTimeout(timer.current);
    timer.current = undefined;
    setAsked(q);
    if (q !== current) onSearch(q);
  }

  function change(event: ChangeEvent<HTMLInputElement>) {
    const { text, masked } = searchText(event.target.value);
    setTyped(masked === "whole" ? text : event.target.value);
    setMasked(masked);
    clearTimeout(timer.current);
    if (masked !== "part") timer.current = setTimeout(() => ask(text), debounce);
  }

  function clear() {
    setTyped("");
    setMasked(null);
    ask("");
  }

  const box = (
    <div className="relative w-full sm:w-80">
      <Search
        className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-faint"
        aria-hidden="true"
      />
      {/* Not in a form: nothing but the code above may put this text into the address. */}
      <TextInput
        ref={input}
        type="text"
        inputMode="search"
        enterKeyHint="search"
        aria-label={label}
        {...searchKey}
        placeholder={label}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={typed}
        onChange={change}
        onKeyDown={(event) => {
          if (event.key === "Enter" && masked !== "part") ask(searchText(typed).text);
          if (event.key === "Escape" && typed !== "") clear();
        }}
        className="peer pr-8 pl-8"
      />
      {typed === "" ? (
        searchKey["aria-keyshortcuts"] && (
          <span
            className="pointer-events-none absolute top-1/2 right-2 hidden -translate-y-1/2 peer-focus:hidden sm:flex"
            aria-hidden="true"
          >
            <Keys keys={["/"]} />
          </span>
        )
      ) : (
        <button
          type="button"
          aria-label={texts.clear}
          onClick={() => {
            clear();
            input.current?.focus();
          }}
          className="absolute top-1 right-1 flex size-6 items-center justify-center rounded text-faint hover:bg-hover hover:text-ink"
        >
          <X className="size-3.5" aria-hidden="true" />
        </button>
      )}
    </div>
  );
  const note = (
    <p role="status" className="text-dim text-xs not-empty:mt-1.5">
      {masked === "whole" && texts.maskedWhole}
      {masked === "part" && texts.maskedPart}
    </p>
  );
  return { box, note };
}
