import type { ReactNode } from "react";

type EmptyStateProps = { icon: ReactNode; title: string; children: ReactNode; action?: ReactNode };

export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center px-6 py-16 text-center">
      <div
        className="mb-4 flex size-10 items-center justify-center rounded-lg border border-line bg-sunken text-dim"
        aria-hidden="true"
      >
        {icon}
      </div>
      <h2 className="font-medium text-base text-ink">{title}</h2>
      <div className="mt-1 max-w-md text-balance text-dim text-sm">{children}</div>
      {action && <div className="mt-5 flex gap-2">{action}</div>}
    </div>
  );
}
