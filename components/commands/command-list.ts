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
import { commandsTexts } from "@/lib/texts/commands";
import { parseTokenQuery, tokenQueryString } from "@/lib/tokens/schema";

const texts = commandsTexts.list;

export type Command = {
  /** One of its kind in the palette. */
  id: string;
  name: string;
  /** Stands beside the name, quietly. */
  detail?: string;
  /** What else somebody may call it. */
  words?: string;
  group: keyof typeof texts.groups;
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
        ...{ id: `recent-${page.path.replaceAll(/[^\w-]/g, "-")}`, name: page.name, group: "recent" },
        ...(detail === null ? {} : { detail }),
        ...{ icon: Clock, words: texts.recentWords, run: go(page.href) },
      });
    }
    const actions: Command[] = [
      {
        ...{
          id: "new-token",
          name: texts.newToken.name,
          words: texts.newToken.words,
          group: "actions",
          icon: Plus,
          keys: ["n"],
        },
        run: () => {
          if (ask("new-token")) return;
          askNextPage("new-token");
          router.push("/tokens");
        },
      },
      {
        ...{ id: "scan", name: texts.scan.name, words: texts.scan.words, group: "actions" },
        ...{ icon: Siren, run: go("/incident") },
      },
      {
        ...{ id: "copy-link", name: texts.copyLink.name, words: texts.copyLink.words, group: "actions" },
        ...{ icon: Link2, run: () => void copy(location.href, texts.copyLink.what) },
      },
    ];
    all.push(...actions);
    for (const { href, name, icon, key, words } of placesOf(role)) {
      all.push({
        id: `page${href.replace("/", "-")}`,
        name,
        words,
        group: "pages",
        icon,
        keys: ["g", key],
        run: go(href),
      });
    }
    for (const [index, view] of (views ?? []).entries()) {
      all.push({
        ...{ id: `view-${index}`, name: view.name, group: "views", icon: Bookmark, words: texts.view.words },
        ...{
          detail: view.page === "/tokens" ? texts.view.tokens : texts.view.audit,
          run: go(`${view.page}${view.query}`),
        },
      });
    }
    if (switcher) {
      for (const { id, name } of switcher.choices.filter(({ active }) => !active)) {
        all.push({
          ...{
            id: `connection-${id.replaceAll(/[^\w-]/g, "-")}`,
            name: texts.switchTo.name(name),
            words: texts.switchTo.words,
          },
          ...{ group: "connections", icon: Unplug, run: () => switcher.onSwitch(id) },
        });
      }
      if (switcher.open) {
        all.push({
          ...{
            id: "connections",
            name: texts.connections.name,
            words: texts.connections.words,
            group: "connections",
            icon: Unplug,
          },
          ...{ keys: ["c"], run: switcher.open },
        });
      }
    }
    for (const [wanted, name, icon] of themes) {
      if (wanted === theme) continue;
      all.push({
        ...{ id: `theme-${wanted}`, name, words: texts.theme.words, group: "settings", icon },
        run: () => applyTheme(wanted),
      });
    }
    const other = zone === "utc" ? "local" : "utc";
    all.push(
      {
        ...{ id: "times", name: other === "utc" ? texts.times.utc : texts.times.local, words: texts.times.words },
        ...{ group: "settings", icon: Globe, run: () => applyZone(other) },
      },
      {
        ...{
          id: "shortcuts",
          name: texts.shortcuts.name,
          words: texts.shortcuts.words,
          group: "settings",
          icon: Keyboard,
        },
        ...{ keys: ["?"], run: () => void ask("shortcuts") },
      },
      {
        ...{ id: "sign-out", name: texts.signOut.name, words: texts.signOut.words, group: "settings", icon: LogOut },
        run: () => void leave(),
      },
    );
    return all;
  }, [role, here, recent, router, copy, zone, leave, switcher, views, theme]);

  const searches = useCallback(
    (q: string): Command[] => {
      const search = { group: "search", icon: Search } as const;
      const tokens = `/tokens${tokenQueryString(parseTokenQuery({ q }))}`;
      const team = `/team${teamQueryString(parseTeamQuery({ q }))}`;
      return [
        { ...search, id: "search-tokens", name: texts.search.tokens(q), run: () => router.push(tokens) },
        ...(role === "member"
          ? []
          : [{ ...search, id: "search-team", name: texts.search.team(q), run: () => router.push(team) }]),
      ];
    },
    [role, router],
  );

  return { commands, searches };
}

const themes: [Theme, string, LucideIcon][] = [
  ["light", texts.theme.light, Sun],
  ["dark", texts.theme.dark, Moon],
  ["system", texts.theme.system, SunMoon],
];
