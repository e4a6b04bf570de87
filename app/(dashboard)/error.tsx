"use client";

import { CircleAlert } from "lucide-react";
import { Button } from "@/components/ui/button";
import { digestOf } from "@/components/ui/digest";
import { EmptyState } from "@/components/ui/empty-state";
import { pagesTexts } from "@/lib/texts/pages";
import { uiTexts } from "@/lib/texts/ui";

const texts = pagesTexts.error;

export default function DashboardErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  const digest = digestOf(error);
  return (
    <div role="alert" className="rounded-lg border border-line bg-surface">
      <EmptyState
        icon={<CircleAlert className="size-5" />}
        title={texts.title}
        action={<Button onClick={retry}>{uiTexts.actions.retry}</Button>}
      >
        <p>{texts.viewOnly}</p>
        {digest && <p className="mt-2 font-mono text-2xs text-faint">{texts.reference(digest)}</p>}
      </EmptyState>
    </div>
  );
}
