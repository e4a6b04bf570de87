"use client";

import clsx from "clsx";
import { Check, Copy } from "lucide-react";
import { type ComponentProps, useCallback, useEffect, useState } from "react";
import { buttonClass } from "@/components/ui/button";
import { copyText } from "@/components/ui/clipboard";
import { useToast } from "@/components/ui/toast";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.copy;

/**
 * Copies a text and says what it was: `what` names it ("the summary", "account ID 333333") and is never a secret itself.
 * `shown`: a text that may stand below, so that it can be copied by hand where the browser refuses.
 */
export function useCopy(): (text: string, what: string, shown?: string) => Promise<boolean> {
  const toast = useToast();
  return useCallback(
    async (text, what, shown) => {
      const done = await copyText(text);
      toast(
        done
          ? { title: texts.copied(what), ...(shown === undefined ? {} : { detail: shown }) }
          : {
              title: texts.failed(what),
              detail: shown ?? texts.refused,
              tone: "danger",
            },
      );
      return done;
    },
    [toast],
  );
}

type CopyButtonProps = Omit<ComponentProps<"button">, "onClick" | "children"> & {
  text: string;
  /** Names the button and the toast: "account ID 333333". */
  what: string;
};

/** A small icon beside something short. For a secret there is `SecretValue`. */
export function CopyButton({ text, what, className, ...rest }: CopyButtonProps) {
  const copyAndSay = useCopy();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);

  const Icon = copied ? Check : Copy;
  return (
    <button
      {...rest}
      type="button"
      aria-label={texts.copy(what)}
      title={texts.copy(what)}
      onClick={async () => setCopied(await copyAndSay(text, what))}
      className={clsx(buttonClass("ghost", "icon-sm"), "size-6", className)}
    >
      <Icon className={clsx("size-3.5", copied && "text-good")} aria-hidden="true" />
    </button>
  );
}
