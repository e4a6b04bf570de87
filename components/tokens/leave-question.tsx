"use client";

import { Button } from "@/components/ui/button";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { tokensTexts } from "@/lib/texts/tokens";

const texts = tokensTexts.leave;

/** In the dialog's footer, when it is to close and the value was never copied. */
export function LeaveQuestion({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  return (
    <div role="alert" className="flex w-full flex-wrap items-center justify-end gap-2">
      <p className="mr-auto font-medium text-sm">{texts.question}</p>
      <Button ref={focusOnMount} onClick={onStay}>
        {texts.stay}
      </Button>
      <Button variant="danger" onClick={onLeave}>
        {texts.leave}
      </Button>
    </div>
  );
}
