"use client";

import clsx from "clsx";
import { Menu as MenuIcon, X } from "lucide-react";
import { Dialog } from "radix-ui";
import { useState } from "react";
import { SwitcherList } from "@/components/connections/switcher";
import { Brand } from "@/components/shell/brand";
import { Navigation } from "@/components/shell/navigation";
import type { Person } from "@/components/shell/person";
import { buttonClass } from "@/components/ui/button";
import { shellTexts } from "@/lib/texts/shell";

const texts = shellTexts.frame;

/** The side bar, for a narrow screen. */
export function MobileMenu({ role }: { role: Person["role"] }) {
  const [open, setOpen] = useState(false);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className={buttonClass("ghost", "icon")} aria-label={texts.menu}>
        <MenuIcon className="size-4" aria-hidden="true" />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-appear bg-(--scrim)" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-50 flex w-72 max-w-[85vw] animate-slide flex-col gap-4 bg-sunken p-3 shadow-overlay outline-none"
        >
          <Dialog.Title className="sr-only">{texts.menu}</Dialog.Title>
          <div className="flex items-center justify-between pl-1">
            <Brand />
            <Dialog.Close className={clsx(buttonClass("ghost", "icon"))} aria-label={texts.closeMenu}>
              <X className="size-4" aria-hidden="true" />
            </Dialog.Close>
          </div>
          <Navigation role={role} onNavigate={() => setOpen(false)} />
          <div className="mt-auto flex min-h-0 flex-col gap-2">
            <SwitcherList onDone={() => setOpen(false)} />
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
