"use client";

import { useRouter } from "next/navigation";
import { call } from "@/components/http";
import { revokedKeySchema } from "@/components/keys/answers";
import { useSubmission } from "@/components/submission";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { useToast } from "@/components/ui/toast";
import type { ApiKey } from "@/lib/keys/schema";
import { keysTexts } from "@/lib/texts/keys";
import { uiTexts } from "@/lib/texts/ui";

const texts = keysTexts.revoke;

type RevokeKeyDialogProps = { apiKey: ApiKey; onClose: () => void; returnFocus: () => void };

export function RevokeKeyDialog({ apiKey: { id, name, hint }, onClose, returnFocus }: RevokeKeyDialogProps) {
  const router = useRouter();
  const toast = useToast();
  const { pending, failure, submit } = useSubmission();
  // Over already is what was asked for.
  const over = failure?.code === "not_found";

  async function revoke() {
    const path = `/api/keys/${encodeURIComponent(id)}`;
    const answer = await submit(() => call(path, { method: "DELETE", answer: revokedKeySchema }));
    if (answer === null) return;
    toast({ title: texts.revoked, detail: name });
    leave();
  }

  function leave() {
    router.refresh();
    onClose();
  }

  return (
    <Dialog
      title={texts.title}
      description={
        <>
          <span className="font-medium text-ink">{name}</span> <span className="font-mono text-xs">{hint}</span>
        </>
      }
      onClose={() => pending || (over ? leave() : onClose())}
      returnFocus={returnFocus}
      footer={
        over ? (
          <Button ref={focusOnMount} variant="primary" onClick={leave}>
            {uiTexts.actions.done}
          </Button>
        ) : (
          <>
            <Button data-autofocus onClick={onClose} disabled={pending}>
              {uiTexts.actions.cancel}
            </Button>
            <Button variant="danger" pending={pending} onClick={revoke}>
              {failure ? uiTexts.actions.tryAgain : texts.revoke}
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-3 text-sm">
        {failure && (over ? <p role="status">{texts.over}</p> : <FailureNote failure={failure} />)}
        <p>{texts.consequence}</p>
      </div>
    </Dialog>
  );
}
