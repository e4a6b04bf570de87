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
    toast({ title: lost ? "Removed" : "Disconnected", detail: connectionName(connection) });
    onClose();
    onDisconnected();
  }

  return (
    <Dialog
      title={lost ? `Remove ${connection.username}?` : `Disconnect ${connection.username}?`}
      description={`Main account ${connection.mainAccountId} at ${bareHost(connection.host)}`}
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
            Done
          </Button>
        ) : (
          <>
            <Button onClick={onClose} disabled={pending}>
              Cancel
            </Button>
            <Button data-autofocus variant="primary" pending={pending} onClick={disconnect}>
              {lost ? "Remove" : "Disconnect"}
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-3 text-dim text-sm">
        {failure && (over ? <p role="status">It was gone already.</p> : <FailureNote failure={failure} />)}
        <p>{whatEnds(connection)}</p>
        <p>API tokens are not touched: they go on working.</p>
      </div>
    </Dialog>
  );
}

function whatEnds({ kind, state }: Connection): string {
  if (state === "lost") return "RingCX has ended it already. It is only taken off your list.";
  if (kind === "legacy") {
    return "Tokendesk forgets this session. The portal offers no way to end it: it ends by itself when nobody uses it.";
  }
  return "Its session ends here and at RingCX. Your other connections stay.";
}
