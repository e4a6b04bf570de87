"use client";

import { useRouter } from "next/navigation";
import { useId, useState } from "react";
import { bareHost, connectionName } from "@/components/connections/connection-text";
import { isOutcomeUnknown } from "@/components/http";
import { tokensPath } from "@/components/tokens/answers";
import { TokenFields } from "@/components/tokens/token-fields";
import { useCreation } from "@/components/tokens/token-form";
import { emptyText, newTokenBody } from "@/components/tokens/token-text";
import { UnconfirmedCreation } from "@/components/tokens/unconfirmed-creation";
import { ValuePanel } from "@/components/tokens/value-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNote } from "@/components/ui/failure-note";
import { Field, Select } from "@/components/ui/field";
import type { ListedConnection } from "@/lib/session/schema";
import { tokensTexts } from "@/lib/texts/tokens";
import { uiTexts } from "@/lib/texts/ui";

const texts = tokensTexts.create;

type NewTokenDialogProps = {
  /** Where it can be made, the active one first. */
  connections: readonly ListedConnection[];
  today: string;
  onClose: () => void;
  returnFocus: () => void;
};

export function NewTokenDialog({ connections, today, onClose, returnFocus }: NewTokenDialogProps) {
  const router = useRouter();
  const formId = useId();
  const works = connections.filter(({ problem }) => problem?.code !== "connection_required");
  const [connection, setConnection] = useState(works[0]?.id ?? null);
  const { fields, pending, failure, onSubmit, created, copied, onCopied, leaveTo, question } = useCreation({
    path: tokensPath(connection),
    initial: () => emptyText,
    check: newTokenBody,
  });
  const close = () => leaveTo(onClose);

  if (created) {
    return (
      <Dialog
        title={texts.created}
        description={<span className="font-medium text-ink">{created.token.label}</span>}
        onClose={close}
        sticky
        returnFocus={returnFocus}
        footer={
          question ?? (
            <Button variant={copied ? "primary" : "secondary"} onClick={close}>
              {uiTexts.actions.done}
            </Button>
          )
        }
      >
        <ValuePanel created={created} onCopied={onCopied} />
      </Dialog>
    );
  }

  if (failure && isOutcomeUnknown(failure)) {
    return (
      <UnconfirmedCreation
        description={texts.lost}
        failure={failure}
        onClose={onClose}
        onRefresh={router.refresh}
        returnFocus={returnFocus}
      />
    );
  }

  return (
    <Dialog
      title={texts.title}
      description={texts.description}
      onClose={close}
      sticky
      returnFocus={returnFocus}
      footer={
        <>
          <Button onClick={close} disabled={pending}>
            {uiTexts.actions.cancel}
          </Button>
          <Button type="submit" form={formId} variant="primary" pending={pending}>
            {pending ? texts.asking : texts.create}
          </Button>
        </>
      }
    >
      <form id={formId} method="post" onSubmit={onSubmit} noValidate className="flex flex-col gap-4">
        {failure && <FailureNote failure={failure} />}
        {works.length > 1 && (
          <Field label={texts.connection} help={texts.connectionHelp}>
            {(control) => (
              <Select {...control} value={connection ?? ""} onChange={(event) => setConnection(event.target.value)}>
                {works.map((one) => (
                  <option key={one.id} value={one.id}>
                    {connectionName(one)}, {bareHost(one.host)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <TokenFields {...fields} today={today} />
      </form>
    </Dialog>
  );
}
