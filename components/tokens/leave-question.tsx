"use client";

import { Button } from "@/components/ui/button";
import { focusOnMount } from "@/components/ui/focus-on-mount";

/** In the dialog's footer, when it is to close and the value was never copied. */
export function LeaveQuestion({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  return (
    <div role="alert" className="flex w-full flex-wrap items-center justify-end gap-2">
      <p className="mr-auto font-medium text-sm">Close without copying?</p>
      <Button ref={focusOnMount} onClick={onStay}>
        Go back
      </Button>
      <Button variant="danger" onClick={onLeave}>
        Close without copying
      </Button>
    </div>
  );
}
