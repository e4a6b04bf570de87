"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { type FormEvent, useId, useState } from "react";
import { z } from "zod";
import { call } from "@/components/http";
import { useSubmission } from "@/components/submission";
import { orderSchema } from "@/components/tokens/answers";
import { confirmsHint, lastFour } from "@/components/tokens/hint";
import { LastFourField } from "@/components/tokens/last-four-field";
import { ReasonField } from "@/components/tokens/reason-field";
import { TokenSummary } from "@/components/tokens/token-summary";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { useToast } from "@/components/ui/toast";
import type { TeamToken } from "@/lib/team/schema";

const orderedSchema = z.object({ order: orderSchema });

type OrderDialogProps = { token: TeamToken; onClose: () => void; returnFocus: () => void };

/** Orders that a token whose value is not at hand be revoked as soon as it is. */
export function OrderDialog({ token, onClose, returnFocus }: OrderDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const formId = useId();
  const whyId = useId();
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const { pending, failure, submit } = useSubmission();
  const confirmed = confirmsHint(typed, token.hint);

  async function order(event: FormEvent) {
    event.preventDefault();
    if (!confirmed) return;
    const json = { tokenId: token.id, ...(reason.trim() === "" ? {} : { reason: reason.trim() }) };
    const answer = await submit(() => call("/api/team/orders", { method: "POST", json, answer: orderedSchema }));
    if (answer === null) return;
    toast({ title: "Revocation ordered", detail: token.label ?? token.hint });
    router.refresh();
    onClose();
  }

  return (
    <Dialog
      title="Order revocation"
      description="Until it is carried out, the order can be cancelled. A revocation cannot be undone."
      onClose={() => pending || onClose()}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          {!confirmed && (
            <p id={whyId} className="mr-auto text-dim text-xs">
              Type <span className="font-mono text-ink">{lastFour(token.hint)}</span> to go on
            </p>
          )}
          <Button onClick={onClose} disabled={pending}>
            Cancel
          </Button>
          <Button
            type="submit"
            form={formId}
            variant="danger"
            pending={pending}
            disabled={!confirmed}
            {...(confirmed ? {} : { "aria-describedby": whyId })}
          >
            Order revocation
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={order} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenSummary token={token} />
        <ReadinessNote token={token} />
        <LastFourField hint={token.hint} typed={typed} readOnly={pending} onType={setTyped} />
        <ReasonField
          help="Stands in the audit log, and beside the order."
          reason={reason}
          readOnly={pending}
          onType={setReason}
        />
      </form>
    </Dialog>
  );
}

/** When the token can be dead, honestly. Tokendesk keeps no value, so that it cannot act for somebody who is away. */
function ReadinessNote({ token }: { token: TeamToken }) {
  const owner = token.owner ?? "its owner";
  if (token.readiness === "paste") {
    return (
      <Callout tone="warn" title="Needs paste">
        <p>
          RingCX says that {owner} is disabled. To revoke this token its value is needed: Tokendesk keeps none, and no
          list shows it to Tokendesk while {owner} cannot sign in. The order waits in case {owner} comes back.
        </p>
        <p>
          Who has the value can{" "}
          <Link href="/incident" prefetch={false} className="font-medium text-ink underline underline-offset-2">
            paste it at the incident desk
          </Link>
          .
        </p>
      </Callout>
    );
  }
  return (
    <Callout tone="info" title="Needs owner sign-in">
      <p>
        Tokendesk keeps no values. This token is revoked the moment that {owner} next opens Tokendesk and the list shows
        it. Until then it works.
      </p>
    </Callout>
  );
}
