"use client";

import { BarePage } from "@/components/shell/bare-page";
import { Button } from "@/components/ui/button";
import { digestOf } from "@/components/ui/digest";
import "@/app/globals.css";

/** Replaces the root layout, so it follows the system's theme and font. */
export default function GlobalErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  const digest = digestOf(error);
  return (
    <html lang="en">
      <body>
        <title>Error · Tokendesk</title>
        <BarePage
          title="Tokendesk could not show this page"
          action={
            <Button variant="primary" onClick={retry}>
              Try again
            </Button>
          }
        >
          <p>Nothing was changed in RingCX by showing this page.</p>
          {digest && <p className="mt-2 font-mono text-2xs text-faint">Reference {digest}</p>}
        </BarePage>
      </body>
    </html>
  );
}
