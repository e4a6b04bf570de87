"use client";

import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { copyText } from "@/components/ui/clipboard";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { RichText } from "@/components/ui/rich-text";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.value;

type SecretValueProps = { value: string; hint: string; what?: string; onCopied?: () => void };

/** A token value, or `what` else it is, on screen. It stands in this component and its parent's state, nowhere else. */
export function SecretValue({ value, hint, what = texts.what, onCopied }: SecretValueProps) {
  const [result, setResult] = useState<"copied" | "refused" | null>(null);

  async function copy() {
    const done = await copyText(value);
    setResult(done ? "copied" : "refused");
    if (done) onCopied?.();
  }

  return (
    <div>
      <div className="flex items-center gap-2 rounded-lg border border-edge bg-sunken py-2 pr-2 pl-3">
        <code
          data-testid="token-value"
          className="min-w-0 flex-1 select-all break-all font-mono text-ink text-sm leading-snug"
          onCopy={() => {
            setResult("copied");
            onCopied?.();
          }}
        >
          {value}
        </code>
        <Button ref={focusOnMount} variant="primary" onClick={copy} aria-label={texts.copyWhat(what)}>
          {result === "copied" ? (
            <Check className="size-3.5" aria-hidden="true" />
          ) : (
            <Copy className="size-3.5" aria-hidden="true" />
          )}
          {texts.copy}
        </Button>
      </div>
      <p role="status" className="mt-1.5 min-h-4.5 text-xs">
        {result === "copied" && (
          <span className="text-good">
            <RichText text={texts.copied} slots={{ hint: <span className="font-mono">{hint}</span> }} />
          </span>
        )}
        {result === "refused" && <span className="text-danger">{texts.refused}</span>}
      </p>
    </div>
  );
}
