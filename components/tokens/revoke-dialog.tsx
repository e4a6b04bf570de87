"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useId, useState } from "react";
import { call, type Failure, isOutcomeUnknown } from "@/components/http";
import { revokedSchema, tokenPath } from "@/components/tokens/answers";
import { confirmsHint, lastFour } from "@/components/tokens/hint";
import { Proof } from "@/components/tokens/proof";
import { TokenHint } from "@/components/tokens/token-hint";
import { TokenSummary } from "@/components/tokens/token-summary";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { Field, TextInput } from "@/components/ui/field";
import { focusOnMount } from "@/components/ui/focus-on-mount";
import { Spinner } from "@/components/ui/spinner";
import type { RevocationProof, Token } from "@/lib/tokens/schema";

type RevokeDialogProps = {
  token: Token;
  onClose: () => void;
  onRevoked: (token: Token) => void;
  returnFocus: () => void;
};

export function RevokeDialog({ token, onClose, onRevoked, returnFocus }: RevokeDialogProps) {
  const router = useRouter();
  const formId = useId();
  const reasonId = useId();
  const [typed, setTyped] = useState("");
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [proof, setProof] = useState<RevocationProof | null>(null);
  const last = lastFour(token.hint);
  const confirmed = confirmsHint(typed, token.hint);

  async function revoke(event: FormEvent) {
    event.preventDefault();
    if (pending || !confirmed) return;
    setPending(true);
    setFailure(null);
    const answer = await call(tokenPath(token), { method: "DELETE", answer: revokedSchema });
    setPending(false);
    if (!answer.ok) return setFailure(answer.failure);
    setProof(answer.value.proof);
    onRevoked(token);
    router.refresh();
  }

  if (proof) {
    return (
      <Dialog
        title="Token revoked"
        description={
          <>
            <TokenHint hint={token.hint} /> is dead.
          </>
        }
        onClose={onClose}
        returnFocus={returnFocus}
        footer={
          <Button ref={focusOnMount} variant="primary" onClick={onClose}>
            Done
          </Button>
        }
      >
        <Callout tone="good" title="Proven" role="status">
          <p>
            <Proof proof={proof} />
          </p>
        </Callout>
      </Dialog>
    );
  }

  const unknown = failure !== null && isOutcomeUnknown(failure);
  return (
    <Dialog
      title="Revoke token"
      description="This cannot be undone. What uses this token stops working at once."
      onClose={() => pending || onClose()}
      returnFocus={returnFocus}
      footer={
        <>
          {!confirmed && !pending && (
            <p id={reasonId} className="mr-auto text-dim text-xs">
              Type <span className="font-mono text-ink">{last}</span> to go on
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
            {...(confirmed ? {} : { "aria-describedby": reasonId })}
          >
            {failure ? "Try again" : "Revoke"}
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={revoke} noValidate className="flex flex-col gap-4">
        {failure &&
          (unknown ? (
            <Callout tone="danger" role="alert" title="Not proven: the token may still be alive">
              <p>{failure.detail}</p>
              <p>Trying again is safe.</p>
              {failure.requestId && <p className="font-mono text-2xs">Request ID {failure.requestId}</p>}
            </Callout>
          ) : (
            <FailureNote failure={failure} />
          ))}
        <TokenSummary token={token} />
        <Field
          label="Last four characters"
          help="Confirms that it is this one and not its neighbour."
          className="max-w-72"
        >
          {(control) => (
            <TextInput
              {...control}
              value={typed}
              readOnly={pending}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              className="font-mono"
              // A pasted value is cut to its last four at once.
              onChange={(event) => setTyped(confirmsHint(event.target.value, token.hint) ? last : event.target.value)}
            />
          )}
        </Field>
        <div role="status">
          {pending && (
            <ol className="flex flex-col gap-1.5 text-sm">
              <li className="flex items-center gap-2">
                <Spinner className="text-accent" /> Asking RingCX
              </li>
              <li className="flex items-center gap-2 text-dim">
                <Spinner className="text-accent" /> Proving that it is dead
              </li>
            </ol>
          )}
        </div>
      </form>
    </Dialog>
  );
}
