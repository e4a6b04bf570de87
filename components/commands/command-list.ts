"use client";

import {
  Bookmark,
  Clock,
  Globe,
  Keyboard,
  Link2,
  LogOut,
  type LucideIcon,
  Moon,
  Plus,
  Search,
  Siren,
  Sun,
  SunMoon,
  Unplug,
} from "lucide-react";
import { useRouter } from "next/navigation";
import { useCallback, useMemo, useState } from "react";
import type { RecentPage } from "@/components/commands/recent-pages";
import { ask, askNextPage, connectionSwitcher } from "@/components/commands/requests";
import type { Person } from "@/components/shell/person";
import { placesOf } from "@/components/shell/places";
import { useSignOut } from "@/components/shell/sign-out";
import { applyTheme, currentTheme, type Theme } from "@/components/shell/theme";
import { useCopy } from "@/components/ui/copy-button";
import { applyZone, useZone } from "@/components/ui/zone";
import { describeQuery, savedViews } from "@/components/views/saved-views";
import { parseTeamQuery, teamQueryString } from "@/lib/team/schema";
import { parseTokenQuery, tokenQueryString } from "@/lib/tokens/schema";

export type Command = {
  /** One of its kind in the palette. */
  id: string;
  name: string;
  /** Stands beside the name, quietly. */
  detail?: string;
  /** What else somebody may call it. */
  words?: string;
  group: "Recent" | "Pages" | "Actions" | "Connections" | "Saved views" | "Settings" | "Search";
  icon: LucideIcon;
  /** The keys that do the same without the palette. */
  keys?: readonly string[];
  run: () => void;
};

type Asked = { role: Person["role"]; here: string; recent: readonly RecentPage[] };

/** What the palette offers; `searches` are for what was typed, which holds no token value. */
export function useCommands({ role, here, recent }: Asked): {
  commands: Command[];
  searches: (text: string) => Command[];
} {
  const router = useRouter();
  const copy = useCopy();
  const zone = useZone();
  const { leave } = useSignOut();
  // As they are when the palette opens.
  const [switcher] = useState(connectionSwitcher);
  const [views] = useState(savedViews);
  const [theme] = useState(currentTheme);

  const commands = useMemo(() => {
    const go = (href: string) => () => router.push(href);
    const all: Command[] = [];
    for (const page of recent.filter(({ path }) => path !== here).slice(0, 4)) {
      const search = page.href.slice(page.path.length);
      const detail = page.kind ?? (search === "" ? null : describeQuery(search));
      all.push({
        ...{ id: `recent-${page.path.replaceAll(/[^\w-]/g, "-")}`, name: page.name, group: "Recent" },
        ...(detail === null ? {} : { detail }),
        ...{ icon: Clock, words: "recent", run: go(page.href) },
      });
    }
    const actions: Command[] = [
      {
        ...{ id: "new-token", name: "New token", words: "create add", group: "Actions", icon: Plus, keys: ["n"] },
        run: () => {
          if (ask("new-token")) return;
          askNextPage("new-token");
          router.push("/tokens");
        },
      },
      {
        ...{ id: "scan", name: "Scan a text for tokens", words: "leak paste incident desk", group: "Actions" },
        ...{ icon: Siren, run: go("/incident") },
      },
      {
        ...{ id: "copy-link", name: "Copy link to this view", words: "share address url", group: "Actions" },
        ...{ icon: Link2, run: () => void copy(location.href, "the link to this view") },
      },
    ];
    all.push(...actions);
    for (const { href, name, icon, key, words } of placesOf(role)) {
      all.push({
        id: `page${href.replace("/", "-")}`,
        name,
        words,
        group: "Pages",
        icon,
        keys: ["g", key],
        run: go(href),
      });
    }
    for (const [index, view] of (views ?? []).entries()) {
      all.push({
        ...{ id: `view-${index}`, name: view.name, group: "Saved views", icon: Bookmark, words: "view" },
        ...{ detail: view.page === "/tokens" ? "Tokens" : "Audit log", run: go(`${view.page}${view.query}`) },
      });
    }
    if (switcher) {
      for (const { id, name } of switcher.choices.filter(({ active }) => !active)) {
        all.push({
          ...{ id: `connection-${id.replaceAll(/[^\w-]/g, "-")}`, name: `Switch to ${name}`, words: "connection" },
          ...{ group: "Connections", icon: Unplug, run: () => switcher.onSwitch(id) },
        });
      }
      if (switcher.open) {
        all.push({
          ...{ id: "connections", name: "Connections", words: "switch", group: "Connections", icon: Unplug },
          ...{ keys: ["c"], run: switcher.open },
        });
      }
    }
    for (const [wanted, name, icon] of themes) {
      if (wanted === theme) continue;
      all.push({
        ...{ id: `theme-${wanted}`, name, words: "appearance colours", group: "Settings", icon },
        run: () => applyTheme(wanted),
      });
    }
    const other = zone === "utc" ? "local" : "utc";
    all.push(
      {
        ...{ id: "times", name: other === "utc" ? "Times in UTC" : "Times in your own zone", words: "timezone clock" },
        ...{ group: "Settings", icon: Globe, run: () => applyZone(other) },
      },
      {
        ...{ id: "shortcuts", name: "Keyboard shortcuts", words: "help keys", group: "Settings", icon: Keyboard },
        ...{ keys: ["?"], run: () => void ask("shortcuts") },
      },
      {
        ...{ id: "sign-out", name: "Sign out", words: "log out leave", group: "Settings", icon: LogOut },
        run: () => void leave(),
      },
    );
    return all;
  }, [role, here, recent, router, copy, zone, leave, switcher, views, theme]);

  const searches = useCallback(
    (q: string): Command[] => {
      const search = { group: "Search", icon: Search } as const;
      const tokens = `/tokens${tokenQueryString(parseTokenQuery({ q }))}`;
      const team = `/team${teamQueryString(parseTeamQuery({ q }))}`;
      return [
        { ...search, id: "search-tokens", name: `Search tokens for “${q}”`, run: () => router.push(tokens) },
        ...(role === "member"
          ? []
          : [{ ...search, id: "search-team", name: `Search team tokens for “${q}”`, run: () => router.push(team) }]),
      ];
    },
    [role, router],
  );

  return { commands, searches };
}

const themes: [Theme, string, LucideIcon][] = [
  ["light", "Theme: light", Sun],
  ["dark", "Theme: dark", Moon],
  ["system", "Theme: as the system", SunMoon],
];
