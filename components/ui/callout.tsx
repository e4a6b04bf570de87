import clsx from "clsx";
import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";

const tones = {
  info: { box: "bg-accent-soft", icon: Info, ink: "text-accent" },
  good: { box: "bg-good-soft", icon: CircleCheck, ink: "text-good" },
  warn: { box: "bg-warn-soft", icon: TriangleAlert, ink: "text-warn" },
  danger: { box: "bg-danger-soft", icon: CircleAlert, ink: "text-danger" },
} as const;

type CalloutProps = Omit<ComponentProps<"div">, "title"> & { tone: keyof typeof tones; title?: ReactNode };

export function Callout({ tone, title, children, className, ...rest }: CalloutProps) {
  const { box, icon: Icon, ink } = tones[tone];
  return (
    <div {...rest} className={clsx("flex gap-2.5 rounded-lg px-3 py-2.5 text-ink text-sm", box, className)}>
      <Icon className={clsx("mt-0.5 size-4 shrink-0", ink)} aria-hidden="true" />
      <div className="min-w-0 flex-1">
        {title && <p className="font-medium">{title}</p>}
        {children && <div className={clsx("flex flex-col gap-1", title && "text-dim")}>{children}</div>}
      </div>
    </div>
  );
}
