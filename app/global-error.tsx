"use client";

import { BarePage } from "@/components/shell/bare-page";
import { Button } from "@/components/ui/button";
import { digestOf } from "@/components/ui/digest";
import "@/app/globals.css";
import { pagesTexts } from "@/lib/texts/pages";
import { uiTexts } from "@/lib/texts/ui";

const texts = pagesTexts.error;

/** Replaces the root layout, so it follows the system's theme and font. */
export default function GlobalErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  const digest = digestOf(error);
  return (
    <html lang={pagesTexts.site.language}>
      <body>
        <title>{texts.tab}</title>
        <BarePage
          title={texts.withoutPage}
          action={
            <Button variant="primary" onClick={retry}>
              {uiTexts.actions.tryAgain}
            </Button>
          }
        >
          <p>{texts.nothingChanged}</p>
          {digest && <p className="mt-2 font-mono text-2xs text-faint">{texts.reference(digest)}</p>}
        </BarePage>
      </body>
    </html>
  );
}
