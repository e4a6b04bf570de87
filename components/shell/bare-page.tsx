import type { ReactNode } from "react";
import { Brand } from "@/components/shell/brand";
import { contentId } from "@/components/shell/skip-link";

/** A page that is one short message. */
export function BarePage({ title, action, children }: { title: string; action: ReactNode; children: ReactNode }) {
  return (
    <main id={contentId} className="flex min-h-dvh flex-col items-center justify-center px-6 py-12 text-center">
      <Brand />
      <h1 className="mt-10 font-semibold text-xl">{title}</h1>
      <div className="mt-1.5 max-w-md text-balance text-dim text-sm">{children}</div>
      <div className="mt-6">{action}</div>
    </main>
  );
}
