"use client";

import clsx from "clsx";
import { ChevronsUpDown, Keyboard, LogOut } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useRef, useState } from "react";
import { PaletteButton } from "@/components/commands/palette-button";
import { ask } from "@/components/commands/requests";
import { type Person, roleNames } from "@/components/shell/person";
import { useSignOut } from "@/components/shell/sign-out";
import { applyTheme, currentTheme, type Theme } from "@/components/shell/theme";
import { Menu, MenuItem, MenuLabel, MenuRadioItem, MenuSeparator } from "@/components/ui/menu";
import { Spinner } from "@/components/ui/spinner";
import { applyZone, useZone } from "@/components/ui/zone";
import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.user;

export function UserMenu({ person, compact = false }: { person: Person; compact?: boolean }) {
  const { leaving, leave } = useSignOut();
  const sheet = useRef(false);

  const menu = (
    <Menu
      onCloseAutoFocus={() => {
        if (!sheet.current) return;
        sheet.current = false;
        // It opens once the menu is gone and the focus is on the trigger: there it comes back to.
        setTimeout(() => ask("shortcuts"));
      }}
      side={compact ? "bottom" : "top"}
      align={compact ? "end" : "start"}
      trigger={
        <button
          type="button"
          aria-label={texts.label(person.name)}
          className={clsx(
            "flex min-w-0 items-center gap-2 rounded-md text-left hover:bg-hover data-[state=open]:bg-hover",
            compact ? "size-8 justify-center pointer-coarse:size-10" : "h-11 w-full px-2",
          )}
        >
          <span
            className="flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-soft font-semibold text-2xs text-accent"
            aria-hidden="true"
          >
            {leaving ? <Spinner /> : initials(person.name)}
          </span>
          {!compact && (
            <>
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium text-ink text-sm leading-tight">{person.name}</span>
                {person.email && person.email !== person.name && (
                  <span className="block truncate text-2xs text-faint">{person.email}</span>
                )}
              </span>
              <ChevronsUpDown className="size-3.5 shrink-0 text-faint" aria-hidden="true" />
            </>
          )}
        </button>
      }
    >
      <div className="max-w-60 px-2 py-1.5">
        <p className="truncate font-medium text-sm">{person.name}</p>
        {person.email && person.email !== person.name && <p className="truncate text-dim text-xs">{person.email}</p>}
        <p className="text-faint text-xs">{roleNames[person.role]}</p>
      </div>
      <MenuSeparator />
      <ThemeItems />
      <MenuSeparator />
      <TimesItems />
      <MenuSeparator />
      <MenuItem
        icon={<Keyboard />}
        onSelect={() => {
          sheet.current = true;
        }}
      >
        {texts.shortcuts}
      </MenuItem>
      <MenuItem icon={<LogOut />} onSelect={leave} disabled={leaving}>
        {texts.signOut}
      </MenuItem>
    </Menu>
  );
  return compact ? (
    <div className="flex items-center gap-1">
      <PaletteButton compact />
      {menu}
    </div>
  ) : (
    menu
  );
}

function ThemeItems() {
  const [theme, setTheme] = useState(currentTheme);
  return (
    <>
      <MenuLabel>{texts.theme}</MenuLabel>
      <DropdownMenu.RadioGroup
        aria-label={texts.theme}
        value={theme}
        onValueChange={(value) => {
          setTheme(value as Theme);
          applyTheme(value as Theme);
        }}
      >
        <MenuRadioItem value="system">{texts.themes.system}</MenuRadioItem>
        <MenuRadioItem value="light">{texts.themes.light}</MenuRadioItem>
        <MenuRadioItem value="dark">{texts.themes.dark}</MenuRadioItem>
      </DropdownMenu.RadioGroup>
    </>
  );
}

function TimesItems() {
  return (
    <>
      <MenuLabel>{texts.times}</MenuLabel>
      <DropdownMenu.RadioGroup
        aria-label={texts.times}
        value={useZone()}
        onValueChange={(value) => applyZone(value === "utc" ? "utc" : "local")}
      >
        <MenuRadioItem value="local">{texts.zones.local}</MenuRadioItem>
        <MenuRadioItem value="utc">{texts.zones.utc}</MenuRadioItem>
      </DropdownMenu.RadioGroup>
    </>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words[1]?.[0] ?? "")).toUpperCase();
}
