"use client";

import clsx from "clsx";
import { Check } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";

const itemClass = clsx(
  "relative flex min-h-7 pointer-coarse:min-h-10 select-none items-center gap-2 rounded px-2 text-sm outline-none",
  "data-[highlighted]:bg-hover data-[disabled]:text-faint",
);

type MenuProps = {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
  side?: "top" | "bottom";
  /** May keep the focus from going back to the trigger. */
  onCloseAutoFocus?: (event: Event) => void;
  /** For a menu that something else than its trigger opens too. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
};

/** Not modal: the page stays readable and scrollable while it is open. It stands in <main>, so in a landmark. */
export function Menu({
  trigger,
  children,
  align = "end",
  side = "bottom",
  onCloseAutoFocus,
  ...controlled
}: MenuProps) {
  return (
    <DropdownMenu.Root modal={false} {...controlled}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal container={typeof document === "undefined" ? null : document.querySelector("main")}>
        <DropdownMenu.Content
          align={align}
          side={side}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-44 max-w-[calc(100vw-1rem)] animate-appear rounded-lg bg-surface p-1 text-ink shadow-overlay outline-none"
          {...(onCloseAutoFocus ? { onCloseAutoFocus } : {})}
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

type MenuItemProps = ComponentProps<typeof DropdownMenu.Item> & { icon?: ReactNode; danger?: boolean };

export function MenuItem({ icon, danger = false, className, children, ...rest }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      {...rest}
      className={clsx(itemClass, danger && "text-danger data-[highlighted]:bg-danger-soft", className)}
    >
      {icon && (
        <span
          className={clsx("flex size-4 items-center justify-center [&>svg]:size-3.5", !danger && "text-faint")}
          aria-hidden="true"
        >
          {icon}
        </span>
      )}
      {children}
    </DropdownMenu.Item>
  );
}

export function MenuRadioItem({ children, ...rest }: ComponentProps<typeof DropdownMenu.RadioItem>) {
  return (
    <DropdownMenu.RadioItem {...rest} className={clsx(itemClass, "pl-8")}>
      <DropdownMenu.ItemIndicator className="absolute left-2 flex size-4 items-center justify-center">
        <Check className="size-3.5 text-accent" aria-hidden="true" />
      </DropdownMenu.ItemIndicator>
      {children}
    </DropdownMenu.RadioItem>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 pt-1.5 pb-1 text-faint text-xs">{children}</DropdownMenu.Label>;
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="-mx-1 my-1 h-px bg-line" />;
}
