"use client";

import { usePathname, useRouter } from "next/navigation";
import { useCallback, useEffect, useRef, useState } from "react";
import { HelpSheet } from "@/components/commands/help-sheet";
import { Palette } from "@/components/commands/palette";
import { useRecentPages } from "@/components/commands/recent-pages";
import { ask, askNextPage, connectionSwitcher, useRequest } from "@/components/commands/requests";
import { isApple, isTyping, overlaid, searchField, shortcutsOn } from "@/components/commands/shortcuts";
import type { Person } from "@/components/shell/person";
import { placesOf } from "@/components/shell/places";

/** How long after `g` the second key may come, in milliseconds. */
const sequence = 1_500;

/** The keys of every page, and what they open. Once in the shell. */
export function Commands({ role }: { role: Person["role"] }) {
  const router = useRouter();
  const pathname = usePathname();
  const recent = useRecentPages();
  const [open, setOpen] = useState<"palette" | "shortcuts" | null>(null);
  const opener = useRef<Element | null>(null);

  const show = useCallback((what: "palette" | "shortcuts") => {
    if (overlaid()) return;
    opener.current = document.activeElement;
    setOpen(what);
  }, []);
  const close = useCallback(() => setOpen(null), []);
  const returnFocus = useCallback(() => {
    const target = opener.current;
    if (target instanceof HTMLElement && target.isConnected && target !== document.body) target.focus();
  }, []);
  useRequest("palette", () => show("palette"));
  useRequest("shortcuts", () => show("shortcuts"));

  useEffect(() => {
    if (pathname !== "/tokens") askNextPage(null);
  }, [pathname]);

  useEffect(() => {
    let wentAt = Number.NEGATIVE_INFINITY;
    const keys: Record<string, () => boolean> = {
      "?": () => {
        show("shortcuts");
        return true;
      },
      "/": () => {
        const field = searchField();
        field?.focus();
        if (field instanceof HTMLInputElement) field.select();
        return field !== null;
      },
      n: () => ask("new-token"),
      c: () => {
        const open = connectionSwitcher()?.open ?? null;
        open?.();
        return open !== null;
      },
    };
    function press(event: KeyboardEvent) {
      if (event.defaultPrevented || event.repeat || event.isComposing) return;
      const { key, ctrlKey, metaKey, altKey, shiftKey, timeStamp } = event;
      const commanded = isApple() ? metaKey && !ctrlKey : ctrlKey && !metaKey;
      if (commanded && !altKey && !shiftKey && key.toLowerCase() === "k") {
        if (overlaid()) return;
        event.preventDefault();
        show("palette");
        return;
      }
      if (ctrlKey || metaKey || altKey || !shortcutsOn() || isTyping(event) || overlaid()) return;
      const going = timeStamp - wentAt < sequence;
      wentAt = Number.NEGATIVE_INFINITY;
      if (going) {
        const place = placesOf(role).find((one) => one.key === key);
        if (!place) return;
        event.preventDefault();
        router.push(place.href);
      } else if (key === "g") {
        wentAt = timeStamp;
      } else if (Object.hasOwn(keys, key) && keys[key]?.()) {
        event.preventDefault();
      }
    }
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [role, router, show]);

  return (
    <>
      {open === "palette" && (
        <Palette role={role} here={pathname} recent={recent} onClose={close} returnFocus={returnFocus} />
      )}
      {open === "shortcuts" && <HelpSheet role={role} onClose={close} returnFocus={returnFocus} />}
    </>
  );
}
