import clsx from "clsx";
import type { ComponentProps } from "react";
import { Spinner } from "@/components/ui/spinner";

const variants = {
  primary: "border border-transparent bg-solid text-solid-ink hover:bg-solid-hover shadow-raised",
  secondary: "bg-surface text-ink border border-edge/70 hover:bg-hover shadow-raised",
  ghost: "text-dim hover:bg-hover hover:text-ink",
  "ghost-danger": "text-danger hover:bg-danger-soft",
  danger: "border border-transparent bg-danger-solid text-white hover:bg-danger-hover shadow-raised",
} as const;

const sizes = {
  sm: "h-7 px-2.5 gap-1.5 text-xs pointer-coarse:h-10",
  md: "h-8 px-3 gap-1.5 text-sm pointer-coarse:h-10",
  lg: "h-10 px-4 gap-2 text-base",
  icon: "size-8 justify-center pointer-coarse:size-10",
  "icon-sm": "size-7 justify-center pointer-coarse:size-10",
} as const;

export function buttonClass(variant: keyof typeof variants = "secondary", size: keyof typeof sizes = "md"): string {
  return clsx(
    "inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-md font-medium transition-colors duration-100",
    "aria-disabled:cursor-not-allowed aria-disabled:opacity-50 aria-disabled:shadow-none",
    variants[variant],
    sizes[size],
  );
}

type ButtonProps = Omit<ComponentProps<"button">, "disabled"> & {
  variant?: keyof typeof variants;
  size?: keyof typeof sizes;
  /** Greyed, but still reachable by keyboard, so that its reason (aria-describedby) can be read. */
  disabled?: boolean;
  /** Working: a second press does nothing and the focus stays. */
  pending?: boolean;
};

export function Button({
  variant = "secondary",
  size = "md",
  disabled = false,
  pending = false,
  className,
  onClick,
  children,
  type = "button",
  ...rest
}: ButtonProps) {
  const inert = disabled || pending;
  return (
    <button
      {...rest}
      type={type}
      className={clsx(buttonClass(variant, size), className)}
      aria-disabled={inert || undefined}
      aria-busy={pending || undefined}
      onClick={(event) => {
        if (inert) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {pending && <Spinner />}
      {children}
    </button>
  );
}
