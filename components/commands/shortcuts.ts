"use client";

import { useSyncExternalStore } from "react";
import { useHydrated } from "@/components/ui/hydrated";
import { commandsTexts } from "@/lib/texts/commands";

const texts = commandsTexts.keys;

const kept = "tokendesk-shortcuts";
const changed = "tokendesk:shortcuts";
let on: boolean | null = null;

/** Whether single keys do something. */
export function shortcutsOn(): boolean {
  if (on === null) {
    try {
      on = localStorage.getItem(kept) !== "off";
    } catch {
      on = true;
    }
  }
  return on;
}

/** False: they are so until the page is loaded again, because this browser keeps nothing for the site. */
export function setShortcuts(wanted: boolean): boolean {
  on = wanted;
  document.dispatchEvent(new Event(changed));
  try {
    if (wanted) localStorage.removeItem(kept);
    else localStorage.setItem(kept, "off");
    return true;
  } catch {
    return false;
  }
}

function subscribe(onChange: () => void): () => void {
  document.addEventListener(changed, onChange);
  return () => document.removeEventListener(changed, onChange);
}

export function useShortcutsOn(): boolean {
  return useSyncExternalStore(subscribe, shortcutsOn, () => true);
}

/** Marks the field that `/` leads to. */
export function useSearchKey(): { "aria-keyshortcuts"?: "/"; "data-search-key": true } {
  return useShortcutsOn() ? { "aria-keyshortcuts": "/", "data-search-key": true } : { "data-search-key": true };
}

export function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}

/** `⌘` or `Ctrl`. The server cannot know. */
export function useModifier(): string {
  return useHydrated() && isApple() ? "⌘" : texts.control;
}

const textField = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select";
const overlay = "[role=dialog], [role=alertdialog], [role=menu]";

/** Something lies above the page and has the keys to itself. */
export function overlaid(): boolean {
  return document.querySelector(overlay) !== null;
}

/** Whether a key belongs to what has the focus: a field that one types into, or an editable text. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return (
    event.isComposing ||
    (target instanceof Element &&
      target.closest(`${textField}, [contenteditable]:not([contenteditable=false]), [role=textbox], [role=listbox]`) !==
        null)
  );
}

/** The field that a search is typed into, when the page has one that can be seen. */
export function searchField(): HTMLElement | null {
  const fields = document.querySelectorAll<HTMLElement>("main [data-search-key]");
  return [...fields].find((field) => field.checkVisibility()) ?? null;
}
