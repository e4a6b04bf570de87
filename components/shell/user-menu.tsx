"use client";

import clsx from "clsx";
import { ChevronsUpDown, LogOut } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";
import { z } from "zod";
import { call } from "@/components/http";
import { type Person, roleNames } from "@/components/shell/person";
import { applyTheme, type Theme } from "@/components/shell/theme";
import { Menu, MenuItem, MenuLabel, MenuRadioItem, MenuSeparator } from "@/components/ui/menu";
import { Spinner } from "@/components/ui/spinner";
import { useToast } from "@/components/ui/toast";

type UserMenuProps = { person: Person; theme: Theme; compact?: boolean };

export function UserMenu({ person, theme: initialTheme, compact = false }: UserMenuProps) {
  const toast = useToast();
  const [theme, setTheme] = useState(initialTheme);
  const [leaving, setLeaving] = useState(false);

  async function leave() {
    setLeaving(true);
    const failure = await signOut();
    // A full page load: nothing of this person stays in the browser's memory.
    if (failure === null) location.assign("/sign-in?reason=signed-out");
    else {
      setLeaving(false);
      toast({ title: "You are still signed in", detail: failure, tone: "danger" });
    }
  }

  return (
    <Menu
      side={compact ? "bottom" : "top"}
      align={compact ? "end" : "start"}
      trigger={
        <button
          type="button"
          aria-label={`User menu, ${person.name}`}
          className={clsx(
            "flex min-w-0 items-center gap-2 rounded-md text-left hover:bg-hover data-[state=open]:bg-hover",
            compact ? "size-8 justify-center" : "h-11 w-full px-2",
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
      <MenuLabel>Theme</MenuLabel>
      <DropdownMenu.RadioGroup
        value={theme}
        onValueChange={(value) => {
          setTheme(value as Theme);
          applyTheme(value as Theme);
        }}
      >
        <MenuRadioItem value="system">System</MenuRadioItem>
        <MenuRadioItem value="light">Light</MenuRadioItem>
        <MenuRadioItem value="dark">Dark</MenuRadioItem>
      </DropdownMenu.RadioGroup>
      <MenuSeparator />
      <MenuItem icon={<LogOut />} onSelect={leave} disabled={leaving}>
        Sign out
      </MenuItem>
    </Menu>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words[1]?.[0] ?? "")).toUpperCase();
}

/** Null when it worked, else what to say. */
async function signOut(): Promise<string | null> {
  const csrf = await call("/api/auth/csrf", { method: "GET", answer: z.object({ csrfToken: z.string() }) });
  if (!csrf.ok) return csrf.failure.detail;
  const done = await call("/api/auth/signout", {
    method: "POST",
    form: { csrfToken: csrf.value.csrfToken, json: "true" },
    answer: z.unknown(),
  });
  return done.ok ? null : done.failure.detail;
}
