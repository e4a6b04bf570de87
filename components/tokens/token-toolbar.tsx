"use client";

import { Search, X } from "lucide-react";
import { type ChangeEvent, useEffect, useRef, useState } from "react";
import { controlClass, Select } from "@/components/ui/field";
import { searchText, type TokenQuery } from "@/lib/tokens/schema";

const debounce = 250;

const sorts = [
  ["firstSeen desc", "Newest first seen"],
  ["firstSeen asc", "Oldest first seen"],
  ["label asc", "Label, A to Z"],
  ["label desc", "Label, Z to A"],
  ["rotateBy asc", "Rotate by, soonest"],
  ["environment asc", "Environment"],
  ["hint asc", "Token"],
] as const;

type TokenToolbarProps = {
  query: TokenQuery;
  environments: string[];
  onQuery: (patch: Partial<TokenQuery>) => void;
};

export function TokenToolbar({ query, environments, onQuery }: TokenToolbarProps) {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [typed, setTyped] = useState(query.q);
  const [asked, setAsked] = useState(query.q);
  const [masked, setMasked] = useState<"whole" | "part" | null>(null);

  // The address changed by other means (Back, "Clear filters"): the box follows it.
  if (query.q !== asked && timer.current === undefined) {
    setAsked(query.q);
    setTyped(query.q);
    setMasked(null);
  }

  useEffect(() => {
    const focusSearch = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu]")) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener("keydown", focusSearch);
    return () => {
      document.removeEventListener("keydown", focusSearch);
      clearTimeout(timer.current);
    };
  }, []);

  function ask(q: string) {
    clearTimeout(timer.current);
    timer.current = undefined;
    setAsked(q);
    if (q !== query.q) onQuery({ q, page: 1 });
  }

  function change(event: ChangeEvent<HTMLInputElement>) {
    const { text, masked } = searchText(event.target.value);
    setTyped(masked === "whole" ? text : event.target.value);
    setMasked(masked);
    clearTimeout(timer.current);
    if (masked !== "part") timer.current = setTimeout(() => ask(text), debounce);
  }

  return (
    <search className="mb-3 block">
      <div className="flex flex-wrap items-center gap-2">
        <div className="relative w-full sm:w-80">
          <Search
            className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-faint"
            aria-hidden="true"
          />
          {/* Not in a form: nothing but the code above may put this text into the address. */}
          <input
            ref={input}
            type="text"
            inputMode="search"
            enterKeyHint="search"
            aria-label="Search tokens"
            aria-keyshortcuts="/"
            placeholder="Search tokens"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={typed}
            onChange={change}
            onKeyDown={(event) => {
              if (event.key === "Enter" && masked !== "part") ask(searchText(typed).text);
              if (event.key === "Escape" && typed !== "") {
                setTyped("");
                setMasked(null);
                ask("");
              }
            }}
            className={`${controlClass} peer h-8 pr-8 pl-8`}
          />
          {typed === "" ? (
            <span
              className="pointer-events-none absolute top-1/2 right-2 hidden h-5 -translate-y-1/2 items-center rounded border border-line bg-sunken px-1.5 font-sans text-2xs text-faint peer-focus:hidden sm:flex"
              aria-hidden="true"
            >
              /
            </span>
          ) : (
            <button
              type="button"
              aria-label="Clear search"
              onClick={() => {
                setTyped("");
                setMasked(null);
                ask("");
                input.current?.focus();
              }}
              className="absolute top-1 right-1 flex size-6 items-center justify-center rounded text-faint hover:bg-hover hover:text-ink"
            >
              <X className="size-3.5" aria-hidden="true" />
            </button>
          )}
        </div>
        <Select
          aria-label="Show tokens of"
          value={query.environment ?? ""}
          onChange={(event) => onQuery({ environment: event.target.value || null, page: 1 })}
          className="w-[calc(50%-0.25rem)] sm:w-40"
        >
          <option value="">All environments</option>
          {[...new Set([...environments, ...(query.environment ? [query.environment] : [])])].map((environment) => (
            <option key={environment} value={environment}>
              {environment}
            </option>
          ))}
        </Select>
        <Select
          aria-label="Show tokens that are"
          value={query.labelled ?? ""}
          onChange={(event) => onQuery({ labelled: labelledOf(event.target.value), page: 1 })}
          className="w-[calc(50%-0.25rem)] sm:w-40"
        >
          <option value="">Labelled or not</option>
          <option value="yes">Labelled</option>
          <option value="no">Unlabelled</option>
        </Select>
        <Select
          aria-label="Sort by"
          value={`${query.sort} ${query.order}`}
          onChange={(event) => {
            const [sort, order] = event.target.value.split(" ") as [TokenQuery["sort"], TokenQuery["order"]];
            onQuery({ sort, order, page: 1 });
          }}
          className="w-full sm:w-44 md:hidden"
        >
          {sorts.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </Select>
      </div>
      <p role="status" className="text-dim text-xs not-empty:mt-1.5">
        {masked === "whole" &&
          "That was a token value. The search uses its hint; the value does not go into the address."}
        {masked === "part" &&
          "Part of a token value is not searched, so that it does not go into the address. Type the last four, or paste the whole value."}
      </p>
    </search>
  );
}

function labelledOf(value: string): TokenQuery["labelled"] {
  return value === "yes" || value === "no" ? value : null;
}
