"use client";

import { RefreshCw } from "lucide-react";
import { useRouter } from "next/navigation";
import { useTransition } from "react";
import { buttonClass } from "@/components/ui/button";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import { uiTexts } from "@/lib/texts/ui";

const texts = uiTexts.freshness;

/** When the list was read from RingCX, and the way to read it again. */
export function Freshness({ fetchedAt }: { fetchedAt: string }) {
  const router = useRouter();
  const [pending, startTransition] = useTransition();
  return (
    <span className="flex items-center gap-1">
      <span className="text-faint">
        <RichText text={texts.readAt} slots={{ time: <Time iso={fetchedAt} as="clock" className="tabular-nums" /> }} />
      </span>
      <button
        type="button"
        aria-label={texts.refresh}
        title={texts.refresh}
        aria-busy={pending || undefined}
        onClick={() => startTransition(() => router.refresh())}
        className={`${buttonClass("ghost", "icon-sm")} size-6 pointer-coarse:-my-2.5`}
      >
        <RefreshCw className={`size-3.5 ${pending ? "animate-spin" : ""}`} aria-hidden="true" />
      </button>
    </span>
  );
}
