"use client";

import clsx from "clsx";
import { ChevronDown } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";
import { useEarlyInput } from "@/components/ui/early-input";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.field;

export const controlClass = clsx(
  "w-full rounded-md border border-edge bg-surface px-2.5 text-sm text-ink shadow-raised transition-colors duration-100",
  "hover:border-faint focus-visible:outline-offset-0 aria-invalid:border-danger",
);

type FieldProps = {
  label: string;
  /** What to know before typing; stands below the control. */
  help?: ReactNode;
  error?: string | null | undefined;
  optional?: boolean;
  className?: string;
  children: (control: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
};

/** A label, its control, the help and the error, tied together for assistive technology. */
export function Field({ label, help, error, optional = false, className, children }: FieldProps) {
  const id = useId();
  const described = [help ? `${id}-help` : null, error ? `${id}-error` : null]
    .filter((part) => part !== null)
    .join(" ");
  return (
    <div className={clsx("flex flex-col gap-1.5", className)}>
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="font-medium text-ink text-sm">
          {label}
        </label>
        {optional && <span className="text-faint text-xs">{texts.optional}</span>}
      </div>
      {children({
        id,
        ...(described === "" ? {} : { "aria-describedby": described }),
        ...(error ? { "aria-invalid": true as const } : {}),
      })}
      {error && (
        <p id={`${id}-error`} className="text-danger text-xs">
          {error}
        </p>
      )}
      {help && (
        <p id={`${id}-help`} className="text-faint text-xs">
          {help}
        </p>
      )}
    </div>
  );
}

export function TextInput({ className, ref, ...rest }: ComponentProps<"input">) {
  return (
    <input
      {...rest}
      ref={useEarlyInput(ref)}
      className={clsx(controlClass, "h-8 pointer-coarse:h-10 read-only:bg-sunken read-only:shadow-none", className)}
    />
  );
}

export function TextArea({ className, ref, ...rest }: ComponentProps<"textarea">) {
  return (
    <textarea
      {...rest}
      ref={useEarlyInput(ref)}
      className={clsx(controlClass, "min-h-16 resize-y py-1.5", className)}
    />
  );
}

export function Select({ className, ref, ...rest }: ComponentProps<"select">) {
  return (
    <span className={clsx("relative block", className)}>
      <select
        {...rest}
        ref={useEarlyInput(ref)}
        className={clsx(controlClass, "h-8 pointer-coarse:h-10 appearance-none truncate pr-7")}
      />
      <ChevronDown
        className="pointer-events-none absolute top-1/2 right-2 size-3.5 -translate-y-1/2 text-faint"
        aria-hidden="true"
      />
    </span>
  );
}

/** The checkbox of a row, which has no label beside it: 40 px around it count as it. */
export function RowCheckbox({ children, ...rest }: Omit<ComponentProps<"input">, "type" | "id" | "className">) {
  const id = useId();
  return (
    <label htmlFor={id} className="-m-3 flex w-fit cursor-pointer items-center gap-2 p-3">
      <Checkbox {...rest} id={id} />
      {children}
    </label>
  );
}

export function Checkbox({ className, ref, ...rest }: Omit<ComponentProps<"input">, "type">) {
  return <input {...rest} ref={useEarlyInput(ref)} type="checkbox" className={clsx("checkbox", className)} />;
}
