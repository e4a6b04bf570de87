"use client";

import { useSyncExternalStore } from "react";
import type { Zone } from "@/lib/format";

const timesCookie = "tokendesk-times";

const changed = "tokendesk:times";
let chosen: Zone | null = null;

function readZone(): Zone {
  chosen ??= new RegExp(`(?:^|; )${timesCookie}=utc(?:;|$)`).test(document.cookie) ? "utc" : "local";
  return chosen;
}

function subscribe(onChange: () => void): () => void {
  document.addEventListener(changed, onChange);
  return () => document.removeEventListener(changed, onChange);
}

/** Where times are shown. The server, which knows no zone, and the first render say UTC. */
export function useZone(): Zone {
  return useSyncExternalStore(subscribe, readZone, () => "utc");
}

/** Every time on the page at once, and the cookie for the pages that follow. */
export function applyZone(zone: Zone): void {
  chosen = zone;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing on plain http and in Firefox
  document.cookie =
    zone === "local"
      ? `${timesCookie}=; Path=/; Max-Age=0; SameSite=Lax${secure}`
      : `${timesCookie}=utc; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  document.dispatchEvent(new Event(changed));
}
