"use client";

import { z } from "zod";
import { bareHost, connectionName } from "@/components/connections/connection-text";
import { call } from "@/components/http";
import type { Connection } from "@/components/shell/person";
import { useSubmission } from "@/components/submission";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { useToast } from "@/components/ui/toast";
import { connectionsTexts } from "@/lib/texts/connections";
import { uiTexts } from "@/lib/texts/ui";

const texts = connectionsTexts.disconnect;

type DisconnectDialogProps = {
  connection: Connection;
  onClose: () => void;
  onDisconnected: () => void;
  returnFocus: () => void;
};

export function DisconnectDialog({ connection, onClose, onDisconnected, returnFocus }: DisconnectDialogProps) {
  const toast = useToast();
  const { pending, failure, submit } = useSubmission();
  // Gone already is what was asked for.
  const over = failure?.code === "not_found";
  const lost = connection.state === "lost";

  async function disconnect() {
    const path = `/api/connections/${encodeURIComponent(connection.id)}`;
    const done = await submit(async () => {
      const answer = await call(path, { method: "DELETE", answer: z.unknown() });
      return answer.ok ? { ok: true as const, value: true as const } : answer;
    });
    if (done === null) return;
    toast({ title: lost ? texts.removed : texts.disconnected, detail: connectionName(connection) });
    onClose();
    onDisconnected();
  }

  return (
    <Dialog
      title={lost ? texts.removeTitle(connection.username) : texts.title(connection.username)}
      description={texts.description(connection.mainAccountId, bareHost(connection.host))}
      onClose={() => pending || onClose()}
      returnFocus={returnFocus}
      footer={
        over ? (
          <Button
            ref={focusOnMount}
            variant="primary"
            onClick={() => {
              onClose();
              onDisconnected();
            }}
          >
            {uiTexts.actions.done}
          </Button>
        ) : (
          <>
            <Button onClick={onClose} disabled={pending}>
              {uiTexts.actions.cancel}
            </Button>
            <Button data-autofocus variant="primary" pending={pending} onClick={disconnect}>
              {lost ? texts.remove : texts.disconnect}
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-3 text-dim text-sm">
        {failure && (over ? <p role="status">{texts.gone}</p> : <FailureNote failure={failure} />)}
        <p>{whatEnds(connection)}</p>
        <p>{texts.tokens}</p>
      </div>
    </Dialog>
  );
}

function whatEnds({ kind, state }: Connection): string {
  if (state === "lost") return texts.ends.lost;
  if (kind === "legacy") {
    return texts.ends.legacy;
  }
  return texts.ends.ringcx;
}
