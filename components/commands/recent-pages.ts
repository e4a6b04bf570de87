"use client";

import { usePathname, useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import { commandsTexts } from "@/lib/texts/commands";

const texts = commandsTexts.recent;

/** `kind`: what a page is that has a name of its own, such as a token's. */
export type RecentPage = { href: string; path: string; name: string; kind: string | null };

const most = 6;

/** The pages of this visit, newest first, the present one among them. They stand in memory and end with the page. */
export function useRecentPages(): readonly RecentPage[] {
  const path = usePathname();
  const search = useSearchParams().toString();
  const [pages, setPages] = useState<readonly RecentPage[]>([]);

  useEffect(() => {
    const href = search === "" ? path : `${path}?${search}`;
    function note(): boolean {
      const name = document.querySelector("main h1:not([role=status] *)")?.textContent?.trim();
      if (!name) return false;
      setPages((before) =>
        [{ href, path, name, kind: kindOf(path) }, ...before.filter((page) => page.path !== path)].slice(0, most),
      );
      return true;
    }
    if (note()) return;
    // Its heading comes with what is still on its way.
    const observer = new MutationObserver(() => note() && observer.disconnect());
    observer.observe(document.querySelector("main") ?? document.body, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, [path, search]);

  return pages;
}

function kindOf(path: string): string | null {
  return /^\/tokens\/./.test(path) ? texts.token : /^\/incident\/./.test(path) ? texts.report : null;
}
