"use client";

import { useRouter } from "next/navigation";
import { z } from "zod";
import { call } from "@/components/http";
import { useSubmission } from "@/components/submission";
import { TokenSummary } from "@/components/tokens/token-summary";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { Time } from "@/components/ui/time";
import { useToast } from "@/components/ui/toast";
import type { TeamToken } from "@/lib/team/schema";
import type { RevocationOrder } from "@/lib/tokens/schema";

type CancelOrderDialogProps = {
  token: TeamToken;
  order: RevocationOrder;
  onClose: () => void;
  returnFocus: () => void;
};

export function CancelOrderDialog({ token, order, onClose, returnFocus }: CancelOrderDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const { pending, failure, submit } = useSubmission();

  async function cancel() {
    const path = `/api/team/orders/${encodeURIComponent(order.id)}`;
    const answer = await submit(() =>
      call(path, { method: "DELETE", answer: z.object({ cancelled: z.literal(true) }) }),
    );
    if (answer === null) return;
    toast({ title: "Order cancelled", detail: token.label ?? token.hint });
    router.refresh();
    onClose();
  }

  return (
    <Dialog
      title="Cancel the order"
      description="The token stays alive."
      onClose={() => pending || onClose()}
      returnFocus={returnFocus}
      footer={
        <>
          <Button data-autofocus onClick={onClose} disabled={pending}>
            Keep the order
          </Button>
          <Button variant="danger" pending={pending} onClick={cancel}>
            Cancel order
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 text-sm">
        {failure && <FailureNote failure={failure} />}
        <TokenSummary token={token} />
        <p className="text-dim">
          Ordered by {order.orderedBy} on <Time iso={order.orderedAt} as="instant" className="tabular-nums" />
          {order.reason && <>: {order.reason}</>}
        </p>
        {order.trouble && <p className="text-dim">The last try did not prove it dead: {order.trouble}</p>}
      </div>
    </Dialog>
  );
}
