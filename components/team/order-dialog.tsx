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
import { RichText } from "@/components/ui/rich-text";
import { useToast } from "@/components/ui/toast";
import type { TeamToken } from "@/lib/team/schema";
import { teamTexts } from "@/lib/texts/team";
import { uiTexts } from "@/lib/texts/ui";

const texts = teamTexts.order;

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
    toast({ title: texts.ordered, detail: token.label ?? token.hint });
    router.refresh();
    onClose();
  }

  return (
    <Dialog
      title={texts.title}
      description={texts.description}
      onClose={() => pending || onClose()}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          {!confirmed && (
            <p id={whyId} className="mr-auto text-dim text-xs">
              <RichText
                text={texts.typeHint}
                slots={{ hint: <span className="font-mono text-ink">{lastFour(token.hint)}</span> }}
              />
            </p>
          )}
          <Button onClick={onClose} disabled={pending}>
            {uiTexts.actions.cancel}
          </Button>
          <Button
            type="submit"
            form={formId}
            variant="danger"
            pending={pending}
            disabled={!confirmed}
            {...(confirmed ? {} : { "aria-describedby": whyId })}
          >
            {texts.title}
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={order} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        <TokenSummary token={token} />
        <ReadinessNote token={token} />
        <LastFourField hint={token.hint} typed={typed} readOnly={pending} onType={setTyped} />
        <ReasonField help={texts.reasonHelp} reason={reason} readOnly={pending} onType={setReason} />
      </form>
    </Dialog>
  );
}

/** When the token can be dead, honestly. Tokendesk keeps no value, so that it cannot act for somebody who is away. */
function ReadinessNote({ token }: { token: TeamToken }) {
  const owner = token.owner ?? texts.itsOwner;
  if (token.readiness === "paste") {
    return (
      <Callout tone="warn" title={texts.paste.title}>
        <p>{texts.paste.why(owner)}</p>
        <p>
          <RichText
            text={texts.paste.how}
            slots={{
              link: (
                <Link href="/incident" prefetch={false} className="font-medium text-ink underline underline-offset-2">
                  {texts.paste.link}
                </Link>
              ),
            }}
          />
        </p>
      </Callout>
    );
  }
  return (
    <Callout tone="info" title={texts.ownerSignIn.title}>
      <p>{texts.ownerSignIn.why(owner)}</p>
    </Callout>
  );
}
