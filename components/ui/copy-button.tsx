"use client";

import clsx from "clsx";
import { Check, Copy } from "lucide-react";
import { type ComponentProps, useEffect, useState } from "react";
import { buttonClass } from "@/components/ui/button";
import { copyText } from "@/components/ui/clipboard";
import { useToast } from "@/components/ui/toast";

type CopyButtonProps = Omit<ComponentProps<"button">, "onClick" | "children"> & {
  text: string;
  /** Names the button and the toast: "account ID 333333". */
  what: string;
};

/** A small icon beside something short. For a secret there is `SecretValue`. */
export function CopyButton({ text, what, className, ...rest }: CopyButtonProps) {
  const toast = useToast();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);

  async function copy() {
    const done = await copyText(text);
    setCopied(done);
    toast(
      done
        ? { title: `Copied ${what}` }
        : {
            title: `Could not copy ${what}`,
            detail: "The browser refused. Select the text and copy it.",
            tone: "danger",
          },
    );
  }

  const Icon = copied ? Check : Copy;
  return (
    <button
      {...rest}
      type="button"
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={copy}
      className={clsx(buttonClass("ghost", "icon-sm"), "size-6", className)}
    >
      <Icon className={clsx("size-3.5", copied && "text-good")} aria-hidden="true" />
    </button>
  );
}
