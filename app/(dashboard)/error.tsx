"use client";

import { CircleAlert } from "lucide-react";
import { Button } from "@/components/ui/button";
import { digestOf } from "@/components/ui/digest";
import { EmptyState } from "@/components/ui/empty-state";

export default function DashboardErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  const digest = digestOf(error);
  return (
    <div role="alert" className="rounded-lg border border-line bg-surface">
      <EmptyState
        icon={<CircleAlert className="size-5" />}
        title="Something went wrong on our side"
        action={<Button onClick={retry}>Retry</Button>}
      >
        <p>This view could not be shown. The rest of Tokendesk still works.</p>
        {digest && <p className="mt-2 font-mono text-2xs text-faint">Reference {digest}</p>}
      </EmptyState>
    </div>
  );
}
