"use client";

import clsx from "clsx";
import Link, { useLinkStatus } from "next/link";
import { usePathname } from "next/navigation";
import type { MouseEventHandler } from "react";
import { PaletteButton } from "@/components/commands/palette-button";
import type { Person } from "@/components/shell/person";
import { placesOf } from "@/components/shell/places";
import { Spinner } from "@/components/ui/spinner";
import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.frame;

type NavigationProps = { role: Person["role"]; onNavigate?: MouseEventHandler<HTMLAnchorElement> };

export function Navigation({ role, onNavigate }: NavigationProps) {
  const pathname = usePathname();
  return (
    <>
      {/* On a narrow screen it stands in the header. */}
      {!onNavigate && <PaletteButton />}
      <nav aria-label={texts.navigation}>
        <ul className="flex flex-col gap-px">
          {placesOf(role).map(({ href, name, icon: Icon }) => {
            const here = pathname === href || pathname.startsWith(`${href}/`);
            return (
              <li key={href}>
                <Link
                  href={href}
                  // Next may fetch the outline of a page ahead without its loading state, and then shows nothing at all.
                  prefetch={false}
                  {...(onNavigate ? { onClick: onNavigate } : {})}
                  aria-current={here ? "page" : undefined}
                  className={clsx(
                    "flex h-8 items-center gap-2.5 rounded-md px-2 font-medium pointer-coarse:h-10 text-sm transition-colors duration-100",
                    here ? "bg-surface text-ink shadow-raised" : "text-dim hover:bg-hover/60 hover:text-ink",
                  )}
                >
                  <Icon className={clsx("size-4", here ? "text-accent" : "text-faint")} aria-hidden="true" />
                  {name}
                  <Pending />
                </Link>
              </li>
            );
          })}
        </ul>
      </nav>
    </>
  );
}

function Pending() {
  const { pending } = useLinkStatus();
  return pending ? <Spinner className="ml-auto animate-spin text-faint" /> : null;
}
