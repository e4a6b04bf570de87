"use client";

import { useSyncExternalStore } from "react";
import { z } from "zod";
import { viewsTexts } from "@/lib/texts/views";
import { holdsSecret, searchText } from "@/lib/tokens/schema";

const texts = viewsTexts.saved;

const kept = "tokendesk-views";
const changed = "tokendesk:views";
const most = 50;
export const longestName = 60;

const viewSchema = z.object({
  page: z.enum(["/tokens", "/audit"]),
  name: z.string().min(1).max(longestName),
  /** The filters, as they stand in the address: `?q=ivr`; empty: none. */
  query: z
    .string()
    .max(1_000)
    .regex(/^(?:\?.*)?$/),
});

/** A name and a query string, no more: nothing of a token is kept. */
export type SavedView = z.infer<typeof viewSchema>;
export type ViewPage = SavedView["page"];

const none: readonly SavedView[] = [];
let read: { text: string | null; views: readonly SavedView[] } = { text: null, views: none };

/** Null: this browser keeps nothing for the site. */
export function savedViews(): readonly SavedView[] | null {
  try {
    const text = localStorage.getItem(kept);
    if (text !== read.text) read = { text, views: parse(text) };
    return read.views;
  } catch {
    return null;
  }
}

function parse(text: string | null): readonly SavedView[] {
  try {
    const kept = z.array(z.unknown()).parse(JSON.parse(text ?? "[]"));
    // One that makes no sense does not take the others with it.
    return kept.flatMap((view) => viewSchema.safeParse(view).data ?? []).slice(0, most);
  } catch {
    return none;
  }
}

function write(views: readonly SavedView[]): boolean {
  try {
    if (views.length === 0) localStorage.removeItem(kept);
    else localStorage.setItem(kept, JSON.stringify(views.map((view) => viewSchema.parse(view))));
    document.dispatchEvent(new Event(changed));
    return true;
  } catch {
    return false;
  }
}

function subscribe(onChange: () => void): () => void {
  document.addEventListener(changed, onChange);
  // Another tab.
  window.addEventListener("storage", onChange);
  return () => {
    document.removeEventListener(changed, onChange);
    window.removeEventListener("storage", onChange);
  };
}

/** Those of one page, by name. Null: this browser keeps nothing for the site. */
export function useSavedViews(page: ViewPage): readonly SavedView[] | null {
  const views = useSyncExternalStore(subscribe, savedViews, () => none);
  return (
    views?.filter((view) => view.page === page).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })) ??
    null
  );
}

/** Null: it is saved. Else why not, as a sentence. */
export function saveView({ page, name, query }: SavedView): string | null {
  const views = savedViews();
  if (views === null) return storageOff;
  const refused = refusalOf(page, name, views);
  if (refused !== null) return refused;
  if ([...new URLSearchParams(query).values()].some(looksSecret)) {
    return texts.secretSearch;
  }
  if (views.length >= most) return texts.tooMany(most);
  return write([...views, { page, name: name.trim(), query }]) ? null : storageOff;
}

/** Null: it has the new name. Else why not, as a sentence. */
export function renameView(view: SavedView, name: string): string | null {
  const views = savedViews();
  if (views === null) return storageOff;
  const others = views.filter((one) => !same(one, view));
  const refused = refusalOf(view.page, name, others);
  if (refused !== null) return refused;
  return write([...others, { ...view, name: name.trim() }]) ? null : storageOff;
}

/** Null: it is gone. Else why not, as a sentence. */
export function deleteView(view: SavedView): string | null {
  const views = savedViews();
  return views !== null && write(views.filter((one) => !same(one, view))) ? null : storageOff;
}

const storageOff = texts.storageOff;

function refusalOf(page: ViewPage, name: string, views: readonly SavedView[]): string | null {
  const wanted = name.trim();
  if (wanted === "") return texts.noName;
  if (wanted.length > longestName) return texts.longName(longestName);
  if (looksSecret(wanted)) return texts.secretName;
  const taken = views.some((view) => view.page === page && view.name.toLowerCase() === wanted.toLowerCase());
  return taken ? texts.taken : null;
}

function looksSecret(text: string): boolean {
  return holdsSecret(text) || searchText(text).masked !== null;
}

function same(one: SavedView, other: SavedView): boolean {
  return one.page === other.page && one.name === other.name;
}

const names: Record<string, string> = texts.parameters;

/** What a query asks for, for people: `Search ivr, State due`. */
export function describeQuery(query: string): string {
  const parts = [...new URLSearchParams(query)].map(([name, value]) => texts.parameter(names[name] ?? name, value));
  return parts.length === 0 ? texts.everything : parts.join(", ");
}

/** The address of a view, for others. In the browser. */
export function linkTo(page: ViewPage, query: string): string {
  return `${location.origin}${page}${query}`;
}
