"use client";

import { BarePage } from "@/components/shell/bare-page";
import { Button } from "@/components/ui/button";
import { digestOf } from "@/components/ui/digest";
import { pagesTexts } from "@/lib/texts/pages";
import { uiTexts } from "@/lib/texts/ui";

const texts = pagesTexts.error;

export default function ErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  const digest = digestOf(error);
  return (
    <BarePage
      title={texts.title}
      action={
        <Button variant="primary" onClick={retry}>
          {uiTexts.actions.tryAgain}
        </Button>
      }
    >
      <p>{texts.nothingChanged}</p>
      {digest && <p className="mt-2 font-mono text-2xs text-faint">{texts.reference(digest)}</p>}
    </BarePage>
  );
}
