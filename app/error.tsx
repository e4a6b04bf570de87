"use client";

import { BarePage } from "@/components/shell/bare-page";
import { Button } from "@/components/ui/button";
import { digestOf } from "@/components/ui/digest";

export default function ErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  const digest = digestOf(error);
  return (
    <BarePage
      title="Something went wrong on our side"
      action={
        <Button variant="primary" onClick={retry}>
          Try again
        </Button>
      }
    >
      <p>Nothing was changed in RingCX by showing this page.</p>
      {digest && <p className="mt-2 font-mono text-2xs text-faint">Reference {digest}</p>}
    </BarePage>
  );
}
