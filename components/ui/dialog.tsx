"use client";

import clsx from "clsx";
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { buttonClass } from "@/components/ui/button";
import { uiTexts } from "@/lib/texts/ui";

type DialogProps = {
  title: ReactNode;
  description: ReactNode;
  /** Asked by Escape, the close button and (unless `sticky`) a press outside. The owner unmounts the dialog, or not. */
  onClose: () => void;
  /** A press outside does nothing: there is something to lose. */
  sticky?: boolean;
  /** Where the focus goes after the dialog. */
  returnFocus: () => void;
  wide?: boolean;
  children?: ReactNode;
  footer?: ReactNode;
};

/** A modal dialog, open for as long as it is mounted. */
export function Dialog({
  title,
  description,
  onClose,
  sticky = false,
  returnFocus,
  wide = false,
  children,
  footer,
}: DialogProps) {
  const body = useRef<HTMLDivElement>(null);
  return (
    <Radix.Root open onOpenChange={(open) => open || onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-appear bg-(--scrim)" />
        <Radix.Content
          className={clsx(
            "fixed inset-x-0 bottom-0 z-50 flex max-h-[92dvh] animate-rise flex-col rounded-t-xl bg-surface shadow-overlay outline-none",
            "sm:inset-x-auto sm:bottom-auto sm:top-[max(2rem,14vh)] sm:left-1/2 sm:max-h-[80dvh] sm:w-[calc(100vw-4rem)] sm:-translate-x-1/2 sm:rounded-xl",
            wide ? "sm:max-w-2xl" : "sm:max-w-lg",
          )}
          // A note about what was copied lies above the dialog, and would have the first Escape to itself.
          onKeyDown={({ key, defaultPrevented }) => key === "Escape" && !defaultPrevented && onClose()}
          onInteractOutside={(event) => {
            if (sticky) event.preventDefault();
          }}
          onOpenAutoFocus={(event) => {
            const first = body.current?.querySelector<HTMLElement>("[data-autofocus], input, select, textarea");
            if (!first) return;
            event.preventDefault();
            first.focus();
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            returnFocus();
          }}
        >
          <header className="flex items-start gap-4 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="font-semibold text-ink text-lg tracking-tight">{title}</Radix.Title>
              <Radix.Description asChild>
                <div className="mt-0.5 text-dim text-sm">{description}</div>
              </Radix.Description>
            </div>
            <Radix.Close
              className={clsx(buttonClass("ghost", "icon-sm"), "-mt-0.5 -mr-1.5")}
              aria-label={uiTexts.actions.close}
            >
              <X className="size-4" aria-hidden="true" />
            </Radix.Close>
          </header>
          <div ref={body} className="contents">
            {children && <div className="min-h-0 flex-1 overflow-y-auto px-5 pt-1 pb-5">{children}</div>}
            {footer && (
              <footer className="flex flex-wrap items-center justify-end gap-2 border-line border-t bg-sunken/60 px-5 py-3 sm:rounded-b-xl">
                {footer}
              </footer>
            )}
          </div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
