"use client";

import { useRouter } from "next/navigation";
import { z } from "zod";
import { call } from "@/components/http";
import { useSubmission } from "@/components/submission";
import { TokenSummary } from "@/components/tokens/token-summary";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import { useToast } from "@/components/ui/toast";
import type { TeamToken } from "@/lib/team/schema";
import { teamTexts } from "@/lib/texts/team";
import type { RevocationOrder } from "@/lib/tokens/schema";

const texts = teamTexts.cancelOrder;

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
    toast({ title: texts.cancelled, detail: token.label ?? token.hint });
    router.refresh();
    onClose();
  }

  return (
    <Dialog
      title={texts.title}
      description={texts.description}
      onClose={() => pending || onClose()}
      returnFocus={returnFocus}
      footer={
        <>
          <Button data-autofocus onClick={onClose} disabled={pending}>
            {texts.keep}
          </Button>
          <Button variant="danger" pending={pending} onClick={cancel}>
            {texts.cancel}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 text-sm">
        {failure && <FailureNote failure={failure} />}
        <TokenSummary token={token} />
        <p className="text-dim">
          <RichText
            text={texts.ordered}
            slots={{
              name: order.orderedBy,
              time: <Time iso={order.orderedAt} as="instant" className="tabular-nums" />,
            }}
          />
          {order.reason && texts.reason(order.reason)}
        </p>
        {order.trouble && <p className="text-dim">{texts.trouble(order.trouble)}</p>}
      </div>
    </Dialog>
  );
}
